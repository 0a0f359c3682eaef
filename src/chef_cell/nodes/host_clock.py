"""How this machine's clock relates to the time of the world."""

import ctypes
import time
from datetime import UTC, datetime
from typing import Any

_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_MAX_ERROR = 3  # place of `maxerror` (us) in struct timex, counted in longs
_TIMEX_LONGS = 32  # more than the structure has


def host_clock() -> dict[str, Any]:
    """Return the same moment on the clocks of this host, and how far they can be trusted.

    `utc` and `system_ns` are what messages are stamped with in real time; `steady_ns` never jumps.
    `synchronised` is what the kernel says of NTP or PTP, `max_error_s` its bound.
    """
    timex = (ctypes.c_long * _TIMEX_LONGS)()
    state = ctypes.CDLL(None).adjtimex(timex)  # modes 0: it only reads
    system_ns = time.time_ns()
    return {
        'utc': datetime.fromtimestamp(system_ns * 1e-9, UTC).isoformat(),
        'system_ns': system_ns,
        'steady_ns': time.monotonic_ns(),
        'synchronised': state not in (-1, _UNSYNCHRONISED),
        'max_error_s': timex[_MAX_ERROR] * 1e-6,
    }
