"""The controller with the real safety latch beside it; everything else is played by the probe."""

import functools
import math
import signal

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from chef_cell.core.readings import ArmReading, TaskCommand
from chef_cell.nodes import messages, ros
from chef_cell.sim.kinematics import ArmKinematics
from chef_interfaces.msg import ControllerState, GripperCommand, SafetyState, Tick
from chef_interfaces.msg import TaskCommand as TaskCommandMessage
from intera_core_msgs.msg import JointCommand

POSTURE = np.array([0, -0.52, -0.53, 1.22, 0.41, 1.08, 0])  # rad
KINEMATICS = ArmKinematics()
JOINT_COMMAND = '/robot/limb/right/joint_command'


class Cell:
    """Controller and safety processes, and what they publish."""

    def __init__(self, graph, feed):
        self.graph = graph
        self.feed = feed
        self.safety = feed.start_safety()
        self.controller = feed.start_controller()
        self.commands = graph.collect(JointCommand, JOINT_COMMAND)
        self.gripper = graph.collect(GripperCommand, 'gripper/command')
        self.states = graph.collect(ControllerState, 'controller/state')
        graph.wait_for(graph.connected, 'controller and safety')
        feed.run_episode('e1')
        self.wait_until_moving()

    def wait_until_moving(self):
        self.graph.wait_for(
            lambda: self.commands and any(self.commands[-1].velocity), 'a moving arm'
        )
        self.graph.wait_for(lambda: self.states and not self.states[-1].stopped, 'its state')

    def wait_until_stopped(self, *reasons):
        """Wait for the state that gives one of the reasons, and for zero velocity."""
        self.graph.wait_for(
            lambda: self.states and self.states[-1].stop_reason in reasons, f'stop: {reasons}'
        )
        self.graph.wait_for(lambda: not any(self.commands[-1].velocity), 'zero velocity')
        assert self.states[-1].stopped


@pytest.fixture
def cell(graph, feed):
    return Cell(graph, feed)


def test_follows_a_command_at_100_hz(graph, cell):
    cell.commands.forget()
    graph.wait_for(lambda: len(cell.commands) >= 50, '50 joint commands')
    command = cell.commands[-1]
    assert command.mode == JointCommand.VELOCITY_MODE
    assert command.names == list(messages.ARM_JOINTS)
    assert len(command.velocity) == 7
    assert np.median(np.diff(cell.commands.times)) == pytest.approx(0.01, abs=0.003)
    graph.wait_for(lambda: cell.gripper[-1].velocity == 1.0, 'the gripper command')
    state = cell.states[-1]
    assert not state.stopped
    assert state.manipulability > 0
    assert len(state.period_ms) in (4, 5, 6)


def test_a_hard_touch_halts_and_the_next_episode_moves(graph, feed, cell):
    begun = len(cell.commands)
    graph.wait_for(lambda: len(cell.commands) > begun + 10, 'a way that can be gone back')
    feed.force = 25.0
    graph.wait_for(lambda: cell.states[-1].stop_reason == 'retreat', 'the retreat')
    cell.wait_until_stopped('safety')
    graph.wait_for(lambda: cell.gripper[-1].velocity == 0.0, 'a gripper that holds')
    feed.force = 1.0
    feed.end_episode()
    cell.wait_until_stopped('safety', 'idle')
    feed.run_episode('e2')
    cell.commands.forget()
    cell.wait_until_moving()
    velocities = np.array([command.velocity for command in cell.commands])
    assert np.abs(np.diff(velocities, axis=0)).max() <= 0.12 + 1e-9, 'resuming jumped'


def test_nan_keeps_the_arm_still_until_rearmed(graph, feed, cell):
    feed.force = math.nan
    cell.wait_until_stopped('safety')
    feed.force = 1.0
    feed.run_episode('e2')
    cell.states.forget()
    graph.wait_for(lambda: len(cell.states) > 10, 'more states')
    assert {state.stop_reason for state in cell.states} == {'safety'}
    graph.wait_for(
        lambda: graph.call(Trigger, 'safety/rearm', Trigger.Request()).success, 'rearming'
    )
    cell.wait_until_moving()


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_or_hung_latch_stops_the_arm(cell, number):
    cell.safety.send_signal(number)
    cell.wait_until_stopped('safety_silent')


