"""All states collected so far, in memory, drawn as batches with their history."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.spec import ObservationSpec

Batch = tuple[dict[str, Tensor], MixedDistribution]


class Aggregate:
    """The growing data set of DAgger (Ross et al., 2011).

    Frames are stored once (about 0.3 kB a state) and stacked newest first when drawn.
    """

    def __init__(self, observations: tuple[ObservationSpec, ...]) -> None:
        self._observations = observations
        self._lags = np.arange(max(spec.history for spec in observations))
        width = sum(int(np.prod(spec.shape)) for spec in observations)
        self._frames = np.zeros((0, width), np.float32)
        self._begins = np.zeros(0, np.int64)  # row of the first frame of the state's episode
        self._labels = [np.zeros((0, size), np.float32) for size in (4, 4, 2)]
        self._digest = hashlib.sha256()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def sha256(self) -> str:
        """Digest of all data in the order it was added."""
        return self._digest.hexdigest()

    def add(self, paths: list[Path]) -> None:
        """Append episodes written by `collect`.

        Raises:
            ValueError: a file is broken or holds other observations.
        """
        frames, begins, labels, row = [self._frames], [self._begins], [self._labels], len(self)
        for path in paths:
            try:
                with open(path, 'rb') as file, np.load(file) as episode:
                    frames.append(episode['frames'])
                    labels.append([episode[name] for name in MixedDistribution._fields])
            except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
                raise ValueError(
                    f'{path}: broken episode, delete it to collect it again: {error}'
                ) from error
            if frames[-1].shape[1] != self._frames.shape[1]:
                raise ValueError(
                    f'{path}: frames of {frames[-1].shape[1]} numbers, the recipe has '
                    f'{self._frames.shape[1]}'
                )
            begins.append(np.full(len(frames[-1]), row))
            row += len(frames[-1])
            for array in (frames[-1], *labels[-1]):
                self._digest.update(array.tobytes())
        self._frames = np.concatenate(frames)
        self._begins = np.concatenate(begins)
        self._labels = [np.concatenate(column) for column in zip(*labels, strict=True)]

    def batch(self, rows: np.ndarray) -> Batch:
        """Return observations and teacher distributions of the states `rows` (B,)."""
        indices = np.maximum(rows[:, None] - self._lags, self._begins[rows][:, None])
        stacked = self._frames[indices]
        observations, start = {}, 0
        for spec in self._observations:
            stop = start + int(np.prod(spec.shape))
            block = stacked[:, : spec.history, start:stop]
            shaped = block.reshape(len(rows), *spec.stacked_shape)
            observations[spec.name] = torch.from_numpy(np.ascontiguousarray(shaped))
            start = stop
        labels = (torch.from_numpy(column[rows]) for column in self._labels)
        return observations, MixedDistribution(*labels)

    def random_batch(self, size: int, seed: tuple[int, ...]) -> Batch:
        """Return `size` states drawn with replacement; the same seed draws the same."""
        return self.batch(np.random.default_rng(seed).integers(len(self), size=size))

    def batches(self, size: int, first: int = 0) -> Iterator[Batch]:
        """Yield every state from row `first` on, in order."""
        for start in range(first, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))
