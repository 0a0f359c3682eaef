"""Rigid motions as (4, 4) matrices, and the equation of robot, world and hand."""

from collections.abc import Sequence

import cv2
import numpy as np

from chef_cell.core.wrench import rotation


def from_pose(pose: np.ndarray) -> np.ndarray:
    """Return the matrix of a pose (7,): position (m), quaternion wxyz."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(np.asarray(pose[3:])), pose[:3]
    return matrix


def to_pose(matrix: np.ndarray) -> np.ndarray:
    """Return the pose (7,) of a matrix; the quaternion's first non-zero is positive."""
    turn, _ = cv2.Rodrigues(matrix[:3, :3])
    angle = float(np.linalg.norm(turn))
    axis = turn.ravel() / angle if angle > 0.0 else np.zeros(3)
    quaternion = np.array([np.cos(angle / 2.0), *(np.sin(angle / 2.0) * axis)])
    sign = np.sign(quaternion[np.abs(quaternion) > 1e-12][0])
    return np.array([*matrix[:3, 3], *(sign * quaternion)])


def from_vectors(turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return the matrix of a rotation vector (rad) and a translation (m)."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = cv2.Rodrigues(np.asarray(turn, np.float64))[0], np.ravel(shift)
    return matrix


def inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse motion."""
    inverted = np.eye(4)
    inverted[:3, :3] = matrix[:3, :3].T
    inverted[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return inverted


def turn_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rotation vector (rad, (3,)) from one frame to the other, in the first."""
    return np.asarray(cv2.Rodrigues(first[:3, :3].T @ second[:3, :3])[0]).ravel()


def solve_robot_world(
    robot: Sequence[np.ndarray], seen: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return X and Z of A X = Z B for pairs of motions A (`robot`) and B (`seen`).

    Rotations first, as the singular vectors of a Kronecker product, then translations by linear
    least squares: Shah (2013), "Solving the robot-world/hand-eye calibration problem using the
    Kronecker product". At least three pairs with rotations about two axes are needed.
    """
    product = sum(np.kron(b[:3, :3], a[:3, :3]) for a, b in zip(robot, seen, strict=True))
    left, _, right = np.linalg.svd(product)
    z_turn = _nearest_rotation(left[:, 0].reshape(3, 3, order='F'))
    x_turn = _nearest_rotation(right[0].reshape(3, 3, order='F'))
    rows = np.vstack([np.hstack((a[:3, :3], -np.eye(3))) for a in robot])
    values = np.concatenate(
        [z_turn @ b[:3, 3] - a[:3, 3] for a, b in zip(robot, seen, strict=True)]
    )
    shifts, *_ = np.linalg.lstsq(rows, values, rcond=None)
    x, z = np.eye(4), np.eye(4)
    x[:3, :3], x[:3, 3] = x_turn, shifts[:3]
    z[:3, :3], z[:3, 3] = z_turn, shifts[3:]
    return x, z


def _nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """Return the rotation that is nearest to a multiple of `matrix`, of either sign."""
    left, _, right = np.linalg.svd(matrix * np.sign(np.linalg.det(matrix)))
    return np.asarray(left @ right)
