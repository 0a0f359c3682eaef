"""The value that a fit asymmetric in its errors finds: implicit Q-learning."""

from torch import Tensor

from chef_trainer.losses.checks import same_shape


def expectile(q_tm1: Tensor, value_tm1: Tensor, tau: float) -> Tensor:
    """|tau - 1(u < 0)| u^2 with u = Q - V (Kostrikov et al., 2022, eq. 5), both (K, B).

    Sum over tasks, mean over states. tau = 0.5 finds the mean (SARSA), tau -> 1 the maximum over
    the actions of the data.
    """
    same_shape(q_tm1=q_tm1, value_tm1=value_tm1)
    error = q_tm1.detach() - value_tm1
    weight = (tau - (error < 0).to(error.dtype)).abs()
    return (weight * error.square()).mean(-1).sum()
