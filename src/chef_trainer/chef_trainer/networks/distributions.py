"""The action distribution: Gaussian for the velocities, two-way categorical for the gripper."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, Normal
from torch.nn.functional import softplus

GRIPPER = (-1.0, 1.0)  # what the two categories mean: open, close


class Choices(NamedTuple):
    """Reparametrised actions, one for each side of the discrete dimension. G = 2, or 1."""

    actions: Tensor  # (G, ..., A)
    log_prob: Tensor  # (G, ...)
    share: Tensor  # (G, ...), probability of that side


class MixedDistribution(NamedTuple):
    """Independent Gaussians for all but the last action, a categorical for the last one.

    The head of the released RGB-stacking policies (Lee et al., 2021). With logits of width 0
    there is no discrete dimension. Shapes: (...) any leading axes, D Gaussian dimensions, A all.
    """

    mean: Tensor  # (..., D), share of full scale
    stddev: Tensor  # (..., D), positive
    logits: Tensor  # (..., 2) open and close, or (..., 0)

    @property
    def gaussian(self) -> Independent:
        """The velocity dimensions as one torch distribution with event shape (D,)."""
        return Independent(Normal(self.mean, self.stddev, validate_args=False), 1)

    @property
    def categorical(self) -> Categorical:
        """The gripper dimension as a torch distribution over (open, close)."""
        return Categorical(logits=self.logits, validate_args=False)

    @property
    def discrete(self) -> bool:
        """Whether the last dimension is discrete."""
        return self.logits.shape[-1] > 0

    def log_prob(self, action: Tensor) -> Tensor:
        """Log density of actions (..., A); a discrete last number is -1 or 1. Shape (...)."""
        log_prob = self._gaussian_log_prob(action[..., : self.mean.shape[-1]])
        if self.discrete:
            closes = (action[..., -1] > 0).long()
            log_prob = log_prob + self.categorical.log_prob(closes)
        return log_prob

    def mode(self) -> Tensor:
        """Most likely actions (..., A)."""
        return self._join(self.centre(), self.logits.argmax(-1) if self.discrete else None)

    def centre(self) -> Tensor:
        """Deterministic velocities (..., D)."""
        return self.mean

    def sample(self, generator: torch.Generator | None = None, count: int | None = None) -> Tensor:
        """One action (..., A) per state, or (count, ..., A); not clipped to [-1, 1]."""
        lead = () if count is None else (count,)
        noise = self._noise(lead, generator)
        closes = None
        if self.discrete:
            draw = torch.rand(
                (*lead, *self.mean.shape[:-1]), generator=generator, device=self.mean.device
            )
            closes = (draw < self.logits.softmax(-1)[..., 1]).long()
        return self._join(self._velocities(self.mean + self.stddev * noise), closes)

    def choices(self, noisy: bool = True) -> Choices:
        """Actions that carry gradients, with both sides of the discrete dimension."""
        raw = self.mean + self.stddev * self._noise((), None) if noisy else self.mean
        velocities, log_prob = self._velocities(raw), self._raw_log_prob(raw)
        if not self.discrete:
            return Choices(velocities[None], log_prob[None], torch.ones_like(log_prob)[None])
        log_side = self.logits.log_softmax(-1).movedim(-1, 0)
        sides = [self._join(velocities, torch.full_like(log_prob, side)) for side in (0, 1)]
        return Choices(torch.stack(sides), log_prob + log_side, log_side.exp())

    def _velocities(self, raw: Tensor) -> Tensor:
        """From a Gaussian sample to velocities."""
        return raw

    def _raw_log_prob(self, raw: Tensor) -> Tensor:
        """Log density of the velocities that `raw` becomes."""
        return self.gaussian.log_prob(raw)

    def _gaussian_log_prob(self, velocities: Tensor) -> Tensor:
        return self.gaussian.log_prob(velocities)

    def _noise(self, lead: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
        shape = (*lead, *self.mean.shape)
        return torch.randn(shape, generator=generator, device=self.mean.device)

    def _join(self, velocities: Tensor, closes: Tensor | None) -> Tensor:
        if closes is None:
            return velocities
        gripper = torch.where(closes[..., None] > 0, GRIPPER[1], GRIPPER[0])
        return torch.cat([velocities, gripper.to(velocities.dtype)], dim=-1)


class SquashedDistribution(MixedDistribution):
    """The same with velocities tanh(x), x Gaussian: SAC's policy, whose box is [-1, 1].

    `mean` and `stddev` are those of x.
    """

    __slots__ = ()

    def centre(self) -> Tensor:
        """Deterministic velocities (..., D): the tanh of the mean."""
        return torch.tanh(self.mean)

    def described(self) -> MixedDistribution:
        """The Gaussian that a policy file states: deviation to first order about the centre."""
        centre = self.centre()
        slope = (1 - centre.square()).clamp(min=1e-3)
        return MixedDistribution(centre, self.stddev * slope, self.logits)

    def _velocities(self, raw: Tensor) -> Tensor:
        return torch.tanh(raw)

    def _raw_log_prob(self, raw: Tensor) -> Tensor:
        # log(1 - tanh(x)^2) in a form that does not cancel for large x.
        slope = 2 * (torch.log(torch.tensor(2.0)) - raw - softplus(-2 * raw))
        return self.gaussian.log_prob(raw) - slope.sum(-1)

    def _gaussian_log_prob(self, velocities: Tensor) -> Tensor:
        # Recorded actions may lie on the border, where x is infinite.
        return self._raw_log_prob(torch.atanh(velocities.clamp(-1 + 1e-6, 1 - 1e-6)))
