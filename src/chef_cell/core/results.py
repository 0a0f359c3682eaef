"""What came out of a session: one record per episode, and the rows of its result table."""

import dataclasses
import json
import math
import typing
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

#: Why an episode ended; the first reason counts.
OUTCOMES = ('success', 'timeout', 'force', 'fault', 'abort')

#: Two-sided 95 % quantile of the normal distribution.
Z_95 = 1.959963984540054

Record = TypeVar('Record')


class ResultsError(ValueError):
    """A session record is malformed."""


@dataclasses.dataclass(frozen=True)
class EpisodeResult:
    """One episode as the session saw it."""

    index: int  # 0-based position in the session
    episode_id: str
    triplet: str
    objects: tuple[str, ...]  # names of the red, green and blue object
    policy: str
    policy_sha256: str
    seed: int
    outcome: str  # one of OUTCOMES
    reason: str  # detail in words
    success: bool
    steps: int  # control steps done
    peak_force: float  # N, largest wrist force
    value: float  # measured value behind a force or fault outcome, in the unit of `limit`
    limit: float
    final_rewards: dict[str, float]  # at the last step
    return_rewards: dict[str, float]  # summed over the episode
    file: str  # episode file relative to the session directory; empty if not recorded
    wall_seconds: float  # s, reset included

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f'outcome {self.outcome!r}, allowed: {OUTCOMES}')


@dataclasses.dataclass(frozen=True)
class SessionResult:
    """One session, finished or still running."""

    session_id: str
    started: str  # ISO 8601 with time zone
    settings: dict[str, Any]
    episodes: tuple[EpisodeResult, ...] = ()
    stopped_by: str = ''  # empty when the queue was finished, else the reason

    def to_json(self) -> str:
        """Return the text of `session.json`; numbers that are not finite become null."""
        return json.dumps(_finite(dataclasses.asdict(self)), indent=2, allow_nan=False) + '\n'

    @classmethod
    def from_json(cls, text: str) -> 'SessionResult':
        """Parse `session.json`; raises ResultsError naming the field and what is allowed."""
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise ResultsError(f'session record is not JSON: {error}') from error
        if not isinstance(fields, dict):
            raise ResultsError(f'session record is a {type(fields).__name__}, expected an object')
        episodes = fields.pop('episodes', [])
        if not isinstance(episodes, list):
            raise ResultsError(f'episodes is a {type(episodes).__name__}, expected a list')
        session = _build(cls, fields, 'session')
        rows = (_build(EpisodeResult, row, f'episodes[{i}]') for i, row in enumerate(episodes))
        return dataclasses.replace(session, episodes=tuple(rows))


@dataclasses.dataclass(frozen=True)
class SummaryRow:
    """All episodes of one policy on one triplet."""

    triplet: str
    policy: str
    episodes: int
    successes: int
    interval: tuple[float, float]  # 95 % Wilson score interval of the success rate
    outcomes: dict[str, int]  # outcome -> episodes, most frequent first
    peak_force_median: float  # N; NaN when no episode has a peak
    peak_force_max: float  # N; NaN when no episode has a peak

    @property
    def rate(self) -> float:
        """Share of successful episodes, 0 .. 1."""
        return self.successes / self.episodes


def summarise(episodes: Iterable[EpisodeResult]) -> tuple[SummaryRow, ...]:
    """One row per (triplet, policy), sorted by triplet, then policy."""
    groups: dict[tuple[str, str], list[EpisodeResult]] = {}
    for episode in episodes:
        groups.setdefault((episode.triplet, episode.policy), []).append(episode)
    return tuple(_row(*key, groups[key]) for key in sorted(groups))


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a success rate (Wilson 1927); (0, 1) without trials.

    Unlike the normal approximation it stays inside [0, 1] and is honest at 0 and 100 %.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f'{successes} successes of {trials} trials')
    if trials == 0:
        return 0.0, 1.0
    rate = successes / trials
    scale = 1 + z**2 / trials
    centre = (rate + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    # Rounding must not exclude a rate of exactly 0 or 1.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def _row(triplet: str, policy: str, group: list[EpisodeResult]) -> SummaryRow:
    successes = sum(episode.success for episode in group)
    peaks = np.array([e.peak_force for e in group if math.isfinite(e.peak_force)])
    return SummaryRow(
        triplet=triplet,
        policy=policy,
        episodes=len(group),
        successes=successes,
        interval=wilson_interval(successes, len(group)),
        outcomes=dict(Counter(episode.outcome for episode in group).most_common()),
        peak_force_median=float(np.median(peaks)) if peaks.size else math.nan,
        peak_force_max=float(peaks.max()) if peaks.size else math.nan,
    )


def _finite(value: Any) -> Any:
    """JSON has no NaN: write null, which `_convert` reads back as NaN."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _build(kind: type[Record], fields: Any, where: str) -> Record:
    if not isinstance(fields, dict):
        raise ResultsError(f'{where} is a {type(fields).__name__}, expected an object')
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(fields) - set(hints))
    if unknown:
        raise ResultsError(f'{where}: unknown {unknown}, allowed: {sorted(hints)}')
    values = {
        name: _convert(f'{where}.{name}', hints[name], value) for name, value in fields.items()
    }
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise ResultsError(f'{where}: {error}') from error


def _convert(name: str, hint: Any, value: Any) -> Any:
    kind = typing.get_origin(hint) or hint
    if hint == dict[str, float] and isinstance(value, dict):
        return {key: _convert(f'{name}.{key}', float, item) for key, item in value.items()}
    if kind is tuple and isinstance(value, list):
        return tuple(_convert(f'{name}[]', str, item) for item in value)
    if kind is float:
        if value is None:
            return math.nan
        if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ResultsError(f'{name} = {value!r}: expected {kind.__name__}')
    return value
