"""Success rates with their intervals."""

import dataclasses
import statistics
from collections.abc import Iterable

from scipy.stats import binomtest

from chef_trainer.evaluation.evaluate import Verdict
from chef_trainer.evaluation.rollout import Outcome
from chef_trainer.task.rewards import REWARD_NAMES


@dataclasses.dataclass(frozen=True)
class Rate:
    """A share of successes with its 95 % Wilson interval, all in 0 .. 1."""

    successes: int
    trials: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.successes / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval (Wilson, 1927)."""
        interval = binomtest(self.successes, self.trials).proportion_ci(method='wilson')
        return float(interval.low), float(interval.high)

    def __str__(self) -> str:
        """Return the share and its interval in percent."""
        low, high = self.interval
        return f'{100 * self.value:.0f} ({100 * low:.0f}-{100 * high:.0f})'


def rate(successes: Iterable[bool]) -> Rate:
    """Count successes; raises ValueError when there is nothing to count."""
    outcomes = list(successes)
    if not outcomes:
        raise ValueError('no episodes, so no success rate')
    return Rate(sum(outcomes), len(outcomes))


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a candidate reached on a triplet, over all its episodes there."""

    candidate: str
    triplet: str
    success: Rate  # task solved at the last step
    within_limit: Rate  # the same, and the wrist force never above the limit
    sparse_stack: Rate  # the benchmark's own success at the last step
    force_median: float  # N, median of the episodes' largest wrist force
    exceeded: Rate  # share of episodes whose largest wrist force is above the limit
    # Sub-task -> share of episodes in which its reward was above 0.5 at some step.
    subtasks: dict[str, Rate] = dataclasses.field(default_factory=dict)


def summarise(verdicts: Iterable[Verdict], force_limit: float) -> list[Summary]:
    """Return one summary per candidate and triplet, sorted by both.

    An episode that the force rule would have ended is the same up to there, so its outcome under
    the rule is known: not solved.
    """
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.candidate, verdict.outcome.triplet), []).append(verdict.outcome)
    return [
        Summary(
            candidate=candidate,
            triplet=triplet,
            success=rate(one.success for one in outcomes),
            within_limit=rate(one.success and one.force_max <= force_limit for one in outcomes),
            sparse_stack=rate(one.sparse_stack for one in outcomes),
            force_median=statistics.median(one.force_max for one in outcomes),
            exceeded=rate(one.force_max > force_limit for one in outcomes),
            subtasks=_subtasks([one.best for one in outcomes if one.best]),
        )
        for (candidate, triplet), outcomes in sorted(groups.items())
    ]


def _subtasks(best: list[dict[str, float]]) -> dict[str, Rate]:
    known = [name for name in REWARD_NAMES if all(name in one for one in best)]
    return {name: rate(one[name] > 0.5 for one in best) for name in known if best}
