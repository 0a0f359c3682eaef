"""Batches from several data sets in fixed proportions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from chef_trainer.replay.batch import Batch
from chef_trainer.replay.dataset import Dataset


class Mixture:
    """Several data sets, each with its share of every batch.

    The shares hold exactly in every batch but for the one place that rounding leaves, which goes
    by chance, so that they hold on average, too.

    Args:
        parts: data sets and their weights; the sets must offer the same observations.

    Raises:
        ValueError: no parts, a weight that is not positive, or observations that differ.
    """

    def __init__(self, parts: Sequence[tuple[Dataset, float]]) -> None:
        weights = np.array([weight for _, weight in parts], np.float64)
        if not len(parts) or not (weights > 0).all() or not np.isfinite(weights).all():
            raise ValueError(f'weights {weights.tolist()}, must be positive')
        if len({dataset.observations for dataset, _ in parts}) > 1:
            raise ValueError('the sets of a mixture must be opened with the same observations')
        self.datasets = tuple(dataset for dataset, _ in parts)
        self.shares = weights / weights.sum()

    def refresh(self) -> int:
        """Take in new episodes of all sets; return how many."""
        return sum(dataset.refresh() for dataset in self.datasets)

    def __len__(self) -> int:
        """Return the number of transitions of all sets together."""
        return sum(map(len, self.datasets))

    def sample(self, batch: int, rng: np.random.Generator, **arguments: Any) -> Batch:
        """Draw transitions as `Dataset.sample`; `Batch.source` says from which set each is."""
        parts = []
        for number, count in enumerate(self._counts(batch, rng)):
            if count:
                part = self.datasets[number].sample(count, rng, **arguments)
                parts.append(part._replace(source=np.full(count, number)))
        return joined(parts)

    def _counts(self, batch: int, rng: np.random.Generator) -> list[int]:
        """Return how many of `batch` each set gives."""
        # Systematic sampling: evenly spaced points with one random offset, counted per share.
        points = (np.arange(batch) + rng.random()) / batch
        edges = np.append(np.cumsum(self.shares)[:-1], np.inf)
        drawn = np.searchsorted(edges, points, side='right')
        return np.bincount(drawn, minlength=len(edges)).tolist()


def joined(parts: list[Batch]) -> Batch:
    """Concatenate batches along B."""
    if len(parts) == 1:
        return parts[0]
    return Batch(*(_concatenated(values) for values in zip(*parts, strict=True)))


def _concatenated(values: tuple[Any, ...]) -> Any:
    if isinstance(values[0], dict):
        return {name: np.concatenate([value[name] for value in values]) for name in values[0]}
    return np.concatenate(values)
