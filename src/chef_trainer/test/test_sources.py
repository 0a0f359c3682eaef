"""Data sets in memory and in proportions: n-step windows, ends, shares, reproducibility."""

import dataclasses

import numpy as np
import pytest
import torch

from chef_trainer.learner.prefetch import prefetched
from chef_trainer.learner.sources import Sources
from chef_trainer.methods.schedule import Schedule, schedule
from chef_trainer.methods.table import METHODS
from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.rollouts.episode import Episode, read_episode, write_episode
from chef_trainer.rollouts.memory import Memory
from chef_trainer.spec import ObservationSpec, SpecError, longest

STEPS = 6


def counting(first: int, terminal: bool = False, success: bool = True) -> Episode:
    """An episode whose observation is its row, reward 2^t, the second task's -2^t."""
    rows = np.arange(first, first + STEPS + 1, dtype=np.float32)[:, None]
    rewards = 2.0 ** np.arange(STEPS, dtype=np.float32)
    return Episode(
        {'row': rows},
        np.tile(rows[:-1], (1, 5)) / 1000,
        np.stack([rewards, -rewards], axis=1),
        ('task', 'other'),
        terminal,
        success,
    )


@pytest.mark.parametrize('terminal', [False, True])
def test_windows_end_with_their_episode(terminal):
    memory = Memory([counting(0, terminal), counting(100, terminal)])
    batch = memory.sample(500, np.random.default_rng(0), n_step=3, discount=0.5)
    starts = batch.observation['row'][:, 0].astype(int)
    assert set(starts) == {*range(STEPS), *range(100, 100 + STEPS)}
    for start, action, rewards, discount, after in zip(
        starts,
        batch.action,
        batch.rewards,
        batch.discount,
        batch.next_observation['row'][:, 0],
        strict=True,
    ):
        t = start % 100
        steps = min(3, STEPS - t)
        expected = sum(0.5**i * 2.0 ** (t + i) for i in range(steps))
        assert rewards.tolist() == pytest.approx([expected, -expected])
        assert after == start + steps
        assert discount == (0 if terminal and t + steps == STEPS else 0.5**steps)
        assert action[0] == pytest.approx(start / 1000)


def test_memory_grows_and_remembers_what_it_is_made_of(tmp_path):
    memory = Memory([counting(0)])
    before = memory.sha256
    memory.extend([counting(100, success=False)])
    assert (len(memory), memory.count, memory.successes) == (2 * STEPS, 2, 1)
    assert memory.sha256 != before
    for number, success in enumerate((True, False)):
        write_episode(tmp_path / f'{number}.npz', counting(100 * number, success=success))
    assert Memory.open([tmp_path]).sha256 == memory.sha256
    assert Memory.open([tmp_path], successes_only=True).sha256 == before
    other = dataclasses.replace(counting(0), rewards=np.ones((STEPS, 1)), tasks=('task',))
    differs = r"has rewards \(1,\), those before \(2,\); tasks \('task',\), those before"
    with pytest.raises(ValueError, match=differs):
        memory.extend([other])


def test_an_episode_with_bad_numbers_is_refused(tmp_path):
    good = counting(0)
    write_episode(tmp_path / 'good.npz', good)
    assert read_episode(tmp_path / 'good.npz').tasks == good.tasks
    actions = good.actions.copy()
    actions[2, 1] = np.nan
    with pytest.raises(ValueError, match=r'actions is not finite at \(2, 1\)'):
        dataclasses.replace(good, actions=actions)
    with pytest.raises(ValueError, match='6 actions'):
        dataclasses.replace(good, rewards=good.rewards[:4])


def mixed(share, batch: int = 10, **changes) -> Sources:
    row = dataclasses.replace(
        METHODS['crr'], online_share=schedule(share), batch=batch, n_step=1, **changes
    )
    sets = {'dataset': (Memory([counting(0)]), [0]), 'online': (Memory([counting(100)]), [1])}
    return Sources(row, sets, seed=3)


@pytest.mark.parametrize('share', [0.0, 0.5, 0.8, 1.0])
def test_shares_hold_in_every_batch(share):
    sources = mixed(share)
    for update in range(20):
        batch = sources.draw(update)
        online = batch.observation['row'][:, 0] >= 100
        assert online.sum().item() == pytest.approx(10 * share)
        assert torch.equal(batch.reward[0] < 0, online)  # each set's own column


def test_a_share_between_two_counts_holds_on_average():
    sources = mixed(0.25, batch=3)
    counts = [sources.counts(u, np.random.default_rng(u))['online'] for u in range(2000)]
    assert set(counts) == {0, 1}
    assert np.mean(counts) == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 2000))


