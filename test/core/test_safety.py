import dataclasses
import math

import numpy as np
import pytest

from chef_cell.core.safety import SafetyLatch
from chef_cell.core.safety_causes import Level, SafetySettings
from chef_cell.testing.safety_samples import GOOD, MIDDLE, arm, command, robot, wrench

HARD, BROKEN = 25.0, math.nan


def test_a_gentle_touch_is_fine(latch):
    latch.on_wrench(wrench(0.01, 19.9), 0.01)
    assert latch.state.level == Level.OK
    assert latch.state.stamp == 0.01


def test_one_sample_above_the_limit_ends_the_episode(latch):
    latch.on_wrench(wrench(0.01, 25.0), 0.01)
    latch.on_wrench(wrench(0.02, 60.0), 0.02)
    state = latch.state
    assert (state.level, state.reason, state.source) == (Level.EPISODE_STOP, 'force', 'wrench')
    assert (state.value, state.limit, state.since) == (25.0, 20.0, 0.01)
    assert state.episode_id == 'e1'


def test_torque_has_a_limit_too(latch):
    latch.on_wrench(wrench(0.01, 1.0, torque=31.0), 0.01)
    assert (latch.state.reason, latch.state.value) == ('torque', 31.0)


def test_the_next_episode_releases_an_episode_stop_but_no_fault(latch):
    latch.on_wrench(wrench(0.01, HARD), 0.01)
    latch.start_episode('e2', 1.0)
    assert latch.state.level == Level.OK
    latch.on_wrench(wrench(1.01, BROKEN), 1.01)
    latch.start_episode('e3', 2.0)
    assert latch.state.level == Level.FAULT


def test_a_fault_after_a_stop_raises_the_level_and_keeps_the_first_reason(latch):
    latch.on_wrench(wrench(0.01, HARD), 0.01)
    latch.on_wrench(wrench(0.02, BROKEN), 0.02)
    assert latch.state.level == Level.FAULT
    assert (latch.state.reason, latch.state.fault) == ('force', 'wrench_invalid')
    assert latch.state.text == 'force, wrench_invalid'
    assert (latch.state.value, latch.state.since) == (HARD, 0.01)


def test_a_stop_after_a_fault_changes_nothing(latch):
    latch.on_wrench(wrench(0.01, BROKEN), 0.01)
    first = latch.state
    latch.on_wrench(wrench(0.02, HARD), 0.02)
    assert dataclasses.replace(latch.state, stamp=first.stamp) == first


@pytest.mark.parametrize(
    ('feed', 'reason'),
    [
        (lambda latch: latch.on_wrench(wrench(0.01, math.inf), 0.01), 'wrench_invalid'),
        (lambda latch: latch.on_wrench(wrench(0.01, torque=math.nan), 0.01), 'wrench_invalid'),
        (
            lambda latch: latch.on_joints(arm(0.01, math.nan), 0.01),
            'joint_states_invalid',
        ),
        (lambda latch: latch.on_joints(arm(0.01, speed=2.0), 0.01), 'joint_speed'),
        (lambda latch: latch.on_malformed('joint_states', 0.01, 0.01), 'joint_states_invalid'),
        (lambda latch: latch.on_command(command(0.01, x=math.nan), 0.01), 'command_invalid'),
        (lambda latch: latch.on_command(command(0.01, x=0.08), 0.01), 'command_invalid'),
        (lambda latch: latch.on_command(command(0.01, yaw_rate=-1.1), 0.01), 'command_invalid'),
        (lambda latch: latch.on_command(command(0.01, gripper=2.0), 0.01), 'command_invalid'),
        (lambda latch: latch.tick(0.06), 'wrench_stale'),
        (lambda latch: latch.on_command(command(0.07), 0.01), 'command_future'),
        (lambda latch: latch.on_command(command(math.nan), 0.01), 'command_future'),
        (lambda latch: latch.on_command(command(-0.6), 0.01), 'command_past'),
        (lambda latch: latch.on_publishers(2), 'command_publishers'),
        (lambda latch: latch.on_publishers(2, 'joint_command'), 'joint_command_publishers'),
        (lambda latch: latch.on_collision(True), 'collision'),
        (lambda latch: latch.on_robot(robot(estop=True, stopped=True)), 'robot_estop'),
        (lambda latch: latch.on_robot(robot(error=True)), 'robot_error'),
        (lambda latch: latch.on_robot(robot(stopped=True)), 'robot_stopped'),
        (lambda latch: latch.on_robot(robot(enabled=False)), 'robot_disabled'),
        (lambda latch: latch.on_joints(arm(0.01, position=3.0), 0.01), 'joint_position'),
        (lambda latch: latch.on_joints(arm(0.01), 0.01, np.zeros(3)), 'workspace'),
        (lambda latch: latch.on_joints(arm(0.01), 0.01, MIDDLE + math.nan), 'workspace'),
    ],
)
def test_faults(latch, feed, reason):
    feed(latch)
    assert (latch.state.level, latch.state.reason) == (Level.FAULT, reason)


