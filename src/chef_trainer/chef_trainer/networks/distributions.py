"""The action distribution: Gaussian for the velocities, two-way categorical for the gripper."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, Normal

GRIPPER = (-1.0, 1.0)  # what the two categories mean: open, close


class MixedDistribution(NamedTuple):
    """Independent Gaussians for all but the last action, a categorical for the last one.

    The head of the released RGB-stacking policies (Lee et al., 2021). Shapes: B batch.
    """

    mean: Tensor  # (B, 4), share of full scale
    stddev: Tensor  # (B, 4), positive
    logits: Tensor  # (B, 2), open and close

    @property
    def gaussian(self) -> Independent:
        """The velocity dimensions as one torch distribution with event shape (4,)."""
        return Independent(Normal(self.mean, self.stddev, validate_args=False), 1)

    @property
    def categorical(self) -> Categorical:
        """The gripper dimension as a torch distribution over (open, close)."""
        return Categorical(logits=self.logits, validate_args=False)

    def log_prob(self, action: Tensor) -> Tensor:
        """Log density of actions (B, 5), whose last number is -1 or 1. Shape (B,)."""
        closes = (action[:, -1] > 0).long()
        return self.gaussian.log_prob(action[:, :-1]) + self.categorical.log_prob(closes)

    def mode(self) -> Tensor:
        """Most likely actions (B, 5)."""
        return self._join(self.mean, self.logits.argmax(-1))

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One action (B, 5) per state; the Gaussian part is not clipped to [-1, 1]."""
        noise = torch.randn(self.mean.shape, generator=generator)
        probabilities = self.logits.softmax(-1)
        closes = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
        return self._join(self.mean + self.stddev * noise, closes)

    def _join(self, velocities: Tensor, closes: Tensor) -> Tensor:
        gripper = torch.where(closes[:, None] > 0, GRIPPER[1], GRIPPER[0])
        return torch.cat([velocities, gripper.to(velocities.dtype)], dim=-1)
