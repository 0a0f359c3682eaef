"""Weights, MPO's two steps and pathwise losses against closed forms."""

import math

import pytest
import torch

from chef_trainer.losses import improvement, mpo, pathwise
from chef_trainer.networks.distributions import MixedDistribution, SquashedDistribution

ADVANTAGE = torch.tensor([[[-1.0, 0.0, 0.5, 200.0]]])  # (N, K, B) = (1, 1, 4)
ETA = torch.tensor(0.5)


def test_imitation_counts_every_proposal_once():
    assert improvement.ones(torch.zeros(4, 1, 3)).sum(0).tolist() == [[1.0] * 3]


def test_weights_of_crr():
    weights = improvement.exponential(ADVANTAGE, ETA, cap=20.0)[0, 0]
    assert weights.tolist() == pytest.approx([math.exp(-2), 1, math.e, 20], rel=1e-6)
    assert improvement.binary(ADVANTAGE)[0, 0].tolist() == [0, 0, 1, 1]


def test_weights_of_awac_are_a_softmax_times_the_batch():
    advantage = ADVANTAGE[..., :3]
    weights = improvement.batch_softmax(advantage, ETA)[0, 0]
    unnormalised = torch.tensor([math.exp(-2), 1, math.e])
    torch.testing.assert_close(weights, 3 * unnormalised / unnormalised.sum())


def test_weights_carry_no_gradient():
    advantage = ADVANTAGE.clone().requires_grad_()
    eta = ETA.clone().requires_grad_()
    for weights in (
        improvement.exponential(advantage, eta, 20.0),
        improvement.batch_softmax(advantage, eta),
        improvement.sample_softmax(advantage, eta),
        improvement.binary(advantage),
    ):
        assert not weights.requires_grad


def test_temperature_at_its_minimum_gives_the_kl_it_was_asked_for():
    q = torch.randn(50, 1, 64, generator=torch.Generator().manual_seed(1))
    log_eta = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_eta], max_iter=100, line_search_fn='strong_wolfe')

    def closure():
        optimizer.zero_grad()
        loss = mpo.temperature_loss(q, mpo.positive(log_eta), epsilon=0.1)
        loss.backward()
        return loss

    optimizer.step(closure)
    weights = improvement.sample_softmax(q, mpo.positive(log_eta))
    kl = (weights * (weights * q.shape[0]).clamp(min=1e-12).log()).sum(0).mean()
    assert kl.item() == pytest.approx(0.1, abs=2e-3)


def test_batch_temperature_takes_proposals_and_batch_together_and_each_task_alone():
    random = torch.Generator().manual_seed(1)
    advantage, temperature = torch.randn(3, 2, 5, generator=random), torch.tensor([0.5, 2.0])
    loss = mpo.batch_temperature_loss(advantage, temperature, 0.1)
    each = [
        eta * (0.1 + (advantage[:, task] / eta).exp().mean().log())
        for task, eta in enumerate(temperature)
    ]
    torch.testing.assert_close(loss, sum(each))


def distribution(seed: int, batch: int = 5) -> MixedDistribution:
    random = torch.Generator().manual_seed(seed)
    return MixedDistribution(
        torch.randn(2, batch, 3, generator=random),
        0.2 + torch.rand(2, batch, 3, generator=random),
        torch.randn(2, batch, 2, generator=random),
    )


def test_parts_of_the_kl_are_those_of_torch():
    target, policy = distribution(0), distribution(1)
    parts = mpo.kl_parts(target, policy)
    normal = torch.distributions.Normal
    kl = torch.distributions.kl_divergence
    old = normal(target.mean, target.stddev)
    torch.testing.assert_close(parts['mean'], kl(old, normal(policy.mean, target.stddev)))
    torch.testing.assert_close(parts['stddev'], kl(old, normal(target.mean, policy.stddev)))
    torch.testing.assert_close(parts['logits'][..., 0], kl(target.categorical, policy.categorical))


