"""Policy improvement: proposals times weights, then likelihood; or the gradient of Q.

Shapes: N proposals, K tasks, B batch, A actions.
"""

import torch
from torch import Tensor

from chef_trainer.learner.batch import Transitions
from chef_trainer.learner.evaluation import q_values
from chef_trainer.losses import improvement, mpo, pathwise
from chef_trainer.losses.projection import weighted_likelihood
from chef_trainer.methods.method import Evaluation, Method, Proposals, Weighting
from chef_trainer.networks.agent import AgentNetworks
from chef_trainer.networks.distributions import MixedDistribution

Terms = dict[str, Tensor]  # name -> scalar


def losses(
    networks: AgentNetworks,
    target: AgentNetworks,
    encoded: Tensor,
    batch: Transitions,
    row: Method,
    temperature: Tensor,
    advantage: Tensor | None = None,
) -> tuple[Terms, Terms]:
    """Losses of policy and multipliers, and what is worth watching.

    `encoded` (B, ·) is detached where a critic trains the encoder; `temperature` () is the
    schedule's, and unused where it is learned; `advantage` (K, B) of the recorded actions, where
    the evaluation found it.
    """
    policy = networks.actor(encoded)
    if row.proposals is Proposals.PATHWISE:
        return _pathwise(networks, policy, encoded, row)
    with torch.no_grad():
        needs_target = row.target_weights or row.proposals is Proposals.POLICY
        states = target.encoder(batch.observation) if needs_target else encoded
        old = target.actor(states) if row.proposals is Proposals.POLICY else policy
        actions = propose(old, batch, row)
    weights, found, watched = _weighed(
        networks, target, encoded, states, policy, actions, row, temperature, advantage
    )
    watched['stddev'] = policy.stddev.mean()
    watched |= {
        'weight': weights.sum(0).mean(),
        'effective_samples': mpo.effective_samples(weights),
        'effective_share': improvement.effective_share(weights),
    }
    if not row.trust_region:
        found['policy'] = weighted_likelihood(policy.log_prob(actions), weights)
        return found, watched
    constrained, kl = _constrained(networks, old, policy, actions, weights, row)
    return found | constrained, watched | kl


def _weighed(
    networks: AgentNetworks,
    target: AgentNetworks,
    encoded: Tensor,
    states: Tensor,
    policy: MixedDistribution,
    actions: Tensor,
    row: Method,
    temperature: Tensor,
    advantage: Tensor | None,
) -> tuple[Tensor, Terms, Terms]:
    """Weights (N, K, B) of proposals, the loss of a learned temperature, and what is watched."""
    if row.weighting is Weighting.ONES:
        return improvement.ones(actions[..., 0]), {}, {}
    watched: Terms = {}
    if advantage is None:
        value = _judged(networks, target, encoded, states, actions, row)
        watched['q'] = value.mean()
        if row.weighting is not Weighting.SAMPLES:
            value = value - _baseline(networks, policy, encoded, row)
    else:
        value = advantage.reshape(actions.shape[:-1])
    found: Terms = {}
    if row.temperature is None:
        learned = mpo.positive(networks.duals['temperature'])
        by_batch = row.weighting is Weighting.BATCH
        dual = mpo.batch_temperature_loss if by_batch else mpo.temperature_loss
        found['temperature'] = dual(value, learned, row.epsilon)
        temperature = learned.detach()[:, None]
    watched['eta'] = temperature.mean()
    if row.weighting is Weighting.SAMPLES:
        return improvement.sample_softmax(value, temperature), found, watched
    watched['advantage'] = value.mean()
    return _weights(value, row, temperature), found, watched


def propose(old: MixedDistribution, batch: Transitions, row: Method) -> Tensor:
    """Actions (N, K, B, A) that the policy may be pulled towards; `old` is the target policy.

    With `teacher_share` each of them is the teacher's with that probability: a sample of the
    mixture of both.
    """
    tasks = len(old.mean)
    if row.proposals is Proposals.POLICY:
        actions = old.sample(count=row.samples)
    elif row.proposals is Proposals.DATA:
        actions = batch.action.expand(1, tasks, *batch.action.shape)
    else:
        return _taught(batch, row.samples, tasks)
    if row.teacher_share:
        taught = _taught(batch, len(actions), tasks)
        swap = torch.rand(actions.shape[:-1], device=actions.device) < row.teacher_share
        actions = torch.where(swap[..., None], taught, actions)
    return actions


