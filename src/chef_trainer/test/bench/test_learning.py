"""The limit beside which updates are measured is made of all their matrix products."""

import pytest
import torch

from chef_trainer.bench.learning import episodes, factors, ours


def test_all_products_of_forward_and_backward_pass_are_noted():
    x, first, second = torch.rand(7, 3), torch.rand(3, 5), torch.rand(5, 2)
    weights = [first.requires_grad_(), second.requires_grad_()]
    noted = factors(lambda: torch.autograd.grad((x @ first @ second).sum(), weights))
    # Both layers, the gradients of both weights, and that of the hidden layer.
    shapes = sorted(tuple((a @ b).shape) for a, b in noted)
    assert shapes == [(3, 5), (5, 2), (7, 2), (7, 5), (7, 5)]


def test_the_products_of_an_update_are_those_of_its_networks():
    spent = sum(2 * a.numel() * b.shape[-1] for a, b in factors(ours('iql', episodes())))
    # Layers of 256 x 256, forward, and twice that backward where they learn.
    layers = {'policy': 3, 'value': 3, 'next value': 1, 'critics': 2 * 3, 'targets': 2}
    outer = 1.3  # the first layers, of 60 inputs, have no gradient of their input
    assert spent == pytest.approx(outer * sum(layers.values()) * 2 * 256**3, rel=0.1)
