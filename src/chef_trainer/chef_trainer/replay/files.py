"""Episode files mapped into memory, as many as the system lets one process hold open."""

import resource
from collections import OrderedDict
from pathlib import Path

import numpy as np

#: Files that the rest of the process may want to open.
SPARE = 256


class MappedFiles:
    """Numbered files; each is mapped when it is first used."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._open: OrderedDict[int, np.ndarray] = OrderedDict()
        # A mapping keeps its file open, and the usual limit is 1024.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._limit = max(hard - SPARE, SPARE) if hard != resource.RLIM_INFINITY else 1 << 16

    def add(self, path: Path) -> int:
        """Take note of a file; return its number."""
        self._paths.append(path)
        return len(self._paths) - 1

    def __getitem__(self, number: int) -> np.ndarray:
        """Return the file's bytes, (size,) uint8; raises OSError when it is gone."""
        mapped = self._open.get(number)
        if mapped is None:
            # A view without numpy's memmap class: slicing it costs a fifth.
            mapped = np.asarray(np.memmap(self._paths[number], np.uint8, mode='r'))
            self._open[number] = mapped
            if len(self._open) > self._limit:
                self._open.popitem(last=False)
        return mapped
