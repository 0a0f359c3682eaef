"""Inverse kinematics finds the way back from forward kinematics."""

import numpy as np
import pytest

from chef_cell.core.limits import SAWYER
from chef_cell.core.position_kinematics import (
    NEUTRAL,
    TIPS,
    Failure,
    Goal,
    PositionKinematics,
    Seed,
    ordered,
)
from chef_cell.sim.kinematics import ArmKinematics

SOLVER = PositionKinematics(ArmKinematics())
CURRENT = np.array(NEUTRAL)
REACHABLE = [
    CURRENT + np.random.default_rng(seed).uniform(-0.4, 0.4, 7) for seed in range(10)
]  # rad


@pytest.mark.parametrize('tip', TIPS)
@pytest.mark.parametrize('joints', REACHABLE)
def test_a_reachable_pose_is_reached(joints, tip):
    pose = SOLVER.forward(joints, tip)
    found, seed = SOLVER.inverse(Goal(pose, tip), CURRENT)
    assert seed == Seed.CURRENT
    np.testing.assert_allclose(SOLVER.forward(found, tip), pose, atol=2e-5)
    assert (found >= SAWYER.lower).all()
    assert (found <= SAWYER.upper).all()


def test_the_seed_that_led_there_is_told():
    pose = SOLVER.forward(REACHABLE[0], TIPS[0])
    for mode in (Seed.USER, Seed.CURRENT, Seed.NULLSPACE_MAP):
        goal = Goal(pose, seed=REACHABLE[1], mode=mode)
        assert SOLVER.inverse(goal, CURRENT)[1] == mode
    assert SOLVER.inverse(Goal(pose, seed=REACHABLE[1]), CURRENT)[1] == Seed.USER
    assert SOLVER.inverse(Goal(pose, mode=Seed.USER), CURRENT)[1] == Failure.NOT_FOUND


def test_the_redundancy_goes_where_it_is_pulled():
    pose = SOLVER.forward(CURRENT, TIPS[0])
    bias = np.full(7, np.nan)
    bias[2] = 0.5
    plain, _ = SOLVER.inverse(Goal(pose), CURRENT)
    pulled, _ = SOLVER.inverse(Goal(pose, bias=bias), CURRENT)
    assert abs(plain[2]) < 1e-6
    assert pulled[2] > 0.2
    np.testing.assert_allclose(SOLVER.forward(pulled, TIPS[0]), pose, atol=2e-5)


def test_a_pull_never_costs_the_goal():
    for joints in REACHABLE:
        pose = SOLVER.forward(joints, TIPS[0])
        found, seed = SOLVER.inverse(Goal(pose, bias=CURRENT), CURRENT)
        assert seed == Seed.CURRENT
        np.testing.assert_allclose(SOLVER.forward(found, TIPS[0]), pose, atol=2e-5)


def test_what_cannot_be_reached_is_said_so():
    far = np.array([3.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    assert SOLVER.inverse(Goal(far), CURRENT) == (None, Failure.NOT_FOUND)
    assert SOLVER.inverse(Goal(far, 'left_hand'), CURRENT) == (None, Failure.UNKNOWN_TIP)
    assert SOLVER.inverse(Goal(far * np.nan), CURRENT) == (None, Failure.NOT_FOUND)
    assert SOLVER.inverse(Goal(np.zeros(7)), CURRENT) == (None, Failure.NOT_FOUND)
    assert SOLVER.forward(CURRENT, 'left_hand') is None
    assert SOLVER.forward(CURRENT * np.nan, TIPS[0]) is None


def test_joints_are_taken_by_name():
    names = [f'right_j{index}' for index in (6, 5, 4, 3, 2, 1, 0)]
    assert ordered(names, range(7)).tolist() == [6, 5, 4, 3, 2, 1, 0]
    assert ordered(['right_j1'], [9.0], CURRENT).tolist() == [0.0, 9.0, *NEUTRAL[2:]]
    with pytest.raises(ValueError, match='lack'):
        ordered(['right_j1'], [9.0])
    with pytest.raises(ValueError, match='2 positions for 1 joints'):
        ordered(['right_j1'], [9.0, 1.0])
