"""Critics that predict a distribution of returns on fixed atoms: C51 (Bellemare et al., 2017).

Shapes: M atoms, always the last axis.
"""

import torch
from torch import Tensor

from chef_trainer.losses.checks import same_shape


def mean(logits: Tensor, atoms: Tensor) -> Tensor:
    """Expected return of distributions (..., M) on `atoms` (M,); shape (...)."""
    return (logits.softmax(-1) * atoms).sum(-1)


def mixture(logits: Tensor) -> Tensor:
    """Log probabilities of the equal mixture over the first axis: (N, ..., M) to (..., M).

    The target of distributional MPO: the mean of the probabilities over the sampled actions
    (Acme, Hoffman et al., 2020), not of the logits.
    """
    count = torch.tensor(float(logits.shape[0]))
    return logits.log_softmax(-1).logsumexp(0) - count.log()


def project(values: Tensor, probabilities: Tensor, atoms: Tensor) -> Tensor:
    """Distribute probability at `values` (..., M) over evenly spaced `atoms` (M,); (..., M).

    Each value gives to its two neighbours in proportion to their nearness, so the mean is kept
    (the L2 projection of the Cramér distance); what lies outside goes to the end.

    The share of an atom is a triangle around it. That costs M^2 products and no index, which is
    faster than scattering for M = 51 and gives the same bits in every run.
    """
    same_shape(values=values, probabilities=probabilities)
    spacing = (atoms[-1] - atoms[0]) / (len(atoms) - 1)
    clipped = values.clamp(atoms[0], atoms[-1])
    distance = (clipped[..., None] - atoms).abs() / spacing
    return ((1 - distance).clamp(min=0) * probabilities[..., None]).sum(-2)


def target(
    reward_t: Tensor, discount_t: Tensor, log_probabilities_t: Tensor, atoms: Tensor
) -> Tensor:
    """Distribution (K, B, M) of r + d Z on `atoms`, Z given by (K, B, M); detached."""
    same_shape(reward_t=reward_t, discount_t=discount_t, next=log_probabilities_t[..., 0])
    values = reward_t[..., None] + discount_t[..., None] * atoms
    return project(values, log_probabilities_t.exp(), atoms).detach()


def cross_entropy(logits_tm1: Tensor, target_tm1: Tensor) -> Tensor:
    """Of predictions (E, K, B, M) with targets (K, B, M).

    Sum over members and tasks, mean over states.
    """
    same_shape(logits_tm1=logits_tm1[0], target_tm1=target_tm1)
    log_probabilities = logits_tm1.log_softmax(-1)
    return -(target_tm1 * log_probabilities).sum(-1).mean(-1).sum()
