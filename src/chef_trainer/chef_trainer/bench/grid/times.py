"""Work that nobody does twice, and how long it took."""

import contextlib
import fcntl
import json
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Yield whether this process alone works on `path`; a killed process gives it back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def timed(path: Path, name: str, stage: str) -> Iterator[None]:
    """Append to `path` (JSON lines) how many seconds the block took, cut short or not."""
    begin = time.monotonic()
    try:
        yield
    finally:
        row = {'name': name, 'stage': stage, 'seconds': round(time.monotonic() - begin, 1)}
        with open(path, 'a') as file:
            file.write(json.dumps(row) + '\n')


def seconds(path: Path) -> dict[tuple[str, str], float]:
    """Return (name, stage) -> seconds in `path`, of all processes together."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    spent: dict[tuple[str, str], float] = {}
    for row in rows:
        key = (row['name'], row['stage'])
        spent[key] = spent.get(key, 0.0) + row['seconds']
    return spent


def hours(path: Path) -> str:
    """Return the hours of every stage in `path` as text."""
    spent: dict[str, float] = {}
    for (_, stage), one in seconds(path).items():
        spent[stage] = spent.get(stage, 0.0) + one
    return ', '.join(f'{stage} {one / 3600:.2f} h' for stage, one in spent.items())
