import math
import signal

import numpy as np
import pytest
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from chef_cell.core.readings import ArmReading, TaskCommand, WrenchReading
from chef_cell.nodes import messages, ros
from chef_interfaces.msg import SafetyState, Tick
from chef_interfaces.msg import TaskCommand as TaskCommandMessage
from intera_core_msgs.msg import RobotAssemblyState

#: A posture in the middle of the workspace (rad).
POSTURE = np.array([0.0, -0.5186, -0.5294, 1.2209, 0.4086, 1.0783, 0.0])


@pytest.fixture
def verdicts(graph, feed):
    """Verdicts of a safety node in a running episode, all well so far."""
    feed.start_safety()
    feed.missed = 0
    inbox = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    graph.wait_for(graph.connected, 'the safety node')
    feed.run_episode('e1')
    graph.wait_for(lambda: inbox and inbox[-1].episode_id == 'e1', 'the episode to be judged')
    assert inbox[-1].level == SafetyState.OK
    return inbox


def wait_for_level(graph, verdicts, level):
    graph.wait_for(lambda: verdicts and verdicts[-1].level == level, f'level {level}')
    return verdicts[-1]


def rearm(graph):
    return graph.call(Trigger, 'safety/rearm', Trigger.Request())


def test_a_hard_touch_ends_the_episode_and_the_next_one_begins_clean(graph, feed, verdicts):
    feed.force = 25.0
    verdict = wait_for_level(graph, verdicts, SafetyState.EPISODE_STOP)
    assert (verdict.reason, verdict.source, verdict.episode_id) == ('force', 'wrench', 'e1')
    assert (verdict.value, verdict.limit) == (25.0, 20.0)
    assert verdict.since == verdict.header.stamp
    feed.force = 1.0
    feed.end_episode()
    feed.run_episode('e2')
    assert wait_for_level(graph, verdicts, SafetyState.OK).episode_id == 'e2'


def test_nan_is_a_fault_until_rearmed(graph, feed, verdicts):
    feed.force = math.nan
    assert wait_for_level(graph, verdicts, SafetyState.FAULT).reason == 'wrench_invalid'
    answer = rearm(graph)
    assert not answer.success
    assert 'wrench_invalid' in answer.message
    feed.force = 1.0
    feed.run_episode('e2')
    graph.wait_for(lambda: verdicts[-1].header.stamp != verdicts[0].header.stamp, 'new wrenches')
    assert verdicts[-1].level == SafetyState.FAULT
    graph.wait_for(lambda: rearm(graph).success, 'the latch to be rearmed')
    wait_for_level(graph, verdicts, SafetyState.OK)


@pytest.mark.parametrize(
    ('stream', 'reason'),
    [
        ('force', 'wrench_stale'),
        ('position', 'joint_states_stale'),
        ('command', 'command_stale'),
        ('missed', 'controller_stale'),
    ],
)
def test_a_silent_stream_is_a_fault(graph, feed, verdicts, stream, reason):
    setattr(feed, stream, None)
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert verdict.reason == reason
    assert verdict.value > verdict.limit


def test_a_wild_command_is_a_fault(graph, feed, verdicts):
    feed.command = TaskCommand(0.0, np.array([0.0, 0.0, -0.7]), 0.0, 0.0)
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert (verdict.reason, verdict.value, verdict.limit) == ('command_invalid', -0.7, 0.07)


def test_joint_states_of_another_shape_are_a_fault(graph, feed, verdicts):
    feed.send_joints(JointState(name=['right_j0'], position=[1.0, 2.0]))
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert verdict.reason == 'joint_states_invalid'


def test_a_command_from_the_future_is_a_fault(graph, feed, verdicts):
    feed.command_ahead = 5.0
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert verdict.reason == 'command_future'
    assert 4.0 < verdict.value < 5.1
    assert verdict.since.sec - verdict.header.stamp.sec < 2, 'the fault is in the future'


def test_who_may_command_beside_the_policy_is_a_fault(graph, feed, verdicts):
    other = graph.probe.create_publisher(TaskCommandMessage, 'command', ros.COMMAND_QOS)
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert (verdict.reason, verdict.value, verdict.limit) == ('command_publishers', 2, 1)
    assert 'command_publishers' in rearm(graph).message
    graph.probe.destroy_publisher(other)
    graph.wait_for(lambda: rearm(graph).success, 'the latch to be rearmed')


def test_what_the_robot_says_of_itself_is_heard(graph, feed, verdicts):
    robot = graph.publisher(RobotAssemblyState, '/robot/state', ros.STATE_QOS)
    robot.publish(RobotAssemblyState(enabled=True))
    robot.publish(RobotAssemblyState(stopped=True, estop_button=1))
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert (verdict.reason, verdict.source) == ('robot_estop', 'robot')
    answer = rearm(graph)
    assert not answer.success
    assert 'robot_stopped' in answer.message
    robot.publish(RobotAssemblyState(enabled=True))
    graph.wait_for(lambda: rearm(graph).success, 'the latch to be rearmed')


