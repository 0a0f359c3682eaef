"""Targets and losses of critics against numbers made by hand, by loops, by known fixed points."""

import numpy as np
import pytest
import torch

from chef_trainer.losses import distributional, expectile, returns

ATOMS = torch.linspace(-2.0, 3.0, 6)


def projected_by_loop(values, probabilities, atoms):
    """Bellemare et al., 2017, algorithm 1, number by number."""
    result = np.zeros(len(atoms))
    spacing = (atoms[-1] - atoms[0]) / (len(atoms) - 1)
    for value, probability in zip(values, probabilities, strict=True):
        b = (min(max(value, atoms[0]), atoms[-1]) - atoms[0]) / spacing
        lower, upper = int(np.floor(b)), int(np.ceil(b))
        if lower == upper:
            result[lower] += probability
        else:
            result[lower] += probability * (upper - b)
            result[upper] += probability * (b - lower)
    return result


def test_projection_is_the_one_of_a_loop():
    random = torch.Generator().manual_seed(0)
    values = 4 * torch.randn(5, 6, generator=random)  # some outside the atoms
    values[0] = ATOMS  # some on them
    probabilities = torch.rand(5, 6, generator=random).softmax(-1)
    ours = distributional.project(values, probabilities, ATOMS)
    for row, value, probability in zip(ours, values, probabilities, strict=True):
        expected = projected_by_loop(value.numpy(), probability.numpy(), ATOMS.numpy())
        np.testing.assert_allclose(row.numpy(), expected, atol=1e-6)


def test_projection_keeps_mass_and_mean_inside_the_atoms():
    values = torch.rand(100, 6) * 5 - 2
    probabilities = torch.rand(100, 6).softmax(-1)
    ours = distributional.project(values, probabilities, ATOMS)
    torch.testing.assert_close(ours.sum(-1), torch.ones(100))
    torch.testing.assert_close((ours * ATOMS).sum(-1), (values * probabilities).sum(-1))


def test_target_of_a_terminal_state_is_the_reward():
    log_probabilities = torch.randn(2, 1, 6).log_softmax(-1)
    reward = torch.tensor([[1.0], [0.5]])
    target = distributional.target(reward, torch.zeros(2, 1), log_probabilities, ATOMS)
    torch.testing.assert_close(target[0, 0], torch.eye(6)[3])
    torch.testing.assert_close(target[1, 0], torch.tensor([0, 0, 0.5, 0.5, 0, 0]))


def test_mixture_is_the_mean_of_probabilities():
    logits = 3 * torch.randn(7, 4, 6)
    torch.testing.assert_close(
        distributional.mixture(logits).exp(), logits.softmax(-1).mean(0), atol=1e-6, rtol=1e-5
    )


def test_cross_entropy_is_least_at_the_target():
    target = torch.rand(2, 3, 6).softmax(-1)
    least = distributional.cross_entropy(target.log()[None], target)
    entropy = -(target * target.log()).sum(-1).mean(-1).sum()
    torch.testing.assert_close(least, entropy)
    assert distributional.cross_entropy(torch.randn(1, 2, 3, 6), target) > least


def test_mean_of_a_distribution():
    assert distributional.mean(torch.zeros(6), ATOMS).item() == pytest.approx(0.5)


def test_n_step_return_stops_at_a_terminal_state():
    reward = torch.tensor([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    discount = torch.tensor([[0.5, 0.5], [0.5, 0.0], [0.5, 0.5]])
    total, left = returns.n_step_return(reward, discount)
    assert total.tolist() == [1 + 0.5 * 2 + 0.25 * 4, 1 + 0.5 * 2]
    assert left.tolist() == [0.125, 0.0]


def test_target_and_its_error():
    reward, discount, value = (torch.full((1, 2), number) for number in (1.0, 0.9, 10.0))
    target = returns.td_target(reward, discount, value.requires_grad_())
    assert target.tolist() == [[10.0, 10.0]]
    assert not target.requires_grad
    members = torch.stack([torch.full((1, 2), 9.0), torch.full((1, 2), 12.0)])
    assert returns.squared_error(members, target).item() == pytest.approx(0.5 * (1 + 4))


@pytest.mark.parametrize('tau', [0.5, 0.7, 0.95])
def test_fixed_point_of_the_expectile(tau):
    q = torch.tensor([[0.0, 1.0, 2.0, 7.0]])
    value = torch.zeros(1, 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([value], max_iter=50, tolerance_grad=1e-9)

    def closure():
        optimizer.zero_grad()
        loss = expectile.expectile(q, value.expand_as(q), tau)
        loss.backward()
        return loss

    optimizer.step(closure)
    above, below = (q - value).clamp(min=0), (value - q).clamp(min=0)
    assert (tau * above.sum()).item() == pytest.approx(((1 - tau) * below.sum()).item(), rel=1e-4)
    if tau == 0.5:
        assert value.item() == pytest.approx(2.5, abs=1e-4)


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r'shapes differ.*\(1, 4\).*\(4,\)'):
        expectile.expectile(torch.zeros(1, 4), torch.zeros(4), 0.5)
    with pytest.raises(ValueError, match='shapes differ'):
        returns.td_target(torch.zeros(1, 4), torch.zeros(4), torch.zeros(1, 4))
