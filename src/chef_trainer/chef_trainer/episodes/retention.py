"""Make room for new episodes by deleting old ones, only as far as somebody asked for it."""

import dataclasses
import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

#: What was deleted is written down in this file of the directory, a line of JSON each.
DELETED_FILE = 'deleted.jsonl'

_DAY = 86_400.0  # s


@dataclasses.dataclass(frozen=True)
class Removal:
    """One episode that was deleted."""

    path: Path
    size: int  # bytes
    reason: str

    def __str__(self) -> str:
        return f'deleted {self.path} ({self.size / 1e6:.0f} MB): {self.reason}'


@dataclasses.dataclass(frozen=True)
class Retention:
    """How much is kept; by default everything."""

    quota_bytes: int = 0  # of all episodes together; 0: no limit
    keep_days: float = 0.0  # days an episode is kept; 0: for ever

    @property
    def unlimited(self) -> bool:
        """Whether nothing is ever deleted."""
        return not (self.quota_bytes or self.keep_days)

    def apply(self, directory: Path, spared: Path) -> tuple[Removal, ...]:
        """Delete the oldest finished episodes below `directory` until the rule holds.

        Episodes below `spared` (the running session) and unfinished ones are never touched. What
        was deleted is returned, and written to `deleted.jsonl`. Raises OSError as unlink.
        """
        if self.unlimited:
            return ()
        removals = tuple(self._choose(directory, spared))
        for removal in removals:
            # First the name that makes it an episode, so that no reader sees half of one.
            removal.path.unlink()
            shutil.rmtree(removal.path.parent)
            _write_down(directory, removal)
        return removals

    def _choose(self, directory: Path, spared: Path) -> Iterator[Removal]:
        episodes = sorted((path.stat().st_mtime, path) for path in directory.rglob('*/*.mcap'))
        sizes = {path: _size(path.parent) for _, path in episodes}
        total, oldest = sum(sizes.values()), time.time() - self.keep_days * _DAY
        for modified, path in episodes:
            if path.is_relative_to(spared):
                continue
            if self.keep_days and modified < oldest:
                reason = f'older than {self.keep_days:g} days'
            elif self.quota_bytes and total > self.quota_bytes:
                reason = f'{total / 1e9:.2f} GB are over the quota of {self.quota_bytes / 1e9:g}'
            else:
                continue
            total -= sizes[path]
            yield Removal(path, sizes[path], reason)


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir() if path.is_file())


def _write_down(directory: Path, removal: Removal) -> None:
    row = {
        'time': datetime.now(UTC).isoformat(timespec='seconds'),
        'path': str(removal.path.relative_to(directory)),
        'bytes': removal.size,
        'reason': removal.reason,
    }
    with (directory / DELETED_FILE).open('a', encoding='utf-8') as stream:
        stream.write(json.dumps(row) + '\n')
