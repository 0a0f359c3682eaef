"""The two steps of maximum a posteriori policy optimisation, with their Lagrange multipliers.

Abdolmaleki et al. (2018), with the decoupled constraints of its second paper, in the form and with
the constants of Acme (Hoffman et al., 2020). Shapes: N proposals, K tasks (each has its own
multipliers), B batch, D Gaussian dimensions of the action.
"""

import math

from torch import Tensor
from torch.nn.functional import softplus

from chef_trainer.losses.checks import same_shape
from chef_trainer.losses.projection import weighted_likelihood
from chef_trainer.networks.distributions import MixedDistribution

MIN_LOG_DUAL = -18.0  # below, softplus has no gradient left in float32


def positive(log_dual: Tensor) -> Tensor:
    """A multiplier from its unconstrained parameter."""
    return softplus(log_dual) + 1e-8


def temperature_loss(q: Tensor, temperature: Tensor, epsilon: float) -> Tensor:
    """Dual of the E step: eta (epsilon + mean_i logsumexp_j(Q_ij / eta) - log N), over tasks.

    `q` (N, K, B) without gradient, `temperature` (K,). At its minimum the weights
    softmax(Q / eta) have a mean KL of `epsilon` from the proposals.
    """
    scaled = q.detach() / temperature[:, None]
    log_mean = scaled.logsumexp(0).mean(-1) - math.log(q.shape[0])
    return (temperature * (epsilon + log_mean)).sum()


def batch_temperature_loss(advantage: Tensor, temperature: Tensor, epsilon: float) -> Tensor:
    """The same over proposals and batch together, `advantage` (N, K, B): REPS' dual.

    Peters, Mülling and Altun (2010), eq. 14. At its minimum softmax(A / eta) over a task's
    batch has a KL of `epsilon` from the data; that leaves about 1 - 2 epsilon of it effective.
    """
    together = advantage.movedim(1, -1).flatten(0, 1)[..., None]
    return temperature_loss(together, temperature, epsilon)


def out_of_bounds(actions: Tensor) -> Tensor:
    """Minus the distance of actions (..., A) from the box [-1, 1]; shape (...).

    The second objective of Acme's MPO: without it the mean may wander outside the box, where Q
    is flat because the critic sees clipped actions.
    """
    return -(actions - actions.clamp(-1, 1)).norm(dim=-1)


def kl_parts(target: MixedDistribution, policy: MixedDistribution) -> dict[str, Tensor]:
    """KL(target || policy) per dimension when only one part changes: name -> (K, B, ·).

    `mean`: the policy's mean with the target's deviation, (K, B, D); `stddev`: the other way
    round; `logits` (K, B, 1), if there is a discrete dimension.
    """
    same_shape(target=target.mean, policy=policy.mean)
    distance = (policy.mean - target.mean) / target.stddev
    ratio = target.stddev / policy.stddev
    parts = {
        'mean': 0.5 * distance.square(),
        'stddev': 0.5 * (ratio.square() - 1) - ratio.log(),
    }
    if policy.discrete:
        log_target, log_policy = target.logits.log_softmax(-1), policy.logits.log_softmax(-1)
        parts['logits'] = (log_target.exp() * (log_target - log_policy)).sum(-1, keepdim=True)
    return parts


def decoupled_likelihood(
    actions: Tensor, weights: Tensor, target: MixedDistribution, policy: MixedDistribution
) -> Tensor:
    """M step: the likelihood of the mean under the target's deviation plus the other way round.

    `actions` (N, K, B, A), `weights` (N, K, B). Decoupling lets the mean move fast and the
    deviation shrink slowly. The discrete dimension is counted once.
    """
    same_shape(weights=weights, actions=actions[..., 0])
    moved = policy._replace(stddev=target.stddev)
    narrowed = MixedDistribution(target.mean, policy.stddev, target.logits)
    return sum(weighted_likelihood(part.log_prob(actions), weights) for part in (moved, narrowed))


def trust_region(kl: Tensor, alpha: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Penalty of the policy and loss of its multipliers: `kl` (K, B, D), `alpha` (K, D).

    The policy pays alpha KL; alpha grows while the mean KL is above `epsilon`.
    """
    mean = kl.mean(1)
    same_shape(alpha=alpha, kl=mean)
    penalty = (alpha.detach() * mean).sum()
    return penalty, (alpha * (epsilon - mean.detach())).sum()


def effective_samples(weights: Tensor) -> Tensor:
    """How many proposals carry the weight, 1 .. N, mean: says whether eta is well chosen."""
    return (weights.sum(0).square() / weights.square().sum(0).clamp(min=1e-12)).mean()
