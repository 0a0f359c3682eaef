"""Losses against closed forms and against sampling."""

import math

import pytest
import torch

from chef_trainer.losses.projection import mixed_kl, weighted_likelihood
from chef_trainer.networks.distributions import MixedDistribution


def random_distribution(seed: int, batch: int = 3) -> MixedDistribution:
    random = torch.Generator().manual_seed(seed)
    return MixedDistribution(
        torch.randn(batch, 4, generator=random),
        0.1 + torch.rand(batch, 4, generator=random),
        torch.randn(batch, 2, generator=random),
    )


def test_kl_of_a_distribution_with_itself_is_zero():
    target = random_distribution(0)
    torch.testing.assert_close(mixed_kl(target, target), torch.zeros(3), atol=1e-6, rtol=0)


def test_kl_is_the_sum_of_the_textbook_formulas():
    target, policy = random_distribution(1, 1), random_distribution(2, 1)
    expected = 0.0
    for m, s, n, r in zip(
        *(part[0].tolist() for part in (target.mean, target.stddev, policy.mean, policy.stddev)),
        strict=True,
    ):
        expected += math.log(r / s) + (s * s + (m - n) ** 2) / (2 * r * r) - 0.5
    for p, q in zip(target.logits.softmax(-1)[0], policy.logits.softmax(-1)[0], strict=True):
        expected += (p * (p / q).log()).item()
    assert mixed_kl(target, policy).item() == pytest.approx(expected, rel=1e-5)


def test_kl_is_the_mean_log_ratio_of_samples():
    target, policy = random_distribution(3, 1), random_distribution(4, 1)
    wide = [MixedDistribution(*(part.expand(50_000, -1) for part in d)) for d in (target, policy)]
    actions = wide[0].sample(torch.Generator().manual_seed(0))
    ratios = wide[0].log_prob(actions) - wide[1].log_prob(actions)
    error = 4 * ratios.std().item() / math.sqrt(len(ratios))
    assert mixed_kl(target, policy).item() == pytest.approx(ratios.mean().item(), abs=error)


def test_likelihood_of_the_targets_samples_has_the_gradient_of_kl():
    target, policy = random_distribution(5, 1), random_distribution(6, 1)
    samples = 100_000
    gradients = []
    for sampled in (False, True):
        parts = [part.clone().requires_grad_() for part in policy]
        if sampled:
            wide = MixedDistribution(*(part.expand(samples, -1) for part in target))
            actions = wide.sample(torch.Generator().manual_seed(0))
            student = MixedDistribution(*(part.expand(samples, -1) for part in parts))
            log_prob = student.log_prob(actions)[:, None]
            loss = weighted_likelihood(log_prob, torch.full_like(log_prob, 1 / samples))
        else:
            loss = mixed_kl(target, MixedDistribution(*parts)).mean()
        gradients.append(torch.cat(torch.autograd.grad(loss, parts), dim=1))
    torch.testing.assert_close(*gradients, atol=0.02, rtol=0.02)


def test_weights_choose_what_counts():
    log_prob = torch.tensor([-1.0, -2.0, -3.0], requires_grad=True)
    weight = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    loss = weighted_likelihood(log_prob, weight)
    assert loss.item() == pytest.approx((2 + 6) / 3)
    loss.backward()
    assert log_prob.grad.tolist() == pytest.approx([0, -1 / 3, -2 / 3])
    assert weight.grad is None
