"""The data set gives back what the environment showed, history included."""

import numpy as np
import pytest
from point_mass import OBSERVATIONS, PointMass

from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.collect import Collection, collect
from chef_trainer.evaluation.actors import load_actor
from chef_trainer.evaluation.rollout import rollout


def collection(teachers, target, seed):
    teacher = str(teachers / 'triplet1.npz')
    return Collection(
        'point_mass:PointMass', '1', seed, teacher, teacher, True, OBSERVATIONS, target
    )


@pytest.fixture
def aggregate(teachers, tmp_path):
    paths = [tmp_path / f'{seed}.npz' for seed in (7, 8)]
    for seed, path in zip((7, 8), paths, strict=True):
        collect(collection(teachers, path, seed))
    aggregate = Aggregate(OBSERVATIONS)
    for path in paths:
        aggregate.add([path])
    return aggregate


def test_batches_hold_what_the_environment_showed(aggregate, teachers):
    actor = load_actor(str(teachers / 'triplet1.npz'))
    env = PointMass('1', OBSERVATIONS, None, True)
    seen = [step for seed in (7, 8) for step in rollout(env, actor, seed, sampled=True)]
    assert len(aggregate) == len(seen)
    observations, teacher = aggregate.batch(np.arange(len(seen)))
    for spec in OBSERVATIONS:
        expected = np.stack([step.observation[spec.name] for step in seen])
        np.testing.assert_array_equal(observations[spec.name].numpy(), expected)
    answers = actor.answer(np.stack([step.info['benchmark_observation'] for step in seen]))
    for ours, theirs in zip(teacher, answers, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-6)


def test_random_batches_follow_their_seed(aggregate):
    first, again, other = (aggregate.random_batch(16, (1, step))[0]['goal'] for step in (4, 4, 5))
    assert (first == again).all()
    assert (first != other).any()


def test_batches_in_order_cover_every_state_once(aggregate):
    batches = [teacher.mean for _, teacher in aggregate.batches(7, first=5)]
    assert sum(map(len, batches)) == len(aggregate) - 5


def test_digest_follows_the_data(aggregate, teachers, tmp_path):
    other = Aggregate(OBSERVATIONS)
    other.add([tmp_path / '7.npz', tmp_path / '8.npz'])
    assert other.sha256 == aggregate.sha256
    swapped = Aggregate(OBSERVATIONS)
    swapped.add([tmp_path / '8.npz', tmp_path / '7.npz'])
    assert swapped.sha256 != aggregate.sha256


def test_broken_and_foreign_episodes_are_named(aggregate, tmp_path):
    whole = (tmp_path / '7.npz').read_bytes()
    (tmp_path / 'half.npz').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r'half\.npz: broken episode, delete it'):
        aggregate.add([tmp_path / 'half.npz'])
    with pytest.raises(ValueError, match=r'7\.npz: frames of 12 numbers, the recipe has 7'):
        Aggregate(OBSERVATIONS[::2]).add([tmp_path / '7.npz'])
