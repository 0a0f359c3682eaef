"""Forward and inverse kinematics as a Sawyer's own services answer them.

Tips are named as on the robot: `right_hand` is the flange, `right_gripper_tip` the point between
the finger tips. Self collisions are not looked for.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.limits import SAWYER, JointLimits
from chef_cell.core.ports import Kinematics

TIPS = ('right_hand', 'right_gripper_tip')
#: The robot's pose to start work from (rad), and further seeds for a search from everywhere.
NEUTRAL = (0.0, -1.18, 0.0, 2.18, 0.0, 0.57, 3.3161)
_SEED_MAP = (
    NEUTRAL,
    (0.0, -0.6, 0.0, 1.3, 0.0, 0.9, 1.57),
    (1.2, -0.8, 0.3, 1.5, -0.3, 0.8, 0.0),
    (-1.2, -0.8, -0.3, 1.5, 0.3, 0.8, 0.0),
    (0.0, 0.5, 0.0, -1.3, 0.0, -0.8, 0.0),
    (2.6, -0.9, 0.0, 1.6, 0.0, 0.9, 1.57),
)
DEFAULT_NULLSPACE_GAIN = 0.4

_ITERATIONS = 100
_TOLERANCE = 1e-6  # m and rad
_DAMPING = 1e-5
_NULL_DAMPING = 1e-10  # so small that the bias leaves the tip where it is
_MAX_STEP = 0.3  # rad, of any joint in one iteration: a longer one leaves the linear range


class Seed(IntEnum):
    """Where the search for a solution starts."""

    AUTO = 0  # one after the other until there is a solution
    USER = 1
    CURRENT = 2
    NULLSPACE_MAP = 3


class Failure(IntEnum):
    """Why there is no solution."""

    NOT_FOUND = -1
    UNKNOWN_TIP = -3


@dataclasses.dataclass(frozen=True)
class Goal:
    """What inverse kinematics is asked for."""

    pose: np.ndarray  # (7,) of the tip in base: m, quaternion wxyz
    tip: str = TIPS[0]
    seed: np.ndarray | None = None  # rad, (7,)
    mode: int = Seed.AUTO
    bias: np.ndarray | None = None  # rad, (7,): where the redundancy is to go
    gain: float = DEFAULT_NULLSPACE_GAIN  # 0 .. 1


class PositionKinematics:
    """Answers for one arm.

    Args:
        kinematics: of the arm with its gripper.
        limits: solutions lie within them.
    """

    def __init__(self, kinematics: Kinematics, limits: JointLimits = SAWYER) -> None:
        self._kinematics = kinematics
        self._lower, self._upper = np.array(limits.lower), np.array(limits.upper)

    def forward(self, joints: np.ndarray, tip: str) -> np.ndarray | None:
        """Return the pose (7,) of a tip in base for joints (rad, (7,)); None for no such tip."""
        if tip not in TIPS or not np.isfinite(joints).all():
            return None
        at_hand = tip == TIPS[0]
        pose = self._kinematics.wrist_pose if at_hand else self._kinematics.tool_pose
        return pose(joints)

    def inverse(self, goal: Goal, current: np.ndarray) -> tuple[np.ndarray | None, int]:
        """Return joints (rad, (7,)) and the `Seed` that led there, or None and a `Failure`.

        `current` are the joints measured (rad, (7,)).
        """
        if goal.tip not in TIPS:
            return None, Failure.UNKNOWN_TIP
        length = float(np.linalg.norm(goal.pose[3:]))
        if not np.isfinite(goal.pose).all() or length < 1e-6:
            return None, Failure.NOT_FOUND
        pose = np.concatenate((goal.pose[:3], goal.pose[3:] / length))
        for seed, starts in self._starts(goal, current).items():
            for start in starts:
                joints = self._descend(np.array(start), dataclasses.replace(goal, pose=pose))
                if joints is not None:
                    return joints, seed
        return None, Failure.NOT_FOUND

    def _starts(self, goal: Goal, current: np.ndarray) -> Mapping[Seed, Sequence[np.ndarray]]:
        starts: dict[Seed, list[np.ndarray]] = {
            Seed.USER: [] if goal.seed is None else [goal.seed],
            Seed.CURRENT: [current],
            Seed.NULLSPACE_MAP: [np.array(seed) for seed in _SEED_MAP],
        }
        return starts if goal.mode == Seed.AUTO else {Seed(goal.mode): starts[Seed(goal.mode)]}

    def _descend(self, joints: np.ndarray, goal: Goal) -> np.ndarray | None:
        """Damped least squares (Wampler, 1986), the bias projected into the null space."""
        joints = np.clip(joints, self._lower, self._upper)
        for _ in range(_ITERATIONS):
            error = self._error(joints, goal)
            jacobian = self._jacobian(joints, goal.tip)
            gram = jacobian @ jacobian.T
            step = jacobian.T @ np.linalg.solve(gram + _DAMPING * np.eye(6), error)
            bias = self._bias(joints, goal)
            bias -= jacobian.T @ np.linalg.solve(gram + _NULL_DAMPING * np.eye(6), jacobian @ bias)
            converged = np.abs(error).max() < _TOLERANCE
            if converged and np.abs(bias).max() < 1e-3:
                return joints
            step += bias
            step *= min(1.0, _MAX_STEP / max(np.abs(step).max(), 1e-12))
            joints = np.clip(joints + step, self._lower, self._upper)
        error = self._error(joints, goal)
        return joints if np.abs(error).max() < 10 * _TOLERANCE else None

    def _bias(self, joints: np.ndarray, goal: Goal) -> np.ndarray:
        if goal.bias is None:
            return np.zeros(len(ARM_JOINTS))
        wanted = np.where(np.isnan(goal.bias), joints, goal.bias)
        return goal.gain * (wanted - joints)

    def _error(self, joints: np.ndarray, goal: Goal) -> np.ndarray:
        """What is missing to the goal: m, and rad about base axes, (6,)."""
        pose = self.forward(joints, goal.tip)
        assert pose is not None  # the tip is known, the joints are within limits
        turn = _rotation_vector(_product(goal.pose[3:], pose[3:] * (1.0, -1.0, -1.0, -1.0)))
        return np.concatenate((goal.pose[:3] - pose[:3], turn))

    def _jacobian(self, joints: np.ndarray, tip: str) -> np.ndarray:
        jacobian = self._kinematics.wrist_jacobian(joints).copy()
        if tip != TIPS[0]:
            lever = (
                self._kinematics.tool_pose(joints)[:3] - self._kinematics.wrist_pose(joints)[:3]
            )
            jacobian[:3] += np.cross(jacobian[3:].T, lever).T
        return jacobian


def ordered(
    names: Sequence[str], positions: Sequence[float], default: np.ndarray | None = None
) -> np.ndarray:
    """Return the arm's joints in order (rad, (7,)) from a joint state.

    Joints not named take those of `default`.

    Raises:
        ValueError: a joint is missing and there is no default, or the lengths differ.
    """
    if len(names) != len(positions):
        raise ValueError(f'{len(positions)} positions for {len(names)} joints')
    given = dict(zip(names, positions, strict=True))
    missing = [joint for joint in ARM_JOINTS if joint not in given]
    if missing and default is None:
        raise ValueError(f'joints {list(names)} lack {missing}')
    values = [given.get(joint, np.nan) for joint in ARM_JOINTS]
    return np.where(np.isnan(values), values if default is None else default, values)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Product of two quaternions wxyz."""
    vector = a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
    return np.array([a[0] * b[0] - a[1:] @ b[1:], *vector])


def _rotation_vector(quaternion: np.ndarray) -> np.ndarray:
    """Rotation (rad, (3,)) of a unit quaternion wxyz, by the shorter way."""
    w, vector = quaternion[0], quaternion[1:]
    length = float(np.linalg.norm(vector))
    if length < 1e-12:
        return 2.0 * vector
    angle = 2.0 * np.arctan2(length, abs(w))
    return vector * (np.copysign(angle, w) / length)
