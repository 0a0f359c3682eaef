"""Two ways to fit a policy to a target: by its distribution, or by weighted actions from it."""

from torch import Tensor
from torch.distributions import kl_divergence

from chef_trainer.losses.checks import same_shape
from chef_trainer.networks.distributions import MixedDistribution


def mixed_kl(target: MixedDistribution, policy: MixedDistribution) -> Tensor:
    """KL(target || policy) of each state in nats, shape (B,).

    In this direction the minimum over many targets matches their mean, variance and gripper
    probability (the M-projection); errors count most where the target is sure of itself.
    """
    return kl_divergence(target.gaussian, policy.gaussian) + kl_divergence(
        target.categorical, policy.categorical
    )


def weighted_likelihood(log_prob: Tensor, weight: Tensor) -> Tensor:
    """Minus the weighted log likelihood, a scalar: sum over all but the last axis, mean over it.

    `log_prob` and `weight` have shape (B,), or (N, B) for N sampled actions per state, or
    (N, K, B) for K tasks. With weights 1/N and actions from a teacher its gradient is that of
    `mixed_kl`, but noisy.
    """
    same_shape(log_prob=log_prob, weight=weight)
    return -(weight.detach() * log_prob).reshape(-1, log_prob.shape[-1]).sum(0).mean()
