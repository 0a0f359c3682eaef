"""What a policy saw live is, frame by frame, what the episode file gives a trainer."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from chef_cell.core.act import clip_action
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.sim.environment import StackingEnv
from chef_trainer.episodes.steps import STATES
from chef_trainer.replay import Dataset
from chef_trainer.spec import ObservationSpec
from chef_trainer.task.observe import observation_specs
from chef_trainer.testing import tiny_spec, write_tiny_policy

STEPS = 20
IMAGE = ObservationSpec('image/basket_front_left', (128, 128, 3), '1', 'uint8', history=2)
#: Made from joint positions by MuJoCo in the cell, and by a chain of link frames here.
BY_KINEMATICS = {'tool_pose', 'wrist_pose', 'wrist_twist'}


def every_state() -> tuple[ObservationSpec, ...]:
    """All states, half of them with history."""
    names = [spec.name for spec in STATES]
    return (*observation_specs(names[::2], history=3), *observation_specs(names[1::2]))


@pytest.fixture(scope='module')
def session(tmp_path_factory):
    """One lockstep episode of a policy that sees all states, and one of a policy that sees."""
    folder = tmp_path_factory.mktemp('live')
    # A linear policy answers to every number it sees; the gains keep its tanh from saturating.
    for name, observations, gain in (
        ('states', every_state(), 0.1),
        ('images', (*observation_specs(('wrench',)), IMAGE), 2e-5),
    ):
        write_tiny_policy(folder / f'{name}.onnx', tiny_spec(observations), seed=1, gain=gain)
    command = [
        *(sys.executable, '-m', 'chef_cell.cli.main', 'session', '--no-report', '--seed', '5'),
        *('--cameras', 'basket_front_left', '--out', str(folder / 'sessions')),
        *('--policy', str(folder / 'states.onnx'), '--policy', str(folder / 'images.onnx')),
        *('--triplet', '3', '--episodes', '1', '--set', f'session.max_steps={STEPS}'),
        *('--set', 'safety.force_limit=1000.0'),
    ]
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=220, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = (folder / 'sessions').glob('*/session.json')
    episodes = json.loads(record.read_text())['episodes']
    return {
        name: (record.parent / episode['file'], OnnxRunner(folder / f'{name}.onnx'), episode)
        for name, episode in zip(('states', 'images'), episodes, strict=True)
    }


@pytest.mark.parametrize('name', ['states', 'images'])
def test_the_recorded_commands_answer_the_offline_observations(session, name):
    path, runner, _ = session[name]
    dataset = Dataset.open(path, runner.spec.observations)
    assert not dataset.refused
    batch = dataset.gather(np.arange(len(dataset)))
    assert len(batch.action) == STEPS
    answers = []
    for row in range(STEPS):
        frame = {key: np.ascontiguousarray(value[row]) for key, value in batch.observation.items()}
        answers.append(clip_action(runner.act(frame)))
    np.testing.assert_array_equal(batch.action, np.array(answers, np.float32))
    assert len(np.unique(batch.action[:, 0])) == STEPS  # it did answer to what it saw


@pytest.mark.parametrize('name', ['states', 'images'])
def test_every_frame_is_that_of_the_environment(session, name):
    path, runner, episode = session[name]
    observations = runner.spec.observations
    offline = Dataset.open(path, observations).gather(np.arange(STEPS), discount=1.0)
    env = StackingEnv('3', observations, max_steps=STEPS, force_limit=None)
    live, _ = env.reset(seed=episode['seed'])
    for row in range(STEPS):
        for key, value in live.items():
            np.testing.assert_array_max_ulp(
                offline.observation[key][row], value, maxulp=int(key in BY_KINEMATICS)
            )
        live, reward, *_, info = env.step(runner.act(live))
        assert offline.reward[row] == np.float32(reward)
        assert offline.force[row] == np.float32(info['force_max'])
    env.close()
    for key, value in live.items():
        np.testing.assert_array_max_ulp(
            offline.next_observation[key][-1], value, maxulp=int(key in BY_KINEMATICS)
        )
