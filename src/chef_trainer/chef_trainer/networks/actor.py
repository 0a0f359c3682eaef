"""The policy: a torso that all tasks share, a small network and a head for each."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from chef_trainer.networks.batched import BatchedMLP, BatchedTanhTorso
from chef_trainer.networks.distributions import MixedDistribution, SquashedDistribution

LOG_STDDEV = (-5.0, 1.0)  # bounds of a squashed policy's log deviation


class Actor(nn.Module):
    """Encoded states to one action distribution per task.

    With one task it is the released RGB-stacking policy: linear, layer norm, tanh, then ELU
    layers, tanh means, softplus deviations, two logits.

    Args:
        inputs: size of an encoded state.
        hidden: units per layer; the first is shared by the tasks.
        tasks: K.
        action_size: A, with the discrete dimension.
        discrete: whether the last dimension is discrete (-1 or 1).
        squashed: velocities are tanh of Gaussians (SAC) instead of Gaussians.
        min_stddev: smallest deviation; without a floor a policy that fits repeated actions
            becomes infinitely sure of them.
        fixed_stddev: the deviation, if it is not learned (a deterministic policy's noise).
    """

    def __init__(
        self,
        inputs: int,
        hidden: tuple[int, ...],
        tasks: int,
        action_size: int,
        discrete: bool,
        squashed: bool = False,
        min_stddev: float = 1e-2,
        fixed_stddev: float = 0.0,
    ) -> None:
        super().__init__()
        self._gaussians = action_size - discrete
        self._squashed = squashed
        self._min_stddev = min_stddev
        self._fixed_stddev = fixed_stddev
        outputs = 2 * self._gaussians + 2 * discrete
        self.torso = BatchedTanhTorso((), inputs, hidden[0])
        self.heads = BatchedMLP((tasks,), hidden[0], hidden[1:], outputs)

    def forward(self, encoded: Tensor) -> MixedDistribution:
        """Map (B, inputs) to distributions over (K, B, A)."""
        y = self.heads(self.torso(encoded))
        location, scale = y[..., : 2 * self._gaussians].chunk(2, dim=-1)
        logits = y[..., 2 * self._gaussians :]
        if self._squashed:
            stddev = scale.clamp(*LOG_STDDEV).exp()
            return SquashedDistribution(location, stddev, logits)
        stddev = softplus(scale) + self._min_stddev
        if self._fixed_stddev:
            stddev = torch.full_like(scale, self._fixed_stddev)
        return MixedDistribution(torch.tanh(location), stddev, logits)