def _taught(batch: Transitions, samples: int, tasks: int) -> Tensor:
    if batch.teacher is None:
        raise ValueError('the method asks a teacher, and the batch has none')
    actions = batch.teacher.sample(count=samples)
    return actions[:, None].expand(samples, tasks, *actions.shape[1:])


@torch.no_grad()
def _judged(
    networks: AgentNetworks,
    target: AgentNetworks,
    encoded: Tensor,
    states: Tensor,
    actions: Tensor,
    row: Method,
) -> Tensor:
    """Q (N, K, B) of proposals, the least member; `states` are encoded by the target."""
    judge, seen = (target, states) if row.target_weights else (networks, encoded)
    return q_values(judge, seen, actions).amin(0)


@torch.no_grad()
def _baseline(
    networks: AgentNetworks, policy: MixedDistribution, encoded: Tensor, row: Method
) -> Tensor:
    """Mean Q (K, B) of the policy's own actions."""
    own = policy.sample(count=row.samples)
    return q_values(networks, encoded, own).amin(0).mean(0)


def _weights(advantage: Tensor, row: Method, temperature: Tensor) -> Tensor:
    """Weights (N, K, B) of proposals by their advantage."""
    if row.weighting is Weighting.BINARY:
        return improvement.binary(advantage)
    if row.weighting is Weighting.BATCH:
        return improvement.batch_softmax(advantage, temperature)
    return improvement.exponential(advantage, temperature, row.weight_cap)


def _constrained(
    networks: AgentNetworks,
    old: MixedDistribution,
    policy: MixedDistribution,
    actions: Tensor,
    weights: Tensor,
    row: Method,
) -> tuple[Terms, Terms]:
    """MPO's M step: likelihood within a trust region, and actions kept inside the box."""
    duals = networks.duals
    cost = mpo.out_of_bounds(actions)
    penalty = mpo.positive(duals['penalty'])
    found = {'penalty': mpo.temperature_loss(cost, penalty, row.epsilon_penalty)}
    weights = weights + improvement.sample_softmax(cost, penalty.detach()[:, None])
    found['policy'] = mpo.decoupled_likelihood(actions, weights, old, policy)
    limits = {
        'mean': row.epsilon_mean,
        'stddev': row.epsilon_stddev,
        'logits': row.epsilon_logits,
    }
    watched = {}
    for name, kl in mpo.kl_parts(old, policy).items():
        price = mpo.positive(duals[name])
        found[f'kl_{name}'], found[f'alpha_{name}'] = mpo.trust_region(kl, price, limits[name])
        watched[f'relative_kl_{name}'] = kl.mean() / limits[name]
    return found, watched


def _pathwise(
    networks: AgentNetworks, policy: MixedDistribution, encoded: Tensor, row: Method
) -> tuple[Terms, Terms]:
    """SAC's and TD3's losses. Gradients reach the critic too; the learner asks only for ours."""
    soft = row.evaluation is Evaluation.SOFT
    chosen = policy.choices(noisy=soft)
    q = q_values(networks, encoded, chosen.actions)
    watched = {'q': q.mean(), 'stddev': policy.stddev.mean()}
    if not soft:  # TD3 climbs its first critic
        return {'policy': pathwise.expected_value(q[0], chosen.share)}, watched
    alpha = mpo.positive(networks.duals['temperature'])
    entropy = -float(chosen.actions.shape[-1])
    found = {
        'policy': pathwise.soft_value(q.amin(0), chosen.log_prob, chosen.share, alpha),
        'temperature': pathwise.temperature_loss(alpha, chosen.log_prob, chosen.share, entropy),
    }
    return found, watched | {'eta': alpha.mean()}
