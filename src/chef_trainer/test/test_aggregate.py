"""The data set gives back what the environment showed, history included."""

import dataclasses

import numpy as np
import pytest
from point_mass import OBSERVATIONS, STEPS, PointMass

from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.collect import Collection, Relay, collect
from chef_trainer.evaluation.actors import load_actor
from chef_trainer.evaluation.rollout import rollout
from chef_trainer.testing import tiny_spec, write_tiny_policy


def collection(teachers, target, seed):
    return Collection(
        entry='point_mass:PointMass',
        triplet='1',
        seed=seed,
        teacher=str(teachers / 'triplet1.npz'),
        student='none yet',
        teacher_share=1.0,
        segment=5.0,
        sampled=True,
        observations=OBSERVATIONS,
        target=target,
    )


@pytest.fixture
def aggregate(teachers, tmp_path):
    paths = [tmp_path / f'{seed}.npz' for seed in (7, 8)]
    for seed, path in zip((7, 8), paths, strict=True):
        collect(collection(teachers, path, seed))
    aggregate = Aggregate(OBSERVATIONS)
    for task, path in enumerate(paths):
        aggregate.add([(path, task)])
    return aggregate


def test_batches_hold_what_the_environment_showed(aggregate, teachers):
    actor = load_actor(str(teachers / 'triplet1.npz'))
    env = PointMass('1', OBSERVATIONS, None, True)
    seen = [step for seed in (7, 8) for step in rollout(env, actor, seed, sampled=True)]
    assert len(aggregate) == len(seen)
    states = aggregate.states(np.arange(len(seen)))
    for spec in OBSERVATIONS:
        expected = np.stack([step.observation[spec.name] for step in seen])
        np.testing.assert_array_equal(states.observations[spec.name].numpy(), expected)
    benchmark = np.stack([step.info['benchmark_observation'] for step in seen])
    np.testing.assert_array_equal(states.benchmark.numpy(), benchmark)
    assert states.task.tolist() == [0] * STEPS + [1] * STEPS


def test_random_batches_follow_their_seed(aggregate):
    first, again, other = (
        aggregate.random_states(16, (1, step)).observations['goal'] for step in (4, 4, 5)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_batches_in_order_cover_every_state_once(aggregate):
    batches = [states.task for states in aggregate.in_order(7, first=5)]
    assert sum(map(len, batches)) == len(aggregate) - 5


def test_digest_follows_the_data(aggregate, teachers, tmp_path):
    other = Aggregate(OBSERVATIONS)
    other.add([(tmp_path / '7.npz', 0), (tmp_path / '8.npz', 1)])
    assert other.sha256 == aggregate.sha256
    swapped = Aggregate(OBSERVATIONS)
    swapped.add([(tmp_path / '8.npz', 0), (tmp_path / '7.npz', 1)])
    assert swapped.sha256 != aggregate.sha256


def test_broken_and_foreign_episodes_are_named(aggregate, tmp_path):
    whole = (tmp_path / '7.npz').read_bytes()
    (tmp_path / 'half.npz').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r'half\.npz: broken episode, delete it'):
        aggregate.add([(tmp_path / 'half.npz', 0)])
    with pytest.raises(ValueError, match=r'7\.npz: frames of 12 numbers, the recipe has 7'):
        Aggregate(OBSERVATIONS[::2]).add([(tmp_path / '7.npz', 0)])


def test_relay_shares_the_time_and_keeps_its_seed(teachers, tmp_path):
    write_tiny_policy(tmp_path / 'student.onnx', tiny_spec(OBSERVATIONS), gain=0.0)
    job = dataclasses.replace(
        collection(teachers, tmp_path / 'episode.npz', 0),
        student=str(tmp_path / 'student.onnx'),
        teacher_share=0.4,
        sampled=False,
    )
    env = PointMass('1', OBSERVATIONS, None, True)
    still = []
    for seed in range(100):
        relay = Relay(dataclasses.replace(job, seed=seed))
        still += [not step.action[:4].any() for step in rollout(env, relay, seed, sampled=False)]
    # A student of zero gain stands still.
    assert np.mean(still) == pytest.approx(0.6, abs=0.1)
    switches = np.mean(np.diff(np.array(still).reshape(100, STEPS)))
    assert switches == pytest.approx(2 * 0.4 * 0.6 / job.segment, abs=0.03)

    collect(job)
    first = job.target.read_bytes()
    collect(job)
    assert job.target.read_bytes() == first
