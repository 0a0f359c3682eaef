"""Faults of cameras, robot, clockwork and other nodes, as the real latch hears of them."""

import math

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from chef_cell.core.readings import WrenchReading
from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import CameraState, EpisodeState, RecorderState, SafetyState, Tick
from intera_core_msgs.msg import CollisionDetectionState, JointCommand

from .conftest import POSTURE, Feed

JOINT_COMMAND = '/robot/limb/right/joint_command'
COLLISION = '/robot/limb/right/collision_detection_state'
LATCH = {'cameras': '[left, right]', 'camera_timeout': 1.5, 'frozen_images': 10}
LATCH |= {'session_timeout': 3.0, 'recorder_timeout': 2.0}
# To a latch that hung, a command from before its sleep is silence, not a fault.
LATCH |= {'command_timeout': 60.0}


class Watched:
    """The real latch, with two cameras and a recorder that the test plays."""

    def __init__(self, graph):
        self.graph, self.feed = graph, Feed(graph)
        self.episodes = 0
        self.heal()
        self.states = graph.publisher(CameraState, 'camera/state')
        self.recorder = graph.publisher(RecorderState, 'recorder', ros.STATE_QOS)
        self.collision = graph.publisher(CollisionDetectionState, COLLISION)
        self.feed.start_safety(**LATCH)
        self.verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
        graph.every(0.05, self._see)
        graph.every(0.2, lambda: self.recording and self.recorder.publish(RecorderState()))
        graph.wait_for(graph.connected, 'the safety node')

    def heal(self):
        """Let all be well again."""
        self.cameras = {'left': 1, 'right': 1}  # name -> images in a row with the same pixels
        self.same_stamp = 1
        self.recording = self.feed.repeats = True
        self.feed.force, self.feed.position, self.feed.speed = 1.0, POSTURE, 0.0
        self.feed.command_ahead, self.feed.missed = 0.0, 0

    def begin(self):
        """Begin another episode in which all is well."""
        self.feed.end_episode()
        self.heal()
        self.wait_for_rearming()
        self.episodes += 1
        name = f'e{self.episodes}'
        self.feed.run_episode(name)
        self.graph.wait_for(lambda: self.verdicts[-1].episode_id == name, 'a judged episode')
        assert self.verdicts[-1].level == SafetyState.OK, self.verdicts[-1]

    def _see(self):
        for name, count in self.cameras.items():
            state = CameraState(camera=name, same_pixels=count, same_stamp=self.same_stamp)
            state.header.stamp = self.graph.probe.get_clock().now().to_msg()
            self.states.publish(state)

    def fault(self):
        self.graph.wait_for(
            lambda: self.verdicts[-1].level == SafetyState.FAULT, 'a fault', deadline=30.0
        )
        verdict = self.verdicts[-1]
        return verdict.reason, verdict.source

    def rearm(self):
        return self.graph.call(Trigger, 'safety/rearm', Trigger.Request())

    def wait_for_rearming(self):
        self.graph.wait_for(lambda: self.rearm().success, 'the latch to be rearmed')


@pytest.fixture(scope='module')
def cell():
    with Graph.open() as graph:
        yield Watched(graph)


@pytest.fixture
def watched(cell):
    """The latch in a running episode, all well so far."""
    cell.begin()
    return cell


def test_a_camera_that_falls_silent_is_named(watched):
    del watched.cameras['right']
    assert watched.fault() == ('camera_stale', 'camera/right')
    assert 'camera_stale: camera/right' in watched.rearm().message
    watched.cameras['right'] = 1
    watched.wait_for_rearming()


@pytest.mark.parametrize('what', ['pixels', 'stamps'])
def test_a_camera_that_shows_the_same_again_and_again_is_a_fault(watched, what):
    if what == 'pixels':
        watched.cameras['left'] = 10
    else:
        watched.same_stamp = 3
    assert watched.fault() == ('camera_frozen', 'camera/left')
    assert not watched.rearm().success
    watched.cameras['left'] = watched.same_stamp = 1
    watched.wait_for_rearming()


def test_a_collision_that_the_robot_feels_is_a_fault(watched):
    watched.collision.publish(CollisionDetectionState(collision_state=True))
    assert watched.fault() == ('collision', 'robot')
    assert 'collision' in watched.rearm().message
    watched.collision.publish(CollisionDetectionState(collision_state=False))
    watched.wait_for_rearming()


def test_whoever_commands_the_joints_beside_the_controller_is_a_fault(watched):
    graph = watched.graph
    rogues = [graph.probe.create_publisher(JointCommand, JOINT_COMMAND, 10) for _ in range(2)]
    assert watched.fault() == ('joint_command_publishers', 'joint_command')
    assert not watched.rearm().success
    graph.probe.destroy_publisher(rogues.pop())
    watched.wait_for_rearming()
    graph.probe.destroy_publisher(rogues.pop())


