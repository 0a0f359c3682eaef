"""The results as numbers and as a table: success or return, intervals, seeds, time."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.stats import bootstrap

from chef_trainer.bench.tasks.study import Cell, Study
from chef_trainer.evaluation.evaluate import Verdict
from chef_trainer.evaluation.statistics import rate

EXPERT = 'expert'  # whose episodes are the data
LEVEL = 0.95
RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class Result:
    """One row of the table; success in %, or the return."""

    task: str
    candidate: str
    measure: str
    episodes: int
    value: float
    interval: tuple[float, float]  # 95 %
    by_seed: tuple[float, ...] = ()  # of training
    seconds: float = 0.0  # of training, mean over the seeds


@dataclasses.dataclass(frozen=True)
class Curve:
    """What a contender's policies reached on the way, a line per seed."""

    task: str
    contender: str
    measure: str
    updates: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]  # seed -> one per update


def measured(verdicts: Iterable[Verdict], measure: str) -> list[float]:
    """Return 0 or 100 for failure and success, or the returns."""
    outcomes = [one.outcome for one in verdicts]
    if measure == 'success':
        return [100.0 * one.success for one in outcomes]
    return [float(one.episode_return or 0.0) for one in outcomes]


def interval(values: Sequence[float], measure: str) -> tuple[float, float]:
    """95 % interval of the mean: Wilson's of a rate, else the bootstrap's percentiles."""
    if measure == 'success':
        low, high = rate(value > 0 for value in values).interval
        return 100 * low, 100 * high
    if len(set(values)) == 1:
        return values[0], values[0]
    found = bootstrap(
        (np.array(values),),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method='percentile',
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def at_update(verdicts: Iterable[Verdict], update: int) -> list[Verdict]:
    """Return the verdicts on the policy after `update`."""
    return [one for one in verdicts if one.candidate == str(update)]


def results(
    study: Study,
    verdicts: Mapping[Cell, Sequence[Verdict]],
    last: Mapping[Cell, int],
    experts: Mapping[str, Sequence[bool]],
    seconds: Mapping[tuple[str, str], float],
) -> list[Result]:
    """Return a row per task and candidate; seeds are pooled, as if episodes were independent.

    Args:
        study: what was to be measured.
        verdicts: cell -> its evaluated episodes.
        last: cell -> the update whose policy counts.
        experts: task -> success of the episodes in its data.
        seconds: (name of a cell, stage) -> spent.
    """
    found = []
    for task, settings in study.tasks.items():
        if experts.get(task):
            solved = [100.0 * one for one in experts[task]]
            found.append(_row(task, EXPERT, 'success', [solved]))
        for contender in settings.contenders:
            own = [cell for cell in verdicts if (cell.task, cell.contender) == (task, contender)]
            values = {c: measured(at_update(verdicts[c], last[c]), settings.measure) for c in own}
            done = {cell: value for cell, value in values.items() if value}
            if done:
                times = [seconds.get((cell.name, 'train'), 0.0) for cell in done]
                row = _row(task, contender, settings.measure, list(done.values()))
                by_seed = tuple(statistics.fmean(value) for value in done.values())
                spent = statistics.fmean(times)
                found.append(dataclasses.replace(row, by_seed=by_seed, seconds=spent))
    return found


def _row(task: str, candidate: str, measure: str, seeds: Sequence[Sequence[float]]) -> Result:
    values = [value for seed in seeds for value in seed]
    mean = statistics.fmean(values)
    return Result(task, candidate, measure, len(values), mean, interval(values, measure))


def curves(
    study: Study, verdicts: Mapping[Cell, Sequence[Verdict]], points: Mapping[Cell, range]
) -> list[Curve]:
    """Return a curve per task and contender, of the seeds whose points are all there."""
    found = []
    for task, settings in study.tasks.items():
        for contender in settings.contenders:
            lines = []
            for cell, own in verdicts.items():
                if (cell.task, cell.contender) != (task, contender):
                    continue
                values = [measured(at_update(own, u), settings.measure) for u in points[cell]]
                if all(values):
                    lines.append(tuple(statistics.fmean(value) for value in values))
                    updates = tuple(points[cell])
            if lines:
                found.append(Curve(task, contender, settings.measure, updates, tuple(lines)))
    return found


def markdown(found: Sequence[Result]) -> str:
    """Return a table per task."""
    lines = []
    for task in dict.fromkeys(one.task for one in found):
        own = [one for one in found if one.task == task]
        unit = 'success in %' if own[-1].measure == 'success' else 'return'
        titles = [task, 'episodes', unit, 'per seed', 'training']
        lines += [_line(titles), _line(['---'] * len(titles))]
        for one in own:
            low, high = one.interval
            seeds = ', '.join(f'{value:.0f}' for value in one.by_seed)
            spent = f'{one.seconds:.0f} s' if one.seconds else ''
            value = f'{one.value:.0f} ({low:.0f}-{high:.0f})'
            lines.append(_line([one.candidate, str(one.episodes), value, seeds, spent]))
        lines.append('')
    return '\n'.join(lines)


def _line(texts: Iterable[str]) -> str:
    return f'| {" | ".join(texts)} |'