@pytest.mark.parametrize(
    ('stream', 'reasons'),
    [
        # The latch may notice the same silence, later.
        ('command', ('stale_command', 'safety')),
        ('position', ('stale_joints', 'safety')),
        ('force', ('safety',)),
    ],
)
def test_a_silent_stream_stops_the_arm(feed, cell, stream, reasons):
    setattr(feed, stream, None)
    cell.wait_until_stopped(*reasons)


@pytest.mark.parametrize(
    'wrong',
    [
        TaskCommand(0.0, np.array([math.nan, 0.0, 0.0]), 0.0, 0.0),
        TaskCommand(0.0, np.array([0.5, 0.0, 0.0]), 0.0, 0.0),
        TaskCommand(0.0, np.zeros(3), math.inf, 0.0),
    ],
    ids=['nan', 'too fast', 'inf'],
)
def test_a_wrong_command_is_refused(feed, cell, wrong):
    feed.command = wrong
    cell.wait_until_stopped('invalid_command', 'safety')


def test_joint_states_that_lack_a_joint_stop_the_arm(graph, feed, cell):
    feed.position = None
    stop = graph.every(0.01, lambda: feed.send_joints(JointState(name=['right_j0'])))
    cell.wait_until_stopped('stale_joints', 'safety')
    assert "lack ['right_j0'" not in cell.controller.output()
    assert "lack ['right_j1'" in cell.controller.output()
    graph.probe.destroy_timer(stop)


def test_an_ended_episode_brings_the_arm_to_rest(feed, cell):
    feed.end_episode()
    cell.wait_until_stopped('idle')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_last_word_is_zero_velocity(graph, cell, number):
    cell.controller.send_signal(number)
    graph.wait_for(lambda: not cell.controller.alive, 'the end of the controller')
    assert cell.controller.process.returncode == 0
    graph.wait_for(lambda: not any(cell.commands[-1].velocity), 'the last command')


class Lockstep:
    """Controller in lockstep; the probe plays bridge, latch and policy."""

    def __init__(self, graph):
        self.graph = graph
        graph.start('controller', {'lockstep': True})
        sensor = ros.SENSOR_PUBLISHER_QOS
        self._joints = graph.publisher(JointState, '/robot/joint_states', sensor)
        self._verdicts = graph.publisher(SafetyState, 'safety', ros.STATE_QOS)
        self._commands = graph.publisher(TaskCommandMessage, 'command')
        self._ticks = graph.publisher(Tick, 'tick')
        self.answers = graph.collect(JointCommand, JOINT_COMMAND)
        self.gripper = graph.collect(GripperCommand, 'gripper/command')
        graph.wait_for(graph.connected, 'the controller')

    def joints(self, stamp):
        reading = ArmReading(0.0, POSTURE, *[np.zeros(7)] * 2)
        self._joints.publish(messages.arm_to_message(reading, ros.to_stamp(stamp)))

    def verdict(self, stamp, level=SafetyState.OK):
        state = SafetyState(level=level)
        state.header.stamp = ros.to_stamp(stamp)
        self._verdicts.publish(state)

    def command(self, stamp, x=0.05):
        command = TaskCommand(0.0, np.array([x, 0.0, 0.0]), 0.0, -1.0)
        self._commands.publish(messages.task_command_to_message(command, ros.to_stamp(stamp)))

    def tick(self, stamp, due):
        tick = Tick(episode_id='e1', command_due=due)
        tick.header.stamp = ros.to_stamp(stamp)
        self._ticks.publish(tick)

    def answer_shuffled(self, stamp, due, first):
        """Publish an instant in one of its orders, each sample twice; return the answer."""
        parts = [self.joints, self.verdict, functools.partial(self.tick, due=due)]
        parts += [self.command] * due
        first %= len(parts)
        for part in parts[first:] + parts[:first]:
            part(stamp)
            part(stamp)
        return self.wait_for_answer(stamp)

    def wait_for_answer(self, stamp):
        self.graph.wait_for(
            lambda: self.answers and ros.nanoseconds(self.answers[-1].header.stamp) == stamp,
            f'the answer to {stamp}',
        )
        return np.array(self.answers[-1].velocity)


