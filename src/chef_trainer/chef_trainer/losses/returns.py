"""Targets of the critic: n-step returns, and what follows them.

Names as in rlax: `_tm1` belongs to the state where the action was chosen, `_t` to the one after
it. Shapes: K tasks, B batch, N sampled actions, E members of an ensemble, T steps.
"""

import torch
from torch import Tensor

from chef_trainer.losses.checks import same_shape


def n_step_return(reward_t: Tensor, discount_t: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of discounted rewards over T steps and the discount of what follows; both (...).

    R = r_1 + d_1 r_2 + d_1 d_2 r_3 + ..., D = d_1 d_2 ... d_T (Sutton and Barto, 2018, eq. 7.1).
    `reward_t` and `discount_t` have shape (T, ...); a discount is gamma, or 0 at a terminal
    state, after which nothing counts any more.
    """
    same_shape(reward_t=reward_t, discount_t=discount_t)
    before = torch.cat([torch.ones_like(discount_t[:1]), discount_t[:-1]]).cumprod(0)
    return (before * reward_t).sum(0), discount_t.prod(0)


def td_target(reward_t: Tensor, discount_t: Tensor, value_t: Tensor) -> Tensor:
    """Return r + d V(s'), detached; all (K, B)."""
    same_shape(reward_t=reward_t, discount_t=discount_t, value_t=value_t)
    return (reward_t + discount_t * value_t).detach()


def squared_error(q_tm1: Tensor, target_tm1: Tensor) -> Tensor:
    """Half the squared error of (E, K, B) against (K, B).

    Sum over members and tasks, mean over states.
    """
    same_shape(q_tm1=q_tm1[0], target_tm1=target_tm1)
    return 0.5 * (q_tm1 - target_tm1.detach()).square().mean(-1).sum()
