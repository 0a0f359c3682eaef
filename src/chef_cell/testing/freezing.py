"""Make a process hang, for tests."""

import os
import signal
import time
from pathlib import Path

#: How long it may take (s).
_DEADLINE = 20.0


def freeze(pid: int) -> None:
    """Send SIGSTOP to a process and return when it has had effect: threads stop one by one.

    Raises:
        TimeoutError: a thread still ran at the deadline.
    """
    os.kill(pid, signal.SIGSTOP)
    end = time.monotonic() + _DEADLINE
    while not all(map(_stopped, Path(f'/proc/{pid}/task').iterdir())):
        if time.monotonic() > end:
            raise TimeoutError(f'process {pid} still runs {_DEADLINE:g} s after SIGSTOP')
        os.sched_yield()


def _stopped(thread: Path) -> bool:
    try:
        status = (thread / 'stat').read_text()
    except FileNotFoundError:
        return True  # it ended meanwhile
    return status.rpartition(')')[2].split()[0] in 'Tt'
