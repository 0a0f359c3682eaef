"""Waiting in tests for what other threads do: a condition and a deadline."""

import time
from collections.abc import Callable

#: How long a condition may take to come true (s): generous, because machines are loaded.
DEADLINE = 20.0
_POLL = 0.002  # s


def wait_until(condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    """Wait until the condition holds; AssertionError names `what` after `deadline` (s)."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'waited {deadline} s in vain for {what}')
        time.sleep(_POLL)
