"""Is the clock that stamps every message to be trusted?"""

import ctypes
import dataclasses
import time

from chef_cell.doctor.finding import Finding, Level

_UNSYNCHRONISED = 0x40  # STA_UNSYNC in linux/timex.h
_STEP_LIMIT = 1e-3  # s, that the clock may leave the steady one by while the doctor looks
_REMEDY = 'start a time service (chrony, systemd-timesyncd); needed for recordings and fleets'


class _Timex(ctypes.Structure):
    """The beginning of struct timex; the kernel fills the rest."""

    _fields_ = (
        ('modes', ctypes.c_uint),
        ('offset', ctypes.c_long),
        ('freq', ctypes.c_long),
        ('maxerror', ctypes.c_long),
        ('esterror', ctypes.c_long),
        ('status', ctypes.c_int),
        ('rest', ctypes.c_char * 256),
    )


@dataclasses.dataclass(frozen=True)
class ClockReading:
    """How the system clock is kept, and how it moved against the steady clock."""

    synchronised: bool
    error: float  # s, largest error the kernel allows for
    step: float  # s, change against the steady clock between two looks


def offset() -> float:
    """Return the system clock minus the steady clock (s)."""
    return time.time() - time.monotonic()


def read(before: float) -> ClockReading:
    """Ask the kernel; `before` is an `offset` of some seconds ago."""
    timex = _Timex()
    ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    synchronised = not timex.status & _UNSYNCHRONISED
    return ClockReading(synchronised, timex.maxerror * 1e-6, offset() - before)


def judge(reading: ClockReading) -> Finding:
    """Judge the system clock."""
    name, expected = 'clock', f'synchronised, no step above {_STEP_LIMIT * 1e3:g} ms'
    moved = f'moved {reading.step * 1e3:+.2f} ms against the steady clock'
    if abs(reading.step) > _STEP_LIMIT:
        remedy = 'the clock was set while the doctor looked: let it settle before a session'
        return Finding(name, Level.FAIL, moved, expected, remedy)
    if not reading.synchronised:
        return Finding(name, Level.WARN, f'not synchronised, {moved}', expected, _REMEDY)
    error = f'synchronised within {reading.error * 1e3:.0f} ms'
    return Finding(name, Level.OK, f'{error}, {moved}', expected)
