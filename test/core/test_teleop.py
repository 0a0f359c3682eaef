"""What a hand asks for becomes a command, and nothing does without the dead-man switch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.command import CommandLimits, command_problem
from chef_cell.core.teleop import (
    GAMEPAD,
    SPACEMOUSE,
    Hand,
    Keys,
    Sticks,
    Teleoperator,
    TeleopSettings,
    Verdict,
)

BEHIND = TeleopSettings(operator_yaw=0.0)


def command(hand, settings=BEHIND):
    return Teleoperator(settings).command(hand, 1.5)


def numbers(command):
    return [*command.linear, command.yaw_rate, command.gripper]


def test_full_deflection_is_full_speed():
    moved = command(Hand(True, (1.0, -1.0, 0.5, 1.0), 1.0))

    assert moved.stamp == 1.5
    assert numbers(moved) == pytest.approx([0.07, -0.07, 0.035, 1.0, 1.0])


def test_nothing_moves_without_the_dead_man_switch():
    operator = Teleoperator(BEHIND)
    operator.command(Hand(True, (1.0, 1.0, 1.0, 1.0), 1.0), 0.0)

    assert numbers(operator.command(Hand(False, (1.0, 1.0, 1.0, 1.0), 1.0), 0.0)) == [0.0] * 5


def test_a_switch_held_since_before_the_episode_must_be_pressed_anew():
    operator = Teleoperator(BEHIND)
    held = Hand(True, (1.0, 0.0, 0.0, 0.0))
    operator.command(held, 0.0)
    operator.start()
    assert not np.any(operator.command(held, 0.0).linear)

    operator.command(Hand(), 0.0)
    assert np.any(operator.command(held, 0.0).linear)


def test_the_gripper_keeps_at_what_it_was_told_while_the_switch_is_held():
    operator = Teleoperator(BEHIND)
    told = [
        operator.command(hand, 0.0).gripper
        for hand in (Hand(), Hand(True), Hand(True, grip=1.0), Hand(True), Hand(), Hand(True))
    ]
    assert told == [0.0, -1.0, 1.0, 1.0, 0.0, 1.0]

    operator.command(Hand(), 0.0)
    operator.start()
    assert operator.command(Hand(True), 0.0).gripper == -1.0


@pytest.mark.parametrize(
    ('yaw', 'linear'), [(0.0, [1, 0]), (math.pi, [-1, 0]), (math.pi / 2, [0, 1])]
)
def test_away_is_where_the_person_looks(yaw, linear):
    moved = command(Hand(True, (1.0, 0.0, 0.0, 0.0)), TeleopSettings(operator_yaw=yaw))

    assert moved.linear[:2] / 0.07 == pytest.approx(linear, abs=1e-12)


def test_speed_scales_motion_but_not_the_gripper():
    moved = command(Hand(True, (1.0, 0, 0, 1.0), 1.0), TeleopSettings(0.5, operator_yaw=0.0))

    assert numbers(moved) == pytest.approx([0.035, 0, 0, 0.5, 1.0])


wild = st.floats(allow_nan=False, allow_infinity=True)


@given(st.tuples(wild, wild, wild, wild), st.floats(-10, 10), st.sampled_from([-1.0, 0.0, 1.0]))
def test_no_hand_asks_for_more_than_the_controller_follows(motion, yaw, grip):
    moved = command(Hand(True, motion, grip), TeleopSettings(operator_yaw=yaw))

    assert command_problem(moved, CommandLimits()) is None


def test_a_key_moves_the_arm_until_its_time_is_over():
    keys = Keys(hold=0.125)
    keys.press('w', 10.0)

    assert keys.hand(10.125) == Hand(True, (1.0, 0.0, 0.0, 0.0))
    assert keys.hand(10.126) == Hand()


def test_keys_combine_and_capitals_are_slow():
    keys = Keys(hold=0.15)
    for key in 'aRec':
        keys.press(key, 0.0)

    assert keys.hand(0.1) == Hand(True, (0.0, 1.0, 0.25, -1.0), 1.0)


def test_of_two_grip_keys_the_last_one_counts():
    keys = Keys(hold=0.15)
    keys.press('o', 0.0)
    keys.press('c', 0.01)
    assert keys.hand(0.1).grip == 1.0

    keys.press('o', 0.05)
    assert keys.hand(0.1).grip == -1.0


def test_a_verdict_is_told_once_and_moves_nothing():
    keys = Keys(hold=0.15)
    keys.press('\n', 0.0)

    assert keys.hand(0.0) == Hand(verdict=Verdict.KEEP)
    assert keys.hand(0.0).verdict == Verdict.GO_ON


def test_a_gamepad():
    sticks = Sticks(GAMEPAD, deadband=0.1)
    pushed = {'ABS_Y': -1.0, 'ABS_X': 0.55, 'ABS_RX': 0.05}

    hand = sticks.hand(pushed, {'BTN_TR', 'BTN_SOUTH'})
    assert hand.held
    assert hand.motion == pytest.approx((1.0, -0.5, 0.0, 0.0))
    assert hand.grip == 1.0
    assert sticks.hand(pushed, {'BTN_TR', 'BTN_SOUTH'}).grip == 0.0  # told once
    assert sticks.hand(pushed, {'BTN_EAST'}) == Hand(False, hand.motion, -1.0)
    assert sticks.hand({}, {'BTN_START'}).verdict == Verdict.KEEP
    assert sticks.hand({}, {'BTN_SELECT'}).verdict == Verdict.DISCARD


def test_a_spacemouse_toggles_the_gripper():
    sticks = Sticks(SPACEMOUSE, deadband=0.0)
    hand = sticks.hand({'x': 0.5, 'y': -1.0, 'z': 0.25, 'yaw': -1.0}, {'left'})

    assert hand == Hand(True, (1.0, -0.5, -0.25, 1.0))
    grips = [sticks.hand({}, buttons).grip for buttons in ({'right'}, {}, {'right'}, {'right'})]
    assert grips == [1.0, 0.0, -1.0, 0.0]


@pytest.mark.parametrize('value', [math.nan, 0.1, -0.1])
def test_within_the_deadband_is_rest(value):
    assert Sticks(GAMEPAD, 0.1).hand({'ABS_X': value}, ()).motion == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('speed', 0.0),
        ('speed', 1.1),
        ('deadband', 1.0),
        ('key_hold', 0.6),
        ('operator_yaw', math.inf),
    ],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f'{name} = {value}'):
        TeleopSettings(**{name: value})
