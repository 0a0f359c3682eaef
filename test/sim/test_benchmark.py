"""The benchmark's observation and its released policies."""

import numpy as np
import pytest

from chef_cell.bench import fidelity, speed
from chef_cell.sim.benchmark_observation import SIZE, BenchmarkObserver
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.released_policy import ReleasedPolicy


@pytest.fixture
def policy_file(tmp_path):
    rng = np.random.default_rng(0)
    sizes = {'in': (SIZE, 256), 'h0': (256, 256), 'h1': (256, 256), 'gauss': (256, 8)}
    weights = {}
    for name, shape in {**sizes, 'disc': (256, 2)}.items():
        weights[f'{name}_w'] = rng.normal(0, 0.05, shape).astype(np.float32)
        weights[f'{name}_b'] = np.zeros(shape[1], np.float32)
    weights['ln_gamma'], weights['ln_beta'] = np.ones(256), np.zeros(256)
    for triplet in '12345':
        np.savez(tmp_path / f'triplet{triplet}.npz', **weights)
    return tmp_path / 'triplet1.npz'


def test_observation_has_the_published_layout():
    cell, kinematics = SimCell('1'), ArmKinematics()
    observer = BenchmarkObserver(cell, kinematics)
    cell.reset(3)
    first = observer.reset()
    assert first.shape == (SIZE,)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first[:16], [0, 0, 0, 0, 0, 0, 0, -255] * 2)
    np.testing.assert_array_equal(first[16:25], [1, 1, 1, 0, 0, 0, 0, 0, 0])
    velocity = np.linspace(-0.1, 0.1, 7)
    for _ in range(5):
        cell.step_joint(velocity, 1.0)
    second = observer.observe()
    arm, poses = cell.arm.read(), cell.tracker.read().poses
    tool = kinematics.tool_pose(arm.position)
    np.testing.assert_allclose(second[:8], [*velocity, 255], rtol=1e-6)
    np.testing.assert_array_equal(second[8:16], first[:8])
    starts = {25: poses['blue'], 46: poses['blue'] - tool, 67: poses['green'], 109: poses['red']}
    starts |= {151: arm.position, 172: arm.torque, 193: arm.velocity, 214: tool}
    for start, expected in starts.items():
        np.testing.assert_allclose(second[start : start + 7], expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_array_equal(second[start + 7 : start + 14], first[start : start + 7])
    wrench = cell.wrist.read()
    np.testing.assert_allclose(second[274:277], wrench.force, rtol=1e-6)
    np.testing.assert_allclose(second[283:286], wrench.torque, rtol=1e-6)
    twist = kinematics.wrist_jacobian(arm.position) @ arm.velocity
    np.testing.assert_allclose(second[256:262], twist, rtol=1e-5, atol=1e-7)


def test_policy_samples_around_its_mean(policy_file):
    policy = ReleasedPolicy(policy_file)
    observation = np.random.default_rng(1).normal(size=SIZE).astype(np.float32)
    mean, stddev, logits = policy.distribution(observation)
    assert (np.abs(mean) < 1).all()
    assert (stddev > 0).all()
    rng = np.random.default_rng(2)
    samples = np.array([policy.sample(observation, rng) for _ in range(4000)])
    np.testing.assert_allclose(samples[:, :4].mean(0), mean, atol=0.06)
    np.testing.assert_allclose(samples[:, :4].std(0), stddev, rtol=0.06)
    close = 1 / (1 + np.exp(logits[0] - logits[1]))
    assert set(samples[:, 4]) <= {-1.0, 1.0}
    assert (samples[:, 4] > 0).mean() == pytest.approx(close, abs=0.03)


def test_policy_works_on_batches(policy_file):
    policy = ReleasedPolicy(policy_file)
    batch = np.random.default_rng(1).normal(size=(5, SIZE)).astype(np.float32)
    mean, stddev, logits = policy.distribution(batch)
    assert (mean.shape, stddev.shape, logits.shape) == ((5, 4), (5, 4), (5, 2))
    np.testing.assert_allclose(mean[2], policy.distribution(batch[2])[0], rtol=1e-4)


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / 'other.npz', a=np.zeros(3))
    with pytest.raises(ValueError, match='not a released policy: it lacks'):
        ReleasedPolicy(tmp_path / 'other.npz')


def test_fidelity_table_counts_successes_with_and_without_the_force_rule():
    episodes = [
        fidelity.Episode('1', True, True, 5.0),
        fidelity.Episode('1', True, False, 25.0),
        fidelity.Episode('2', False, False, 30.0),
    ]
    table = fidelity.tabulate(episodes)
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ['1', '2', 'mean']
    assert cells[2] == ['77.7', '47.4', '62.5']
    assert [text.split()[0] for text in cells[3]] == ['100', '0', '50.0']
    assert [text.split()[0] for text in cells[4]] == ['50', '0', '25.0']
    assert [text.split()[0] for text in cells[5]] == ['50', '0', '25.0']
    assert cells[7][:2] == ['50', '100']


def test_an_episode_repeats(policy_file, monkeypatch):
    monkeypatch.setattr(fidelity, 'MAX_STEPS', 10)
    task = fidelity.Task(policy_file.parent, '3', 0, fidelity.SimSettings())
    assert fidelity.run_episode(task) == fidelity.run_episode(task)


def test_fidelity_names_missing_policies(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['fidelity', '--teachers', str(tmp_path), '--triplets', '2'])
    assert fidelity.main() == 2
    assert 'triplet2.npz' in capsys.readouterr().out.replace('\n', '')


def test_speed_compares_the_cell_with_bare_physics(monkeypatch):
    monkeypatch.setattr(speed, 'BLOCK', 5)
    measured = speed.measure('state only', speed.STATE, lambda _: np.zeros(5), blocks=2)
    assert 0.0 < measured.physics < measured.cell
    assert 0.1 < measured.share < 1.0
    cells = [list(column.cells) for column in speed.tabulate([measured]).columns]
    assert cells[0] == ['state only']


def test_speed_times_environments_in_processes_of_their_own(monkeypatch):
    monkeypatch.setattr(speed, 'BLOCK', 2)
    measured = speed.measure_vectorised('two', blocks=1)
    assert measured.steps_per_second > 0.0
    cells = [list(column.cells) for column in speed.tabulate([measured]).columns]
    assert cells[3:] == [[''], ['']]
