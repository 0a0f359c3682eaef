"""The runner owns the terminal; a node that reads keys gets them from here."""

import contextlib
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def forwarded_keys(target: IO[bytes] | None) -> Iterator[None]:
    """Pass on every key to `target` while the block runs, each as it is typed and without echo.

    A node cannot read the terminal itself: it lives in a process group of its own, so that Ctrl-C
    reaches the runner alone. None: nobody reads keys, and the terminal is left alone.
    """
    if target is None:
        yield
        return
    source = sys.stdin.fileno()
    wake, stop = os.pipe()
    thread = threading.Thread(target=_forward, args=(source, wake, target), daemon=True)
    with _key_by_key(source):
        thread.start()
        try:
            yield
        finally:
            os.close(stop)
            thread.join()
            os.close(wake)


@contextlib.contextmanager
def _key_by_key(source: int) -> Iterator[None]:
    if not os.isatty(source):
        yield
        return
    saved = termios.tcgetattr(source)
    try:
        tty.setcbreak(source, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, saved)


def _forward(source: int, wake: int, target: IO[bytes]) -> None:
    """Copy until `wake` is closed at its other end, or either side is gone."""
    # A node that has ended reads nothing any more; the runner notices by itself.
    with contextlib.suppress(OSError), contextlib.closing(target):
        while wake not in select.select([source, wake], [], [])[0]:
            typed = os.read(source, 1024)
            if not typed:
                return
            target.write(typed)
            target.flush()
