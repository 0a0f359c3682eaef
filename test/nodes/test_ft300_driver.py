"""The wrist sensor's driver node looks like the simulated cell's bridge; its faults are faults.

The sensor is emulated at the end of a pseudo-terminal; the nodes are real.
"""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from std_srvs.srv import Trigger

from chef_cell.nodes import messages, ros
from chef_cell.nodes.real_time import RealTime
from chef_cell.testing.emulated_ft300 import EmulatedFt300
from chef_interfaces.msg import SafetyState

TOUCH = np.array([1.0, -2.0, 3.0, 0.1, -0.2, 0.3])


class Cell:
    """An emulated sensor and its driver node."""

    def __init__(self, graph, folder, rate=100.0):
        self.graph = graph
        self.random = np.random.default_rng(0)
        self.device = EmulatedFt300(folder / 'ft300', self.feel, rate)
        self.node = graph.start('ft300_driver', {'port': str(folder / 'ft300')})
        self.wrenches = graph.collect(WrenchStamped, 'ft300/wrench', ros.sensor_qos(False))
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        graph.wait_for(lambda: self.wrenches, 'the first wrench')

    def feel(self):
        """A wrench with noise: a sensor that never changes is frozen."""
        return TOUCH + self.random.uniform(-0.05, 0.05, 6)

    def health(self, part):
        for array in reversed(self.diagnostics):
            for status in array.status:
                if status.name == f'ft300_driver: {part}':
                    return status
        return DiagnosticStatus()

    def values(self, part):
        return {item.key: item.value for item in self.health(part).values}

    def complaint(self, part, words):
        self.graph.wait_for(lambda: words in self.health(part).message, words)
        return self.health(part).level


@pytest.fixture
def cell(graph, tmp_path):
    made = Cell(graph, tmp_path)
    yield made
    made.device.close()


def test_wrenches_come_as_from_the_bridge_and_an_adapter_may_be_pulled_out(cell):
    graph, message = cell.graph, cell.wrenches[-1]
    reading = messages.wrench_from_message(message)
    assert message.header.frame_id == 'ft300_sensor'
    np.testing.assert_allclose([*reading.force, *reading.torque], TOUCH, atol=0.06)
    now = graph.probe.get_clock().now().nanoseconds * 1e-9
    assert abs(reading.stamp - now) < 5.0
    graph.wait_for(lambda: float(cell.values('sensor').get('rate (Hz)', 0.0)) > 0.0, 'a rate')
    assert cell.health('sensor').level == DiagnosticStatus.OK

    cell.device.line.unplug()
    assert cell.complaint('sensor', 'is not there') == DiagnosticStatus.ERROR
    cell.wrenches.forget()
    graph.spin_for(0.2)
    assert not cell.wrenches
    cell.device.line.plug()
    graph.wait_for(lambda: len(cell.wrenches) > 10, 'wrenches again')
    graph.wait_for(lambda: cell.values('line').get('reconnects') == '1', 'the count')
    assert cell.complaint('sensor', 'OK') == DiagnosticStatus.OK
    assert cell.node.stop() == 0
    assert 'is not there: is its adapter plugged in?' in cell.node.output()


def test_a_slow_stream_is_complained_of(graph, tmp_path):
    """As with an adapter that gathers bytes for 16 ms."""
    cell = Cell(graph, tmp_path, rate=62.5)
    assert cell.complaint('line', 'frames/s, expected 100') == DiagnosticStatus.WARN
    cell.device.close()


def test_what_happens_to_the_sensor_reaches_the_latch(feed, tmp_path):
    graph = feed.graph
    feed.force = None  # the real chain tells it
    feed.missed = 0
    cell = Cell(graph, tmp_path)
    graph.start('wrist')
    feed.start_safety()
    verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    graph.wait_for(lambda: graph.connected() and verdicts, 'the latch')

    def breaks(episode, break_it):
        """Break the sensor in an episode; return the latch's reason."""
        cell.wrenches.forget()
        graph.wait_for(
            lambda: len(cell.wrenches) > 20 and cell.wrenches[-1].wrench.force.z < 5.0, 'calm'
        )
        feed.run_episode(episode)
        graph.wait_for(lambda: verdicts[-1].episode_id == episode, 'the episode')
        assert verdicts[-1].level == SafetyState.OK
        break_it()
        graph.wait_for(lambda: verdicts[-1].level != SafetyState.OK, 'the verdict')
        feed.end_episode()
        cell.device.wrench = cell.feel
        return verdicts[-1].reason

    def rearm():
        return graph.call(Trigger, 'safety/rearm', Trigger.Request()).success

    def push(force):
        cell.device.wrench = lambda: cell.feel() + np.array([0, 0, force, 0, 0, 0])

    assert breaks('e1', lambda: push(25.0)) == 'force'
    assert breaks('e2', lambda: push(310.0)) == 'wrench_invalid'
    graph.wait_for(rearm, 'the rearming')
    assert breaks('e3', cell.device.line.unplug) == 'wrench_stale'
    cell.device.close()


def test_a_device_does_not_wait():
    with pytest.raises(ValueError, match='a real device does not wait'):
        RealTime(lockstep=True)