def asleep_until(latch, now):
    """The latch looks, hangs, looks again at `now` and is rearmed."""
    latch.tick(0.01)
    latch.on_wrench(wrench(now, GOOD), now)
    assert latch.state.reason == 'wrench_stale'
    latch.on_joints(arm(now), now)
    latch.on_controller(0, now)
    latch.on_command(command(now), now)
    assert latch.rearm(now) == ()


def stay_awake(latch, begin, end):
    """All but the policy speak from `begin` to `end`."""
    for now in np.arange(begin, end, 0.01):
        latch.on_wrench(wrench(now, GOOD), now)
        latch.on_joints(arm(now), now)
        latch.on_controller(0, now)


def test_what_was_sent_while_the_latch_slept_is_not_late(latch):
    asleep_until(latch, 2.0)
    latch.on_command(command(1.2, x=math.nan), 2.02)
    assert latch.state.level == Level.OK
    latch.on_command(command(2.01, x=math.nan), 2.03)
    assert latch.state.reason == 'command_invalid'


def test_what_is_sent_late_after_the_latch_slept_is_late(latch):
    asleep_until(latch, 2.0)
    stay_awake(latch, 2.01, 2.4)
    latch.on_command(command(2.39), 2.4)
    stay_awake(latch, 2.41, 2.6)
    latch.on_command(command(2.01), 2.6)
    assert latch.state.reason == 'command_past'


def test_what_was_sent_while_the_latch_slept_does_not_hide_silence(latch):
    asleep_until(latch, 2.0)
    for now in np.arange(2.01, 2.6, 0.01):
        stay_awake(latch, now, now + 0.005)
        latch.on_command(command(1.9), now)
    assert latch.state.reason == 'command_stale'


def test_a_commanded_excess_is_reported_with_value_and_limit(latch):
    latch.on_command(command(0.01, x=-0.5), 0.01)
    assert (latch.state.value, latch.state.limit) == (-0.5, 0.07)


def test_the_largest_command_is_allowed(latch):
    latch.on_command(command(0.0, x=-0.07, yaw_rate=1.0, gripper=-1.0), 0.0)
    assert latch.state.level == Level.OK


@pytest.mark.parametrize('silent', ['wrench', 'joint_states', 'command', 'controller'])
def test_silence_of_any_stream_is_a_fault(latch, silent):
    for step in range(1, 61):
        now = step * 0.01
        if silent != 'wrench':
            latch.on_wrench(wrench(now, GOOD), now)
        if silent != 'joint_states':
            latch.on_joints(arm(now), now)
        if silent != 'command':
            latch.on_command(command(now), now)
        if silent != 'controller':
            latch.on_controller(0, now)
        latch.tick(now)
    assert (latch.state.level, latch.state.reason) == (Level.FAULT, f'{silent}_stale')
    assert latch.state.value > latch.state.limit


def test_in_lockstep_the_controller_has_no_deadline():
    latch = SafetyLatch(real_time=False)
    latch.start_episode('e1', 0.0)
    for step in range(1, 101):
        now = step * 0.01
        latch.on_wrench(wrench(now), now)
        latch.on_joints(arm(now), now)
        latch.on_command(command(now), now)
    assert latch.state.level == Level.OK


def test_a_gap_is_seen_even_if_nobody_looked_in_between(latch):
    latch.on_wrench(wrench(0.01), 0.01)
    latch.on_joints(arm(0.19), 0.19)
    latch.on_wrench(wrench(0.20), 0.20)
    assert (latch.state.reason, latch.state.source) == ('wrench_stale', 'wrist')
    assert latch.state.value == pytest.approx(0.19)


def test_outside_an_episode_silence_is_no_fault():
    latch = SafetyLatch()
    latch.on_wrench(wrench(0.0), 0.0)
    latch.tick(100.0)
    assert latch.state.level == Level.OK
    latch.start_episode('e1', 100.0)
    latch.tick(100.04)
    assert latch.state.level == Level.OK
    latch.end_episode('e1')
    latch.tick(200.0)
    assert latch.state.level == Level.OK


