"""The Sawyer's behaviour at the Intera border, as tables."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.intera import (
    ARM_JOINTS,
    AssemblyState,
    CommandError,
    EstopButton,
    EstopSource,
    JointCommand,
    JointCommandArbiter,
    Mode,
    RobotAssembly,
)
from chef_cell.core.limits import SAWYER

ENABLED = AssemblyState(enabled=True)
DISABLED = AssemblyState()
SOFTWARE_STOP = AssemblyState(False, True, EstopButton.UNKNOWN, EstopSource.UNKNOWN)
BUTTON_IN = AssemblyState(False, True, EstopButton.PRESSED, EstopSource.USER)
BUTTON_OUT = AssemblyState(False, True, EstopButton.RELEASED, EstopSource.USER)

EVENTS = {
    'enable': lambda robot: robot.enable(True),
    'disable': lambda robot: robot.enable(False),
    'stop': lambda robot: robot.stop(),
    'reset': lambda robot: robot.reset(),
    'press': lambda robot: robot.press_button(True),
    'release': lambda robot: robot.press_button(False),
}
#: state -> state after enable, disable, stop, reset, press, release
TABLE = {
    ENABLED: (ENABLED, DISABLED, SOFTWARE_STOP, ENABLED, BUTTON_IN, ENABLED),
    DISABLED: (ENABLED, DISABLED, SOFTWARE_STOP, DISABLED, BUTTON_IN, DISABLED),
    SOFTWARE_STOP: (
        SOFTWARE_STOP,
        SOFTWARE_STOP,
        SOFTWARE_STOP,
        DISABLED,
        BUTTON_IN,
        SOFTWARE_STOP,
    ),
    BUTTON_IN: (BUTTON_IN, BUTTON_IN, BUTTON_IN, BUTTON_IN, BUTTON_IN, BUTTON_OUT),
    BUTTON_OUT: (BUTTON_OUT, BUTTON_OUT, BUTTON_OUT, DISABLED, BUTTON_IN, BUTTON_OUT),
}


@pytest.mark.parametrize(
    ('before', 'event', 'after'),
    [
        (before, event, after)
        for before, row in TABLE.items()
        for event, after in zip(EVENTS, row, strict=True)
    ],
)
def test_assembly_table(before, event, after):
    robot = RobotAssembly()
    robot.state = before
    EVENTS[event](robot)
    assert robot.state == after
    assert robot.state.ready is not robot.state.stopped


@given(st.lists(st.sampled_from(sorted(EVENTS))))
def test_a_stopped_robot_is_never_enabled(events):
    robot = RobotAssembly()
    for event in events:
        EVENTS[event](robot)
        assert not (robot.state.stopped and robot.state.enabled)


@given(st.lists(st.sampled_from(sorted(set(EVENTS) - {'reset'}))))
def test_only_a_reset_frees_a_stopped_robot(events):
    robot = RobotAssembly()
    robot.stop()
    for event in events:
        EVENTS[event](robot)
        assert robot.state.stopped


def velocity(values, names=ARM_JOINTS, **others):
    return JointCommand(Mode.VELOCITY, names, velocity=values, **others)


def position(values, names=ARM_JOINTS, **others):
    return JointCommand(Mode.POSITION, names, position=values, **others)


HERE = np.zeros(7)
STEADY = [0.1] * 7


def driven(arbiter, now, at=HERE, enabled=True):
    return arbiter.joint_velocity(now, at, enabled).tolist()


def test_velocity_is_held_until_the_timeout_and_not_beyond():
    arbiter = JointCommandArbiter()
    arbiter.accept(velocity(STEADY), 1.0)
    assert driven(arbiter, 1.0) == STEADY
    assert driven(arbiter, 1.2) == STEADY
    assert arbiter.mode is Mode.VELOCITY
    assert driven(arbiter, 1.21) == [0.0] * 7
    assert arbiter.mode is Mode.POSITION


def test_an_expired_velocity_does_not_come_back():
    arbiter = JointCommandArbiter()
    arbiter.accept(velocity(STEADY), 1.0)
    driven(arbiter, 2.0)
    assert driven(arbiter, 1.1) == [0.0] * 7


@pytest.mark.parametrize(('asked', 'given_'), [(0.05, 0.05), (-1.0, 0.0), (7.0, 1.0)])
def test_timeout_is_clamped(asked, given_):
    arbiter = JointCommandArbiter()
    arbiter.set_timeout(asked)
    assert arbiter.timeout == given_


def test_a_timeout_that_is_not_finite_is_refused():
    arbiter = JointCommandArbiter()
    with pytest.raises(CommandError, match='nan'):
        arbiter.set_timeout(math.nan)
    assert (arbiter.timeout, arbiter.rejected) == (0.2, 1)


def test_velocities_within_limits_pass_bit_for_bit_and_others_are_clipped():
    arbiter = JointCommandArbiter()
    asked = [0.1 + 0.2, -1e-300, 1.957, -3.0, 9.0, -9.0, 4.545]
    arbiter.accept(velocity(asked), 0.0)
    assert driven(arbiter, 0.0) == [0.1 + 0.2, -1e-300, 1.957, -1.957, 3.485, -3.485, 4.545]


def test_only_the_array_of_the_mode_is_read():
    arbiter = JointCommandArbiter()
    arbiter.accept(velocity(STEADY, position=[math.nan]), 0.0)
    assert driven(arbiter, 0.0) == STEADY
    arbiter.accept(position([0.0] * 7, velocity=[math.inf] * 9), 0.0)
    assert driven(arbiter, 0.0) == [0.0] * 7
    assert arbiter.rejected == 0


def test_the_first_message_of_another_mode_switches():
    arbiter = JointCommandArbiter()
    arbiter.accept(position([1.0] * 7), 0.0)
    arbiter.accept(velocity(STEADY), 0.0)
    assert driven(arbiter, 0.0) == STEADY
    # The goal of before is forgotten: after the silence the arm holds.
    assert driven(arbiter, 1.0) == [0.0] * 7


def test_joints_are_read_by_name():
    arbiter = JointCommandArbiter()
    arbiter.accept(velocity([6.0e-1, 0.1], names=('right_j6', 'right_j1')), 0.0)
    assert driven(arbiter, 0.0) == [0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.6]


@pytest.mark.parametrize(
    ('command', 'said'),
    [
        (velocity([0.1] * 6), '6 velocity values for 7 joints'),
        (velocity([]), '0 velocity values'),
        (position([0.1] * 8), '8 position values'),
        (velocity([math.nan] + [0.0] * 6), 'not finite'),
        (position([math.inf] + [0.0] * 6), 'not finite'),
        (velocity([0.1] * 7, names=('left_j0', *ARM_JOINTS[1:])), 'left_j0'),
        (velocity([0.1] * 2, names=('right_j0', 'right_j0')), 'repeats'),
        (velocity([], names=()), 'allowed: some of'),
        (JointCommand(Mode.TORQUE, ARM_JOINTS), 'mode 3, allowed: 1 position, 2 velocity'),
        (JointCommand(Mode.TRAJECTORY, ARM_JOINTS), '0 position values'),
        (
            JointCommand(Mode.TRAJECTORY, ARM_JOINTS, [0.0] * 7, [0.0] * 7),
            '0 acceleration values',
        ),
        (JointCommand(0, ARM_JOINTS), 'mode 0'),
    ],
)
def test_bad_commands_are_refused_counted_and_without_effect(command, said):
    arbiter = JointCommandArbiter()
    arbiter.accept(velocity(STEADY), 0.0)
    with pytest.raises(CommandError, match=said):
        arbiter.accept(command, 0.1)
    assert (arbiter.accepted, arbiter.rejected) == (1, 1)
    # Neither motion nor the watchdog is touched: the old command runs out at its own time.
    assert driven(arbiter, 0.2) == STEADY
    assert driven(arbiter, 0.25) == [0.0] * 7


def test_a_robot_not_enabled_does_not_move_and_forgets():
    arbiter = JointCommandArbiter()
    for command in (velocity(STEADY), position([1.0] * 7)):
        arbiter.accept(command, 0.0)
        assert driven(arbiter, 0.0, enabled=False) == [0.0] * 7
        assert driven(arbiter, 0.0, enabled=True) == [0.0] * 7


def follow(arbiter, at, seconds, period=0.01):
    """Joints that lag their velocity command by 0.1 s, as the cell's do."""
    at, rate = np.array(at, float), np.zeros(7)
    path = [at]
    for step in range(round(seconds / period)):
        wanted = arbiter.joint_velocity(step * period, at, True)
        rate = rate + (wanted - rate) * period / 0.1
        at = at + rate * period
        path.append(at)
    return np.array(path)


