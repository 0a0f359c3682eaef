"""Heads: from the torso's output to a distribution."""

import torch
from torch import Tensor, nn

from chef_trainer.networks.distributions import MixedDistribution

MIN_STDDEV = 1e-4


class MixedHead(nn.Module):
    """Gaussian with tanh mean and softplus deviation, beside a two-way categorical."""

    def __init__(self, input_size: int, gaussian_size: int = 4) -> None:
        super().__init__()
        self.gaussian = nn.Linear(input_size, 2 * gaussian_size)
        self.discrete = nn.Linear(input_size, 2)

    def forward(self, h: Tensor) -> MixedDistribution:
        """Map (B, input_size) to a distribution over (B, gaussian_size + 1) actions."""
        location, scale = self.gaussian(h).chunk(2, dim=-1)
        stddev = nn.functional.softplus(scale) + MIN_STDDEV
        return MixedDistribution(torch.tanh(location), stddev, self.discrete(h))