def test_a_late_end_of_an_old_episode_is_ignored(latch):
    latch.end_episode('e0')
    latch.tick(1.0)
    assert latch.state.level == Level.FAULT


def test_a_frozen_stamp_is_a_fault(latch):
    for index in range(3):
        assert latch.state.level == Level.OK
        latch.on_wrench(wrench(0.01, index), 0.01 * index)
    assert (latch.state.reason, latch.state.value, latch.state.limit) == ('wrench_frozen', 3, 3)


def test_a_frozen_value_is_a_fault_on_a_sensor_with_noise_only():
    for count, level in ((0, Level.OK), (5, Level.FAULT)):
        latch = SafetyLatch(SafetySettings(frozen_values=count))
        for index in range(5):
            latch.on_wrench(wrench(0.01 * index), 0.01 * index)
        assert latch.state.level == level


def test_time_that_goes_back_is_a_fault_within_an_episode(latch):
    latch.on_wrench(wrench(5.0), 0.01)
    latch.on_wrench(wrench(4.0), 0.02)
    assert latch.state.reason == 'clock_jump'
    latch = SafetyLatch()
    latch.start_episode('e1', 0.0)
    latch.on_wrench(wrench(5.0), 0.01)
    latch.start_episode('e2', 0.02)
    latch.on_wrench(wrench(0.0), 0.02)
    assert latch.state.level == Level.OK


def test_rearming_names_what_still_forbids_it(latch):
    latch.on_wrench(wrench(0.01, BROKEN), 0.01)
    assert latch.rearm(0.01) == ('wrench_invalid: wrench nan, limit 20',)
    assert latch.state.level == Level.FAULT
    latch.on_wrench(wrench(0.02, HARD), 0.02)
    assert latch.rearm(0.02) == ('force: wrench 25, limit 20',)
    latch.on_wrench(wrench(0.03, GOOD), 0.03)
    assert latch.rearm(0.03) == ()
    assert latch.state.level == Level.OK


def test_rearming_a_silent_sensor_is_refused(latch):
    latch.tick(0.2)
    assert any('wrench_stale' in cause for cause in latch.rearm(0.2))


def test_a_bad_command_does_not_outlive_its_episode(latch):
    latch.on_wrench(wrench(0.01), 0.01)
    latch.on_command(command(0.01, x=math.nan), 0.01)
    assert latch.rearm(0.01) != ()
    latch.end_episode('e1')
    assert latch.rearm(0.02) == ()
    latch.on_command(command(0.03, x=math.nan), 0.03)
    assert latch.state.level == Level.FAULT
    assert latch.rearm(0.03) == (), 'nothing is commanded outside an episode'


@pytest.mark.parametrize(
    'wrong',
    [
        {'force_limit': 0.0},
        {'wrench_timeout': math.nan},
        {'frozen_stamps': 1},
        {'frozen_images': 1},
        {'frozen_values': -1},
        {'workspace_lower': (0.0, math.nan, 0.0)},
        {'workspace_lower': (0.9, -0.2, 0.0)},
        {'joint_upper': (1.0,)},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match=r'frozen|positive|below'):
        SafetySettings(**wrong)


def test_a_new_session_ends_the_episode_of_one_that_died(latch):
    latch.on_heartbeat('session', 0.0)
    latch.on_wrench(wrench(0.0), 0.0)
    latch.tick(9.0)
    latch.on_wrench(wrench(9.0), 9.0)
    assert any('session_stale' in cause for cause in latch.rearm(9.0))
    latch.end_episode('')
    assert not any('session' in cause or 'command' in cause for cause in latch.rearm(9.0))


def test_word_of_an_ended_episode_that_comes_late_begins_nothing():
    """In lockstep ticks and the session's word overtake each other."""
    latch = SafetyLatch()
    latch.start_episode('e', 0.0)
    latch.end_episode('e')
    latch.start_episode('e', 0.1)
    latch.on_command(dataclasses.replace(command(0.1), yaw_rate=math.nan), 0.1)
    assert not any('command_invalid' in cause for cause in latch.rearm(0.1))
    latch.start_episode('f', 0.2)
    latch.on_command(dataclasses.replace(command(0.2), yaw_rate=math.nan), 0.2)
    assert any('command_invalid' in cause for cause in latch.rearm(0.2))
