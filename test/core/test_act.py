import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core import act
from chef_trainer.spec import ActionSpec


def test_scales_a_full_action_to_the_benchmark_speeds():
    command = act.to_command(np.ones(5), ActionSpec(), stamp=1.5)

    assert command.stamp == 1.5
    assert command.linear == pytest.approx([0.07, 0.07, 0.07])
    assert command.yaw_rate == 1.0
    assert command.gripper == 1.0


@pytest.mark.parametrize(('asked', 'done'), [(0.2, 1.0), (1e-9, 1.0), (0.0, -1.0), (-0.3, -1.0)])
def test_gripper_is_bang_bang_and_zero_opens(asked, done):
    assert act.clip_action(np.array([0.0, 0.0, 0.0, 0.0, asked]))[4] == done


def test_the_initial_action_executes_as_itself():
    np.testing.assert_array_equal(act.clip_action(act.INITIAL_ACTION), act.INITIAL_ACTION)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=5))
def test_executed_actions_stay_in_the_box_and_are_fixed_points(numbers):
    executed = act.clip_action(np.array(numbers))

    assert np.abs(executed).max() <= 1.0
    np.testing.assert_array_equal(act.clip_action(executed), executed)


def test_does_not_change_its_argument():
    action = np.full(5, 3.0)
    act.clip_action(action)

    np.testing.assert_array_equal(action, np.full(5, 3.0))


@pytest.mark.parametrize('bad', [np.zeros(4), np.zeros((1, 5)), np.zeros(0)])
def test_wrong_shape_is_named(bad):
    with pytest.raises(act.ActionError, match='expected \\(5,\\)'):
        act.clip_action(bad)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused(bad):
    action = np.zeros(5)
    action[2] = bad
    with pytest.raises(act.ActionError, match='not finite'):
        act.to_command(action, ActionSpec(), stamp=0.0)
