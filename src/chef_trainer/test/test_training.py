"""A whole run on rollouts of the point mass: resumed after a kill, guarded, plotted."""

import dataclasses
import errno
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from point_mass import OBSERVATIONS
from safetensors.torch import load_file

from chef_trainer.curves import Log
from chef_trainer.errors import DivergedError, RunError
from chef_trainer.learner import checkpoint
from chef_trainer.learner.learner import Learner
from chef_trainer.learner.run import TrainRun
from chef_trainer.learner.settings import OnlineSettings, TrainSettings
from chef_trainer.learner.train import train
from chef_trainer.policy_file import read_spec
from chef_trainer.progress import progress_bars
from chef_trainer.rollouts.episode import Episode, read_episode, write_episode
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy

STEPS = 12


def episode(seed: int) -> Episode:
    random = np.random.default_rng(seed)
    observations = {
        spec.name: random.normal(size=(STEPS + 1, *spec.stacked_shape)).astype(np.float32)
        for spec in OBSERVATIONS
    }
    actions = random.uniform(-1, 1, size=(STEPS, 5)).astype(np.float32)
    actions[:, 4] = np.sign(actions[:, 4])
    rewards = random.uniform(size=(STEPS, 1)).astype(np.float32)
    return Episode(observations, actions, rewards, ('reach',), False, bool(seed % 2))


@pytest.fixture
def data(tmp_path) -> Path:
    for seed in range(4):
        write_episode(tmp_path / 'data' / f'{seed}.npz', episode(seed))
    return tmp_path / 'data'


@pytest.fixture
def settings(data) -> TrainSettings:
    return TrainSettings(
        name='point_mass',
        method='crr',
        data=(str(data),),
        updates=30,
        observations=OBSERVATIONS,
        tasks=('reach',),
        change={'batch': 16, 'atoms': 11},
        networks={'hidden': (8, 8), 'critic_hidden': (8, 8)},
        seed=5,
        log_every=10,
        save_every=10,
    )


def carried_out(settings: TrainSettings, directory: Path) -> Learner:
    return train(TrainRun(settings, directory), progress_bars(quiet=True))


def curves(directory: Path) -> list[dict]:
    return Log(directory / 'curves.jsonl', 10**9).rows('train')


