"""The doctor's instruments on the real machine: DDS, disk, OpenGL, ONNX Runtime."""

import os
import resource
import subprocess
import sys

import domain_coordinator
import pytest

from chef_cell.core.policy_slot import Offer
from chef_cell.doctor import clock, disk, policy, rendering, transport
from chef_cell.doctor.finding import Level
from chef_cell.doctor.frames import FRAMES
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy

OFFER = Offer(20.0)
PROVIDERS = ('CPUExecutionProvider',)


@pytest.fixture
def domain():
    with domain_coordinator.domain_id() as number:
        yield number


def test_frames_arrive_with_the_profile_of_the_cell(domain):
    count = transport.send_frames(domain, os.environ)
    assert count.sent == FRAMES
    assert count.received > 0.9 * FRAMES
    assert transport.judge_segment(count.segment).level is Level.OK


def test_a_profile_that_is_not_in_force_is_found_out(domain):
    """A variable with a wrong name or path is ignored without a word."""
    environment = {name: value for name, value in os.environ.items() if 'PROFILES' not in name}
    count = transport.send_frames(domain, environment)
    assert transport.judge_segment(count.segment).level is Level.FAIL
    assert count.received < FRAMES
    assert transport.judge_loss(count).level is not Level.OK


def test_a_disk_is_measured_where_sessions_would_be(tmp_path):
    reading = disk.measure(tmp_path / 'not' / 'yet')
    assert reading.place == tmp_path
    assert reading.speed > 0
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_fails(tmp_path):
    (tmp_path / 'file').touch()
    reading = disk.measure(tmp_path / 'file')
    assert disk.judge_speed(reading, 1e6).level is Level.FAIL


def test_a_disk_that_refuses_to_take_more_fails(tmp_path):
    """The kernel refuses to write beyond 8 MiB, as a disk that is full does."""
    said = subprocess.run(
        [
            sys.executable,
            '-c',
            'import sys, pathlib; from chef_cell.doctor import disk; '
            'print(disk.measure(pathlib.Path(sys.argv[1])).error)',
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20)),
        check=True,
    ).stdout
    assert 'File too large' in said


def test_the_scene_is_rendered():
    reading = rendering.render(os.environ)
    assert reading.error == ''
    assert reading.contrast > 1.0
    assert reading.renderer


def test_without_a_driver_the_reason_is_told():
    nowhere = {'MUJOCO_GL': 'egl', '__EGL_VENDOR_LIBRARY_FILENAMES': '/nonexistent'}
    reading = rendering.render({**os.environ, **nowhere})
    assert 'no head-less OpenGL through egl' in reading.error
    assert rendering.judge(reading, 3, 20.0).level is Level.FAIL


def test_the_clock_is_read():
    reading = clock.read(clock.offset())
    assert abs(reading.step) < 0.1
    assert reading.error >= 0.0


def test_a_policy_that_fits_is_timed(tmp_path):
    write_tiny_policy(tmp_path / 'tiny.onnx')
    reading = policy.load(tmp_path / 'tiny.onnx', OFFER, PROVIDERS)
    assert (reading.name, reading.error) == ('tiny', '')
    assert len(reading.sha256) == 64
    assert reading.slowest > 0.0
    assert policy.judge(reading, 20.0).level is not Level.FAIL


def broken(path, kind):
    match kind:
        case 'missing':
            return
        case 'not ONNX':
            path.write_bytes(b'no network')
        case 'cut short':
            write_tiny_policy(path)
            path.write_bytes(path.read_bytes()[:-100])
        case 'another rate':
            write_tiny_policy(path, tiny_spec(rate_hz=10.0))
        case 'a camera we lack':
            write_tiny_policy(
                path, tiny_spec((ObservationSpec('image/top', (128, 128, 3), '1', 'uint8'),))
            )
        case 'nan':
            write_tiny_policy(path, gain=float('nan'))


@pytest.mark.parametrize(
    'kind', ['missing', 'not ONNX', 'cut short', 'another rate', 'a camera we lack', 'nan']
)
def test_a_broken_policy_fails(tmp_path, kind):
    path = tmp_path / 'policy.onnx'
    broken(path, kind)
    reading = policy.load(path, OFFER, PROVIDERS)
    assert reading.error
    assert policy.judge(reading, 20.0).level is Level.FAIL
