"""An executor works on when what it was about to serve is gone; other errors come through."""

import pytest
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from chef_cell.nodes.ros import spin_once
from chef_cell.testing.ros_harness import Graph

OFFERED = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
WANTED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture
def graph():
    with Graph.open() as graph:
        yield graph


def test_an_event_of_a_publisher_that_was_destroyed_harms_nobody(graph):
    """Its subscriber wants more than it offers: both are told, it after its end."""
    node = Node('talker', context=graph.probe.context)
    executor = EventsExecutor(context=graph.probe.context)
    executor.add_node(node)
    publisher = node.create_publisher(String, '/x', OFFERED)
    for _ in range(5):
        executor.spin_once(timeout_sec=0.0)  # meets the publisher
    told = []
    callbacks = SubscriptionEventCallbacks(incompatible_qos=told.append)
    graph.probe.create_subscription(String, '/x', print, WANTED, event_callbacks=callbacks)
    graph.wait_for(lambda: told, 'word that the two do not match')
    node.destroy_publisher(publisher)
    for _ in range(5):
        spin_once(executor, 0.01)
    executor.shutdown()
    node.destroy_node()


def test_what_a_callback_raises_comes_through(graph):
    executor = EventsExecutor(context=graph.probe.context)
    node = Node('talker', context=graph.probe.context)
    publisher = node.create_publisher(String, 'x', 1)
    node.destroy_publisher(publisher)
    node.create_timer(0.001, lambda: publisher.publish(String()))
    executor.add_node(node)
    with pytest.raises(InvalidHandle):
        graph.wait_for(lambda: spin_once(executor, 0.01), 'the error')
    executor.shutdown()
    node.destroy_node()
