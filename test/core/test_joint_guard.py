"""What reaches the joints of a real arm."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.intera import ARM_JOINTS, CommandError, JointCommand, Mode
from chef_cell.core.joint_guard import JointGuard, intersection, without_dead_band
from chef_cell.core.limits import SAWYER

MIDDLE = 0.5 * (np.array(SAWYER.lower) + np.array(SAWYER.upper))


def velocity(values, names=ARM_JOINTS):
    return JointCommand(Mode.VELOCITY, names, velocity=values)


def test_a_velocity_within_the_limits_passes_as_it_is():
    checked = JointGuard(SAWYER).check(velocity([0.1] * 7), MIDDLE)
    assert list(checked.velocity) == [0.1] * 7


def test_only_the_arrays_of_the_mode_are_sent():
    stale = [9.0] * 7
    guard = JointGuard(SAWYER)
    for mode, sent in ((Mode.VELOCITY, (0, 7, 0)), (Mode.POSITION, (7, 0, 0)), (4, (7, 7, 7))):
        command = guard.check(JointCommand(mode, ARM_JOINTS, stale, stale, stale), MIDDLE)
        assert (len(command.position), len(command.velocity), len(command.acceleration)) == sent


def test_values_keep_to_their_joints():
    checked = JointGuard(SAWYER).check(velocity([0.3, 0.1], ('right_j5', 'right_j0')), MIDDLE)
    assert dict(zip(checked.names, checked.velocity, strict=True)) == {
        'right_j0': 0.1,
        'right_j5': 0.3,
    }


def test_goals_and_speeds_are_kept_within_the_limits():
    guard = JointGuard(SAWYER)
    goal = JointCommand(Mode.POSITION, ARM_JOINTS, [99.0] * 7)
    assert tuple(guard.check(goal, MIDDLE).position) == SAWYER.upper
    fast = guard.check(velocity([-99.0] * 7), MIDDLE).velocity
    assert tuple(fast) == tuple(-speed for speed in SAWYER.velocity)


@given(st.integers(0, 6), st.floats(-4.0, 4.0), st.sampled_from([-1, 1]))
def test_a_joint_can_always_stop_before_the_end_of_its_range(joint, speed, side):
    """Worst case: this speed for one more period of 10 ms, then full braking."""
    guard = JointGuard(SAWYER)
    end = (SAWYER.lower if side < 0 else SAWYER.upper)[joint]
    position = MIDDLE.copy()
    position[joint] = end - side * 0.05
    for _ in range(200):
        sent = guard.check(velocity([speed if j == joint else 0.0 for j in range(7)]), position)
        position[joint] += 0.01 * sent.velocity[joint]
    beyond = side * (position[joint] - end)
    assert beyond < 0.01


def test_beyond_its_range_a_joint_may_only_come_back():
    guard = JointGuard(SAWYER)
    position = np.array(SAWYER.upper) + 0.01
    assert max(guard.check(velocity([0.2] * 7), position).velocity) == 0.0
    assert min(guard.check(velocity([-0.2] * 7), position).velocity) == -0.2


@pytest.mark.parametrize(
    ('command', 'said'),
    [
        (JointCommand(Mode.TORQUE, ARM_JOINTS), 'mode 3, allowed: 1 position, 2 velocity'),
        (JointCommand(0, ARM_JOINTS), 'mode 0'),
        (velocity([math.nan] * 7), 'not finite'),
        (velocity([0.1] * 6), '6 velocity values for 7 joints'),
        (velocity([0.1], ('left_j0',)), 'left_j0'),
        (JointCommand(Mode.TRAJECTORY, ARM_JOINTS, [0.0] * 7, [0.0] * 7), '0 acceleration'),
    ],
)
def test_what_makes_no_sense_is_refused_and_counted(command, said):
    guard = JointGuard(SAWYER)
    with pytest.raises(CommandError, match=said):
        guard.check(command, MIDDLE)
    assert (guard.accepted, guard.rejected) == (0, 1)


def test_joints_that_are_nowhere_are_not_commanded():
    guard = JointGuard(SAWYER)
    with pytest.raises(CommandError, match='measured positions'):
        guard.check(velocity([0.1] * 7), np.array([*MIDDLE[:6], math.nan]))
    assert guard.rejected == 1


def test_limits_of_two_sources_are_both_kept():
    other = dataclasses.replace(
        SAWYER,
        lower=(-3.1, -3.0, *SAWYER.lower[2:]),
        velocity=(1.0, 9.0, *SAWYER.velocity[2:]),
    )
    both = intersection(SAWYER, other)
    assert both == intersection(other, SAWYER)
    assert both.lower[:2] == (SAWYER.lower[0], -3.0)
    assert both.velocity[:2] == (1.0, SAWYER.velocity[1])
    with pytest.raises(ValueError, match='must lie below'):
        intersection(SAWYER, dataclasses.replace(SAWYER, lower=(9.0,) * 7, upper=(9.1,) * 7))


def test_a_joint_at_rest_reports_no_motion():
    assert [without_dead_band(v) for v in (0.001, -0.001, 0.0)] == [0.0, 0.0, 0.0]
    assert without_dead_band(0.0011) == 0.0011