def test_a_run_leaves_curves_and_a_checkpoint(settings, tmp_path):
    learner = carried_out(settings, tmp_path / 'run')
    assert [row['step'] for row in curves(tmp_path / 'run')] == [10, 20, 30]
    assert {'loss_critic', 'loss_policy', 'q', 'gradient_policy'} <= set(
        curves(tmp_path / 'run')[0]
    )
    assert (tmp_path / 'run' / 'curves.png').read_bytes()[1:4] == b'PNG'
    assert len(list((tmp_path / 'run').glob('events.out.tfevents.*'))) == 1
    other = Learner(settings.row, settings.network_settings, settings.updates, seed=77)
    checkpoint.load(other, tmp_path / 'run' / 'checkpoint.safetensors')
    for ours, theirs in zip(
        learner.networks.state_dict().values(), other.networks.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from chef_trainer.learner import train as loop
from chef_trainer.learner.run import TrainRun, open_train_run
from chef_trainer.progress import progress_bars
run = open_train_run(Path(sys.argv[1]))
draw = loop.Sources.draw
seen = []
def deadly(self, update):  # once for the states' statistics, then for the update
    seen.append(update)
    if seen.count(int(sys.argv[2])) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(self, update)
loop.Sources.draw = deadly
loop.train(run, progress_bars(quiet=True))
"""


def test_a_killed_run_goes_on_as_if_it_had_not_been(settings, tmp_path):
    carried_out(settings, tmp_path / 'unbroken')
    directory = tmp_path / 'killed'
    TrainRun(settings, directory).claim('')
    directory.joinpath('run.json').write_bytes((tmp_path / 'unbroken/run.json').read_bytes())
    command = [sys.executable, '-c', KILLED, str(directory), '27', str(Path(__file__).parent)]
    assert subprocess.run(command, check=False, timeout=100).returncode == -signal.SIGKILL
    assert len(curves(directory)) == 2
    carried_out(settings, directory)
    assert curves(directory) == curves(tmp_path / 'unbroken')
    ends = [
        load_file(tmp_path / name / 'checkpoint.safetensors') for name in ('killed', 'unbroken')
    ]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_directory_of_another_run_or_other_data_is_refused(settings, data, tmp_path):
    carried_out(dataclasses.replace(settings, updates=10), tmp_path / 'run')
    with pytest.raises(RunError, match=r"differs in \['updates'\] .*there 10, here 30"):
        carried_out(settings, tmp_path / 'run')
    write_episode(data / '9.npz', episode(9))
    with pytest.raises(RunError, match=r"differs in \['data_sha256'\]"):
        carried_out(dataclasses.replace(settings, updates=10), tmp_path / 'run')


def test_a_run_of_before_a_setting_existed_goes_on_with_its_default(settings, tmp_path):
    file = tmp_path / 'run' / 'run.json'
    carried_out(settings, tmp_path / 'run')
    old = json.loads(file.read_text())
    for name in ('action', 'rate_hz', 'keep_every'):
        del old['settings'][name]
    file.write_text(json.dumps(old))
    assert carried_out(settings, tmp_path / 'run').step == settings.updates
    file.write_text(json.dumps(old))
    with pytest.raises(RunError, match=r"differs in \['rate_hz'\]"):
        carried_out(dataclasses.replace(settings, rate_hz=10.0), tmp_path / 'run')


def test_policies_are_kept_on_the_way(settings, tmp_path):
    run = TrainRun(dataclasses.replace(settings, keep_every=15), tmp_path / 'run')
    train(run, progress_bars(quiet=True))
    assert sorted(path.name for path in run.kept(15).parent.iterdir()) == [
        '00000015.onnx',
        '00000030.onnx',
    ]
    assert read_spec(run.kept(15)).provenance['updates'] == 15


def test_numbers_that_are_not_finite_stop_the_run_and_say_where(settings, tmp_path):
    wild = dataclasses.replace(settings, change={'batch': 16, 'learning_rate': 1e30})
    with pytest.raises(DivergedError, match=r'at update \d+ .*not in the data.*kept: no check'):
        carried_out(wild, tmp_path / 'run')


def test_broken_and_missing_data_are_named(settings, data, tmp_path):
    (data / '2.npz').write_bytes((data / '2.npz').read_bytes()[:300])
    with pytest.raises(ValueError, match=r'2\.npz: broken episode: .*delete it'):
        carried_out(settings, tmp_path / 'run')
    (data / '2.npz').unlink()
    with pytest.raises(RunError, match=r"tasks \['stack'\] have no rewards .*\('reach',\)"):
        carried_out(dataclasses.replace(settings, tasks=('stack',)), tmp_path / 'run')
    for path in data.iterdir():
        if int(path.stem) % 2:
            path.unlink()
    with pytest.raises(RunError, match='no successful episode to learn from'):
        carried_out(dataclasses.replace(settings, method='filtered_bc', change={}), tmp_path / 'b')


def test_a_full_disk_keeps_the_checkpoint_before(settings, tmp_path):
    learner = Learner(settings.row, settings.network_settings, 10)
    path = tmp_path / 'checkpoint.safetensors'
    checkpoint.save(learner, path)
    before = path.read_bytes()
    learner.step = 7
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match=r'checkpoint of update 7 not written') as raised:
            checkpoint.save(learner, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert raised.value.errno == errno.EFBIG
    assert path.read_bytes() == before
    assert not list(tmp_path.glob('.checkpoint*'))


def test_fine_tuning_starts_from_the_networks_of_another_run(settings, tmp_path):
    imitated = dataclasses.replace(settings, method='bc', change={'batch': 16}, updates=10)
    before = carried_out(imitated, tmp_path / 'bc')
    start = str(tmp_path / 'bc' / 'checkpoint.safetensors')
    learner = Learner(settings.row, settings.network_settings, 10, seed=1)
    checkpoint.start_from(learner, Path(start))
    assert torch.equal(learner.groups['policy'].vector[-8:], before.groups['policy'].vector[-8:])
    after = carried_out(dataclasses.replace(settings, start=start), tmp_path / 'tuned')
    assert after.step == settings.updates
    larger = {'networks': {'hidden': (9, 8), 'critic_hidden': (8, 8)}, 'start': start}
    with pytest.raises(ValueError, match='nothing to start this run from'):
        carried_out(dataclasses.replace(settings, **larger), tmp_path / 'larger')


def test_online_rounds_mix_own_episodes_with_a_teachers_advice(settings, tmp_path):
    write_tiny_policy(tmp_path / 'teacher.onnx', tiny_spec(OBSERVATIONS))
    online = dataclasses.replace(
        settings,
        method='r_crr',
        teacher=str(tmp_path / 'teacher.onnx'),
        online=OnlineSettings('point_mass:PointMass', ('1',), episodes=2, updates=30),
    )
    carried_out(online, tmp_path / 'run')
    rounds = sorted(path.name for path in (tmp_path / 'run' / 'online').iterdir())
    assert rounds == ['0000']
    assert len(list((tmp_path / 'run' / 'online').rglob('*.npz'))) == 2
    rows = Log(tmp_path / 'run' / 'curves.jsonl', 10**9).rows('online')
    assert [row['online_transitions'] for row in rows] == [40]


def test_a_policy_learns_from_a_teacher_that_sees_more(settings, tmp_path):
    write_tiny_policy(tmp_path / 'teacher.onnx', tiny_spec(OBSERVATIONS))
    position = dataclasses.replace(OBSERVATIONS[0], history=1)
    blind = dataclasses.replace(
        settings,
        method='dagger_mixed',
        observations=(position, OBSERVATIONS[2]),
        networks={'hidden': (8, 8), 'auxiliary': ({'name': 'goal', 'shape': (5,), 'unit': 'm'},)},
        change={'batch': 16},
        teacher=str(tmp_path / 'teacher.onnx'),
        online=OnlineSettings('point_mass:PointMass', ('1',), episodes=1, updates=20),
        keep_every=30,
    )
    carried_out(blind, tmp_path / 'run')
    assert 'loss_auxiliary' in curves(tmp_path / 'run')[0]
    spec = read_spec(tmp_path / 'run' / 'kept' / '00000030.onnx')
    assert {one.name: one.stacked_shape for one in spec.observations} == {
        'position': (5,),
        'triplet': (2,),
    }
    (own,) = map(read_episode, (tmp_path / 'run' / 'online' / '0001').iterdir())
    assert {name: value.shape[1:] for name, value in own.observations.items()} == {
        'position': (2, 5),
        'goal': (5,),
        'triplet': (2,),
    }
    wind = tiny_spec((ObservationSpec('wind', (2,), 'm/s'),))
    write_tiny_policy(tmp_path / 'teacher.onnx', wind)
    with pytest.raises(
        RunError, match=r"needs wind \(2,\), the episodes have {'position': \(2, 5"
    ):
        carried_out(blind, tmp_path / 'other')
