"""Definitions, hashes and QoS in bags agree with an independent reader of ROS 2 types."""

import pytest
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.rosbag2.metadata import parse_qos
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import Image

from chef_cell.core.topic_rules import TopicRule
from chef_cell.nodes.definitions import (
    UnknownTypeError,
    bag_qos,
    definition,
    message_class,
    type_hash,
)
from chef_trainer.episodes.definitions import parse_definitions

STORE = get_typestore(Stores.ROS2_JAZZY)
STANDARD = (
    'sensor_msgs/msg/Image',
    'geometry_msgs/msg/WrenchStamped',
    'sensor_msgs/msg/JointState',
)
OURS = ('chef_interfaces/msg/EpisodeState', 'chef_interfaces/msg/TrackedObjects')


@pytest.mark.parametrize('name', STANDARD)
def test_hashes_are_those_of_the_distribution(name: str):
    assert type_hash(name) == STORE.hash_rihs01(name)


@pytest.mark.parametrize('name', [*STANDARD, *OURS])
def test_definitions_are_complete(name: str):
    store = get_typestore(Stores.EMPTY)
    for line in definition(name).split('=' * 80 + '\n')[1:]:
        head, _, text = line.partition('\n')
        store.register(get_types_from_msg(text, head.removeprefix('MSG: ').replace('/', '/msg/')))
    root = definition(name).split('=' * 80)[0]
    store.register(get_types_from_msg(root, name))
    assert store.hash_rihs01(name) == type_hash(name)
    assert parse_definitions(name, definition(name))


def test_unknown_types_are_named():
    with pytest.raises(UnknownTypeError, match='nowhere_msgs'):
        message_class('nowhere_msgs/msg/Thing')
    with pytest.raises(UnknownTypeError, match='sensor_msgs/Thing is not installed'):
        definition('sensor_msgs/msg/Thing')
    assert message_class('sensor_msgs/msg/Image') is Image


def test_qos_is_written_as_rosbag2_does():
    profile = QoSProfile(
        depth=7,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
        deadline=Duration(seconds=0.05),
    )
    (qos,) = parse_qos([bag_qos(profile)])
    assert (qos.depth, qos.reliability.name, qos.durability.name) == (
        7,
        'BEST_EFFORT',
        'TRANSIENT_LOCAL',
    )
    assert (qos.deadline.sec, qos.deadline.nsec) == (0, 50_000_000)
    assert (qos.lifespan.sec, qos.lifespan.nsec) == (9223372036, 854775807)


@pytest.mark.parametrize(
    ('topic', 'found'),
    [
        ('/cell/camera/front/image_raw', True),
        ('/cell/camera/front/device/image_raw', False),
        ('/other/camera/front/image_raw', False),
        ('/robot/state', True),
        ('/cell/robot/state', False),
    ],
)
def test_a_star_stands_for_one_part(topic: str, found: bool):
    rules = [TopicRule('camera/*/image_raw'), TopicRule('/robot/state')]
    assert any(rule.matches(topic, '/cell') for rule in rules) is found
