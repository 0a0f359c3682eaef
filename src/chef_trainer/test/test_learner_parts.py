"""The learner's parts: flat parameters, methods that contradict themselves, settings."""

import dataclasses
import json

import pytest
import torch
from torch import nn

from chef_trainer.learner import settings as files
from chef_trainer.learner.batch import Transitions
from chef_trainer.learner.flat import Flat
from chef_trainer.learner.learner import Learner
from chef_trainer.learner.settings import SettingsError, TrainSettings, from_dict, to_dict
from chef_trainer.methods.method import Evaluation, Method, Proposals, Weighting
from chef_trainer.methods.table import METHODS, method
from chef_trainer.networks.agent import NetworkSettings
from chef_trainer.spec import ObservationSpec


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    return layers.to(memory_format=torch.channels_last)


def test_flat_adam_is_that_of_torch():
    ours, theirs = network(), network()
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01, weight_decay=0.1)
    flat = Flat(list(ours.parameters()))
    assert ours[0].weight.is_contiguous(memory_format=torch.channels_last)
    x = torch.randn(5, 3, 6, 6).to(memory_format=torch.channels_last)
    for _ in range(5):
        optimizer.zero_grad()
        theirs(x).square().mean().backward()
        norm = nn.utils.clip_grad_norm_(theirs.parameters(), 0.05)
        optimizer.step()
        gradient = flat.gradient(ours(x).square().mean())
        found = flat.step(gradient, torch.tensor(0.01), 0.05, weight_decay=0.1)
        torch.testing.assert_close(found, norm)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_target_moves_by_its_rate_or_is_copied():
    observations = (ObservationSpec('x', (2,), '1'),)
    sizes = NetworkSettings(observations, hidden=(4, 4), critic_hidden=(4, 4))
    for rate in (0.25, 1.0):
        row = dataclasses.replace(METHODS['iql'], target_rate=rate)
        learner = Learner(row, sizes, 10)
        with torch.no_grad():
            learner.groups['critic'].vector += 1
        before = learner.targets['critic'].vector.clone()
        learner._move_target()
        moved = learner.targets['critic'].vector - before
        torch.testing.assert_close(moved, torch.full_like(moved, rate))


@pytest.mark.parametrize('name', ['iql', 'crr', 'sac', 'mpo'])
def test_bfloat16_products_keep_the_direction_of_every_gradient(name):
    observations = (ObservationSpec('x', (6,), '1'),)
    sizes = NetworkSettings(observations, hidden=(32, 32), critic_hidden=(32, 32))
    torch.manual_seed(0)
    action = torch.rand(64, 5) * 2 - 1
    action[:, 4] = action[:, 4].sign()
    states = [{'x': torch.randn(64, 6)} for _ in range(2)]
    batch = Transitions(states[0], action, torch.rand(1, 64), torch.full((64,), 0.99), states[1])
    found = []
    for bfloat16 in (False, True):
        learner = Learner(METHODS[name], sizes, 10, bfloat16=bfloat16)
        with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16, cache_enabled=False):
            torch.manual_seed(1)
            found.append(learner._gradients(batch, torch.tensor(1.0), True)[0])
        learner.update(batch)
        learner.check()
    exact, fast = found
    assert exact.keys() == fast.keys()
    for group, gradient in exact.items():
        assert fast[group].dtype == torch.float32
        assert torch.cosine_similarity(gradient, fast[group], dim=0) > 0.99
        assert not torch.equal(gradient, fast[group])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'weighting': Weighting.EXPONENTIAL}, 'needs an evaluation'),
        ({'proposals': Proposals.PATHWISE}, 'needs an evaluation'),
        ({'temperature': None}, 'a learned temperature'),
        (
            {
                'weighting': Weighting.EXPONENTIAL,
                'evaluation': Evaluation.EXPECTILE,
                'atoms': 11,
            },
            'an expectile needs a scalar critic',
        ),
        ({'trust_region': True}, 'a trust region needs proposals of the policy'),
        ({'teacher_share': 1.5}, r'teacher_share = 1\.5, must be in 0 \.\. 1'),
        ({'samples': 0}, 'samples = 0, must be at least 1'),
        ({'atoms': 1}, 'atoms = 1'),
    ],
)
def test_methods_that_contradict_themselves_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Method(**changes)


def test_every_method_of_the_issue_is_in_the_table():
    assert list(METHODS) == [
        'bc', 'filtered_bc', 'dagger', 'dagger_mixed', 'crr', 'crr_binary', 'crr_mixed', 'awac',
        'iql', 'mpo', 'r_mpo', 'r_crr', 'r_crr_target', 'td3', 'sac',
    ]  # fmt: skip
    with pytest.raises(ValueError, match="method 'ppo' is unknown, there are: bc, "):
        method('ppo')


def test_settings_survive_their_file(tmp_path):
    values = {
        'name': 'mine',
        'method': 'awac',
        'data': 'sessions',
        'observations': {'names': ['tool_pose', 'image/basket_front_left'], 'history': 2},
        'change': {'temperature': [[0, 1.0], [10, 0.5]], 'batch': 32, 'online_share': 0},
        'networks': {'hidden': [8, 8], 'vision': {'torso': 'large', 'bfloat16': True}},
    }
    (tmp_path / 'mine.yaml').write_text(json.dumps(values))
    flags = {'change.batch': 64, 'updates': '5'}
    settings = files.load_settings(tmp_path / 'mine.yaml', flags)
    assert (settings.row.batch, settings.updates, settings.data) == (64, 5, ('sessions',))
    assert settings.row.temperature(5) == 0.75
    assert settings.network_settings.vision.torso == 'large'
    assert settings.observations[1].stacked_shape == (2, 128, 128, 3)
    assert from_dict(json.loads(json.dumps(to_dict(settings)))) == settings


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'updats': 3}, "TrainSettings: unknown 'updats', allowed: action, change, compiled"),
        ({'change': {'batc': 3}}, "Method: unknown 'batc', allowed: atoms"),
        ({'networks': {'vision': {'size': 3}}}, "unknown 'size', allowed: bfloat16, shift, torso"),
        ({'networks': {'hidden': []}}, 'hidden = '),
        ({'updates': 'many'}, "updates = 'many'"),
        ({'updates': 0}, 'updates = 0, must be at least 1'),
        ({'compiled': 'yes please'}, 'compiled = .*expected true or false'),
        ({'change': {'atoms': 51}, 'method': 'sac', 'online': {'env': 'a:b'}}, 'scalar critic'),
    ],
)
def test_settings_name_what_is_wrong(values, message):
    with pytest.raises(ValueError, match=message):
        from_dict({'name': 'x', 'method': 'bc', 'data': ['x'], **values})


def test_flags_are_yaml():
    assert files.parse_flag('triplets=["1", "2"]') == ('triplets', ['1', '2'])
    with pytest.raises(SettingsError, match='expected KEY=VALUE'):
        files.parse_flag('triplets')
    assert TrainSettings(name='x', method='bc', data=('x',)).row == METHODS['bc']