def test_position_mode_reaches_its_goal_without_further_messages():
    arbiter = JointCommandArbiter()
    goal = np.array([0.0, -1.18, 0.0, 2.18, 0.0, 0.57, 3.3161])
    arbiter.accept(position(goal), 0.0)
    path = follow(arbiter, HERE, 6.0)
    assert np.abs(path[-1] - goal).max() < 0.001
    overshoot = (path - goal) * np.sign(goal)
    assert overshoot.max() < 0.01


def test_in_position_mode_all_joints_arrive_together():
    arbiter = JointCommandArbiter()
    goal = np.array([1.0, -0.2, 0.5, 0.1, -2.0, 0.3, 3.0])
    arbiter.accept(position(goal), 0.0)
    shares = follow(arbiter, HERE, 4.0) / goal
    assert np.ptp(shares, axis=1).max() < 1e-9


def test_position_mode_keeps_to_its_share_of_full_speed():
    arbiter = JointCommandArbiter()
    arbiter.accept(position([2.0] * 7), 0.0)
    share = np.abs(driven(arbiter, 0.0)) / SAWYER.velocity
    assert share.max() == pytest.approx(0.3)
    arbiter.set_speed_ratio(5.0)
    share = np.abs(driven(arbiter, 0.0)) / SAWYER.velocity
    assert share.max() == pytest.approx(1.0)
    arbiter.set_speed_ratio(0.0)
    assert driven(arbiter, 0.0) == [0.0] * 7


