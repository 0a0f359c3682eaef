"""What an update sees: transitions, already n steps long, on the learner's device."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.replay.batch import Batch


class Transitions(NamedTuple):
    """B transitions (o, a, r, o') for K tasks; the first task is the one a policy is made for."""

    observation: dict[str, Tensor]  # name -> (B, *stacked_shape)
    action: Tensor  # (B, A), executed, in [-1, 1]
    reward: Tensor  # (K, B), discounted sum over the steps
    discount: Tensor  # (B,), of what follows: gamma^n, 0 where the episode ended by itself
    next_observation: dict[str, Tensor]  # as `observation`; empty if there is no critic
    teacher: MixedDistribution | None = None  # what it would do in each state, (B, ...)

    def to(self, device: torch.device) -> 'Transitions':
        """Copy to `device`; from pinned memory this does not wait."""
        return _mapped(self, lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> 'Transitions':
        """Copy to memory that a graphics card can read by itself."""
        return _mapped(self, Tensor.pin_memory)


def transitions(batch: Batch) -> Transitions:
    """Return a batch from a data set as tensors; every reward is a task."""
    return Transitions(
        {name: torch.from_numpy(value) for name, value in batch.observation.items()},
        torch.from_numpy(batch.action),
        torch.from_numpy(batch.rewards).T.contiguous(),
        torch.from_numpy(batch.discount),
        {name: torch.from_numpy(value) for name, value in batch.next_observation.items()},
    )


def _mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Apply `function` to every tensor in a nest of dictionaries and named tuples."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {name: _mapped(one, function) for name, one in value.items()}
    return value and type(value)(*(_mapped(one, function) for one in value))
