"""The released networks against a forward pass in numpy, with weights drawn here."""

import numpy as np
import pytest
import torch
from point_mass import released_weights

from chef_trainer.networks.actor import Actor
from chef_trainer.networks.released import load_released, load_released_critic

UNITS = 64


def torso(w: dict[str, np.ndarray], x: np.ndarray, prefix: str) -> np.ndarray:
    """Linear, layer norm, tanh."""
    h = x @ w[f'{prefix}in_w'] + w[f'{prefix}in_b']
    h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)
    return np.tanh(h * w[f'{prefix}ln_gamma'] + w[f'{prefix}ln_beta'])


def elu(h: np.ndarray) -> np.ndarray:
    return np.where(h > 0, h, np.expm1(np.minimum(h, 0)))


def actor_in_numpy(w: dict[str, np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    h = torso(w, x, '')
    for layer in ('h0', 'h1'):
        h = elu(h @ w[f'{layer}_w'] + w[f'{layer}_b'])
    gaussian = h @ w['gauss_w'] + w['gauss_b']
    return [
        np.tanh(gaussian[:, :4]),
        np.logaddexp(0, gaussian[:, 4:]) + 1e-4,
        h @ w['disc_w'] + w['disc_b'],
    ]


def critic_in_numpy(w: dict[str, np.ndarray], x: np.ndarray, actions: np.ndarray) -> np.ndarray:
    h = np.concatenate([np.clip(actions, -1, 1), torso(w, x, 'q_')], axis=-1)
    for layer in ('h0', 'h1', 'h2'):
        h = elu(h @ w[f'q_{layer}_w'] + w[f'q_{layer}_b'])
    return (h @ w['q_h3_w'] + w['q_h3_b'])[:, 0]


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    return released_weights(seed=5, units=UNITS)


@pytest.fixture
def file(tmp_path, weights):
    np.savez(tmp_path / 'released.npz', **weights)
    return tmp_path / 'released.npz'


@pytest.fixture
def states() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(32, 292)).astype(np.float32)


def test_released_actor_says_what_numpy_says(file, weights, states):
    with torch.no_grad():
        outputs = load_released(file)(torch.from_numpy(states))
    for output, expected in zip(outputs, actor_in_numpy(weights, states), strict=True):
        np.testing.assert_allclose(output.numpy(), expected, atol=1e-5)


def test_the_trained_actor_is_the_same_network(file, states):
    released = load_released(file)
    actor = Actor(292, (UNITS,) * 3, 1, 5, discrete=True, min_stddev=1e-4)
    theirs = released.state_dict()
    output = {
        kind: torch.cat([theirs[f'head.gaussian.{kind}'], theirs[f'head.discrete.{kind}']])
        for kind in ('weight', 'bias')
    }
    ours = {
        'torso.input.weight': theirs['torso.input.weight'].T,
        'torso.input.bias': theirs['torso.input.bias'][None],
        'torso.gain': theirs['torso.norm.weight'][None],
        'torso.offset': theirs['torso.norm.bias'][None],
        'heads.output.weight': output['weight'].T[None],
        'heads.output.bias': output['bias'][None, None],
    }
    for layer in (0, 1):
        ours[f'heads.layers.{layer}.weight'] = theirs[f'torso.layers.{layer}.weight'].T[None]
        ours[f'heads.layers.{layer}.bias'] = theirs[f'torso.layers.{layer}.bias'][None, None]
    actor.load_state_dict(ours)
    x = torch.from_numpy(states)
    with torch.no_grad():
        for one, other in zip(actor(x), released(x), strict=True):
            torch.testing.assert_close(one[0], other, atol=1e-5, rtol=1e-5)


def test_released_critic_says_what_numpy_says(file, weights, states):
    actions = np.random.default_rng(1).normal(size=(3, 32, 5)).astype(np.float32)
    with torch.no_grad():
        q = load_released_critic(file)(
            torch.from_numpy(states), torch.from_numpy(actions)[:, None]
        )
    assert q.shape == (1, 3, 1, 32)
    for ours, action in zip(q[0, :, 0], actions, strict=True):
        expected = critic_in_numpy(weights, states, action)
        np.testing.assert_allclose(ours.numpy(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ('load', 'array'), [(load_released, 'disc_w'), (load_released_critic, 'q_h1_b')]
)
def test_broken_released_weights_are_named(tmp_path, weights, load, array):
    del weights[array]
    np.savez(tmp_path / 'released.npz', **weights)
    with pytest.raises(ValueError, match=rf'released\.npz: not the weights .*{array}'):
        load(tmp_path / 'released.npz')
    np.savez(tmp_path / 'released.npz', **weights, **{array: np.zeros((3, 3), np.float32)})
    with pytest.raises(ValueError, match=r'released\.npz: weights do not fit'):
        load(tmp_path / 'released.npz')
