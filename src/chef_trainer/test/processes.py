"""Processes of commands under test: wait for what they do, see whom they leave."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline, 'waited too long'
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            pytest.fail('the process ended by itself')


def descendants(pid: int | str) -> list[str]:
    children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return children + [one for child in children for one in descendants(child)]


def wait_for_end(pids: list[str]) -> None:
    """Those that notice by themselves that who started them is gone need a moment."""
    deadline = time.monotonic() + 100
    while running := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f'left running: {running}'
        time.sleep(0.02)


def is_running(pid: str) -> bool:
    status = Path(f'/proc/{pid}/stat')
    return status.exists() and status.read_text().split()[2] != 'Z'
