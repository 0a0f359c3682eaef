"""How regular a loop is, and how a stream of samples keeps its rate."""

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


#: A stream whose stamps are further apart has paused and lost nothing (s).
_PAUSE = 0.5
#: So many intervals must be known to tell what is regular.
_ENOUGH = 8


@dataclasses.dataclass(frozen=True)
class StreamSummary:
    """A stream of samples, as heard in one interval of time; ages are NaN without samples."""

    rate: float  # Hz
    p50: float  # s, age of the samples on arrival
    p99: float  # s
    max: float  # s
    dropped: int  # samples left out of a regular sequence of stamps, since the start
    dropped_now: int  # same, in this interval


class StreamStatistics:
    """Keeps account of a stream of stamped samples."""

    def __init__(self) -> None:
        self._dropped = 0
        self._stamps: list[float] = []
        self._ages: list[float] = []

    def add(self, stamp: float, now: float) -> None:
        """Note a sample; both times (s) on the clock that stamps are made with."""
        self._stamps.append(stamp)
        self._ages.append(now - stamp)

    def take(self, duration: float) -> StreamSummary:
        """Summarise the samples since the last call, `duration` (s) ago."""
        ages, stamps = self._ages or [float('nan')], self._stamps
        count, dropped = len(self._ages), _left_out(stamps)
        self._dropped += dropped
        self._ages, self._stamps = [], stamps[-1:]
        p50, p99 = np.percentile(ages, (50, 99)).tolist()
        return StreamSummary(count / duration, p50, p99, max(ages), self._dropped, dropped)


def _left_out(stamps: list[float]) -> int:
    """How many samples a sequence lacks that has a period; 0 when there is none to be seen."""
    intervals = np.diff(stamps)
    intervals = intervals[(intervals > 0) & (intervals < _PAUSE)]
    if len(intervals) < _ENOUGH:
        return 0
    period = float(np.median(intervals))
    if np.quantile(np.abs(intervals - period), 0.75) > 0.25 * period:
        return 0
    return int(np.maximum(np.round(intervals / period) - 1, 0).sum())
