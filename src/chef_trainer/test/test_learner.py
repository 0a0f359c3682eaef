"""The learner on data whose best fit is known, and its checkpoints."""

import numpy as np
import pytest
import torch

from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.learner import DivergedError, Learner
from chef_trainer.distillation.recipe import from_dict

STATES = 64


@pytest.fixture
def recipe(recipe_values):
    return from_dict({**recipe_values, 'batch': STATES, 'learning_rate': 0.01})


def two_teachers(recipe, folder):
    """One state that two teachers answer in turn, so that nobody can tell whose turn it is."""
    width = sum(int(np.prod(spec.shape)) for spec in recipe.observations)
    first = np.arange(STATES)[:, None] % 2 == 0
    np.savez(
        folder / 'episode.npz',
        frames=np.zeros((STATES, width), np.float32),
        mean=np.where(first, -0.4, 0.2).astype(np.float32) * np.ones((1, 4), np.float32),
        stddev=np.where(first, 0.1, 0.3).astype(np.float32) * np.ones((1, 4), np.float32),
        logits=np.where(first, [[0.0, 2.0]], [[1.0, 0.0]]).astype(np.float32),
    )
    aggregate = Aggregate(recipe.observations)
    aggregate.add([folder / 'episode.npz'])
    return aggregate


def test_student_of_two_teachers_reaches_the_closed_form(recipe, tmp_path):
    aggregate, learner = two_teachers(recipe, tmp_path), Learner(recipe)
    whole = aggregate.batch(np.arange(STATES))
    for _ in range(recipe.updates):
        learner.update(whole)
    with torch.no_grad():
        mean, stddev, logits = (part[0] for part in learner.policy(whole[0]))
    # The M-projection matches mean, variance (its own plus that between the means) and
    # gripper probability.
    assert mean.tolist() == pytest.approx([-0.1] * 4, abs=2e-3)
    variance = (0.1**2 + 0.3**2) / 2 + 0.3**2
    assert stddev.tolist() == pytest.approx([variance**0.5] * 4, abs=2e-3)
    closes = (1 / (1 + np.exp(-2)) + 1 / (1 + np.exp(1))) / 2
    assert logits.softmax(-1)[1].item() == pytest.approx(closes, abs=2e-3)


def test_rate_falls_along_a_cosine(recipe):
    learner = Learner(recipe)
    rates = []
    for learner.step in (0, recipe.updates // 2, recipe.updates):
        rates.append(learner.learning_rate())
    assert rates == pytest.approx([0.01, 0.005, 0.0])


def test_loss_that_is_not_finite_stops_and_says_where(recipe, tmp_path):
    learner = Learner(recipe)
    observations, teacher = two_teachers(recipe, tmp_path).batch(np.arange(4))
    learner.step = 17
    with pytest.raises(DivergedError, match='loss is nan at update 17'):
        learner.update((observations, teacher._replace(mean=teacher.mean * torch.nan)))


def test_learner_goes_on_from_a_checkpoint_bit_for_bit(recipe, tmp_path):
    aggregate = two_teachers(recipe, tmp_path)
    unbroken, resumed = Learner(recipe), Learner(recipe)
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
    Learner(from_dict({**recipe_values, 'hidden': [8]})).save(tmp_path / 'other')
    (tmp_path / 'broken').write_bytes(b'{}')
    for name in ('other', 'broken', 'absent'):
        with pytest.raises(ValueError, match=f'{name}: not a checkpoint of this recipe'):
            Learner(recipe).load(tmp_path / name)
