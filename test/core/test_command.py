import math

import numpy as np
import pytest

from chef_cell.core.command import (
    CommandGate,
    CommandLimits,
    GateSettings,
    Motion,
    command_problem,
)
from chef_cell.core.readings import TaskCommand


def command(x=0.05, yaw_rate=0.0, gripper=0.0):
    return TaskCommand(0.0, np.array([x, 0.0, 0.0]), yaw_rate, gripper)


def feed(gate, now, *, but=''):
    """Let every input but one speak."""
    inputs = {
        'joints': lambda: gate.on_joints(True, now),
        'safety': lambda: gate.on_safety(True, now),
        'episode': lambda: gate.on_episode(True, now),
        'command': lambda: gate.on_command(command(), now),
    }
    for name, speak in inputs.items():
        if name != but:
            speak()


@pytest.fixture
def gate():
    """A gate that lets a command through at time 0."""
    gate = CommandGate()
    feed(gate, 0.0)
    return gate


def test_follows_when_everybody_agrees(gate):
    decision = gate.decide(0.0)
    assert decision.motion is Motion.FOLLOW
    assert decision.command is not None
    assert decision.reason == ''


@pytest.mark.parametrize(
    ('missing', 'motion', 'reason'),
    [
        ('joints', Motion.HALT, 'stale_joints'),
        ('safety', Motion.HALT, 'safety_silent'),
        ('episode', Motion.SLOW_DOWN, 'idle'),
        ('command', Motion.HALT, 'stale_command'),
    ],
)
def test_an_input_never_heard_forbids(missing, motion, reason):
    gate = CommandGate()
    feed(gate, 0.0, but=missing)
    decision = gate.decide(0.0)
    assert (decision.motion, decision.reason, decision.command) == (motion, reason, None)


@pytest.mark.parametrize(
    ('silent', 'after', 'reason'),
    [
        ('joints', 0.05, 'stale_joints'),
        ('safety', 0.1, 'safety_silent'),
        ('episode', 2.5, 'idle'),
        ('command', 0.125, 'stale_command'),
    ],
)
def test_an_input_that_falls_silent_forbids(gate, silent, after, reason):
    feed(gate, after, but=silent)
    assert gate.decide(after).motion is Motion.FOLLOW
    feed(gate, after + 0.001, but=silent)
    assert gate.decide(after + 0.001).reason == reason


def test_the_latch_halts(gate):
    gate.on_safety(False, 0.01)
    assert gate.decide(0.01).motion is Motion.HALT
    assert gate.decide(0.01).reason == 'safety'
    gate.on_safety(True, 0.02)
    assert gate.decide(0.02).motion is Motion.FOLLOW


def test_an_ended_episode_lets_the_arm_stop_and_then_retreat(gate):
    for now in (0.0, 0.02):
        gate.decide(now)
    assert gate.on_safety(False, 0.03, may_retreat=True), 'the arm must stop now'
    assert gate.decide(0.03).motion is Motion.HALT
    assert not gate.on_safety(False, 0.04, may_retreat=True)
    decision = gate.decide(0.04)
    assert (decision.motion, decision.reason) == (Motion.RETREAT, 'retreat')
    assert decision.command.linear == pytest.approx([-0.03, 0.0, 0.0])
    assert gate.on_safety(False, 0.05), 'a fault ends a retreat'
    assert gate.decide(0.05).motion is Motion.HALT


def test_the_way_it_came_is_forgotten_when_the_arm_is_put_elsewhere(gate):
    for now in (0.0, 0.02):
        gate.decide(now)
    gate.begin()
    gate.on_safety(False, 0.03, may_retreat=True)
    assert gate.decide(0.03).motion is gate.decide(0.04).motion is Motion.HALT


def test_unusable_joint_states_halt(gate):
    gate.on_joints(False, 0.01)
    assert gate.decide(0.01).reason == 'stale_joints'


def test_the_worst_reason_is_given(gate):
    gate.on_safety(False, 0.0)
    gate.on_episode(False, 0.0)
    assert gate.decide(0.0).reason == 'safety'
    assert gate.decide(1.0).reason == 'stale_joints'


def test_a_command_does_not_outlive_its_episode(gate):
    gate.on_episode(False, 0.01)
    gate.on_episode(True, 0.02)
    assert gate.decide(0.02).reason == 'stale_command'


def test_a_bad_command_ends_the_last_one(gate):
    gate.on_command(command(x=math.nan), 0.01)
    assert gate.decide(0.01).reason == 'invalid_command'
    assert gate.problem is not None
    gate.on_command(command(), 0.02)
    assert gate.decide(0.02).motion is Motion.FOLLOW


def test_an_input_from_the_future_counts_as_silent(gate):
    assert gate.decide(-1.0).motion is Motion.HALT


@pytest.mark.parametrize(
    ('bad', 'text'),
    [
        ({'x': 0.0701}, 'linear.x = 0.0701, allowed: -0.07 .. 0.07'),
        ({'x': -math.inf}, 'linear.x = -inf'),
        ({'yaw_rate': math.nan}, 'yaw_rate = nan, allowed: -1 .. 1'),
        ({'gripper': 1.5}, 'gripper = 1.5'),
    ],
)
def test_problems_name_value_and_limit(bad, text):
    assert text in str(command_problem(command(**bad), CommandLimits()))


def test_the_largest_command_is_no_problem():
    assert command_problem(command(x=-0.07, yaw_rate=1.0, gripper=-1.0), CommandLimits()) is None


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r'safety_timeout = nan'):
        GateSettings(safety_timeout=math.nan)
    with pytest.raises(ValueError, match=r'retreat_speed = 0'):
        GateSettings(retreat_speed=0.0)
