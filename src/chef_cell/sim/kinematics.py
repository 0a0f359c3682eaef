"""Kinematics of the arm from a MuJoCo model of the arm alone."""

import functools
import math

import mujoco
import numpy as np

from chef_cell.sim import robot


class ArmKinematics:
    """Forward kinematics and Jacobian of the Sawyer with FTS-300 and 2F-85.

    Implements `chef_cell.core.ports.Kinematics`. The last joint positions are remembered, so that
    asking for several results at one instant costs one pass. Results are the caller's to read,
    not to change.
    """

    def __init__(self) -> None:
        self._model = _arm_model()
        self._data = mujoco.MjData(self._model)
        self._wrist = self._model.site(robot.WRIST_SITE).id
        self._tool = self._model.site(robot.TOOL_SITE).id
        # Views into MuJoCo's memory, kept because fetching them anew costs as much as using them.
        self._position = self._data.qpos
        self._sites = {
            site: (self._data.site_xpos[site], self._data.site_xmat[site])
            for site in (self._wrist, self._tool)
        }
        self._key = b''
        self._poses: dict[int, np.ndarray] = {}
        self._jacobian: np.ndarray | None = None

    def tool_pose(self, position: np.ndarray) -> np.ndarray:
        """Pose (7,) of the tool (the point between the finger tips) in base: m, quaternion."""
        return self._pose(self._tool, position)

    def wrist_pose(self, position: np.ndarray) -> np.ndarray:
        """Pose (7,) of the wrist (the arm's flange) in base: m, quaternion."""
        return self._pose(self._wrist, position)

    def wrist_jacobian(self, position: np.ndarray) -> np.ndarray:
        """Geometric Jacobian (6, 7) of the wrist, linear rows first, in base axes."""
        self._update(position)
        if self._jacobian is None:
            self._jacobian = jacobian = np.empty((6, 7))
            mujoco.mj_comPos(self._model, self._data)
            mujoco.mj_jacSite(self._model, self._data, jacobian[:3], jacobian[3:], self._wrist)
        return self._jacobian

    def _pose(self, site: int, position: np.ndarray) -> np.ndarray:
        self._update(position)
        pose = self._poses.get(site)
        if pose is None:
            pose = self._poses[site] = pose_of(*self._sites[site])
        return pose

    def _update(self, position: np.ndarray) -> None:
        """Run forward kinematics unless `position` (7,) is the one known.

        Raises:
            ValueError: wrong shape or not finite.
        """
        position = np.ascontiguousarray(position, np.float64)
        key = position.tobytes()
        if key == self._key:
            return
        if position.shape != (7,):
            raise ValueError(f'joint positions have shape {position.shape}, expected (7,)')
        if not math.isfinite(position.dot(position)):  # cheaper than asking each number
            raise ValueError(f'joint positions {position.tolist()} are not finite')
        self._position[:] = position
        mujoco.mj_kinematics(self._model, self._data)
        self._key = key
        self._poses = {}
        self._jacobian = None


def pose_of(position: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Return the pose (7,) for a position (3,) and a rotation matrix (9,)."""
    pose = np.empty(7)
    pose[:3] = position
    mujoco.mju_mat2Quat(pose[3:], rotation)
    return canonical(pose)


def canonical(pose: np.ndarray) -> np.ndarray:
    """Flip, in place, the sign of a pose's quaternion so that its first non-zero is positive."""
    leading = pose.item(3)
    if abs(leading) <= 1e-12:
        leading = next((c for c in pose[4:].tolist() if abs(c) > 1e-12), 0.0)
    if leading < 0.0:
        np.negative(pose[3:], out=pose[3:])
    return pose


@functools.cache
def _arm_model() -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    robot.add_robot(spec, kinematics_only=True)
    return spec.compile()
