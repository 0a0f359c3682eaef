"""The laws of the Cartesian controller, on the kinematics of the real arm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_cell.core.limits import SAWYER
from chef_cell.core.readings import TaskCommand
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.sim.kinematics import ArmKinematics

KINEMATICS = ArmKinematics()
SETTINGS = ControllerSettings()
PERIOD = 0.01
# Tool pointing down at about (0.6, 0, 0.18), within the workspace.
HOME = np.array([-0.05741, -1.07823, -0.30114, 1.57445, 0.15816, 1.09861, -0.22241])
LOWER, UPPER = np.array(SAWYER.lower), np.array(SAWYER.upper)


def command(x=0.0, y=0.0, z=0.0, yaw=0.0):
    return TaskCommand(0.0, np.array([x, y, z]), yaw, -1.0)


def controller(period=PERIOD, position=HOME):
    made = CartesianController(KINEMATICS, SETTINGS, period)
    made.reset(position)
    return made


def run(made, position, wanted, steps, period=PERIOD):
    """Follow `wanted` with an ideal arm; returns joint positions, outputs."""
    outputs = []
    for _ in range(steps):
        outputs.append(made.step(position, wanted))
        position = position + period * outputs[-1].joint_velocity
    return position, outputs


def tilt(position):
    """Angle of the wrist's z axis from straight down, rad."""
    _, x, y, _ = KINEMATICS.wrist_pose(position)[3:]
    return np.arccos(np.clip(2.0 * (x * x + y * y) - 1.0, -1.0, 1.0))


commands = st.one_of(
    st.none(),
    st.builds(
        command,
        *(st.floats(-0.2, 0.2) for _ in range(3)),
        st.floats(-3.0, 3.0),
    ),
)
positions = st.builds(
    lambda shares: LOWER + 0.012 + np.array(shares) * (UPPER - LOWER - 0.024),
    st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7),
)


@settings(max_examples=60, deadline=None)
@given(
    start=positions,
    wanted=st.lists(commands, min_size=1, max_size=6),
    period=st.sampled_from([0.01, 0.05]),
)
def test_no_joint_limit_is_ever_broken(start, wanted, period):
    made, position, last = controller(period, start), start, np.zeros(7)
    for each in wanted:
        for _ in range(5):
            velocity = made.step(position, each).joint_velocity
            assert np.isfinite(velocity).all()
            assert (np.abs(velocity) <= np.array(SAWYER.velocity) + 1e-9).all()
            change = np.abs(velocity - last) / period
            assert (change <= np.array(SAWYER.acceleration) + 1e-6).all()
            position, last = position + period * velocity, velocity
            assert (position >= LOWER).all()
            assert (position <= UPPER).all()


@settings(max_examples=30, deadline=None)
@given(wanted=commands)
def test_no_command_stops_the_arm_within_its_acceleration_limits(wanted):
    made = controller()
    position, outputs = run(made, HOME, wanted, 30)
    speed = np.abs(outputs[-1].joint_velocity)
    slowest = float((speed / np.array(SAWYER.acceleration)).max())
    position, stopping = run(made, position, None, int(np.ceil(slowest / PERIOD)) + 1)
    assert (stopping[-1].joint_velocity == 0.0).all()
    # All joints slow down together: the direction of motion stays.
    for output in stopping[:-1]:
        share = np.linalg.norm(output.joint_velocity) / max(np.linalg.norm(speed), 1e-12)
        expected = share * outputs[-1].joint_velocity
        np.testing.assert_allclose(output.joint_velocity, expected, atol=1e-9)


@pytest.mark.parametrize('period', [0.01, 0.05])
def test_the_tool_follows_the_command(period):
    made = controller(period)
    wanted = command(x=0.03, y=-0.02, z=0.02, yaw=0.2)
    steps = round(0.5 / period)
    start = KINEMATICS.tool_pose(HOME)[:3]
    position, outputs = run(made, HOME, wanted, steps, period)
    moved = (KINEMATICS.tool_pose(position)[:3] - start) / 0.5
    # The damping of 0.01 costs the benchmark up to a fifth of the speed.
    assert (moved / wanted.linear > 0.7).all()
    assert (moved / wanted.linear < 1.02).all()
    assert outputs[-1].limited_by == ()


def test_positive_yaw_turns_as_the_benchmark_does():
    position, _ = run(controller(), HOME, command(yaw=0.5), 50)
    assert position[6] < HOME[6]