def test_awac_goes_from_the_data_to_its_own_episodes():
    share = METHODS['awac'].online_share
    assert [share(u) for u in (0, 500_000, 800_000, 1_100_000, 2_000_000)] == pytest.approx(
        [0, 0, 0.4, 0.8, 0.8]
    )
    temperature = METHODS['awac'].temperature
    assert [temperature(u) for u in (0, 450_000, 500_000)] == pytest.approx([1, 0.55, 0.1])


def test_a_schedule_needs_order():
    with pytest.raises(ValueError, match='in order'):
        Schedule(((10, 1.0), (0, 0.0)))
    with pytest.raises(ValueError, match='a number or pairs'):
        schedule('fast')


def test_a_missing_set_is_named():
    row = dataclasses.replace(METHODS['crr'], online_share=schedule(0.5), batch=10)
    with pytest.raises(ValueError, match=r'5 of 10 transitions of update 0 .* the online set'):
        Sources(row, {'dataset': (Memory([counting(0)]), [0])}).draw(0)


def test_a_batch_depends_on_seed_and_update_only():
    ahead = list(prefetched(mixed(0.5).draw, 4, 9, torch.device('cpu')))
    assert len(ahead) == 5
    for update, batch in zip(range(4, 9), ahead, strict=True):
        assert torch.equal(batch.action, mixed(0.5).draw(update).action)
    assert not torch.equal(ahead[0].action, ahead[1].action)


def test_an_error_while_drawing_ahead_reaches_the_learner():
    row = dataclasses.replace(METHODS['crr'], batch=4)
    with pytest.raises(ValueError, match='no transitions'):
        list(
            prefetched(Sources(row, {'dataset': (Memory(), [0])}).draw, 0, 3, torch.device('cpu'))
        )


def seen(history: int) -> ObservationSpec:
    return ObservationSpec('row', (1,), '1', history=history)


def test_images_stay_in_their_files_and_come_with_their_steps(tmp_path):
    files = [tmp_path / f'{first}.npz' for first in (0, 100)]
    for first, file in zip((0, 100), files, strict=True):
        rows = np.arange(first, first + STEPS + 1, dtype=np.uint8)
        images = np.tile(rows[:, None, None, None], (1, 4, 4, 3))
        known = counting(first)
        observations = {**known.observations, 'image/a': images}
        write_episode(file, dataclasses.replace(known, observations=observations))
    kept = read_episode(files[1]).observations
    assert isinstance(kept['image/a'], np.memmap)
    assert not isinstance(kept['row'], np.memmap)
    memory = Memory.open([tmp_path])
    assert memory.sha256 == Memory(map(read_episode, files)).sha256
    batch = memory.sample(200, np.random.default_rng(0))
    for observation in (batch.observation, batch.next_observation):
        assert observation['image/a'].shape == (200, 4, 4, 3)
        assert (observation['image/a'] == observation['row'][:, :, None, None]).all()
    content = files[1].read_bytes()
    files[1].write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match='broken episode'):
        read_episode(files[1])


def test_the_teacher_sees_what_the_policy_does_not(tmp_path):
    tall = np.arange(12, dtype=np.float32).reshape(4, 3, 1)
    episode = Episode(
        {'row': tall, 'secret': 10 + tall},
        np.zeros((3, 5), np.float32),
        np.zeros((3, 1), np.float32),
        ('task',),
        False,
        True,
    )
    asked = []

    def teacher(observation):
        asked.append(observation)
        return MixedDistribution(*(torch.zeros(8, size) for size in (4, 4, 2)))

    row = dataclasses.replace(METHODS['dagger'], online_share=schedule(0), batch=8)
    sources = Sources(row, {'dataset': (Memory([episode]), [0])}, teacher, seen=(seen(1),))
    batch = sources.draw(0)
    assert batch.teacher is not None
    assert list(batch.observation) == ['row']
    assert asked[0]['row'].shape == asked[0]['secret'].shape == (8, 3, 1)
    assert batch.observation['row'].tolist() == asked[0]['row'][:, 0].tolist()


def test_the_longest_history_serves_all():
    assert longest((seen(1), seen(3), seen(2))) == (seen(3),)
    stacked = torch.arange(6).reshape(2, 3, 1)
    assert seen(3).newest(stacked).tolist() == stacked.tolist()
    assert seen(2).newest(stacked).tolist() == [[[0], [1]], [[3], [4]]]
    assert seen(1).newest(stacked).tolist() == seen(1).newest(stacked[:, 0]).tolist() == [[0], [3]]
    with pytest.raises(SpecError, match='row is asked for as'):
        longest((seen(1), dataclasses.replace(seen(1), unit='m')))
