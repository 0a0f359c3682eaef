"""Whether one policy is better than another, judged on the scenes that both met."""

import dataclasses
from collections.abc import Sequence

from scipy.stats import binomtest

from chef_trainer.evaluation.evaluate import Verdict

DIGEST = 6  # characters that tell two files of one name apart


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A candidate against the baseline over common scenes."""

    candidate: str
    baseline: str
    scenes: int
    better: int  # solved by the candidate alone
    worse: int  # solved by the baseline alone

    @property
    def difference(self) -> float:
        """Share of scenes gained, -1 .. 1."""
        return (self.better - self.worse) / self.scenes

    @property
    def p_value(self) -> float:
        """Exact two-sided McNemar test: the chance of so uneven a split of equal policies."""
        decided = self.better + self.worse
        return float(binomtest(self.better, decided).pvalue) if decided else 1.0


def named(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts, candidates of one name but of different files told apart."""
    files: dict[str, set[str]] = {}
    for one in verdicts:
        files.setdefault(one.candidate, set()).add(one.sha256)
    return [
        one
        if len(files[one.candidate]) == 1 or one.candidate.startswith('teachers')
        else dataclasses.replace(one, candidate=f'{one.candidate} {one.sha256[:DIGEST]}')
        for one in verdicts
    ]


def compare(verdicts: Sequence[Verdict], baseline: str) -> list[Comparison]:
    """Return every candidate against `baseline`, over the scenes that both met.

    Raises:
        ValueError: the baseline is not among the candidates.
    """
    solved: dict[str, dict[tuple[str, int], bool]] = {}
    for one in verdicts:
        scene = (one.outcome.triplet, one.outcome.seed)
        solved.setdefault(one.candidate, {})[scene] = one.outcome.success
    if baseline not in solved:
        raise ValueError(f'baseline {baseline!r} is not among the candidates {sorted(solved)}')
    found = []
    for candidate, scenes in solved.items():
        common = scenes.keys() & solved[baseline].keys()
        if candidate == baseline or not common:
            continue
        pairs = [(scenes[scene], solved[baseline][scene]) for scene in common]
        better = sum(ours and not theirs for ours, theirs in pairs)
        worse = sum(theirs and not ours for ours, theirs in pairs)
        found.append(Comparison(candidate, baseline, len(pairs), better, worse))
    return found