@pytest.fixture
def lockstep(graph):
    return Lockstep(graph)


PERIOD = 10_000_000  # ns


def test_each_tick_is_answered_once_with_its_stamp(lockstep):
    for index in range(20):
        velocity = lockstep.answer_shuffled(index * PERIOD, due=index % 5 == 0, first=index)
    assert velocity.any()
    stamps = [ros.nanoseconds(answer.header.stamp) for answer in lockstep.answers]
    assert stamps == [index * PERIOD for index in range(20)]
    assert [ros.nanoseconds(command.header.stamp) for command in lockstep.gripper] == [
        index * PERIOD for index in range(0, 20, 5)
    ]
    assert {command.velocity for command in lockstep.gripper} == {-1.0}


def test_waits_for_whatever_is_missing(graph, lockstep):
    lockstep.joints(0)
    lockstep.verdict(0)
    lockstep.tick(0, due=True)
    graph.spin_for(0.3)  # longer than every time-out of real time
    assert not lockstep.answers
    lockstep.command(0)
    assert lockstep.wait_for_answer(0).any()


def test_a_verdict_stops_the_very_tick_it_belongs_to(lockstep):
    for index in range(5):
        stamp = index * PERIOD
        lockstep.joints(stamp)
        lockstep.verdict(stamp, SafetyState.EPISODE_STOP if index == 3 else SafetyState.OK)
        lockstep.tick(stamp, due=index == 0)
        if index == 0:
            lockstep.command(stamp)
        moving = lockstep.wait_for_answer(stamp).any()
        assert moving == (index != 3)


def test_after_an_episode_stop_the_arm_retreats_a_bounded_way(graph, lockstep):
    moves = []
    for index in range(50):
        stamp = index * PERIOD
        lockstep.joints(stamp)
        lockstep.verdict(stamp, SafetyState.EPISODE_STOP if index >= 6 else SafetyState.OK)
        if index % 5 == 0:
            lockstep.command(stamp)
        lockstep.tick(stamp, due=index % 5 == 0)
        moves.append(lockstep.wait_for_answer(stamp))
    assert not moves[6].any(), 'stop before turning round'
    assert all(move.any() for move in moves[7:40])
    assert not any(move.any() for move in moves[40:])
    forth, back = (KINEMATICS.wrist_jacobian(POSTURE) @ moves[index] for index in (5, 39))
    assert forth[0] > 0.01
    assert -0.03 <= back[0] < -0.01
    graph.wait_for(lambda: lockstep.gripper[-1].header.stamp.nanosec == 450_000_000, 'the last')
    assert {command.velocity for command in list(lockstep.gripper)[2:]} == {0.0}


def test_a_fault_ends_a_retreat(lockstep):
    for index in range(10):
        stamp = index * PERIOD
        level = SafetyState.OK if index < 3 else SafetyState.EPISODE_STOP
        lockstep.joints(stamp)
        lockstep.verdict(stamp, SafetyState.FAULT if index > 6 else level)
        if index % 5 == 0:
            lockstep.command(stamp)
        lockstep.tick(stamp, due=index % 5 == 0)
        assert lockstep.wait_for_answer(stamp).any() == (index < 7 and index != 3)


def test_a_wrong_command_is_answered_with_rest(lockstep):
    lockstep.joints(0)
    lockstep.verdict(0)
    lockstep.command(0, x=math.nan)
    lockstep.tick(0, due=True)
    assert not lockstep.wait_for_answer(0).any()
