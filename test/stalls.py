"""Run a command whose processes all stop for a moment now and then, as on a machine that stalls.

    python test/stalls.py -- python -m pytest ...

Tests that fail only then wait for a time instead of a condition, or take a hiccup for a fault.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TERMINATE = 15.0  # s, for the command to end by itself when it is interrupted


def main() -> None:
    """Run the command; exit with its code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--length', type=float, default=0.8, metavar='S', help='(%(default)s s)')
    parser.add_argument('--every', type=float, default=5.0, metavar='S', help='(%(default)s s)')
    parser.add_argument('command', nargs='+')
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = subprocess.Popen(arguments.command)
    stalls = 0
    try:
        while _runs_for(command, arguments.every * random.uniform(0.5, 1.5)):
            with stopped(command.pid):
                time.sleep(arguments.length)
            stalls += 1
    except KeyboardInterrupt:
        command.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            command.wait(TERMINATE)
        command.kill()
    sys.stderr.write(f'{stalls} stalls of {arguments.length} s\n')
    sys.exit(command.wait())


def _runs_for(command: subprocess.Popen[bytes], duration: float) -> bool:
    try:
        command.wait(duration)
    except subprocess.TimeoutExpired:
        return True
    return False


@contextlib.contextmanager
def stopped(root: int) -> Iterator[None]:
    """Stop process `root` and all its descendants, except those that others have stopped."""
    held = [
        pid for pid, state in family(root).items() if state != 'T' and tell(pid, signal.SIGSTOP)
    ]
    try:
        yield
    finally:
        for pid in held:
            tell(pid, signal.SIGCONT)


def family(root: int) -> dict[int, str]:
    """State (a letter, see `man proc_pid_stat`) of a process and its descendants, by pid."""
    states, parents = {}, {}
    for path in Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            # The name, in brackets, may hold anything.
            state, parent, *_ = path.read_text().rpartition(')')[2].split()
            pid = int(path.parent.name)
            states[pid], parents[pid] = state, int(parent)
    found = {root} & set(states)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: states[pid] for pid in found}


def tell(pid: int, number: signal.Signals) -> bool:
    """Send a signal; return whether the process was still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


if __name__ == '__main__':
    main()