def test_a_position_goal_stays_within_the_joint_limits():
    arbiter = JointCommandArbiter()
    arbiter.accept(position([9.0] * 7), 0.0)
    assert driven(arbiter, 0.0, at=np.array(SAWYER.upper)) == [0.0] * 7


def test_joints_left_out_keep_their_goal():
    arbiter = JointCommandArbiter()
    arbiter.accept(position([0.5], names=('right_j2',)), 0.0)
    arbiter.accept(position([-0.5], names=('right_j6',)), 0.0)
    at = follow(arbiter, HERE, 5.0)[-1]
    np.testing.assert_allclose(at, [0, 0, 0.5, 0, 0, 0, -0.5], atol=1e-3)


@given(
    mode=st.integers(-1, 5),
    names=st.lists(st.sampled_from([*ARM_JOINTS, 'torso_t0']), max_size=9),
    values=st.lists(st.floats(), max_size=9),
)
def test_whatever_is_sent_the_arm_is_driven_within_its_limits(mode, names, values):
    arbiter = JointCommandArbiter()
    try:
        arbiter.accept(JointCommand(mode, names, values, values, values), 0.0)
    except CommandError:
        assert arbiter.rejected == 1
    speed = np.abs(arbiter.joint_velocity(0.0, HERE, True))
    assert (speed <= SAWYER.velocity).all()
    assert json.dumps(speed.tolist(), allow_nan=False)
