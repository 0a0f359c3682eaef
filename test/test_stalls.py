"""A stall stops a process with all that it started, and nothing stays stopped."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from chef_cell.testing.waiting import wait_until

from .stalls import family, stopped

STALLS = Path(__file__).with_name('stalls.py')
PARENT = (
    'import subprocess, sys; print(flush=True); subprocess.run([sys.executable, "-c", "input()"])'
)


@pytest.fixture
def parent():
    """Return a process that waits for its child, which reads from us."""
    command = [sys.executable, '-c', PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        wait_until(lambda: len(family(process.pid)) == 2, 'its child')
        yield process
        process.stdin.close()


def is_stopped(process):
    return set(family(process.pid).values()) == {'T'}


def test_a_whole_family_stops_and_goes_on(parent):
    with stopped(parent.pid):
        wait_until(lambda: is_stopped(parent), 'the whole family to stop')
    wait_until(lambda: 'T' not in family(parent.pid).values(), 'the whole family to go on')


def test_what_others_have_stopped_stays_so(parent):
    with stopped(parent.pid):
        wait_until(lambda: is_stopped(parent), 'the whole family to stop')
        with stopped(parent.pid):
            pass
        time.sleep(0.05)  # a moment in which it would go on
        assert is_stopped(parent)


@pytest.mark.parametrize('code', [0, 3])
def test_the_commands_code_is_its_own(code):
    command = f'import sys, time; time.sleep(0.3); sys.exit({code})'
    arguments = ['--length', '0.01', '--every', '0.05', '--', sys.executable, '-c', command]
    ended = subprocess.run([sys.executable, STALLS, *arguments], capture_output=True, text=True)
    assert ended.returncode == code
    assert 'stalls of 0.01 s' in ended.stderr
    assert not ended.stderr.startswith('0 ')
