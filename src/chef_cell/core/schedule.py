"""The queue of a session: which policy meets which objects, in which order, from which seed."""

import dataclasses

import numpy as np

from chef_cell.core.observe import TRIPLETS
from chef_cell.core.readings import COLOURS


class ScheduleError(ValueError):
    """A session plan cannot be carried out."""


@dataclasses.dataclass(frozen=True)
class SessionPlan:
    """What a session is asked to do: every policy on every triplet, `episodes` times each."""

    triplets: tuple[str, ...]  # '1' .. '5', or three object names 'red,green,blue'
    policies: tuple[str, ...]  # policy files; '' is the one already loaded
    episodes: int = 1  # per policy and triplet
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.triplets or not self.policies:
            raise ScheduleError(
                f'{len(self.triplets)} triplets and {len(self.policies)} policies, '
                'a session needs at least one of each'
            )
        if self.episodes < 1:
            raise ScheduleError(f'{self.episodes} episodes, at least 1')
        if self.seed < 0:
            raise ScheduleError(f'seed {self.seed}, at least 0')
        for triplet in self.triplets:
            check_triplet(triplet)


@dataclasses.dataclass(frozen=True)
class PlannedEpisode:
    """One entry of the queue."""

    index: int
    triplet: str
    policy: str
    seed: int


def check_triplet(triplet: str) -> None:
    """Raise ScheduleError unless `triplet` has the form of one."""
    names = triplet.split(',')
    if triplet not in TRIPLETS and (len(names) != len(COLOURS) or not all(names)):
        raise ScheduleError(
            f'unknown triplet {triplet!r}, allowed: {", ".join(TRIPLETS)}, '
            'or three object names "red,green,blue"'
        )


def read_triplets(text: str) -> tuple[str, ...]:
    """Read '3', several as '1,4', or three object names as 'red,green,blue'."""
    names = tuple(text.split(','))
    return names if set(names) <= set(TRIPLETS) else (text,)


def episode_seed(session_seed: int, triplet: str, repetition: int) -> int:
    """Return the 32-bit seed of an episode.

    It does not depend on the policy: two policies meet the same scenes, so that their results can
    be compared in pairs. Nor does it depend on the other triplets of the session.
    """
    sequence = np.random.SeedSequence([session_seed, repetition, *triplet.encode()])
    return int(sequence.generate_state(1)[0])


def queue(plan: SessionPlan) -> tuple[PlannedEpisode, ...]:
    """Return the episodes in order.

    Triplets and policies take turns, so that a session cut short is still balanced and slow
    drifts of the cell (wear, light, temperature) touch all policies alike; which policy goes
    first rotates for the same reason.
    """
    entries = []
    for repetition in range(plan.episodes):
        first = repetition % len(plan.policies)
        policies = plan.policies[first:] + plan.policies[:first]
        for triplet in plan.triplets:
            seed = episode_seed(plan.seed, triplet, repetition)
            entries += [(triplet, policy, seed) for policy in policies]
    return tuple(PlannedEpisode(index, *entry) for index, entry in enumerate(entries))
