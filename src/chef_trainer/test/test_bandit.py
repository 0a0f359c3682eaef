"""Every method on a bandit whose improved policy is known in closed form.

One state; an action is a number and a side, open or close; only the side is rewarded. Two tasks
reward opposite sides, so their heads must end mirrored. The critic is learned too: the discount
is 0, so Q is the reward.
"""

import dataclasses
import math

import pytest
import torch

from chef_trainer.learner.batch import Transitions
from chef_trainer.learner.learner import Learner
from chef_trainer.methods.method import Weighting
from chef_trainer.methods.schedule import schedule
from chef_trainer.methods.table import METHODS
from chef_trainer.networks.agent import NetworkSettings
from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.spec import ObservationSpec

SETTINGS = NetworkSettings(
    observations=(ObservationSpec('x', (2,), '1'),),
    tasks=('close', 'open'),
    action_size=2,
    hidden=(16, 16),
    critic_hidden=(16, 16),
)
BATCH = 64
CLOSES = 0.25  # share of the data
TEACHER = 0.6  # probability that the teacher closes
GAIN = 0.8  # reward of the right side
ETA = 0.7
NEVER = 10**6


@pytest.fixture
def batch() -> Transitions:
    close = torch.arange(BATCH) < CLOSES * BATCH
    number = torch.linspace(-0.8, 0.4, BATCH)[torch.randperm(BATCH)]
    action = torch.stack([number, torch.where(close, 1.0, -1.0)], dim=1)
    reward = GAIN * torch.stack([close, ~close]).float()
    state = {'x': torch.ones(BATCH, 2)}
    logit = math.log(TEACHER / (1 - TEACHER))
    teacher = MixedDistribution(
        torch.zeros(BATCH, 1), torch.ones(BATCH, 1), torch.tensor([0.0, logit]).repeat(BATCH, 1)
    )
    return Transitions(state, action, reward, torch.zeros(BATCH), state, teacher)


def learned(name: str, batch: Transitions, updates: int = 200, **changes) -> Learner:
    """Carry out the row `name`, adapted to a tiny problem, on one batch."""
    row = METHODS[name]
    changes = {
        'learning_rate': 0.03,
        'target_period': NEVER,
        'dual_rate': 0.05,
        'cosine': True,
        **changes,
    }
    if row.atoms:
        changes = {'atoms': 11, 'value_range': (0.0, 1.0), **changes}
    if row.temperature:
        changes = {'temperature': schedule(ETA), **changes}
    judged_by_target = row.target_weights or name == 'iql'
    if judged_by_target and 'target_rate' not in changes:
        changes |= {'target_period': 1, 'target_rate': 0.1}
    learner = Learner(dataclasses.replace(row, **changes), SETTINGS, updates)
    for _ in range(updates):
        learner.update(batch)
    learner.check()
    return learner


def closing(learner: Learner) -> list[float]:
    """Return the probability to close, of each task."""
    with torch.no_grad():
        policy = learner.networks.actor(learner.networks.encoder({'x': torch.ones(1, 2)}))
    return policy.logits.softmax(-1)[:, 0, 1].tolist()


def improved(prior: float, eta: float = ETA) -> list[float]:
    """prior(a) exp(Q(a) / eta), normalised: the probability to close, of each task."""
    odds = prior / (1 - prior)
    return [1 / (1 + math.exp(-sign * GAIN / eta) / odds) for sign in (1, -1)]


def test_imitation_finds_the_data(batch):
    learner = learned('bc', batch)
    assert closing(learner) == pytest.approx([CLOSES] * 2, abs=0.01)
    with torch.no_grad():
        policy = learner.networks.actor(learner.networks.encoder(batch.observation))
    number = batch.action[:, 0]
    assert policy.mean[0, 0, 0].item() == pytest.approx(number.mean().item(), abs=0.02)
    assert policy.stddev[0, 0, 0].item() == pytest.approx(number.std().item(), abs=0.02)


def test_dagger_finds_the_teacher(batch):
    assert closing(learned('dagger', batch, samples=64)) == pytest.approx([TEACHER] * 2, abs=0.04)


@pytest.mark.parametrize('name', ['crr', 'awac', 'iql'])
def test_advantage_weights_find_the_improved_data(batch, name):
    assert closing(learned(name, batch, samples=16)) == pytest.approx(improved(CLOSES), abs=0.01)


@pytest.mark.parametrize('name', ['crr', 'awac', 'iql'])
def test_a_learned_temperature_moves_from_the_data_as_far_as_it_was_asked_to(batch, name):
    changes = {'weighting': Weighting.BATCH, 'temperature': None, 'epsilon': 0.02, 'samples': 16}
    learner = learned(name, batch, updates=400, dual_rate=0.1, **changes)
    for task, new in enumerate(closing(learner)):
        kl = new * math.log(new / CLOSES) + (1 - new) * math.log((1 - new) / (1 - CLOSES))
        assert kl == pytest.approx(0.02, abs=0.003)
        assert new > CLOSES if task == 0 else new < CLOSES


def test_binary_weights_find_the_best_action(batch):
    assert closing(learned('crr_binary', batch)) == pytest.approx([1, 0], abs=0.03)


def test_r_crr_improves_on_the_mixture_of_data_and_teacher(batch):
    share = METHODS['r_crr'].teacher_share
    prior = (1 - share) * CLOSES + share * TEACHER
    assert closing(learned('r_crr', batch)) == pytest.approx(improved(prior), abs=0.06)


def test_r_crr_target_improves_on_the_mixture_of_policy_and_teacher(batch):
    share = METHODS['r_crr_target'].teacher_share
    start = closing(learned('r_crr_target', batch, updates=0))
    expected = [
        improved((1 - share) * old + share * TEACHER)[task] for task, old in enumerate(start)
    ]
    assert closing(learned('r_crr_target', batch, samples=32)) == pytest.approx(expected, abs=0.06)


def test_mpo_moves_as_far_as_its_trust_region(batch):
    changes = {'epsilon_logits': 0.02, 'target_weights': False, 'samples': 64, 'dual_rate': 0.2}
    start = closing(learned('mpo', batch, updates=0))
    end = closing(learned('mpo', batch, target_rate=1.0, **changes))
    for task, (old, new) in enumerate(zip(start, end, strict=True)):
        kl = old * math.log(old / new) + (1 - old) * math.log((1 - old) / (1 - new))
        assert kl == pytest.approx(0.02, abs=0.002)
        assert new > old if task == 0 else new < old


def test_r_mpo_without_trust_region_improves_on_the_mixture_of_policy_and_teacher(batch):
    changes = {'trust_region': False, 'target_weights': False, 'samples': 64, 'epsilon': 0.02}
    start = closing(learned('r_mpo', batch, updates=0))
    learner = learned('r_mpo', batch, target_rate=1.0, **changes)
    share = METHODS['r_mpo'].teacher_share
    with torch.no_grad():
        eta = torch.nn.functional.softplus(learner.networks.duals['temperature'])
    expected = [
        improved((1 - share) * old + share * TEACHER, eta[task].item())[task]
        for task, old in enumerate(start)
    ]
    assert closing(learner) == pytest.approx(expected, abs=0.05)


def test_td3_finds_the_best_action(batch):
    assert closing(learned('td3', batch)) == pytest.approx([1, 0], abs=0.05)


def test_sac_finds_the_boltzmann_policy(batch):
    learner = learned('sac', batch, dual_rate=0.0)  # alpha stays 1
    assert closing(learner) == pytest.approx(improved(0.5, 1.0), abs=0.03)
