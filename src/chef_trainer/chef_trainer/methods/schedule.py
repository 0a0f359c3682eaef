"""Numbers that change over a run."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Linear between points (update, value), constant before the first and after the last."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        """Refuse points that are not in order."""
        updates = [update for update, _ in self.points]
        if not updates or updates != sorted(updates):
            raise ValueError(f'schedule {self.points}: needs points (update, value) in order')

    def __call__(self, update: int) -> float:
        """Return the value at `update`."""
        updates, values = zip(*self.points, strict=True)
        return float(np.interp(update, updates, values))

    @property
    def values(self) -> tuple[float, ...]:
        """The values at the points."""
        return tuple(value for _, value in self.points)


def schedule(value: float | Schedule | Sequence[Sequence[float]]) -> Schedule:
    """Return a schedule from a constant or from pairs [update, value], as a file has them.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, Schedule):
        return value
    if isinstance(value, int | float):
        return Schedule(((0, float(value)),))
    try:
        return Schedule(tuple((float(update), float(one)) for update, one in value))
    except (TypeError, ValueError) as error:
        raise ValueError(f'schedule {value!r}: a number or pairs [update, value]') from error


NEVER = schedule(0)
HALF = schedule(0.5)
ALWAYS = UNIT = schedule(1)