def test_the_wrist_is_kept_upright():
    leaning = HOME + np.array([0.0, 0.0, 0.0, 0.0, 0.1, 0.15, 0.0])
    before = tilt(leaning)
    position, _ = run(controller(position=leaning), leaning, command(), 100)
    assert before > 0.1
    assert tilt(position) < 0.6 * before  # at a rate of 0.8/s for 1 s, less the damping


@pytest.mark.parametrize(('axis', 'sign'), [(0, 1), (0, -1), (1, 1), (1, -1), (2, 1), (2, -1)])
def test_the_tool_stops_at_the_workspace(axis, sign):
    velocity = np.zeros(3)
    velocity[axis] = 0.07 * sign
    made = controller()
    position, outputs = run(made, HOME, TaskCommand(0.0, velocity, 0.0, 0.0), 400)
    tool = KINEMATICS.tool_pose(position)[axis]
    edge = (SETTINGS.workspace_upper if sign > 0 else SETTINGS.workspace_lower)[axis]
    assert abs(tool - edge) < 0.003
    assert f'workspace_{"xyz"[axis]}' in {name for output in outputs for name in output.limited_by}
    back, _ = run(made, position, TaskCommand(0.0, -velocity, 0.0, 0.0), 50)
    assert sign * (KINEMATICS.tool_pose(back)[axis] - tool) < -0.01


@pytest.mark.parametrize('sign', [1, -1])
def test_the_last_joint_stays_within_the_wrist_range(sign):
    position, outputs = run(controller(), HOME, command(yaw=sign * 1.0), 500)
    assert abs(position[6]) == pytest.approx(SETTINGS.wrist_range, abs=0.1)
    assert 'wrist_range' in outputs[-1].limited_by


def test_speeds_are_limited_by_their_norm():
    output = controller().step(HOME, command(x=0.07, y=0.07, z=0.07, yaw=2.0))
    assert np.linalg.norm(output.twist[:3]) == pytest.approx(0.07)
    assert np.linalg.norm(output.twist[3:]) == pytest.approx(1.0)
    assert {'linear_speed', 'angular_speed'} <= set(output.limited_by)


def test_at_rest_the_null_space_carries_the_elbow_to_its_posture():
    _, outputs = run(controller(), HOME, command(), 20)
    velocity = outputs[-1].joint_velocity
    posture = np.array(SETTINGS.posture)
    assert np.linalg.norm(velocity) > 1e-3
    assert velocity @ (posture - HOME) > 0.0
    assert np.abs(KINEMATICS.wrist_jacobian(HOME) @ velocity).max() < 1e-2


def test_changing_the_command_does_not_make_the_tool_swerve():
    made = controller()
    position, outputs = run(made, HOME, command(y=0.07), 30)
    old = outputs[-1].joint_velocity
    _, turning = run(made, position, command(y=-0.07), 2)
    new = turning[-1].joint_velocity
    assert 'joint_acceleration' in turning[-1].limited_by
    # Changes of all joints are in proportion to the whole change.
    first = turning[0].joint_velocity - old
    second = new - turning[0].joint_velocity
    np.testing.assert_allclose(
        first / np.linalg.norm(first), second / np.linalg.norm(second), atol=0.02
    )


def test_a_stretched_arm_is_near_a_singularity():
    stretched = np.zeros(7)
    assert controller(position=stretched).step(stretched, command(x=0.05)).manipulability < 0.02
    assert controller().step(HOME, command()).manipulability > 0.1


@pytest.mark.parametrize(
    ('position', 'wanted', 'named'),
    [
        (np.full(7, np.nan), command(), 'joint positions'),
        (np.zeros(6), command(), r'shape \(6,\)'),
        (HOME, command(x=np.inf), 'linear velocity'),
        (HOME, command(yaw=np.nan), 'yaw rate nan'),
    ],
)
def test_numbers_that_are_not_finite_are_refused(position, wanted, named):
    made = controller()
    made.step(HOME, command(x=0.05))
    before = made.step(HOME, command(x=0.05)).joint_velocity
    with pytest.raises(ValueError, match=named):
        made.step(position, wanted)
    after = made.step(HOME, command(x=0.05)).joint_velocity
    assert (np.abs(after - before) <= np.array(SAWYER.acceleration) * PERIOD + 1e-12).all()


@pytest.mark.parametrize('period', [0.0, -0.01, np.nan, 2.0])
def test_an_impossible_period_is_refused(period):
    with pytest.raises(ValueError, match='period'):
        CartesianController(KINEMATICS, SETTINGS, period)
