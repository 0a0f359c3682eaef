"""The learner on data whose best fit is known, and its checkpoints."""

import dataclasses

import numpy as np
import pytest
import torch

from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.learner import Learner
from chef_trainer.distillation.recipe import RecipeError, from_dict
from chef_trainer.distillation.teachers import Teachers
from chef_trainer.errors import DivergedError
from chef_trainer.networks.distributions import MixedDistribution

STATES = 64


@pytest.fixture
def recipe(recipe_values):
    return from_dict({**recipe_values, 'batch': STATES, 'learning_rate': 0.01})


class Disagreeing:
    """Two teachers who answer alike everywhere, each in its own way."""

    def traced(self, benchmark: torch.Tensor, task: torch.Tensor) -> tuple:
        first = (task == 0)[:, None]
        answer = MixedDistribution(
            torch.where(first, -0.4, 0.2).expand(-1, 4),
            torch.where(first, 0.1, 0.3).expand(-1, 4),
            torch.where(first, torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0])),
        )
        return answer, ()


@pytest.fixture
def aggregate(recipe, tmp_path):
    """One and the same state, seen in an episode of each task: nobody can tell which."""
    width = sum(int(np.prod(spec.shape)) for spec in recipe.observations)
    np.savez(
        tmp_path / 'episode.npz',
        frames=np.zeros((STATES // 2, width), np.float32),
        benchmark=np.zeros((STATES // 2, 292), np.float32),
    )
    aggregate = Aggregate(recipe.observations)
    aggregate.add([(tmp_path / 'episode.npz', task) for task in (0, 1)])
    return aggregate


def test_student_of_two_teachers_reaches_the_closed_form(recipe, aggregate):
    learner = Learner(recipe, Disagreeing())
    whole = aggregate.states(np.arange(STATES))
    for _ in range(recipe.updates):
        learner.update(whole)
    with torch.no_grad():
        mean, stddev, logits = (part[0] for part in learner.policy(whole.observations))
    # The M-projection matches mean, variance (its own plus that between the means) and
    # gripper probability.
    assert mean.tolist() == pytest.approx([-0.1] * 4, abs=2e-3)
    variance = (0.1**2 + 0.3**2) / 2 + 0.3**2
    assert stddev.tolist() == pytest.approx([variance**0.5] * 4, abs=2e-3)
    closes = (1 / (1 + np.exp(-2)) + 1 / (1 + np.exp(1))) / 2
    assert logits.softmax(-1)[1].item() == pytest.approx(closes, abs=2e-3)


def test_rate_falls_along_a_cosine(recipe):
    learner = Learner(recipe, Disagreeing())
    rates = []
    for learner.step in (0, recipe.updates // 2, recipe.updates):
        rates.append(learner.learning_rate())
    assert rates == pytest.approx([0.01, 0.005, 0.0])


def test_loss_that_is_not_finite_stops_and_says_where(recipe, aggregate):
    learner = Learner(recipe, Disagreeing())
    states = aggregate.states(np.arange(4))
    states.observations['goal'][:] = torch.nan
    learner.step = 17
    with pytest.raises(DivergedError, match='loss is nan at update 17'):
        learner.update(states)


def test_teachers_are_not_taken_to_be_surer_than_the_recipe_says(recipe, aggregate):
    learner = Learner(dataclasses.replace(recipe, min_stddev=0.2), Disagreeing())
    states = aggregate.states(np.arange(STATES))
    for _ in range(recipe.updates):
        learner.update(states)
    with torch.no_grad():
        stddev = learner.policy(states.observations).stddev[0]
    variance = (0.2**2 + 0.3**2) / 2 + 0.3**2
    assert stddev.tolist() == pytest.approx([variance**0.5] * 4, abs=2e-3)


def test_learner_goes_on_from_a_checkpoint_bit_for_bit(recipe, aggregate, tmp_path):
    unbroken, resumed = (Learner(recipe, Disagreeing()) for _ in range(2))
    for _ in range(5):
        unbroken.update(unbroken.draw(aggregate))
    unbroken.save(tmp_path / 'checkpoint')
    resumed.load(tmp_path / 'checkpoint')
    assert resumed.step == 5
    losses = [
        [learner.update(learner.draw(aggregate)) for _ in range(5)]
        for learner in (unbroken, resumed)
    ]
    assert losses[0] == losses[1]
    for ours, theirs in zip(
        unbroken.policy.state_dict().values(), resumed.policy.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_checkpoint_of_something_else_is_refused(recipe, recipe_values, tmp_path):
    other = from_dict({**recipe_values, 'hidden': [8]})
    Learner(other, Disagreeing()).save(tmp_path / 'other')
    (tmp_path / 'broken').write_bytes(b'{}')
    for name in ('other', 'broken', 'absent'):
        with pytest.raises(ValueError, match=f'{name}: not a checkpoint of this recipe'):
            Learner(recipe, Disagreeing()).load(tmp_path / name)


def test_hints_bring_the_hidden_layers_of_student_and_teacher_together(
    recipe_values, aggregate, teachers
):
    hidden = [16, 16, 16]  # of the teachers
    values = {**recipe_values, 'hidden': hidden, 'chooser': 'triplet', 'hints': 1.0}
    with pytest.raises(RecipeError, match=r'hidden = \(32, 32\): hints need .* \(16, 16, 16\)'):
        Learner(from_dict({**values, 'hidden': [32, 32]}), Teachers(teachers_of(teachers)))
    learner = Learner(from_dict(values), Teachers(teachers_of(teachers)))
    states = aggregate.states(np.arange(STATES))
    states.observations['triplet'][torch.arange(STATES), states.task] = 1.0
    states = states._replace(benchmark=torch.rand(STATES, 292))
    states.observations['position'].uniform_()
    before = learner.compare(states)[1].item()
    for _ in range(200):
        learner.update(states)
    assert learner.compare(states)[1].item() < 0.5 * before


def teachers_of(folder):
    return [folder / f'triplet{triplet}.npz' for triplet in (1, 2)]
