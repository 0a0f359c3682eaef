import math

import numpy as np
import pytest
from geometry_msgs.msg import WrenchStamped
from std_srvs.srv import Trigger

from chef_cell.core.readings import WrenchReading
from chef_cell.nodes import messages, ros
from chef_interfaces.msg import EpisodeState


class Sensor:
    """A wrist node and the sensor it listens to."""

    def __init__(self, graph, parameters):
        self.graph = graph
        self.node = graph.start('wrist', {'lockstep': True, **parameters})
        qos = ros.SENSOR_PUBLISHER_QOS
        self._raw = graph.publisher(WrenchStamped, 'ft300/wrench', qos)
        self.inbox = graph.collect(WrenchStamped, 'wrist/wrench')
        self.stamp_ns = 0
        graph.wait_for(graph.connected, 'the wrist node')

    def feel(self, x):
        """Publish a raw force along x; return the compensated message."""
        self.stamp_ns += 10_000_000
        stamp = ros.to_stamp(self.stamp_ns)
        reading = WrenchReading(0.0, np.array([x, 0.0, 0.0]), np.zeros(3))
        count = len(self.inbox)
        self._raw.publish(messages.wrench_to_message(reading, stamp, 'ft300_sensor'))
        self.graph.wait_for(lambda: len(self.inbox) > count, 'the compensated wrench')
        assert self.inbox[-1].header.stamp == stamp
        return self.inbox[-1].wrench.force.x

    def zero(self):
        return self.graph.call(Trigger, 'wrist/zero', Trigger.Request())


@pytest.fixture
def sensor(graph):
    return Sensor(graph, {'zero_samples': 5, 'zero_noise_limit': 0.5})


def test_without_bias_and_weight_no_bit_changes(sensor):
    assert sensor.feel(0.1) == 0.1
    assert sensor.feel(-299.0) == -299.0
    assert sensor.inbox[-1].header.frame_id == 'ft300_sensor'


@pytest.mark.parametrize('x', [math.nan, math.inf, 300.0, -1e9])
def test_what_is_no_measurement_becomes_nan(sensor, x):
    assert math.isnan(sensor.feel(x))
    assert sensor.feel(1.0) == 1.0


def test_zeroing(sensor):
    sensor.feel(2.0)
    answer = sensor.zero()
    assert not answer.success
    assert '1 samples so far, 5 needed' in answer.message
    for _ in range(5):
        sensor.feel(2.0)
    assert sensor.zero().success
    assert sensor.feel(3.5) == 1.5


def test_zeroing_is_refused_while_the_sensor_is_touched(sensor):
    for x in (0.0, 0.0, 5.0, 0.0, 0.0):
        sensor.feel(x)
    answer = sensor.zero()
    assert not answer.success
    assert 'limit 0.5 N' in answer.message
    assert sensor.feel(1.0) == 1.0


def test_zeroing_is_refused_during_an_episode(graph, sensor):
    episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
    graph.wait_for(graph.connected, 'the wrist node')
    for _ in range(5):
        sensor.feel(2.0)
    episodes.publish(EpisodeState(phase=EpisodeState.RUNNING, episode_id='e1'))
    graph.wait_for(
        lambda: 'an episode or a reset is running' in sensor.zero().message,
        'the refusal of zeroing',
    )


def test_a_wrong_parameter_ends_the_process_with_a_reason(graph):
    node = graph.start('wrist', {'tool_mass': -1.0})
    graph.wait_for(lambda: not node.alive, 'the end of the node')
    assert node.process.returncode == 1
    assert 'tool_mass -1.0 kg, must not be negative' in node.output()