def test_m_step_moves_mean_and_deviation_apart():
    target = distribution(2)
    policy = MixedDistribution(*(part.clone().requires_grad_() for part in distribution(3)))
    actions = target.sample(torch.Generator().manual_seed(0), 20000)
    weights = torch.full(actions.shape[:-1], 1 / 20000)
    loss = mpo.decoupled_likelihood(actions, weights, target, policy)
    gradient = torch.autograd.grad(loss, list(policy))
    # Gradients of -log N(a; mu, s_target) and -log N(a; mu_target, s), samples of the target.
    batch = policy.mean.shape[1]
    mean = (policy.mean - target.mean) / target.stddev**2 / batch
    stddev = (1 / policy.stddev - target.stddev**2 / policy.stddev**3) / batch
    logits = (policy.logits.softmax(-1) - target.logits.softmax(-1)) / batch
    for ours, expected in zip(gradient, (mean, stddev, logits), strict=True):
        torch.testing.assert_close(ours, expected, atol=0.05, rtol=0.05)


def test_multiplier_grows_while_the_constraint_is_broken():
    kl = torch.tensor([[[0.2], [0.4]]], requires_grad=True)  # K = 1, B = 2, D = 1
    alpha = torch.ones(1, 1, requires_grad=True)
    penalty, dual = mpo.trust_region(kl, alpha, epsilon=0.1)
    assert penalty.item() == pytest.approx(0.3)
    assert torch.autograd.grad(dual, alpha)[0].item() == pytest.approx(0.1 - 0.3)
    assert torch.autograd.grad(penalty, kl)[0].flatten().tolist() == [0.5, 0.5]


def test_actions_outside_the_box_are_penalised_by_their_distance():
    actions = torch.tensor([[0.5, -1.0], [4.0, -5.0]])
    assert mpo.out_of_bounds(actions).tolist() == [0.0, -5.0]


def test_effective_samples():
    weights = torch.tensor([[1.0, 0.25], [0.0, 0.25], [0.0, 0.25], [0.0, 0.25]])
    assert mpo.effective_samples(weights).item() == pytest.approx(2.5)


def test_effective_share():
    even, uneven = torch.full((3, 2, 4), 0.1), torch.zeros(1, 1, 4)
    assert improvement.effective_share(even).item() == pytest.approx(1.0)
    uneven[..., 0] = 2.0
    assert improvement.effective_share(uneven).item() == pytest.approx(0.25)


def test_discrete_side_climbs_q_exactly():
    logits = torch.tensor([[[0.3, -0.2]]], requires_grad=True)
    policy = MixedDistribution(torch.zeros(1, 1, 2), torch.ones(1, 1, 2), logits)
    q = torch.tensor([1.0, 4.0])[:, None, None]
    loss = pathwise.expected_value(q, policy.choices(noisy=False).share)
    p = logits.detach().softmax(-1)[0, 0]
    assert loss.item() == pytest.approx(-(p[0] + 4 * p[1]).item())
    gradient = torch.autograd.grad(loss, logits)[0][0, 0]
    assert gradient[1].item() == pytest.approx(-(p[0] * p[1] * 3).item(), rel=1e-5)


def test_soft_optimum_of_the_discrete_side_is_boltzmann():
    logits = torch.zeros(1, 1, 2, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.05)
    q = torch.tensor([1.0, 1.5])[:, None, None]
    for _ in range(300):
        policy = SquashedDistribution(torch.zeros(1, 1, 0), torch.ones(1, 1, 0), logits)
        chosen = policy.choices()
        loss = pathwise.soft_value(q, chosen.log_prob, chosen.share, torch.tensor([0.5]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert logits.softmax(-1)[0, 0, 1].item() == pytest.approx(1 / (1 + math.exp(-1)), abs=1e-3)


def test_temperature_of_sac_rises_while_entropy_is_too_low():
    alpha = torch.ones(1, requires_grad=True)
    log_prob = torch.full((1, 1, 8), 2.0)  # entropy -2
    loss = pathwise.temperature_loss(alpha, log_prob, torch.ones(1, 1, 8), entropy=-1.0)
    assert torch.autograd.grad(loss, alpha)[0].item() == pytest.approx(-1.0)


def test_squashed_density_integrates_to_one_and_matches_its_samples():
    policy = SquashedDistribution(torch.tensor([[0.4]]), torch.tensor([[0.8]]), torch.zeros(1, 0))
    grid = torch.linspace(-0.9999, 0.9999, 20001)[:, None, None]
    density = policy.log_prob(grid).exp()[:, 0]
    assert torch.trapezoid(density, grid[:, 0, 0]).item() == pytest.approx(1, abs=2e-3)
    chosen = policy.choices()
    torch.testing.assert_close(policy.log_prob(chosen.actions), chosen.log_prob)
    assert policy.mode().item() == pytest.approx(math.tanh(0.4))