def test_an_arm_that_has_left_the_workspace_is_a_fault(graph, feed, verdicts):
    feed.position = POSTURE + 0.8 * np.eye(7)[0]  # turned about its foot
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert (verdict.reason, verdict.source) == ('workspace', 'joint_states')
    feed.position = POSTURE
    graph.wait_for(lambda: rearm(graph).success, 'the latch to be rearmed')


def test_frozen_joint_states_are_a_fault(graph, feed, verdicts):
    feed.position = None
    reading = ArmReading(0.0, POSTURE, np.zeros(7), np.zeros(7))
    stamp = graph.probe.get_clock().now().to_msg()
    stop = graph.every(0.01, lambda: feed.send_joints(messages.arm_to_message(reading, stamp)))
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert verdict.reason == 'joint_states_frozen'
    graph.probe.destroy_timer(stop)


def test_a_joint_loop_that_misses_its_deadlines_is_a_fault(graph, feed, verdicts):
    def miss_deadlines():
        feed.missed += 2000  # again and again: the first count that is heard accuses nobody

    graph.every(0.1, miss_deadlines)
    verdict = wait_for_level(graph, verdicts, SafetyState.FAULT)
    assert (verdict.reason, verdict.source) == ('missed_deadlines', 'controller')
    assert verdict.value >= 2000
    assert verdict.limit == 1000


def test_a_late_joiner_is_told(graph, feed, verdicts):
    feed.force = 25.0
    wait_for_level(graph, verdicts, SafetyState.EPISODE_STOP)
    late = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    graph.wait_for(lambda: late, 'the latched verdict')
    assert late[0].reason == 'force'


def test_says_nothing_before_the_first_wrench(graph, feed):
    feed.force = None
    node = graph.start('safety')
    inbox = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    graph.wait_for(lambda: 'waiting for the first wrench' in node.output(), 'the node')
    assert not inbox
    feed.force = 1.0
    graph.wait_for(lambda: inbox, 'the first verdict')
    assert inbox[0].level == SafetyState.OK


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_leaves_on_request(graph, number):
    node = graph.start('safety')
    graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    graph.wait_for(graph.connected, 'the safety node')
    assert node.stop(number) == 0


def test_in_lockstep_the_tick_tells_the_episode_of_a_wrench(graph):
    graph.start('safety', {'lockstep': True})
    verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    wrenches = graph.publisher(WrenchStamped, 'wrist/wrench', ros.SENSOR_PUBLISHER_QOS)
    ticks = graph.publisher(Tick, 'tick')
    graph.wait_for(graph.connected, 'the safety node')

    def judge(stamp_ns, force, episode_id):
        """Send wrench and tick of one instant; return the verdict on it."""
        stamp = ros.to_stamp(stamp_ns)
        reading = WrenchReading(0.0, np.array([force, 0.0, 0.0]), np.zeros(3))
        wrenches.publish(messages.wrench_to_message(reading, stamp, 'ft300_sensor'))
        tick = Tick(episode_id=episode_id)
        tick.header.stamp = stamp
        ticks.publish(tick)
        graph.wait_for(lambda: verdicts and verdicts[-1].header.stamp == stamp, 'the verdict')
        return verdicts[-1]

    assert judge(10_000_000, 25.0, 'e1').level == SafetyState.EPISODE_STOP
    assert judge(20_000_000, 1.0, 'e1').level == SafetyState.EPISODE_STOP
    # Hours may pass between two episodes; while the simulation stands still nothing is stale.
    assert judge(3_600_000_000_000, 1.0, 'e2').level == SafetyState.OK
    # Within an episode, a gap in simulated time is a lost sample.
    verdict = judge(3_600_100_000_000, 1.0, 'e2')
    assert (verdict.level, verdict.reason) == (SafetyState.FAULT, 'wrench_stale')


def test_in_lockstep_a_command_may_overtake_its_tick_but_not_time(graph):
    graph.start('safety', {'lockstep': True})
    verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    wrenches = graph.publisher(WrenchStamped, 'wrist/wrench', ros.SENSOR_PUBLISHER_QOS)
    ticks = graph.publisher(Tick, 'tick')
    commands = graph.publisher(TaskCommandMessage, 'command')
    graph.wait_for(graph.connected, 'the safety node')

    def judge(stamp_ns, command_ns):
        """Send a command, then wrench and tick of one instant; return the verdict on it."""
        stamp = ros.to_stamp(stamp_ns)
        command = TaskCommand(0.0, np.zeros(3), 0.0, 0.0)
        commands.publish(messages.task_command_to_message(command, ros.to_stamp(command_ns)))
        reading = WrenchReading(0.0, np.zeros(3), np.zeros(3))
        wrenches.publish(messages.wrench_to_message(reading, stamp, 'ft300_sensor'))
        tick = Tick(episode_id='e1')
        tick.header.stamp = stamp
        ticks.publish(tick)
        graph.wait_for(lambda: verdicts and verdicts[-1].header.stamp == stamp, 'the verdict')
        graph.spin_for(0.1)
        return verdicts[-1]

    second = 1_000_000_000
    assert judge(second, second).level == SafetyState.OK
    judge(second + 10_000_000, 3 * second)
    verdict = judge(second + 20_000_000, second)
    assert (verdict.level, verdict.reason) == (SafetyState.FAULT, 'command_future')
    assert verdict.since.sec == 1
