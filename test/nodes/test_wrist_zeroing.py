"""What the session does about the wrist sensor before an episode, with the real wrist node."""

import numpy as np
from geometry_msgs.msg import WrenchStamped

from chef_cell.core.readings import WrenchReading
from chef_cell.nodes import messages, ros
from chef_cell.nodes.cell_client import CellClient
from chef_cell.nodes.wrist_zeroing import WristZeroing


def test_it_asks_until_the_arm_is_at_rest(graph):
    graph.start('wrist', {'zero_samples': 20, 'zero_noise_limit': 0.5})
    raw = graph.publisher(WrenchStamped, 'ft300/wrench', ros.SENSOR_PUBLISHER_QOS)
    wrenches = graph.collect(WrenchStamped, 'wrist/wrench')
    zeroing = WristZeroing(CellClient(graph.probe, False, 50_000_000))
    assert zeroing.problem() == 'wrist: zero did not answer'
    forces = iter([7.0, -7.0] * 20)

    def feel():
        reading = WrenchReading(0.0, np.array([next(forces, 7.0), 0.0, 0.0]), np.zeros(3))
        stamp = graph.probe.get_clock().now().to_msg()
        raw.publish(messages.wrench_to_message(reading, stamp, 'ft300_sensor'))

    graph.wait_for(graph.connected, 'the wrist node')
    graph.wait_for(lambda: zeroing.done() or 'samples so far' in zeroing.problem(), 'a refusal')
    graph.every(0.01, feel)
    graph.wait_for(lambda: zeroing.done() or 'force varies by' in zeroing.problem(), 'another')
    assert wrenches[-1].wrench.force.x != 0.0
    graph.wait_for(zeroing.done, 'the zero')
    wrenches.forget()
    graph.wait_for(lambda: wrenches and wrenches[-1].wrench.force.x == 0.0, 'zero force')
