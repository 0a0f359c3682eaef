"""Inverse kinematics of the arm for a start pose with the tool pointing down."""

import functools

import mujoco
import numpy as np

from chef_cell.core.limits import SAWYER
from chef_cell.core.velocity import ControllerSettings
from chef_cell.sim.kinematics import ArmKinematics

_RESTARTS = 30
_ITERATIONS = 100
_TOLERANCE = 1e-4  # m and rad
_STEP_DAMPING = 1e-4 * np.eye(6)
_NULL_SPACE_DAMPING = 1e-9 * np.eye(6)
_POSTURE_STEP = 0.4  # 1, share of the way to the middle of the joint ranges per iteration
_POSTURE_TOLERANCE = 1e-3  # rad
_LOWER, _UPPER = np.array(SAWYER.lower), np.array(SAWYER.upper)
_MIDDLE = 0.5 * (_LOWER + _UPPER)
_DOWN = np.array([0.0, 1.0, 0.0, 0.0])  # quaternion, half a turn about x


def solve(position: np.ndarray, yaw: float, rng: np.random.Generator) -> np.ndarray | None:
    """Return joint positions (7,) that put the tool at `position` (m), pointing down, or None.

    The redundancy goes to joints near the middle of their ranges, as in the benchmark, which
    takes the best of 30 random starts. Starting from the controller's posture finds the same
    solution at once and never one with the elbow flipped; random starts follow only if it fails.

    Args:
        position: of the tool in base, m, (3,).
        yaw: of the tool, rad.
        rng: for the random starts.
    """
    turn = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
    quaternion = _product(_DOWN, turn)
    start = np.array(ControllerSettings().posture)
    for _ in range(_RESTARTS):
        joints = _descend(start, position, quaternion)
        if joints is not None:
            return joints
        start = rng.uniform(_LOWER, _UPPER)
    return None


def _descend(start: np.ndarray, position: np.ndarray, quaternion: np.ndarray) -> np.ndarray | None:
    kinematics = _kinematics()
    joints = start
    for _ in range(_ITERATIONS):
        pose = kinematics.tool_pose(joints)
        error = np.concatenate((position - pose[:3], _rotation(pose[3:], quaternion)))
        jacobian = kinematics.wrist_jacobian(joints).copy()
        # From the wrist to the tool, which is rigidly below it.
        lever = pose[:3] - kinematics.wrist_pose(joints)[:3]
        jacobian[:3] += np.cross(jacobian[3:].T, lever).T
        gram = jacobian @ jacobian.T
        posture = _POSTURE_STEP * (_MIDDLE - joints)
        posture -= jacobian.T @ np.linalg.solve(gram + _NULL_SPACE_DAMPING, jacobian @ posture)
        if np.abs(error).max() < _TOLERANCE and np.linalg.norm(posture) < _POSTURE_TOLERANCE:
            return joints
        step = jacobian.T @ np.linalg.solve(gram + _STEP_DAMPING, error)
        joints = np.clip(joints + step + posture, _LOWER, _UPPER)
    return None


def _rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the rotation vector (rad, base axes) from one orientation to the other."""
    vector = np.empty(3)
    mujoco.mju_quat2Vel(vector, _product(end, start * [1.0, -1.0, -1.0, -1.0]), 1.0)
    return vector


def _product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    product = np.empty(4)
    mujoco.mju_mulQuat(product, first, second)
    return product


@functools.cache
def _kinematics() -> ArmKinematics:
    return ArmKinematics()
