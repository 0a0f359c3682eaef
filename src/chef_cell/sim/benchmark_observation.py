"""The 292 numbers that the benchmark's released policies look at, from a `SimCell`.

Order: observation names by alphabet, each flattened, newest first (`rgb_stacking/environment.py`;
Lee et al., 2021).
"""

import numpy as np

from chef_cell.core.ports import Kinematics
from chef_cell.core.readings import COLOURS
from chef_cell.sim.cell import SimCell

HISTORY = 3
ACTION_HISTORY = 2
SIZE = 292
_GRIPPER_SPEED = 255.0  # counts/s
_ACTION = 8  # seven joint velocities and the gripper command
_FRAME = 92  # numbers of one instant, without the action


class BenchmarkObserver:
    """Keeps the history and returns the observation after every control step.

    Args:
        cell: to observe.
        kinematics: of the arm.
    """

    def __init__(self, cell: SimCell, kinematics: Kinematics) -> None:
        self._cell = cell
        self._kinematics = kinematics
        self._frames = np.zeros((HISTORY, _FRAME))
        self._actions = np.zeros((ACTION_HISTORY, _ACTION))

    def reset(self) -> np.ndarray:
        """Fill the history with the frame of now; return the observation (292,), float32."""
        self._frames[:] = self._frame()
        self._actions[:] = self._action()
        return self._flat()

    def observe(self) -> np.ndarray:
        """Add the frame of now, one control period after the last; return the observation."""
        self._frames[1:] = self._frames[:-1]
        self._frames[0] = self._frame()
        self._actions[1:] = self._actions[:-1]
        self._actions[0] = self._action()
        return self._flat()

    def _action(self) -> np.ndarray:
        """Return the commands now at the actuators: rad/s, and counts/s."""
        control, addresses = self._cell.data.ctrl, self._cell.addresses
        return np.append(control[addresses.arm_control], control[addresses.gripper_control])

    def _frame(self) -> np.ndarray:
        """Return the newest reading of everything else, in the order of the observation."""
        cell = self._cell
        arm, gripper, wrench = cell.arm.read(), cell.gripper.read(), cell.wrist.read()
        poses = cell.tracker.read().poses
        tool = self._kinematics.tool_pose(arm.position)
        parts = [np.array([gripper.grasp, gripper.position, cell.gripper_change])]
        for colour in sorted(COLOURS):
            parts += [poses[colour], poses[colour] - tool]
        twist = self._kinematics.wrist_jacobian(arm.position) @ arm.velocity
        wrist = self._kinematics.wrist_pose(arm.position)
        parts += [arm.position, arm.torque, arm.velocity, tool, wrist, twist]
        return np.concatenate((*parts, wrench.force, wrench.torque))

    def _flat(self) -> np.ndarray:
        """Each quantity with its whole history, one after the other."""
        blocks = [self._frames[:, begin:end].ravel() for begin, end in _BLOCKS]
        return np.concatenate((self._actions.ravel(), *blocks)).astype(np.float32)


def _blocks() -> list[tuple[int, int]]:
    sizes = [1, 1, 1, *[7] * 6, 7, 7, 7, 7, 7, 6, 3, 3]
    ends = np.cumsum(sizes).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


_BLOCKS = _blocks()
