"""The six sub-task rewards of RGB stacking, as pure functions of one instant.

Constants and formulas are those of the benchmark (`rgb_stacking/stack_rewards.py` and
`reward_functions.py`; Lee et al., 2021). `open` is ours: the benchmark has none.
"""

import dataclasses
import math
import operator

import numpy as np

from chef_trainer.task.readings import Grasp

REWARD_NAMES = ('open', 'reach_grasp', 'lift', 'place', 'stack', 'stack_leave')

FLOOR = 0.0498  # m, height of the basket's floor
WORKSPACE_CENTRE = (0.6, 0.0, 0.1698)  # m
WORKSPACE_SIZE = (0.25, 0.25, 0.2)  # m
_CLOSED = 255.0  # counts
_REACH_TOLERANCE, _REACH_SHAPING = 0.02, 0.15  # m
_REACHED = 0.9  # reach above this lets the grasp count
_LIFT_LOW, _LIFT_HIGH = FLOOR + 0.055, FLOOR + 0.1  # m, height of red: no lift, full lift
_PLACE_OFFSET = 0.04  # m, red above blue
_PLACE_TOLERANCE, _PLACE_SHAPING, _PLACE_HEIGHT = 0.01, 0.2, 0.1  # m
_STACK_HORIZONTAL, _STACK_VERTICAL = 0.03, 0.01  # m
_LEAVE_OFFSET = 0.1  # m, tool above red
_LEAVE_TOLERANCE, _LEAVE_SHAPING = (1.0, 1.0, 0.03), 0.05  # m
_SUCCESS = 0.5
_STAGE_REACHED = 0.01
_ARTANH = math.atanh(math.sqrt(0.95))


@dataclasses.dataclass(frozen=True)
class TaskState:
    """What the rewards are computed from. Poses are in the base frame: m, quaternion."""

    red: np.ndarray  # (7,)
    green: np.ndarray  # (7,)
    blue: np.ndarray  # (7,)
    tool: np.ndarray  # (7,)
    gripper_position: float  # counts, 0 open .. 255 closed
    grasp: Grasp


def rewards(state: TaskState) -> dict[str, float]:
    """Return name -> reward in [0, 1] for all `REWARD_NAMES`."""
    red, blue, tool = (pose[:3].tolist() for pose in (state.red, state.blue, state.tool))
    inward = state.grasp == Grasp.INWARD
    closed = _shaped(_CLOSED - state.gripper_position, _CLOSED)
    grasp = max(0.5 * closed, float(inward))
    stack = _stack(red, blue, inward)
    return {
        'open': _shaped(state.gripper_position, _CLOSED),
        'reach_grasp': _reach_grasp(red, tool, grasp),
        'lift': grasp * _lift(red),
        'place': _place(red, blue),
        'stack': stack,
        'stack_leave': stack * _above(red, tool),
    }


def success(values: dict[str, float]) -> bool:
    """Return whether red stands on blue and the gripper has left: an episode's success."""
    return values['stack_leave'] > _SUCCESS


def staged(values: dict[str, float]) -> float:
    """Return one reward in [0, 1]: the furthest stage begun, and how far it got.

    The stages are `REWARD_NAMES` after `open`; the i-th of n gives (i + reward) / n.
    """
    stages = REWARD_NAMES[1:]
    for index in reversed(range(len(stages))):
        value = min(max(values[stages[index]], 0.0), 1.0)
        if value > _STAGE_REACHED:
            return (index + value) / len(stages)
    return min(max(values[stages[0]], 0.0), 1.0) / len(stages)


def _shaped(distance: float, shaping: float) -> float:
    """Return 1 at distance 0, falling to 0.05 at `shaping`."""
    return 1.0 - math.tanh(_ARTANH / shaping * distance) ** 2


def _near(offset: list[float], tolerance: tuple[float, ...], shaping: float) -> float:
    """Return 1 within the ellipsoid of half axes `tolerance`, shaped by distance outside."""
    scaled = math.hypot(*map(operator.truediv, offset, tolerance))
    return 1.0 if scaled <= 1.0 else _shaped(math.hypot(*offset), shaping)


def _difference(first: list[float], second: list[float]) -> list[float]:
    return list(map(operator.sub, first, second))


def _reach_grasp(red: list[float], tool: list[float], grasp: float) -> float:
    reach = _near(_difference(red, tool), (_REACH_TOLERANCE,) * 3, _REACH_SHAPING)
    return (0.5 + 0.5 * grasp) * reach if reach > _REACHED else 0.5 * reach


def _lift(red: list[float]) -> float:
    height = (red[2] - _LIFT_LOW) / (_LIFT_HIGH - _LIFT_LOW)
    offset = _difference(list(WORKSPACE_CENTRE), red)
    share = 2.0 * math.hypot(*map(operator.truediv, offset, WORKSPACE_SIZE))
    return min(max(height, 0.0), 1.0) if share <= 1.0 else 0.0


def _place(red: list[float], blue: list[float]) -> float:
    if red[2] < _PLACE_HEIGHT:
        return 0.0
    offset = _difference(blue, red)
    offset[2] += _PLACE_OFFSET
    return _near(offset, (_PLACE_TOLERANCE,) * 3, _PLACE_SHAPING)


def _stack(red: list[float], blue: list[float], inward: bool) -> float:
    x, y, z = _difference(red, blue)
    apart = math.hypot(x, y) > _STACK_HORIZONTAL or abs(z - _PLACE_OFFSET) > _STACK_VERTICAL
    return 0.0 if apart or inward else 1.0


def _above(red: list[float], tool: list[float]) -> float:
    offset = _difference(red, tool)
    offset[2] += _LEAVE_OFFSET
    return _near(offset, _LEAVE_TOLERANCE, _LEAVE_SHAPING)
