"""How much each proposed action counts: weights for the likelihood of policy improvement.

Every method here fits the policy to prior(a|s) exp(Q(s, a) / eta) ("How to Spend Your Robot
Time", Lampe et al., 2023, eq. 3). Shapes: N proposals, K tasks, B batch. Weights are detached.
"""

import torch
from torch import Tensor


def ones(advantage: Tensor) -> Tensor:
    """Imitation: every proposal counts the same; they sum to 1 over N."""
    return torch.full_like(advantage, 1 / advantage.shape[0]).detach()


def exponential(advantage: Tensor, temperature: Tensor, cap: float) -> Tensor:
    """min(exp(A / eta), cap) / N, shape (N, K, B). CRR caps at 20, IQL at 100.

    The exponent is capped, not its result: exp overflows float32 above 88.
    """
    limit = torch.tensor(cap, dtype=advantage.dtype, device=advantage.device).log()
    exponent = (advantage / temperature).clamp(max=limit)
    return (exponent.exp() / advantage.shape[0]).detach()


def binary(advantage: Tensor) -> Tensor:
    """1[A > 0] / N: CRR's binary filter (Wang et al., 2020, eq. 3)."""
    return ((advantage > 0).to(advantage.dtype) / advantage.shape[0]).detach()


def batch_softmax(advantage: Tensor, temperature: Tensor) -> Tensor:
    """Softmax of A / eta over the batch, times its size, over N; AWAC as its authors run it.

    The paper (Nair et al., 2020, eq. 13) has exp(A / lambda) and leaves its normaliser out; the
    published code normalises over the batch, so that the step size is the same at every scale of
    Q. We follow the code.
    """
    size = advantage.shape[-1]
    weights = (advantage / temperature).softmax(-1) * size
    return (weights / advantage.shape[0]).detach()


def sample_softmax(q: Tensor, temperature: Tensor) -> Tensor:
    """Softmax of Q / eta over the N proposals: the E step of MPO (Abdolmaleki et al., 2018)."""
    return (q / temperature).softmax(0).detach()


def effective_share(weights: Tensor) -> Tensor:
    """Share of the batch that carries the weight, mean over K: 1 is imitation of all actions.

    Says whether a fixed eta is well chosen where there is one proposal a state; how proposals of
    one state differ says `mpo.effective_samples`.
    """
    each = weights.sum(0)
    return (each.mean(-1).square() / each.square().mean(-1).clamp(min=1e-12)).mean()
