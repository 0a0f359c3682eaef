"""What helps an encoder of images to learn: shifts, and states that it must tell."""

import dataclasses

import pytest
import torch

from chef_trainer.learner.batch import Transitions
from chef_trainer.learner.learner import Learner
from chef_trainer.methods.table import METHODS
from chef_trainer.networks.agent import NetworkSettings
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.networks.encoder import Encoder, VisionSettings, shifted
from chef_trainer.spec import ObservationSpec

CAMERA = ObservationSpec('image/a', (16, 16, 3), '1', 'uint8')
TOOL = ObservationSpec('tool', (2,), 'm')
BLOCK = ObservationSpec('block', (2,), 'm')
BATCH = 32


def test_a_shifted_image_is_the_same_elsewhere():
    torch.manual_seed(0)
    images = torch.randint(256, (200, 8, 8, 3), dtype=torch.uint8)
    moved = shifted(images, 2)
    seen = set()
    for before, after in zip(images, moved, strict=True):
        where = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if torch.equal(after[2:6, 2:6], before[2 + down : 6 + down, 2 + right : 6 + right])
        ]
        assert len(where) == 1
        seen.update(where)
    assert len(seen) == 25
    corner = shifted(torch.arange(4.0).reshape(1, 2, 2, 1).expand(50, 2, 2, 1), 9)
    assert set(corner.unique().tolist()) == {0, 1, 2, 3}  # the border goes on


def test_images_are_shifted_in_training_only():
    encoder = Encoder((CAMERA,), vision=VisionSettings(shift=3))
    images = {'image/a': torch.randint(256, (4, 16, 16, 3), dtype=torch.uint8)}
    assert not torch.equal(encoder(images), encoder(images))
    encoder.eval()
    assert torch.equal(encoder(images), encoder(images))
    with pytest.raises(ValueError, match='-1 pixels'):
        VisionSettings(shift=-1)


def batch_of_squares() -> Transitions:
    """A bright square at the block's place, and the action that goes there."""
    random = torch.Generator().manual_seed(0)
    block = torch.randint(0, 12, (BATCH, 2), generator=random)
    images = torch.zeros(BATCH, 16, 16, 3, dtype=torch.uint8)
    for image, (row, column) in zip(images, block.tolist(), strict=True):
        image[row : row + 4, column : column + 4] = 255
    place = block / 6 - 1
    observation = {'image/a': images, 'tool': torch.zeros(BATCH, 2), 'block': place}
    action = torch.cat([place, torch.zeros(BATCH, 2), torch.ones(BATCH, 1)], dim=1)
    reward, discount = torch.zeros(1, BATCH), torch.ones(BATCH)
    return Transitions(observation, action, reward, discount, observation)


@pytest.mark.parametrize('method', ['bc', 'crr'])
def test_the_encoder_learns_to_tell_states_that_the_policy_does_not_see(method):
    row = dataclasses.replace(METHODS[method], learning_rate=3e-3)
    settings = NetworkSettings((CAMERA, TOOL), hidden=(16,), auxiliary=(BLOCK,))
    learner, batch = Learner(row, settings, 100), batch_of_squares()
    learner.fit_features([batch])
    found = []
    for _ in range(40):
        learner.update(batch)
        found.append(learner.check()['loss_auxiliary'])
    assert found[0] > 0.3
    assert found[-1] < 0.3 * found[0]
    policy = DeployedPolicy(learner.networks)
    assert not [name for name in policy.state_dict() if 'auxiliary' in name]
    seen = {name: batch.observation[name] for name in ('image/a', 'tool')}
    assert policy(seen).mean.shape == (BATCH, 4)
