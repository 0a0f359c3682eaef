"""Causes beside the wrench: commands, joints, robot, joint loop."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

import chef_cell
from chef_cell.core import safety_causes, safety_judges
from chef_cell.core.imaging import CameraReading
from chef_cell.core.readings import WrenchReading
from chef_cell.core.safety import SafetyLatch
from chef_cell.core.safety_causes import Level, SafetySettings, silence
from chef_cell.testing.safety_samples import MIDDLE, READY, arm, command, robot


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
        (
            lambda latch: latch.on_publishers(2, 'joint_command'),
            lambda latch: latch.on_publishers(1, 'joint_command'),
            'joint_command_publishers',
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


def test_a_collision_stops_until_the_robot_feels_it_no_more():
    latch = SafetyLatch()
    latch.on_collision(True)
    assert (latch.state.reason, latch.state.source) == ('collision', 'robot')
    assert latch.rearm(0.0) == ('collision: robot 1, limit 0',)
    latch.on_collision(False)
    assert latch.rearm(0.0) == ()


def watching(**settings):
    """A latch in an episode with two cameras."""
    latch = SafetyLatch(SafetySettings(cameras=('left', 'right'), **settings))
    latch.start_episode('e1', 0.0)
    return latch


def test_each_camera_is_missed_by_name():
    latch = watching(wrench_timeout=9.0, joint_timeout=9.0, command_timeout=9.0)
    for step in range(22):
        now = 0.05 * step
        latch.on_camera('left', CameraReading(now), now)
        latch.on_controller(0, now)
        latch.tick(now)
    assert (latch.state.reason, latch.state.source) == ('camera_stale', 'camera/right')
    assert latch.rearm(now)
    latch.on_camera('right', CameraReading(now), now)
    assert latch.rearm(now) == ()


@pytest.mark.parametrize('repeats', ['same_stamp', 'same_pixels'])
def test_a_frozen_camera_is_a_fault(repeats):
    latch = watching(frozen_stamps=4, frozen_images=4)
    for count in (1, 2, 3):
        latch.on_camera('left', CameraReading(0.01, **{repeats: count}), 0.01)
    assert latch.state.level == Level.OK
    latch.on_camera('left', CameraReading(0.01, **{repeats: 4}), 0.01)
    state = latch.state
    assert (state.reason, state.source) == ('camera_frozen', 'camera/left')
    assert (state.value, state.limit) == (4, 4)
    latch.on_camera('left', CameraReading(0.02), 0.02)
    assert latch.rearm(0.02) == ()


def test_a_still_scene_is_no_frozen_camera_unless_it_is_said_so():
    latch = watching()
    latch.on_camera('left', CameraReading(0.01, same_pixels=1000), 0.01)
    assert latch.state.level == Level.OK


@pytest.mark.parametrize('node', ['session', 'recorder'])
def test_who_was_alive_once_is_missed_by_name(node):
    slow = dict.fromkeys(('wrench', 'joint', 'command', 'controller'), 99.0)
    latch = SafetyLatch(SafetySettings(**{f'{name}_timeout': s for name, s in slow.items()}))
    latch.start_episode('e1', 0.0)
    latch.tick(10.0)
    assert latch.state.level == Level.OK, 'this cell has none'
    latch.on_heartbeat(node, 10.0)
    latch.tick(16.0)
    assert (latch.state.reason, latch.state.source) == (f'{node}_stale', node)


def test_a_clock_that_is_set_is_a_fault_and_slow_drift_is_not(latch):
    for step in range(100):
        latch.on_clock(1000.0 + 0.001 * step)
    assert latch.state.level == Level.OK
    latch.on_clock(1000.5)
    assert (latch.state.reason, latch.state.source) == ('clock_jump', 'clock')
    assert latch.state.value == pytest.approx(0.401)
    assert any('clock_jump' in cause for cause in latch.rearm(0.0))
    latch.on_clock(1000.5)
    assert latch.rearm(0.0) == ()


def test_in_real_time_a_silent_sensor_forbids_rearming_between_episodes_too(latch):
    latch.on_robot(robot(stopped=True))
    latch.on_robot(READY)
    latch.end_episode('e1')
    latch.on_joints(arm(9.0), 9.0)
    latch.on_controller(0, 9.0)
    assert latch.rearm(9.0) == ('wrench_stale: wrist 9, limit 0.05',)


@pytest.mark.parametrize('force', [math.nan, 25.0])
def test_in_lockstep_an_ended_episode_leaves_no_sample_that_forbids_rearming(force):
    latch = SafetyLatch(real_time=False)
    latch.start_episode('e1', 1.0)
    broken = WrenchReading(1.0, np.array([force, math.nan, 0.0]), np.zeros(3))
    latch.on_wrench(broken, 1.0)
    assert latch.rearm(1.0) == ('wrench_invalid: wrench nan, limit 20',), 'the cause is there'
    latch.end_episode('e1')
    assert latch.state.level == Level.FAULT
    assert latch.rearm(1.0) == ()
    latch.start_episode('e2', 2.0)
    latch.on_wrench(broken, 2.0)
    assert latch.state.level == Level.FAULT, 'before the arm moves'


def test_in_lockstep_an_ended_episode_leaves_what_the_robot_said():
    latch = SafetyLatch(real_time=False)
    latch.start_episode('e1', 1.0)
    latch.on_robot(robot(estop=True))
    latch.end_episode('e1')
    assert latch.rearm(1.0) == ('robot_estop: robot 1, limit 0',)


def test_the_safety_chapter_speaks_of_every_reason_and_every_limit():
    chapter = (Path(chef_cell.__file__).parent / 'docs' / 'safety.md').read_text()
    sources = [Path(module.__file__).read_text() for module in (safety_causes, safety_judges)]
    reasons = {reason for text in sources for reason in re.findall(r"Cause\('(\w+)'", text)}
    reasons |= {silence(stream, 1.0, 1.0).reason for stream in SafetySettings().timeouts(True)}
    limits = {field.name for field in dataclasses.fields(SafetySettings)} - {'cameras'}
    assert {name for name in reasons | limits if f'`{name}`' not in chapter} == set()
