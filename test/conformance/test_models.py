"""The arm's kinematics and the ONNX runner keep the laws of their ports."""

import pytest

from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.testing.conformance_models import KinematicsLaws, PolicyRunnerLaws
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy


class TestArmKinematics(KinematicsLaws):
    def kinematics(self):
        return ArmKinematics()


class TestOnnxRunner(PolicyRunnerLaws):
    @pytest.fixture(autouse=True)
    def _policy(self, tmp_path):
        self.path = tmp_path / 'tiny.onnx'
        observations = (
            ObservationSpec('tool_pose', (7,), 'm, quaternion'),
            ObservationSpec('wrench', (6,), 'N, N m', history=3),
            ObservationSpec('image/front', (16, 16, 3), '1', 'uint8'),
        )
        write_tiny_policy(self.path, tiny_spec(observations))

    def runner(self):
        return OnnxRunner(self.path)
