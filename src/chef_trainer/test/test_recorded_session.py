"""From recorded episode files to a policy that the cell loads and that plays: the whole way."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from recorded_cell import Script, record

from chef_cell.core.policy_slot import Offer, PolicySlot
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.sim.environment import StackingEnv
from chef_trainer import cli
from chef_trainer.learner import checkpoint
from chef_trainer.learner.learner import Learner
from chef_trainer.learner.run import open_train_run
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.replay import Dataset
from chef_trainer.task.observe import observation_specs

CAMERA = 'basket_front_left'
STATES = ['tool_pose', 'gripper_position', 'wrench', 'red_pose', 'blue_pose']
SMALL = [
    'change.batch=8', 'networks.hidden=[16,16]', 'networks.critic_hidden=[16,16]', 'log_every=10',
]  # fmt: skip


def chef_train(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, 'argv', ['chef-train', *map(str, words)])
    cli.main()


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A recorded session: two episodes, one of them a success."""
    for index in range(2):
        script = Script(
            index,
            cameras=(CAMERA,),
            metadata={'success': bool(index), 'outcome': 'success' if index else 'timeout'},
        )
        record(tmp_path / 'session', script)
    return tmp_path / 'session'


@pytest.mark.parametrize(
    ('method', 'names', 'updates'), [('crr', STATES, 20), ('iql', [*STATES, f'image/{CAMERA}'], 2)]
)
def test_a_recorded_session_becomes_a_policy_that_plays(
    monkeypatch, capsys, session, tmp_path, method, names, updates
):
    chef_train(monkeypatch, 'ingest', session, '--observations', *names)
    assert '2 episodes, 24 transitions; 0 files refused' in capsys.readouterr().out
    sees = f'observations={{names: [{", ".join(names)}], history: 2}}'
    chef_train(
        monkeypatch, 'train', '--method', method, '--data', session, '--run', tmp_path / 'run',
        '--updates', updates, '--set', sees, *SMALL,
    )  # fmt: skip
    path = tmp_path / 'policy.onnx'
    chef_train(monkeypatch, 'export', tmp_path / 'run', '--out', path)
    assert path.with_suffix('.md').exists()

    slot = PolicySlot(Offer(20.0, (CAMERA,)), OnnxRunner)
    candidate = slot.prepare(str(path))  # what policy/load_policy does
    assert candidate.error == ''
    assert slot.accept(candidate)
    assert slot.boundary()
    specs = observation_specs(names, 2)
    recorded = Dataset.open(session, specs).gather(np.arange(3))
    for row in range(3):
        seen = {name: value[row] for name, value in recorded.observation.items()}
        expected = trained_action(tmp_path / 'run', seen)
        np.testing.assert_allclose(slot.current.act(seen), expected, atol=1e-5)


def trained_action(directory: Path, seen: dict[str, np.ndarray]) -> np.ndarray:
    """Return what the trained networks themselves would do, (5,)."""
    run = open_train_run(directory)
    learner = Learner(run.settings.row, run.settings.network_settings, run.settings.updates)
    checkpoint.load(learner, run.checkpoint)
    with torch.no_grad():
        policy = DeployedPolicy(learner.networks)
        return policy({name: torch.from_numpy(one[None]) for name, one in seen.items()}).mode()[0]


def test_it_moves_the_arm_of_the_simulated_cell(monkeypatch, session, tmp_path):
    sees = f'observations=[{", ".join(STATES)}]'
    chef_train(
        monkeypatch, 'train', '--method', 'filtered_bc', '--data', session, '--updates', 5,
        '--run', tmp_path / 'run', '--set', sees, 'change.batch=8', 'networks.hidden=[16]',
    )  # fmt: skip
    path = tmp_path / 'policy.onnx'
    chef_train(monkeypatch, 'export', tmp_path / 'run', '--out', path)
    runner = OnnxRunner(path)
    env = StackingEnv('3', runner.spec.observations)
    before, _ = env.reset(seed=0)
    after, _, terminated, truncated, _ = env.step(runner.act(before))
    assert not terminated
    assert not truncated
    assert np.abs(after['tool_pose'] - before['tool_pose']).max() > 1e-5
