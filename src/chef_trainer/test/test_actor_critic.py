"""Batched networks, the encoder with cameras, actor and critic with tasks."""

import pytest
import torch
from torch import nn

from chef_trainer.networks.actor import Actor
from chef_trainer.networks.batched import BatchedMLP, BatchedTanhTorso
from chef_trainer.networks.critic import Critic, StateValue
from chef_trainer.networks.encoder import Encoder, VisionSettings
from chef_trainer.networks.resnet import LARGE, SMALL, ResNet
from chef_trainer.spec import ObservationSpec

WRENCH = ObservationSpec('wrench', (6,), 'N, N m', history=2)
FRONT = ObservationSpec('image/front', (32, 24, 3), '1', dtype='uint8')
BACK = ObservationSpec('image/back', (32, 24, 3), '1', dtype='uint8')


def test_batched_networks_are_those_they_hold():
    torch.manual_seed(0)
    torso, mlp = BatchedTanhTorso((3, 1), 7, 8), BatchedMLP((3, 2), 8, (16,), 4)
    x = torch.randn(5, 7)
    y = mlp(torso(x))
    assert y.shape == (3, 2, 5, 4)
    member, task = 2, 1
    h = x @ torso.input.weight[member, 0] + torso.input.bias[member, 0]
    h = torch.tanh(nn.functional.layer_norm(h, (8,)))
    h = nn.functional.elu(
        h @ mlp.layers[0].weight[member, task] + mlp.layers[0].bias[member, task]
    )
    expected = h @ mlp.output.weight[member, task] + mlp.output.bias[member, task]
    torch.testing.assert_close(y[member, task], expected)


def test_many_samples_cost_the_critic_no_other_result():
    torch.manual_seed(0)
    critic = Critic(6, (8, 8, 8), members=2, tasks=3, action_size=5, outputs=11)
    states, actions = torch.randn(4, 6), torch.randn(7, 3, 4, 5)
    together = critic(states, actions)
    assert together.shape == (2, 7, 3, 4, 11)
    for sample in range(7):
        one = critic(states, actions[sample : sample + 1])
        torch.testing.assert_close(together[:, sample : sample + 1], one)
    shared = critic(states, actions[:, :1])
    repeated = critic(states, actions[:, :1].expand_as(actions))
    torch.testing.assert_close(shared[:, :, 0], repeated[:, :, 0])


def test_critic_sees_actions_as_the_cell_executes_them():
    critic = Critic(6, (8, 8), members=1, tasks=1, action_size=2)
    states = torch.randn(3, 6)
    far = critic(states, torch.full((1, 1, 3, 2), 7.0))
    assert torch.equal(far, critic(states, torch.ones(1, 1, 3, 2)))


@pytest.mark.parametrize('discrete', [False, True])
@pytest.mark.parametrize('squashed', [False, True])
def test_actor_has_a_distribution_per_task(discrete, squashed):
    actor = Actor(6, (8, 8), 3, 5, discrete, squashed)
    policy = actor(torch.randn(4, 6))
    assert policy.mean.shape == (3, 4, 5 - discrete)
    assert policy.sample(count=2).shape == (2, 3, 4, 5)
    choices = policy.choices()
    assert choices.actions.shape == (1 + discrete, 3, 4, 5)
    torch.testing.assert_close(choices.share.sum(0), torch.ones(3, 4))
    if discrete:
        assert choices.actions[0, ..., -1].unique().item() == -1
        assert choices.actions[1, ..., -1].unique().item() == 1


def test_state_value_has_one_number_per_task():
    assert StateValue(6, (8, 8), 3)(torch.randn(4, 6)).shape == (3, 4)


@pytest.mark.parametrize(('channels', 'pixels'), [(SMALL, 16 * 16 * 32), (LARGE, 8 * 8 * 64)])
def test_sizes_of_the_residual_networks(channels, pixels):
    network = ResNet((128, 128, 3), channels, 32)
    assert network.linear.in_features == pixels
    assert len([layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]) == (
        5 * len(channels)
    )


def test_encoder_joins_states_and_cameras():
    torch.manual_seed(0)
    encoder = Encoder((WRENCH, FRONT, BACK))
    batch = {
        'wrench': torch.randn(2, 2, 6),
        'image/front': torch.randint(256, (2, 32, 24, 3), dtype=torch.uint8),
        'image/back': torch.randint(256, (2, 32, 24, 3), dtype=torch.uint8),
    }
    encoded = encoder(batch)
    assert encoded.shape == (2, encoder.output_size) == (2, 12 + 2 * 32)
    swapped = encoder({**batch, 'image/front': batch['image/back']})
    torch.testing.assert_close(encoded[:, :12], swapped[:, :12])
    torch.testing.assert_close(swapped[:, 12:44], encoded[:, 44:])


def test_bfloat16_and_channels_last_change_little():
    torch.manual_seed(0)
    spec = ObservationSpec('image/front', (32, 24, 3), '1', dtype='uint8', history=2)
    exact, fast = (
        Encoder((spec,), vision=VisionSettings(bfloat16=fast)) for fast in (False, True)
    )
    fast.load_state_dict(exact.state_dict())
    batch = {spec.name: torch.randint(256, (2, *spec.stacked_shape), dtype=torch.uint8)}
    assert exact.resnet.stages[0].weight.is_contiguous(memory_format=torch.channels_last)
    encoded = exact(batch)
    assert encoded.dtype == fast(batch).dtype == torch.float32
    torch.testing.assert_close(encoded, fast(batch), atol=0.1, rtol=0.1)


def test_images_of_two_shapes_and_unknown_torsos_are_refused():
    wide = ObservationSpec('image/back', (32, 32, 3), '1', dtype='uint8')
    with pytest.raises(ValueError, match=r'all alike: .*\(32, 32, 3\)'):
        Encoder((FRONT, wide))
    with pytest.raises(ValueError, match=r"'huge', allowed: \['large', 'small'\]"):
        VisionSettings(torso='huge')
