"""The teachers, asked about any state of any triplet."""

from pathlib import Path

import torch
from torch import Tensor

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.released import load_released


class Teachers:
    """One released policy per task, in the order of the tasks."""

    def __init__(self, paths: list[Path]) -> None:
        self._policies = [load_released(path) for path in paths]

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units per layer, the same for all."""
        return self._policies[0].hidden

    def answer(self, benchmark: Tensor, task: Tensor) -> MixedDistribution:
        """Return the distributions for benchmark observations (B, 292) of tasks (B,)."""
        return self.traced(benchmark, task)[0]

    @torch.no_grad()
    def traced(
        self, benchmark: Tensor, task: Tensor
    ) -> tuple[MixedDistribution, tuple[Tensor, ...]]:
        """Return also what enters every non-linearity, (B, units) per layer."""
        answer = [benchmark.new_empty(len(benchmark), size) for size in (4, 4, 2)]
        trace = [benchmark.new_empty(len(benchmark), units) for units in self.hidden]
        for index, policy in enumerate(self._policies):
            rows = (task == index).nonzero()[:, 0]
            distribution, hidden = policy.traced(benchmark[rows])
            for whole, part in zip((*answer, *trace), (*distribution, *hidden), strict=True):
                whole[rows] = part
        return MixedDistribution(*answer), tuple(trace)
