"""Where batches come from: data sets in proportions that may change over a run."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from chef_trainer.learner.batch import Transitions, transitions
from chef_trainer.learner.teacher import Teacher
from chef_trainer.methods.method import Method
from chef_trainer.replay.batch import Arrays, Batch
from chef_trainer.replay.mixture import joined
from chef_trainer.spec import ObservationSpec


class Source(Protocol):
    """A data set: `replay.Dataset` of the cell's files, or `rollouts.Memory`."""

    def __len__(self) -> int:
        """Return the number of transitions."""

    def sample(
        self,
        batch: int,
        rng: np.random.Generator,
        n_step: int,
        discount: float,
        *,
        next_observation: bool,
    ) -> Batch:
        """Draw transitions with replacement."""


class Sources:
    """The fixed data set and the growing one of the policy's own episodes.

    Every batch depends on the seed and the update's number only, and on what is in the sets.

    Args:
        method: says which share is whose, and how long transitions are.
        sets: `dataset`, recorded before, and `online`, the policy's own, as far as the method
            asks for them; each with the columns of its rewards that are the tasks'.
        teacher: asked about every state, if the method has one.
        seed: of the draws.
        recorded: which observations of the sets are needed; none: all of them.
        seen: which of those the networks see; none: all of them.
    """

    def __init__(
        self,
        method: Method,
        sets: Mapping[str, tuple[Source, list[int]]],
        teacher: Teacher | None = None,
        seed: int = 0,
        recorded: tuple[ObservationSpec, ...] = (),
        seen: tuple[ObservationSpec, ...] = (),
    ) -> None:
        if method.has_teacher and teacher is None:
            raise ValueError('the method needs a teacher: name a policy file as teacher')
        self._method, self._sets, self._seed = method, sets, seed
        self._teacher, self._recorded, self._seen = teacher, recorded, seen

    def counts(self, update: int, rng: np.random.Generator) -> dict[str, int]:
        """Return how many transitions each set gives: exact, but for one by chance.

        Raises:
            ValueError: a set that shall give some is missing.
        """
        batch = self._method.batch
        expected = batch * self._method.online_share(update)
        online = int(expected) + int(rng.random() < expected % 1)
        counts = {'dataset': batch - online, 'online': online}
        for name, count in counts.items():
            if count and name not in self._sets:
                raise ValueError(
                    f'{count} of {batch} transitions of update {update} are to come from the '
                    f'{name} set, and there is none'
                )
        return counts

    def draw(self, update: int) -> Transitions:
        """Return the batch of an update."""
        row, rng = self._method, np.random.default_rng((self._seed, update))
        parts = []
        for name, count in self.counts(update, rng).items():
            if count:
                source, tasks = self._sets[name]
                part = source.sample(
                    count, rng, row.n_step, row.discount, next_observation=row.has_critic
                )
                part = part._replace(rewards=part.rewards[:, tasks])
                parts.append(_reduced(part, self._recorded))
        batch = joined(parts)
        advice = None
        if row.has_teacher and self._teacher is not None:
            advice = self._teacher(batch.observation)
        return transitions(_reduced(batch, self._seen))._replace(teacher=advice)


def _reduced(batch: Batch, observations: tuple[ObservationSpec, ...]) -> Batch:
    """Keep `observations` only, with no more history than they have."""

    def kept(values: Arrays) -> Arrays:
        return {one.name: one.newest(values[one.name]) for one in observations if values}

    if not observations:
        return batch
    return batch._replace(
        observation=kept(batch.observation), next_observation=kept(batch.next_observation)
    )
