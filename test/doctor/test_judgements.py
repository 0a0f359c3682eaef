"""What the doctor makes of a reading; no machine is asked."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from chef_cell.cli.paths import config_folder
from chef_cell.doctor import clock, disk, domain, rendering, streams, transport
from chef_cell.doctor.finding import Finding, Level, failed
from chef_cell.doctor.frames import FRAME_BYTES, FRAMES
from chef_cell.doctor.streams import Stream, StreamReading
from chef_cell.graph import CAMERAS, CellSettings, nodes
from chef_interfaces.msg import SafetyState

OK, WARN, FAIL = Level
GB = 10**9


def test_whoever_complains_says_what_to_do():
    with pytest.raises(ValueError, match='say what to do'):
        Finding('disk', WARN, '1 GB')


def test_warnings_fail_nothing():
    assert not failed([Finding('a', OK, ''), Finding('b', WARN, '', remedy='c')])
    assert failed([Finding('a', FAIL, '', remedy='c')])


@pytest.mark.parametrize(
    ('size', 'level'),
    [(0, FAIL), (549_408, FAIL), (FRAME_BYTES + 1, WARN), (35_127_840, OK)],
)
def test_the_segment_must_hold_frames(size, level):
    assert transport.judge_segment(size).level is level


@pytest.mark.parametrize(
    ('sent', 'received', 'level'),
    [(FRAMES, FRAMES, OK), (FRAMES, FRAMES - 1, WARN), (FRAMES, 7, FAIL), (0, 0, FAIL)],
)
def test_lost_frames_are_counted(sent, received, level):
    assert transport.judge_loss(transport.FrameCount(sent, received, 1)).level is level


@pytest.mark.parametrize('noise', ['', '[RTPS_TRANSPORT_SHM Error] Failed init_port\n'])
def test_what_the_middleware_prints_is_no_count(noise):
    said = noise + '{"sent": 60, "segment": 35127840}\n'
    assert transport.read_count(said, 59) == transport.FrameCount(60, 59, 35127840)
    assert transport.read_count('', 0).sent == 0


@pytest.mark.parametrize(
    ('reading', 'level'),
    [
        (rendering.RenderReading(5.0, 30.0, 'llvmpipe'), OK),
        (rendering.RenderReading(20.0, 30.0, 'llvmpipe'), WARN),
        (rendering.RenderReading(5.0, 0.0, 'llvmpipe'), FAIL),
        (rendering.RenderReading(error='libEGL not found'), FAIL),
    ],
)
def test_three_cameras_at_20_hz_need_images_in_16_ms(reading, level):
    assert rendering.judge(reading, 3, 20.0).level is level


@pytest.mark.parametrize(
    ('synchronised', 'step', 'level'),
    [(True, 1e-5, OK), (False, 1e-5, WARN), (True, 0.5, FAIL), (False, -0.5, FAIL)],
)
def test_a_clock_must_not_step(synchronised, step, level):
    assert clock.judge(clock.ClockReading(synchronised, 0.01, step)).level is level


FREE = domain.DomainReading(0, False, False, (), 'LOCALHOST')
OCCUPIED = dataclasses.replace(FREE, domain=3, chosen=True, nodes=('safety',))
RESERVED = dataclasses.replace(FREE, domain=3, chosen=True, reserved=True)


@pytest.mark.parametrize(
    ('reading', 'cell_expected', 'level'),
    [
        (FREE, False, OK),
        (OCCUPIED, False, FAIL),
        (RESERVED, False, FAIL),
        (OCCUPIED, True, OK),
        (FREE, True, FAIL),
    ],
)
def test_one_domain_has_one_cell(reading, cell_expected, level):
    assert domain.judge_domain(reading, cell_expected).level is level


def test_a_cell_that_the_network_can_command_is_worth_a_warning():
    assert domain.judge_range(FREE).level is OK
    open_wide = dataclasses.replace(FREE, discovery='SUBNET')
    assert domain.judge_range(open_wide).level is WARN


@pytest.mark.parametrize(('free', 'level'), [(50 * GB, OK), (5 * GB, WARN), (GB // 4, FAIL)])
def test_an_hour_of_sessions_should_fit(free, level):
    reading = disk.DiskReading(Path('sessions'), free, 1e9)
    assert disk.judge_space(reading, rate=3e6, reserve=512e6).level is level


@pytest.mark.parametrize(('speed', 'level'), [(1e9, OK), (1e7, WARN), (1e6, FAIL)])
def test_the_disk_must_keep_up(speed, level):
    assert disk.judge_speed(disk.DiskReading(Path(), GB, speed), rate=3e6).level is level


@pytest.mark.parametrize(('cell', 'source'), [('sim', 'mujoco_bridge'), ('real', 'intera_driver')])
def test_each_cell_has_its_streams(cell, source):
    settings = CellSettings(cell, lockstep=False, cameras=CAMERAS)
    expected = {
        stream.topic: stream
        for stream in streams.expected_streams(nodes(settings, config_folder()), CAMERAS)
    }
    assert expected['/robot/joint_states'].node == source
    assert expected['/robot/joint_states'].rate == 100.0
    assert {expected[f'camera/{camera}/image_raw'].rate for camera in CAMERAS} == {20.0}


def test_tracked_poses_come_as_fast_as_images():
    settings = CellSettings(lockstep=False, cameras=CAMERAS, tracker=True)
    specs = nodes(settings, config_folder(), overrides={'mujoco_bridge': {'image_rate': 10.0}})
    expected = {stream.topic: stream for stream in streams.expected_streams(specs, CAMERAS)}
    assert expected['objects'].node == 'tracker'
    assert expected['objects'].rate == 10.0


@pytest.mark.parametrize(
    ('publishers', 'messages', 'level'),
    [(1, 300, OK), (1, 270, WARN), (1, 30, FAIL), (0, 0, FAIL), (2, 600, FAIL)],
)
def test_a_stream_keeps_its_rate_and_has_one_source(publishers, messages, level):
    stream = Stream('safety', SafetyState, 100.0, 'safety')
    reading = StreamReading(publishers, messages, duration=3.0)
    assert streams.judge_stream(stream, reading).level is level


def wrenches(noise=0.0, bias=0.0):
    rng = np.random.default_rng(0)
    return rng.normal(size=(300, 6)) * noise + np.array([0.0, 0.0, bias, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ('samples', 'simulated', 'levels'),
    [
        (wrenches(), True, [OK, OK]),
        (wrenches(), False, [FAIL, OK]),  # a real sensor is never silent
        (wrenches(noise=1.2), False, [OK, OK]),
        (wrenches(noise=3.0), False, [WARN, OK]),
        (wrenches(noise=1.0, bias=5.0), False, [OK, WARN]),
        (wrenches(noise=1.0, bias=15.0), False, [OK, FAIL]),
        (np.empty((0, 6)), False, [FAIL, FAIL]),
    ],
)
def test_the_wrist_lies_still(samples, simulated, levels):
    found = streams.judge_wrist(samples, 20.0, simulated)
    assert [finding.level for finding in found] == levels