def test_a_command_from_long_ago_is_a_fault(watched):
    watched.feed.command_ahead = -6.0
    assert watched.fault() == ('command_past', 'command')


def test_a_joint_that_is_measured_too_fast_is_a_fault(watched):
    watched.feed.speed = -1.7
    assert watched.fault() == ('joint_speed', 'joint_states')
    verdict = watched.verdicts[-1]
    assert (verdict.value, verdict.limit) == (1.7, pytest.approx(1.2 * 1.328))
    watched.feed.speed = 0.0
    watched.wait_for_rearming()


def test_a_joint_that_is_measured_outside_its_range_is_a_fault(watched):
    # The last joint turns the tool on the spot: only its own limit is left.
    watched.feed.position = watched.feed.position + 4.8 * np.eye(7)[6]
    assert watched.fault() == ('joint_position', 'joint_states')
    assert watched.verdicts[-1].limit == pytest.approx(4.7124)


def test_a_recorder_that_falls_silent_is_named(watched):
    watched.recording = False
    assert watched.fault() == ('recorder_stale', 'recorder')


def test_a_session_that_falls_silent_is_named(watched):
    watched.feed.repeats = False
    assert watched.fault() == ('session_stale', 'session')


def test_diagnostics_say_why_the_arm_stands(watched):
    graph = watched.graph
    arrays = graph.collect(DiagnosticArray, '/diagnostics')
    watched.feed.force = 25.0

    def status(part):
        found = [s for array in arrays for s in array.status if s.name == f'safety: {part}']
        return found[-1] if found else DiagnosticStatus()

    graph.wait_for(lambda: status('latch').message == 'force', 'the reason')
    assert status('latch').level == DiagnosticStatus.WARN
    values = {item.key: item.value for item in status('latch').values}
    assert (values['value'], values['limit'], values['source']) == ('25.0', '20.0', 'wrench')
    watched.feed.speed = 9.0
    graph.wait_for(lambda: status('latch').level == DiagnosticStatus.ERROR, 'the fault')
    heard = {item.key: float(item.value) for item in status('wrist/wrench').values}
    assert set(heard) == {'rate (Hz)', 'dropped', 'age p50 (ms)', 'age p99 (ms)', 'age max (ms)'}
    in_force = {item.key: item.value for item in status('settings').values}
    assert in_force['force_limit'] == '20.0'


def test_limits_are_told_at_the_start_and_cannot_be_changed(graph, feed):
    node = feed.start_safety(force_limit=15.0)
    change = Parameter('force_limit', value=100.0).to_parameter_msg()
    request = SetParameters.Request(parameters=[change])
    (result,) = graph.call(SetParameters, 'safety/set_parameters', request).results
    assert not result.successful
    assert 'read-only' in result.reason
    assert 'settings: SafetySettings(force_limit=15.0, torque_limit=30.0' in node.output()


def test_in_lockstep_a_broken_wrench_forbids_rearming_until_its_episode_is_over(graph):
    """Between two episodes simulated time stands still, and no better wrench will come."""
    graph.start('safety', {'lockstep': True})
    verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    wrenches = graph.publisher(WrenchStamped, 'wrist/wrench', ros.SENSOR_PUBLISHER_QOS)
    ticks = graph.publisher(Tick, 'tick')
    episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
    graph.wait_for(graph.connected, 'the safety node')

    def judge(stamp_ns, force, episode_id):
        stamp = ros.to_stamp(stamp_ns)
        reading = WrenchReading(0.0, np.full(3, force), np.zeros(3))
        wrenches.publish(messages.wrench_to_message(reading, stamp, 'ft300_sensor'))
        tick = Tick(episode_id=episode_id)
        tick.header.stamp = stamp
        ticks.publish(tick)
        graph.wait_for(lambda: verdicts and verdicts[-1].header.stamp == stamp, 'the verdict')
        return verdicts[-1].level

    def rearmed():
        return graph.call(Trigger, 'safety/rearm', Trigger.Request()).success

    assert judge(1_000_000_000, math.nan, 'e1') == SafetyState.FAULT
    assert not rearmed()
    episodes.publish(EpisodeState(phase=EpisodeState.ENDED, episode_id='e1'))
    graph.wait_for(rearmed, 'the latch to be rearmed')
    assert judge(2_000_000_000, math.nan, 'e2') == SafetyState.FAULT, 'before the arm moves'
    episodes.publish(EpisodeState(phase=EpisodeState.ENDED, episode_id='e2'))
    graph.wait_for(rearmed, 'the latch to be rearmed')
    assert judge(3_000_000_000, 1.0, 'e3') == SafetyState.OK
