"""Episode files: mapped into memory while they fit there, else read piece by piece."""

import os
import resource
from collections import OrderedDict
from pathlib import Path

import numpy as np

#: Files that the rest of the process may want to open.
SPARE = 256
#: Of the machine's memory. Larger sets are not in the page cache, and a fault in a mapping fetches
#: little: one read of all that is wanted was 8 times faster from the disk, but half as fast from
#: the cache (`chef_trainer.bench.loading`).
SHARE = 0.5


class EpisodeFiles:
    """Numbered files; each is mapped when it is added, as many as one process may hold open.

    Attributes:
        mapped: whether they are; False once they are larger than the memory they may take.
    """

    def __init__(self, share: float = SHARE) -> None:
        """Map files up to `share` of the machine's memory."""
        self._paths: list[Path] = []
        self._maps: OrderedDict[int, np.ndarray] = OrderedDict()
        self._room = share * os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        self.mapped = True
        # A mapping keeps its file open, and the usual limit is 1024.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._limit = max(hard - SPARE, SPARE) if hard != resource.RLIM_INFINITY else 1 << 16

    def add(self, path: Path) -> int:
        """Take in a file; return its number. While mapped, it may be deleted from now on."""
        self._paths.append(path)
        number = len(self._paths) - 1
        self._room -= path.stat().st_size
        if self._room < 0:
            self.mapped = False
            self._maps.clear()
        else:
            self._mapping(number)
        return number

    def window(self, number: int, start: int, end: int) -> tuple[np.ndarray, int]:
        """Return bytes (uint8) that hold `start` .. `end`, and where in the file they begin.

        Raises:
            OSError: the file is gone.
        """
        if self.mapped:
            return self._mapping(number), 0
        handle = os.open(self._paths[number], os.O_RDONLY)
        try:
            return np.frombuffer(os.pread(handle, end - start, start), np.uint8), start
        finally:
            os.close(handle)

    def _mapping(self, number: int) -> np.ndarray:
        mapped = self._maps.get(number)
        if mapped is None:
            # A view without numpy's memmap class: slicing it costs a fifth.
            mapped = np.asarray(np.memmap(self._paths[number], np.uint8, mode='r'))
            self._maps[number] = mapped
            if len(self._maps) > self._limit:
                self._maps.popitem(last=False)
        return mapped
