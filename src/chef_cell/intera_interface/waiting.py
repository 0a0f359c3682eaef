"""Wait for a condition, doing something meanwhile."""

import errno
import math
import threading
import time
from collections.abc import Callable

#: Set when the program's node was ended.
NODE_ENDED = threading.Event()


def wait_for(
    test: Callable[[], object],
    timeout: float = 10.0,
    raise_on_error: bool = True,
    rate: float = 100,
    timeout_msg: str = 'timeout expired',
    body: Callable[[], object] | None = None,
) -> bool:
    """Return True as soon as `test` does.

    Args:
        test: the condition.
        timeout: s; negative or infinite: wait for ever.
        raise_on_error: whether to raise rather than to return False.
        rate: Hz, how often to look.
        timeout_msg: text of the error.
        body: called between two looks.

    Raises:
        OSError: ETIMEDOUT when the time is over, ESHUTDOWN when the node has ended.
    """
    end = math.inf if timeout < 0.0 else time.monotonic() + timeout
    while not test():
        problem = None
        if NODE_ENDED.is_set():
            problem = errno.ESHUTDOWN, 'ROS Shutdown'
        elif time.monotonic() >= end:
            problem = errno.ETIMEDOUT, timeout_msg
        if problem and raise_on_error:
            raise OSError(*problem)
        if problem:
            return False
        if body is not None:
            body()
        time.sleep(1.0 / rate)
    return True
