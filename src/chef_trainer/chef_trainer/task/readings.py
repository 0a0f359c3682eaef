"""What the cell's sensors say at one instant, and what a task command is.

Frames: `base` is the arm's base (x forward, z up); `tool` is the point between the finger tips
(the benchmark's pinch site); `wrist` is the arm's flange; `sensor` the force-torque sensor.
Poses are 7 numbers: x, y, z in m, then a unit quaternion w, x, y, z whose first non-zero
component is positive.
"""

import dataclasses
from enum import IntEnum

import numpy as np

COLOURS = ('red', 'green', 'blue')


class Grasp(IntEnum):
    """Object detection of the gripper (gOBJ of a Robotiq 2F-85)."""

    NONE = 1
    INWARD = 2
    OUTWARD = 3


@dataclasses.dataclass(frozen=True)
class ArmReading:
    """Seven joints of the arm, at time `stamp` (s)."""

    stamp: float
    position: np.ndarray  # rad, (7,)
    velocity: np.ndarray  # rad/s, (7,)
    torque: np.ndarray  # N m, (7,)


@dataclasses.dataclass(frozen=True)
class RobotReading:
    """The robot as a whole, as it says itself."""

    enabled: bool  # the joints may move
    stopped: bool  # by the software or the button
    error: bool
    estop: bool  # the red button is pressed


@dataclasses.dataclass(frozen=True)
class GripperReading:
    """The parallel gripper, at time `stamp` (s)."""

    stamp: float
    position: float  # counts, 0 open .. 255 closed
    velocity: float  # counts/s
    grasp: Grasp


@dataclasses.dataclass(frozen=True)
class WrenchReading:
    """Wrist force and torque, at time `stamp` (s)."""

    stamp: float
    force: np.ndarray  # N, (3,)
    torque: np.ndarray  # N m, (3,)


@dataclasses.dataclass(frozen=True)
class ObjectReading:
    """Poses of the three objects in the base frame, at time `stamp` (s).

    What is not valid is the last pose known, or none at all. The last two are empty where poses
    are exact and of now.
    """

    stamp: float
    poses: dict[str, np.ndarray]  # colour -> (7,)
    valid: dict[str, bool]
    # colour -> (6, 6), m^2 and rad^2, of position and rotation about the axes of base
    covariances: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    stamps: dict[str, float] = dataclasses.field(default_factory=dict)  # s, when measured


@dataclasses.dataclass(frozen=True)
class ImageReading:
    """One camera image, at time `stamp` (s)."""

    stamp: float
    pixels: np.ndarray  # uint8, (height, width, 3), RGB


@dataclasses.dataclass(frozen=True)
class TaskCommand:
    """Task-space velocity command, valid from time `stamp` (s)."""

    stamp: float
    linear: np.ndarray  # m/s, (3,), tool velocity in base
    yaw_rate: float  # rad/s, about the base frame's vertical
    gripper: float  # -1 (open at full speed) .. 1 (close at full speed)
