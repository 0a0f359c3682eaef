"""The rewards against cases computed by hand from the benchmark's formulas."""

import numpy as np
import pytest

from chef_cell.core.readings import Grasp
from chef_cell.core.rewards import REWARD_NAMES, TaskState, rewards, staged, success

RED = (0.6, 0.0, 0.1)


def pose(x, y, z):
    return np.array([x, y, z, 1.0, 0.0, 0.0, 0.0])


def evaluate(red=RED, blue=(0.5, 0.1, 0.07), tool=(0.6, 0.0, 0.4), counts=0.0, grasp=Grasp.NONE):
    return rewards(
        TaskState(pose(*red), pose(0.7, 0.1, 0.07), pose(*blue), pose(*tool), counts, grasp)
    )


def test_all_rewards_have_their_names_and_lie_in_the_unit_range():
    values = evaluate()
    assert tuple(values) == REWARD_NAMES
    assert all(0.0 <= value <= 1.0 for value in values.values())


@pytest.mark.parametrize(
    ('counts', 'expected'),
    [
        (0.0, 1.0),
        (255.0, 0.05),  # the shaping is 0.05 at its margin
        (127.5, 0.36549),  # 1 - tanh(atanh(sqrt(0.95)) / 2)^2
    ],
)
def test_open(counts, expected):
    assert evaluate(counts=counts)['open'] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ('below', 'counts', 'grasp', 'expected'),
    [
        (0.15, 0.0, Grasp.NONE, 0.5 * 0.05),  # far: half of the reach alone
        (0.15, 255.0, Grasp.INWARD, 0.5 * 0.05),  # far: the grasp does not count
        (0.0, 0.0, Grasp.NONE, 0.5 + 0.5 * 0.5 * 0.05),  # there, fingers open
        (0.0, 255.0, Grasp.NONE, 0.5 + 0.5 * 0.5),  # there, fingers closed on nothing
        (0.0, 100.0, Grasp.INWARD, 1.0),
        (0.019, 100.0, Grasp.INWARD, 1.0),  # within the tolerance of 2 cm
        (0.0, 255.0, Grasp.OUTWARD, 0.75),  # an outward grasp is none
    ],
)
def test_reach_grasp(below, counts, grasp, expected):
    values = evaluate(tool=(0.6, 0.0, 0.1 + below), counts=counts, grasp=grasp)
    assert values['reach_grasp'] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ('height', 'expected'),
    [(0.1047, 0.0), (0.1048, 0.0), (0.1273, 0.5), (0.1498, 1.0), (0.25, 1.0), (0.28, 0.0)],
)
def test_lift_grows_with_height_and_ends_at_the_workspace(height, expected):
    values = evaluate(red=(0.6, 0.0, height), grasp=Grasp.INWARD)
    assert values['lift'] == pytest.approx(expected, abs=1e-9)


def test_lift_needs_a_grasp():
    assert evaluate(red=(0.6, 0.0, 0.16), counts=255.0)['lift'] == pytest.approx(0.5)


def test_lift_counts_only_in_the_workspace_ellipsoid():
    # 0.12 / 0.125 in x and y: inside the box, outside the ellipsoid.
    assert evaluate(red=(0.72, 0.12, 0.1698), grasp=Grasp.INWARD)['lift'] == 0.0


@pytest.mark.parametrize(
    ('red', 'expected'),
    [
        ((0.5, 0.1, 0.11), 1.0),  # 4 cm above blue
        ((0.509, 0.1, 0.11), 1.0),  # within 1 cm
        ((0.7, 0.1, 0.11), 0.05),  # 20 cm aside
        ((0.5, 0.1, 0.099), 0.0),  # too low to count
    ],
)
def test_place(red, expected):
    assert evaluate(red=red)['place'] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ('red', 'grasp', 'expected'),
    [
        ((0.5, 0.1, 0.11), Grasp.NONE, 1.0),
        ((0.5, 0.1, 0.11), Grasp.OUTWARD, 1.0),
        ((0.5, 0.1, 0.11), Grasp.INWARD, 0.0),  # still held
        ((0.529, 0.1, 0.11), Grasp.NONE, 1.0),
        ((0.531, 0.1, 0.11), Grasp.NONE, 0.0),
        ((0.5, 0.1, 0.119), Grasp.NONE, 1.0),
        ((0.5, 0.1, 0.121), Grasp.NONE, 0.0),
        ((0.5, 0.1, 0.099), Grasp.NONE, 0.0),
    ],
)
def test_stack(red, grasp, expected):
    assert evaluate(red=red, grasp=grasp)['stack'] == expected


@pytest.mark.parametrize(
    ('above', 'sideways', 'expected'),
    [
        (0.1, 0.0, 1.0),
        (0.129, 0.0, 1.0),
        (0.071, 0.0, 1.0),
        (0.1, 0.5, 1.0),  # anywhere sideways
        (0.15, 0.0, 0.05),
        (0.0, 0.0, 1.0 - np.tanh(2 * 2.178272) ** 2),
    ],
)
def test_stack_leave(above, sideways, expected):
    values = evaluate(red=(0.5, 0.1, 0.11), tool=(0.5 + sideways, 0.1, 0.11 + above))
    assert values['stack_leave'] == pytest.approx(expected, abs=1e-5)
    assert success(values) == (expected > 0.5)


def test_leaving_without_a_stack_is_no_success():
    values = evaluate(tool=(0.6, 0.0, 0.2))
    assert values['stack_leave'] == 0.0
    assert not success(values)


def test_staged_reward_names_the_furthest_stage():
    nothing = dict.fromkeys(REWARD_NAMES, 0.0)
    assert staged(nothing) == 0.0
    assert staged({**nothing, 'open': 1.0}) == 0.0
    assert staged({**nothing, 'reach_grasp': 0.5}) == pytest.approx(0.1)
    assert staged({**nothing, 'reach_grasp': 1.0, 'lift': 0.5}) == pytest.approx(0.3)
    assert staged({**nothing, 'reach_grasp': 1.0, 'lift': 0.01}) == pytest.approx(0.2)
    assert staged({**nothing, 'stack_leave': 1.0}) == pytest.approx(1.0)
