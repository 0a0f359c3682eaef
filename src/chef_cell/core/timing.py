"""How regular a loop is."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class PeriodSummary:
    """Periods of a loop; all zero when none was measured."""

    count: int
    p50: float  # s
    p99: float  # s
    max: float  # s
    missed: int  # periods longer than the deadline


class PeriodStatistics:
    """Collects the periods of a loop that should repeat every `nominal` seconds.

    A deadline is missed when a period exceeds `nominal` by more than `tolerance` (a share of it):
    the command that was due then came late.
    """

    def __init__(self, nominal: float, tolerance: float = 0.5) -> None:
        if not nominal > 0:
            raise ValueError(f'nominal period {nominal} s, must be positive')
        self._deadline = nominal * (1 + tolerance)
        self._last: float | None = None
        self._periods: list[float] = []
        self.missed = 0

    def tick(self, now: float) -> None:
        """Note that the loop ran at `now` (s, a clock that never jumps)."""
        if self._last is not None:
            self.add(now - self._last)
        self._last = now

    def add(self, period: float) -> None:
        """Note one period (s)."""
        self._periods.append(period)
        self.missed += period > self._deadline

    def take(self) -> list[float]:
        """Return the periods since the last call (s), and forget them; `missed` keeps counting."""
        periods, self._periods = self._periods, []
        return periods

    def summary(self) -> PeriodSummary:
        """Median, 99th percentile and maximum of the periods kept."""
        return summarise(self._periods, self.missed)


def summarise(periods: list[float], missed: int) -> PeriodSummary:
    """Summarise a list of periods (s)."""
    if not periods:
        return PeriodSummary(0, 0.0, 0.0, 0.0, missed)
    p50, p99 = np.percentile(periods, (50, 99)).tolist()
    return PeriodSummary(len(periods), p50, p99, max(periods), missed)
