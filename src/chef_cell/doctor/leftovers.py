"""Shared memory that dead processes left behind.

Fast DDS keeps a segment per participant and one per port in /dev/shm. A process that is killed
does not remove its own, and nobody else does. Beside each lies a lock file that a living owner
holds (`flock`), so one that can be locked has no owner any more.
"""

import contextlib
import dataclasses
import fcntl
import re
import time
from collections.abc import Iterable
from pathlib import Path

from chef_cell.doctor.finding import Finding, Level

SHARED_MEMORY = Path('/dev/shm')
#: A younger one may belong to a process that is just starting and has no lock yet (s).
_YOUNG = 30.0
_BASE = re.compile(r'(?:fastrtps|fastdds)_(?:[0-9a-f]{16}|port\d{1,5})$')
_LOCKS = ('_el', '_sl')
#: So many bytes left behind are worth a warning.
_MUCH = 100e6


@dataclasses.dataclass(frozen=True)
class Segment:
    """One segment without an owner, with its lock files and its mutex."""

    name: str
    size: int  # bytes
    files: tuple[Path, ...]


def find(folder: Path = SHARED_MEMORY) -> list[Segment]:
    """Return the segments in `folder` whose owner is gone, largest first."""
    found = []
    for path in folder.glob('fast*'):
        if _BASE.fullmatch(path.name) and _is_abandoned(path):
            mutex = path.with_name(f'sem.{path.name}_mutex')
            files = [path, *_lock_files(path), *([mutex] if mutex.exists() else [])]
            with contextlib.suppress(FileNotFoundError):
                found.append(Segment(path.name, path.stat().st_size, tuple(files)))
    return sorted(found, key=lambda segment: -segment.size)


def remove(segments: Iterable[Segment]) -> int:
    """Remove those of the segments that are still without an owner; return the bytes freed."""
    freed = 0
    for segment in segments:
        if _is_abandoned(segment.files[0]):
            for path in segment.files:
                path.unlink(missing_ok=True)
            freed += segment.size
    return freed


def judge(segments: list[Segment], free: int, freed: int = 0) -> Finding:
    """Judge what dead processes left in shared memory.

    Args:
        segments: without an owner.
        free: bytes left in the folder.
        freed: bytes that were removed just now.
    """
    size = sum(segment.size for segment in segments)
    said = f' (freed {freed / 1e6:.0f} MB)' if freed else ''
    if not segments:
        return Finding('/dev/shm', Level.OK, f'no leftovers{said}', 'none')
    some = ', '.join(segment.name for segment in segments[:3])
    more = ', ...' if len(segments) > 3 else ''
    value = f'{len(segments)} segments of dead processes, {size / 1e6:.0f} MB: {some}{more}{said}'
    if size <= _MUCH:
        return Finding('/dev/shm', Level.OK, value, f'at most {_MUCH / 1e6:.0f} MB')
    level = Level.FAIL if free < _MUCH else Level.WARN
    remedy = 'chef doctor --clean removes them (or fastdds shm clean)'
    return Finding('/dev/shm', level, value, f'at most {_MUCH / 1e6:.0f} MB', remedy)


def _lock_files(path: Path) -> list[Path]:
    locks = [path.with_name(path.name + ending) for ending in _LOCKS]
    return [lock for lock in locks if lock.exists()]


def _is_abandoned(path: Path) -> bool:
    """Whether the segment is old enough, has a lock file, and nobody holds any of them."""
    try:
        young = time.time() - path.stat().st_mtime < _YOUNG
        locks = _lock_files(path)
        return bool(locks) and not young and not any(map(_is_held, locks))
    except OSError:
        return False  # it went away, or is another user's


def _is_held(lock: Path) -> bool:
    with lock.open('rb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
