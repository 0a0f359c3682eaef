"""The results as tables: success with Wilson intervals, and the difference to the teacher."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from chef_trainer.bench.results.outcomes import Solved
from chef_trainer.bench.results.study import TEACHER, Cell
from chef_trainer.evaluation.paired import Comparison
from chef_trainer.evaluation.statistics import Rate, rate

SIGNIFICANT = 0.05


@dataclasses.dataclass(frozen=True)
class Result:
    """One number of the table, over all its seeds."""

    triplet: str
    candidate: str
    budget: int  # episodes
    by_seed: tuple[float, ...]  # share of successes of each, 0 .. 1
    success: Rate
    against_teacher: Comparison | None  # scene by scene; None: nothing in common

    @property
    def text(self) -> str:
        """Success in %, its interval, the gain in points; of several seeds each, in brackets.

        A star: not by chance (p < 0.05), as far as the scenes are concerned. How much trainings
        differ the seeds tell.
        """
        if self.candidate == TEACHER or self.against_teacher is None:
            return str(self.success)
        gain = 100 * self.against_teacher.difference
        star = '*' if self.against_teacher.p_value < SIGNIFICANT else ''
        each = ' '.join(f'{100 * one:.0f}' for one in self.by_seed)
        seeds = f' [{each}]' if len(self.by_seed) > 1 else ''
        return f'{self.success}, {gain:+.0f}{star}{seeds}'


def results(solved: Mapping[Cell, Solved]) -> list[Result]:
    """Return one result per triplet, candidate and budget, in the order of the cells."""
    groups: dict[tuple[str, str, int], list[Solved]] = {}
    for cell, found in solved.items():
        if found:
            groups.setdefault((cell.triplet, cell.candidate, cell.budget), []).append(found)
    taught = {key[0]: found[0] for key, found in groups.items() if key[1] == TEACHER}
    return [
        Result(
            triplet,
            candidate,
            budget,
            tuple(rate(seed.values()).value for seed in seeds),
            rate(one for seed in seeds for one in seed.values()),
            _against(candidate, seeds, taught.get(triplet, {})),
        )
        for (triplet, candidate, budget), seeds in groups.items()
    ]


def _against(candidate: str, seeds: Iterable[Solved], teacher: Solved) -> Comparison | None:
    """Compare every seed with the teacher on the scenes that both met."""
    pairs = [
        (one, teacher[scene]) for seed in seeds for scene, one in seed.items() if scene in teacher
    ]
    if not pairs:
        return None
    better = sum(ours and not theirs for ours, theirs in pairs)
    worse = sum(theirs and not ours for ours, theirs in pairs)
    return Comparison(candidate, TEACHER, len(pairs), better, worse)


def markdown(found: Sequence[Result]) -> str:
    """Return a table per triplet: a row per candidate, a column per budget."""
    lines = []
    for triplet in dict.fromkeys(one.triplet for one in found):
        own = [one for one in found if one.triplet == triplet]
        budgets = sorted({one.budget for one in own if one.candidate != TEACHER})
        columns = {budget: f'{budget:,} episodes' for budget in budgets} or {0: 'success'}
        titles = [f'triplet {triplet}', *columns.values()]
        lines += [_row(titles), _row(['---'] * len(titles))]
        for candidate in dict.fromkeys(one.candidate for one in own):
            texts = {one.budget: one.text for one in own if one.candidate == candidate}
            if candidate == TEACHER:
                texts = dict.fromkeys(columns, texts[0])
            lines.append(_row([candidate, *(texts.get(budget, '') for budget in columns)]))
        lines.append('')
    return '\n'.join(lines)


def _row(texts: Iterable[str]) -> str:
    return f'| {" | ".join(texts)} |'
