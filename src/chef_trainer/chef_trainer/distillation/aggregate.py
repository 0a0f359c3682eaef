"""All states collected so far, in memory, drawn as batches with their history."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from chef_trainer.spec import ObservationSpec

BENCHMARK = 292  # numbers that a released policy sees


class States(NamedTuple):
    """A batch of states as student and teacher see them."""

    observations: dict[str, Tensor]  # name -> (B, *stacked_shape)
    benchmark: Tensor  # (B, 292)
    task: Tensor  # (B,), whose teacher to ask


class Aggregate:
    """The growing data set of DAgger (Ross et al., 2011).

    Frames are stored once (1.5 kB a state) and stacked newest first when drawn.
    """

    def __init__(self, observations: tuple[ObservationSpec, ...]) -> None:
        self._observations = observations
        self._lags = np.arange(max(spec.history for spec in observations))
        width = sum(int(np.prod(spec.shape)) for spec in observations)
        self._frames = np.zeros((0, width), np.float32)
        self._benchmark = np.zeros((0, BENCHMARK), np.float32)
        self._begins = np.zeros(0, np.int64)  # row of the first frame of the state's episode
        self._tasks = np.zeros(0, np.int64)
        self._digest = hashlib.sha256()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def sha256(self) -> str:
        """Digest of all data in the order it was added."""
        return self._digest.hexdigest()

    def add(self, episodes: list[tuple[Path, int]]) -> None:
        """Append episodes written by `collect`, each with its task.

        Raises:
            ValueError: a file is broken or holds other observations.
        """
        frames, benchmark = [self._frames], [self._benchmark]
        begins, tasks, row = [self._begins], [self._tasks], len(self)
        for path, task in episodes:
            for column, array in zip((frames, benchmark), self._read(path), strict=True):
                column.append(array)
                self._digest.update(array.tobytes())
            begins.append(np.full(len(frames[-1]), row))
            tasks.append(np.full(len(frames[-1]), task))
            row += len(frames[-1])
        self._frames, self._benchmark = np.concatenate(frames), np.concatenate(benchmark)
        self._begins, self._tasks = np.concatenate(begins), np.concatenate(tasks)

    def _read(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        try:
            with open(path, 'rb') as file, np.load(file) as episode:
                frames, benchmark = episode['frames'], episode['benchmark']
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(
                f'{path}: broken episode, delete it to collect it again: {error}'
            ) from error
        if frames.shape[1] != self._frames.shape[1]:
            raise ValueError(
                f'{path}: frames of {frames.shape[1]} numbers, the recipe has '
                f'{self._frames.shape[1]}'
            )
        return frames, benchmark

    def states(self, rows: np.ndarray) -> States:
        """Return the states `rows` (B,)."""
        indices = np.maximum(rows[:, None] - self._lags, self._begins[rows][:, None])
        stacked = self._frames[indices]
        observations, start = {}, 0
        for spec in self._observations:
            stop = start + int(np.prod(spec.shape))
            block = stacked[:, : spec.history, start:stop]
            shaped = block.reshape(len(rows), *spec.stacked_shape)
            observations[spec.name] = torch.from_numpy(np.ascontiguousarray(shaped))
            start = stop
        return States(
            observations,
            torch.from_numpy(self._benchmark[rows]),
            torch.from_numpy(self._tasks[rows]),
        )

    def random_states(self, size: int, seed: tuple[int, ...]) -> States:
        """Return `size` states drawn with replacement; the same seed draws the same."""
        return self.states(np.random.default_rng(seed).integers(len(self), size=size))

    def in_order(self, size: int, first: int = 0) -> Iterator[States]:
        """Yield every state from row `first` on, `size` at a time."""
        for start in range(first, len(self), size):
            yield self.states(np.arange(start, min(start + size, len(self))))
