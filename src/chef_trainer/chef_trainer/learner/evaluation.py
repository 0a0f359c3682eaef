"""Policy evaluation: the critic's target and loss, for every row of the table.

Shapes: E members, N actions, K tasks, B batch, M atoms.
"""

import torch
from torch import Tensor

from chef_trainer.learner.batch import Transitions
from chef_trainer.losses import distributional, expectile, mpo, returns
from chef_trainer.methods.method import Evaluation, Method
from chef_trainer.networks.agent import AgentNetworks


def q_values(networks: AgentNetworks, encoded: Tensor, actions: Tensor) -> Tensor:
    """Q (E, N, K, B) of actions (N, K or 1, B, A); the mean of a distribution."""
    assert networks.critic is not None
    q = networks.critic(encoded, actions)
    return q if networks.atoms is None else distributional.mean(q, networks.atoms)


def losses(
    networks: AgentNetworks,
    target: AgentNetworks,
    encoded: Tensor,
    batch: Transitions,
    row: Method,
) -> tuple[dict[str, Tensor], Tensor | None]:
    """Losses of critic and value; with a value also the advantage (K, B) of recorded actions.

    `encoded` (B, ·) carries the gradient of the encoder.
    """
    assert networks.critic is not None
    predicted = networks.critic(encoded, batch.action[None, None])[:, 0]
    discount = batch.discount.expand_as(batch.reward)
    with torch.no_grad():
        following = next_value(networks, target, batch, row)
    if networks.atoms is None:
        aim = returns.td_target(batch.reward, discount, following)
        found = {'critic': returns.squared_error(predicted, aim)}
    else:
        aim = distributional.target(batch.reward, discount, following, networks.atoms)
        found = {'critic': distributional.cross_entropy(predicted, aim)}
    if networks.value is None:
        return found, None
    with torch.no_grad():
        states = target.encoder(batch.observation)
        q = q_values(target, states, batch.action[None, None]).amin(0)[0]
    value = networks.value(encoded)
    found['value'] = expectile.expectile(q, value, row.expectile)
    return found, q - value.detach()


def next_value(
    networks: AgentNetworks, target: AgentNetworks, batch: Transitions, row: Method
) -> Tensor:
    """Value after the transition: (K, B), or log probabilities (K, B, M) of a distribution."""
    states = batch.next_observation
    if row.evaluation is Evaluation.EXPECTILE:
        assert networks.value is not None
        return networks.value(networks.encoder(states))
    encoded = target.encoder(states)
    assert target.critic is not None
    if row.evaluation is Evaluation.SOFT:
        chosen = networks.actor(networks.encoder(states)).choices()
        q = target.critic(encoded, chosen.actions).amin(0)
        alpha = mpo.positive(networks.duals['temperature'])[:, None]
        return (chosen.share * (q - alpha * chosen.log_prob)).sum(0)
    if row.evaluation is Evaluation.CLIPPED:
        actions = _smoothed(target, encoded, row)
    else:
        actions = target.actor(encoded).sample(count=row.samples)
    q = target.critic(encoded, actions)
    if networks.atoms is None:
        return q.amin(0).mean(0)
    return distributional.mixture(_least(q, networks.atoms))


def _smoothed(target: AgentNetworks, encoded: Tensor, row: Method) -> Tensor:
    """Actions (1, K, B, A) of the target policy with clipped noise (Fujimoto et al., 2018)."""
    policy = target.actor(encoded)
    noise = (row.noise * torch.randn_like(policy.mean)).clamp(-row.noise_clip, row.noise_clip)
    return policy._replace(mean=(policy.mean + noise).clamp(-1, 1)).mode()[None]


def _least(logits: Tensor, atoms: Tensor) -> Tensor:
    """Of (E, N, K, B, M) the member whose mean is least, for each action: (N, K, B, M)."""
    if len(logits) == 1:
        return logits[0]
    least = distributional.mean(logits, atoms).argmin(0)
    return logits.gather(0, least[None, ..., None].expand(1, *logits.shape[1:]))[0]
