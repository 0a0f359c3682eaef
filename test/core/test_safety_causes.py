"""Causes beside the wrench: commands, joints, robot, joint loop."""

import dataclasses

import numpy as np
import pytest

from chef_cell.core.readings import ArmReading, RobotReading, TaskCommand
from chef_cell.core.safety import SafetyLatch
from chef_cell.core.safety_causes import Level


def arm(stamp=0.0, position=0.0, speed=0.0):
    return ArmReading(stamp, np.full(7, position), np.full(7, speed), np.zeros(7))


def command(stamp=0.0):
    return TaskCommand(stamp, np.zeros(3), 0.0, 0.0)


READY = RobotReading(enabled=True, stopped=False, error=False, estop=False)
MIDDLE = np.array([0.6, 0.0, 0.2])


def robot(**state):
    return dataclasses.replace(READY, **state)


@pytest.fixture
def latch():
    """A latch in a running episode."""
    latch = SafetyLatch()
    latch.start_episode('e1', 0.0)
    return latch


def test_a_stamp_a_little_ahead_is_allowed(latch):
    latch.on_command(command(100.04), 0.01, clock=100.0)
    assert latch.state.level == Level.OK
    latch.on_command(command(100.2), 0.02, clock=100.0)
    assert latch.state.value == pytest.approx(0.2)
    assert latch.state.since == 100.0, 'the fault is in the future'


def test_a_measured_excess_is_reported_with_value_and_limit(latch):
    latch.on_joints(arm(0.01), 0.01, np.array([0.6, 0.0, 0.43]))
    assert latch.state.level == Level.OK, 'episodes begin above the workspace'
    latch.on_joints(arm(0.02), 0.02, np.array([0.6, -0.2, 0.2]))
    assert (latch.state.value, latch.state.limit) == (-0.2, -0.19)


@pytest.mark.parametrize(
    ('feed', 'mend', 'reason'),
    [
        (
            lambda latch: latch.on_joints(arm(0.01), 0.01, np.zeros(3)),
            lambda latch: latch.on_joints(arm(0.02), 0.02, MIDDLE),
            'workspace',
        ),
        (
            lambda latch: latch.on_robot(robot(enabled=False)),
            lambda latch: latch.on_robot(READY),
            'robot_disabled',
        ),
        (
            lambda latch: latch.on_publishers(2),
            lambda latch: latch.on_publishers(1),
            'command_publishers',
        ),
    ],
)
def test_some_causes_matter_only_in_an_episode_but_always_forbid_rearming(feed, mend, reason):
    latch = SafetyLatch()
    feed(latch)
    assert latch.state.level == Level.OK
    assert reason in latch.rearm(0.01)[0]
    latch.start_episode('e1', 0.01)
    if reason == 'workspace':  # joint states come soon enough
        feed(latch)
    assert (latch.state.level, latch.state.reason) == (Level.FAULT, reason)
    latch.end_episode('e1')
    assert latch.rearm(0.02) != ()
    mend(latch)
    assert latch.rearm(0.02) == ()


def test_a_stopped_robot_is_a_fault_at_any_time():
    latch = SafetyLatch()
    latch.on_robot(robot(stopped=True))
    assert latch.state.reason == 'robot_stopped'
    assert latch.rearm(0.0) == ('robot_stopped: robot 1, limit 0',)
    latch.on_robot(robot(enabled=False))
    assert latch.rearm(0.0) != ()
    latch.on_robot(READY)
    assert latch.rearm(0.0) == ()


def test_frozen_joint_states_are_a_fault(latch):
    for index in range(3):
        assert latch.state.level == Level.OK
        latch.on_joints(arm(0.01, position=0.01 * index), 0.01 * index)
    assert (latch.state.reason, latch.state.value) == ('joint_states_frozen', 3)
    latch.on_joints(arm(0.02), 0.03)
    assert not [cause for cause in latch.rearm(0.03) if 'frozen' in cause]


def test_joint_states_from_the_past_are_a_fault(latch):
    latch.on_joints(arm(5.0), 0.01)
    latch.on_joints(arm(4.9), 0.02)
    assert (latch.state.reason, latch.state.source) == ('clock_jump', 'joint_states')


def test_missed_deadlines_count_within_a_window(latch):
    for index in range(200):  # a late period now and then, for 10 s
        now = 0.05 * index
        latch.on_controller(index // 2, now)
    assert latch.state.level == Level.OK
    latch.on_controller(index // 2 + 20, now)
    assert (latch.state.reason, latch.state.limit) == ('missed_deadlines', 20)
    latch.on_controller(0, now)  # started anew
    assert not [cause for cause in latch.rearm(now) if 'missed' in cause]
