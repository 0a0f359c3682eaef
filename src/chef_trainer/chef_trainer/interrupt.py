"""How a command ends early: Ctrl-C and SIGTERM are the same, and neither leaves a lock shut."""

import contextlib
import signal
import threading
from collections.abc import Iterator

INTERRUPTED = 130  # exit code
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def interrupt_on_sigterm() -> None:
    """Let SIGTERM (`timeout`, `docker stop`, a job scheduler) raise KeyboardInterrupt, too.

    Without it the process would die where it stands: no word, no report, shared locks leaked.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block is left; it should be short.

    For calls of `concurrent.futures`: a KeyboardInterrupt between their taking a lock and
    guarding it leaves it shut, and who joins its threads then waits for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals interrupt the main thread alone
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
