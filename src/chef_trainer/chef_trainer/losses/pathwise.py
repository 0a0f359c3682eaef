"""Policy improvement along the gradient of Q: TD3 and SAC.

The discrete last dimension has no path. Both its choices are evaluated, and their probabilities
carry the gradient: an exact sum instead of a relaxed sample. Shapes: G choices, K, B.
"""

from torch import Tensor

from chef_trainer.losses.checks import same_shape


def expected_value(q: Tensor, share: Tensor) -> Tensor:
    """Minus the mean of Q over the choices: -sum_g p_g Q_g, over tasks, mean over states.

    With one choice this is the deterministic policy gradient (Fujimoto et al., 2018).
    """
    same_shape(q=q, share=share)
    return -(share * q).sum(0).mean(-1).sum()


def soft_value(q: Tensor, log_prob: Tensor, share: Tensor, temperature: Tensor) -> Tensor:
    """sum_g p_g (alpha log pi_g - Q_g): eq. 7 of SAC (Haarnoja et al., 2018), G choices exact.

    `temperature` (K,).
    """
    same_shape(q=q, log_prob=log_prob, share=share)
    return (share * (temperature.detach()[:, None] * log_prob - q)).sum(0).mean(-1).sum()


def temperature_loss(alpha: Tensor, log_prob: Tensor, share: Tensor, entropy: float) -> Tensor:
    """Loss alpha (H(pi) - `entropy`), `alpha` (K,): eq. 18 of Haarnoja et al. (2018b)."""
    same_shape(log_prob=log_prob, share=share)
    actual = -(share * log_prob).sum(0).mean(-1).detach()
    return (alpha * (actual - entropy)).sum()
