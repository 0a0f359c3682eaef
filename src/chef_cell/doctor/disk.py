"""Do episode files fit, and does the disk keep up?"""

import dataclasses
import os
import shutil
import tempfile
import time
from pathlib import Path

from chef_cell.doctor.finding import Finding, Level

_CHUNK = 1 << 20  # bytes
_CHUNKS = 64
_HOUR = 3600.0  # s
#: A disk this many times faster than needed leaves room for lockstep and for other programs.
_HEADROOM = 5.0
_ELSEWHERE = 'choose another disk with --out DIR'


@dataclasses.dataclass(frozen=True)
class DiskReading:
    """What was measured where sessions are written."""

    place: Path
    free: int = 0  # bytes
    speed: float = 0.0  # bytes/s, written and synchronised
    error: str = ''


def measure(directory: Path) -> DiskReading:
    """Write and synchronise 64 MiB in `directory`, or where it would be made."""
    place = directory.resolve()
    while not place.exists():
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
        chunk = os.urandom(_CHUNK)
        with tempfile.TemporaryFile(dir=place) as file:
            begin = time.perf_counter()
            for _ in range(_CHUNKS):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            speed = _CHUNKS * _CHUNK / (time.perf_counter() - begin)
    except OSError as error:
        return DiskReading(place, error=str(error))
    return DiskReading(place, free, speed)


def judge_space(reading: DiskReading, rate: float, reserve: float) -> Finding:
    """Judge the free space.

    Args:
        reading: of the disk.
        rate: bytes/s that a session writes in real time.
        reserve: bytes without which the recorder begins no episode.
    """
    wanted = reserve + rate * _HOUR
    expected = f'{wanted / 1e9:.1f} GB: one hour, and what the recorder keeps free'
    if reading.error:
        return Finding('disk space', Level.FAIL, reading.error, expected, _ELSEWHERE)
    value = f'{reading.free / 1e9:.1f} GB free in {reading.place}'
    if reading.free < wanted:
        level = Level.FAIL if reading.free < reserve else Level.WARN
        return Finding('disk space', level, value, expected, f'free some, or {_ELSEWHERE}')
    return Finding('disk space', Level.OK, value, expected)


def judge_speed(reading: DiskReading, rate: float) -> Finding:
    """Judge the write speed against the `rate` (bytes/s) of a session in real time."""
    expected = f'{_HEADROOM * rate / 1e6:.0f} MB/s: {_HEADROOM:g} times a session in real time'
    if reading.error:
        return Finding('disk speed', Level.FAIL, reading.error, expected, _ELSEWHERE)
    value = f'{reading.speed / 1e6:.0f} MB/s'
    if reading.speed < _HEADROOM * rate:
        level = Level.FAIL if reading.speed < rate else Level.WARN
        return Finding('disk speed', level, value, expected, _ELSEWHERE)
    return Finding('disk speed', Level.OK, value, expected)
