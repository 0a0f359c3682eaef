"""What leaves torch computes the same in ONNX Runtime."""

import pytest
import torch

from chef_trainer import policy_file
from chef_trainer.export import onnx as export
from chef_trainer.methods.table import METHODS
from chef_trainer.networks.agent import AgentNetworks, NetworkSettings
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.networks.encoder import VisionSettings
from chef_trainer.networks.policy import MixedPolicy
from chef_trainer.spec import ObservationSpec, PolicySpec

OBSERVATIONS = (
    ObservationSpec('tool_pose', (7,), 'm, quaternion', history=3),
    ObservationSpec('red_pose', (7,), 'm, quaternion', history=3),
    ObservationSpec('triplet', (5,), '1'),
)
SPEC = PolicySpec('exported', OBSERVATIONS)


@pytest.fixture
def policy():
    torch.manual_seed(0)
    policy = MixedPolicy(OBSERVATIONS, (('red_pose', 'tool_pose'),), (64, 32))
    random = {spec.name: torch.randn(100, *spec.stacked_shape) for spec in OBSERVATIONS}
    policy.features.fit([{name: 3 + 0.1 * value for name, value in random.items()}])
    return policy


def test_exported_policy_says_what_torch_says(policy, tmp_path):
    path = tmp_path / 'policy.onnx'
    assert export.export_policy(policy, SPEC, path) <= export.TOLERANCE
    assert policy_file.read_spec(path) == SPEC
    assert export.compare(policy, path, seed=1) <= 1e-5


def test_specialists_are_exported_behind_their_chooser(tmp_path):
    chooser = next(one.name for one in OBSERVATIONS if one.name == 'triplet')
    specialists = MixedPolicy(OBSERVATIONS, (('red_pose', 'tool_pose'),), (32, 32), chooser)
    assert export.export_policy(specialists, SPEC, tmp_path / 'specialists.onnx') <= 1e-5


def test_a_difference_is_noticed_and_the_old_file_kept(policy, tmp_path, monkeypatch):
    path = tmp_path / 'policy.onnx'
    export.export_policy(policy, SPEC, path)
    before = path.read_bytes()
    with torch.no_grad():
        policy.experts[0][1].gaussian.bias += 1e-3
    assert export.compare(policy, path) > 1e-5
    monkeypatch.setattr(export, 'TOLERANCE', -1.0)
    with pytest.raises(export.ExportError, match='off torch, allowed: -1e'):
        export.export_policy(policy, SPEC, path)
    assert path.read_bytes() == before


def agent(method: str, observations, **settings) -> DeployedPolicy:
    torch.manual_seed(1)
    sizes = NetworkSettings(observations, hidden=(16, 8), critic_hidden=(8, 8), **settings)
    networks = AgentNetworks(METHODS[method], sizes)
    states = {one.name: torch.randn(50, *one.stacked_shape) for one in OBSERVATIONS}
    networks.encoder.fit([states])
    return DeployedPolicy(networks)


@pytest.mark.parametrize('method', ['crr', 'td3', 'sac'])
def test_trained_policies_are_exported_for_their_first_task(method, tmp_path):
    policy = agent(method, OBSERVATIONS, tasks=('stack_leave', 'lift'))
    path = tmp_path / 'policy.onnx'
    assert export.export_policy(policy, SPEC, path) <= export.TOLERANCE
    states = {one.name: torch.randn(3, *one.stacked_shape) for one in OBSERVATIONS}
    inputs = {name: value.numpy() for name, value in states.items()}
    action, mean, stddev, _ = policy_file.open_session(path).run(list(policy_file.OUTPUTS), inputs)
    both = policy.actor(policy.encoder(states))
    torch.testing.assert_close(torch.from_numpy(action), both.mode()[0], atol=1e-5, rtol=1e-5)
    assert abs(mean).max() <= 1
    assert stddev.min() > 0
    assert method != 'td3' or stddev == pytest.approx(METHODS['td3'].exploration)


def test_poses_seen_from_others_are_exported(tmp_path):
    policy = agent('bc', OBSERVATIONS, relative=(('red_pose', 'tool_pose'),))
    assert export.export_policy(policy, SPEC, tmp_path / 'policy.onnx') <= export.TOLERANCE


def test_policies_that_see_cameras_are_exported(tmp_path):
    cameras = tuple(
        ObservationSpec(f'image/{side}', (32, 32, 3), '1', 'uint8') for side in ('left', 'right')
    )
    policy = agent('bc', (*OBSERVATIONS, *cameras), vision=VisionSettings(bfloat16=True))
    spec = PolicySpec('seeing', (*OBSERVATIONS, *cameras))
    assert export.export_policy(policy, spec, tmp_path / 'seeing.onnx') <= 1e-5
