"""`chef calibrate collect`: pictures and joint angles, taken after they were asked for."""

import threading

import numpy as np
import pytest
from rclpy.context import Context
from sensor_msgs.msg import Image, JointState

from chef_cell.cli import calibrate_collect
from chef_cell.core.camera_model import CalibrationError
from chef_cell.core.readings import ArmReading, ImageReading
from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph

JOINTS = np.linspace(-0.3, 0.3, 7)


class Cell:
    """One camera whose images tell when they were taken, and an arm."""

    def __init__(self, graph):
        self.graph = graph
        self.count = 0
        self.speed = 0.0
        self.images = graph.publisher(
            Image, 'camera/front/device/image_raw', ros.SENSOR_PUBLISHER_QOS
        )
        self.joints = graph.publisher(JointState, '/robot/joint_states', ros.SENSOR_PUBLISHER_QOS)
        graph.every(0.02, self.speak)

    def speak(self):
        self.count += 1
        pixels = np.full((8, 8, 3), self.count % 256, np.uint8)
        stamp = ros.to_stamp(self.count)
        self.images.publish(messages.image_to_message(ImageReading(0.0, pixels), stamp, 'front'))
        reading = ArmReading(0.0, JOINTS, np.full(7, self.speed), np.zeros(7))
        self.joints.publish(messages.arm_to_message(reading, stamp))

    def shoot(self, collector):
        """Let the collector shoot while the cell speaks; what it returned or raised."""
        results = []

        def run():
            try:
                results.append(collector.shoot())
            except CalibrationError as error:
                results.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        self.graph.wait_for(lambda: results, 'a picture')
        thread.join()
        return results[0]


@pytest.fixture
def cell():
    with Graph.open() as graph:
        yield Cell(graph)


@pytest.fixture
def collector(cell, monkeypatch):
    """Make collectors in the cell's domain."""
    made = []

    def make(cameras=('front',), held=True):
        context = Context()
        context.init(domain_id=int(cell.graph.environment['ROS_DOMAIN_ID']))
        made.append(
            (calibrate_collect.Collector(cameras, cell.graph.namespace, held, context), context)
        )
        return made[-1][0]

    yield make
    for one, context in made:
        one.close()
        context.try_shutdown()


def test_a_view_is_what_was_seen_after_it_was_asked_for(cell, collector):
    made = collector()
    cell.shoot(made)
    before = cell.count
    images, joints = cell.shoot(made)
    assert images['front'].shape == (8, 8, 3)
    assert images['front'].max() >= before % 256 - 1
    np.testing.assert_array_equal(joints, JOINTS)


def test_without_the_hand_no_joint_angles_are_noted(cell, collector):
    _, joints = cell.shoot(collector(held=False))
    assert joints is None


def test_an_arm_that_moves_gives_no_view(cell, collector):
    cell.speed = 0.05
    error = cell.shoot(collector())
    assert 'the arm moves: 0.050 rad/s, at most 0.01' in str(error)


def test_a_camera_that_is_silent_is_named(cell, collector, monkeypatch):
    monkeypatch.setattr(calibrate_collect, 'DEADLINE', 1.0)
    error = cell.shoot(collector(cameras=('front', 'back')))
    assert str(error) == 'nothing for 1 s on camera/back/device/image_raw'
