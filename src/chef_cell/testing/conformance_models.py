"""What every kinematics and every policy runner must do; see `conformance`."""

import copy

import numpy as np

from chef_cell.core.limits import SAWYER
from chef_cell.core.ports import Kinematics, PolicyRunner
from chef_cell.testing.conformance import BAD_NUMBERS, assert_pose, assert_refused

#: Step of the finite differences (rad): the square root of what float64 resolves, about.
STEP = 1e-6


class KinematicsLaws:
    """Laws of `ports.Kinematics`."""

    def kinematics(self) -> Kinematics:
        """Return a fresh implementation."""
        raise NotImplementedError

    def postures(self) -> np.ndarray:
        """Return joint positions all over the range, (n, 7) rad."""
        return np.random.default_rng(0).uniform(SAWYER.lower, SAWYER.upper, (30, 7))

    def test_poses_are_poses(self) -> None:
        kinematics = self.kinematics()
        for posture in self.postures():
            assert_pose(kinematics.tool_pose(posture))
            assert_pose(kinematics.wrist_pose(posture))

    def test_the_tool_is_rigidly_fixed_to_the_wrist(self) -> None:
        kinematics = self.kinematics()
        seen = [
            _rotate(
                _inverse(kinematics.wrist_pose(posture)[3:]),
                kinematics.tool_pose(posture)[:3] - kinematics.wrist_pose(posture)[:3],
            )
            for posture in self.postures()
        ]
        np.testing.assert_allclose(seen, np.tile(seen[0], (len(seen), 1)), atol=1e-9)

    def test_the_jacobian_is_the_derivative_of_the_wrist_pose(self) -> None:
        kinematics = self.kinematics()
        for posture in self.postures():
            jacobian = kinematics.wrist_jacobian(posture).copy()
            assert jacobian.shape == (6, 7)
            for joint in range(7):
                step = STEP * np.eye(7)[joint]
                ahead = kinematics.wrist_pose(posture + step).copy()
                behind = kinematics.wrist_pose(posture - step)
                linear = (ahead[:3] - behind[:3]) / (2 * STEP)
                angular = _rotation_vector(ahead[3:], behind[3:]) / (2 * STEP)
                expected = np.concatenate([linear, angular])
                np.testing.assert_allclose(jacobian[:, joint], expected, atol=1e-6)

    def test_answers_depend_on_nothing_but_the_posture(self) -> None:
        kinematics = self.kinematics()
        postures = self.postures()

        def answers(posture: np.ndarray) -> bytes:
            return b''.join(
                call(posture).tobytes()
                for call in (
                    kinematics.wrist_jacobian, kinematics.tool_pose, kinematics.wrist_pose,
                )
            )  # fmt: skip

        forwards = [answers(posture) for posture in postures]
        backwards = [answers(posture) for posture in postures[::-1]]
        assert forwards == backwards[::-1]
        fresh = self.kinematics()
        assert (
            fresh.tool_pose(postures[0]).tobytes() == kinematics.tool_pose(postures[0]).tobytes()
        )

    def test_the_posture_is_left_alone(self) -> None:
        posture = self.postures()[0]
        before = posture.copy()
        kinematics = self.kinematics()
        kinematics.tool_pose(posture)
        kinematics.wrist_jacobian(posture)
        np.testing.assert_array_equal(posture, before)

    def test_postures_that_make_no_sense_are_refused(self) -> None:
        kinematics = self.kinematics()
        bad = [np.where(np.arange(7) == 3, number, 0.0) for number in BAD_NUMBERS]
        for posture in [*bad, np.zeros(6), np.zeros((7, 1))]:
            for call in (kinematics.tool_pose, kinematics.wrist_pose, kinematics.wrist_jacobian):
                assert_refused(call, posture)


class PolicyRunnerLaws:
    """Laws of `ports.PolicyRunner`."""

    def runner(self) -> PolicyRunner:
        """Return a fresh runner of any policy."""
        raise NotImplementedError

    def observation(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Return an observation that fits the runner's spec."""
        rng = np.random.default_rng(seed)
        return {
            spec.name: rng.integers(0, 256, spec.stacked_shape).astype(spec.dtype)
            if spec.dtype == 'uint8'
            else rng.uniform(-1.0, 1.0, spec.stacked_shape).astype(spec.dtype)
            for spec in self.runner().spec.observations
        }

    def test_an_action_is_five_finite_numbers_in_range(self) -> None:
        runner = self.runner()
        for seed in range(10):
            action = runner.act(self.observation(seed))
            assert action.shape == (5,)
            assert np.isfinite(action).all()
            assert np.abs(action).max() <= 1.0 + 1e-6

    def test_equal_observations_give_equal_actions(self) -> None:
        runner, other = self.runner(), self.runner()
        first = runner.act(self.observation(1)).copy()
        runner.act(self.observation(2))
        np.testing.assert_array_equal(runner.act(self.observation(1)), first)
        np.testing.assert_array_equal(other.act(self.observation(1)), first)

    def test_the_observation_is_left_alone(self) -> None:
        observation = self.observation()
        before = copy.deepcopy(observation)
        self.runner().act(observation)
        assert observation.keys() == before.keys()
        for name, value in observation.items():
            np.testing.assert_array_equal(value, before[name])

    def test_inputs_the_policy_does_not_need_change_nothing(self) -> None:
        runner, observation = self.runner(), self.observation()
        action = runner.act(observation).copy()
        np.testing.assert_array_equal(runner.act({**observation, 'other': np.zeros(3)}), action)

    def test_missing_and_misshapen_inputs_are_refused(self) -> None:
        runner = self.runner()
        for name, value in self.observation().items():
            without = {key: item for key, item in self.observation().items() if key != name}
            batched = {**self.observation(), name: value[np.newaxis]}
            longer = {**self.observation(), name: np.concatenate([value, value])}
            for observation in (without, batched, longer):
                assert_refused(runner.act, observation)

    def test_a_runner_knows_its_policy(self) -> None:
        runner = self.runner()
        runner.spec.validate()
        assert runner.path
        assert len(runner.sha256) == 64
        int(runner.sha256, 16)


def _inverse(quaternion: np.ndarray) -> np.ndarray:
    return quaternion * np.array([1.0, -1.0, -1.0, -1.0])


def _multiply(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Hamilton product of two quaternions wxyz."""
    vector = left[0] * right[1:] + right[0] * left[1:] + np.cross(left[1:], right[1:])
    return np.concatenate([[left[0] * right[0] - left[1:] @ right[1:]], vector])


def _rotate(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    pure = np.concatenate([[0.0], vector])
    return _multiply(_multiply(quaternion, pure), _inverse(quaternion))[1:]


def _rotation_vector(to: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Rotation (rad) that brings one orientation to another, for small angles."""
    difference = _multiply(to, _inverse(start))
    # A pose's quaternion may change sign between two neighbours: both mean the same.
    return 2.0 * np.sign(difference[0]) * difference[1:]
