"""From a policy's action to a task command, the same way in training and in the cell."""

import math

import numpy as np

from chef_trainer.spec import ACTION_NAMES, ActionSpec
from chef_trainer.task.readings import TaskCommand

#: `previous_action` before the first action of an episode: arm at rest, gripper opening.
INITIAL_ACTION = np.array([0.0, 0.0, 0.0, 0.0, -1.0])
INITIAL_ACTION.setflags(write=False)


class ActionError(ValueError):
    """An action has the wrong shape or a number that is not finite."""


def clip_action(action: np.ndarray) -> np.ndarray:
    """Return the action that is executed for `action` (5,): float64 in [-1, 1].

    x, y, z and yaw are clipped. The gripper is bang-bang, as in the RGB-stacking benchmark
    (Lee et al., 2021): above 0 closes at full speed, anything else opens.

    Raises:
        ActionError: wrong shape or not finite.
    """
    wide = np.asarray(action, dtype=np.float64)
    if wide.shape != (len(ACTION_NAMES),):
        raise ActionError(f'action has shape {wide.shape}, expected ({len(ACTION_NAMES)},)')
    *motion, gripper = numbers = wide.tolist()
    if not all(map(math.isfinite, numbers)):
        raise ActionError(f'action {numbers} is not finite')
    clipped = [min(max(number, -1.0), 1.0) for number in motion]
    return np.array([*clipped, 1.0 if gripper > 0.0 else -1.0])


def to_command(action: np.ndarray, spec: ActionSpec, stamp: float) -> TaskCommand:
    """Scale an action (5,) by `spec` into a task command in the base frame, issued at `stamp` (s).

    Raises:
        ActionError: wrong shape or not finite.
    """
    scaled = clip_action(action) * spec.scale
    return TaskCommand(
        stamp=stamp, linear=scaled[:3], yaw_rate=float(scaled[3]), gripper=float(scaled[4])
    )
