"""Samples for tests of the safety core: each is harmless until told otherwise."""

import dataclasses
from typing import Any

import numpy as np

from chef_cell.core.readings import ArmReading, RobotReading, TaskCommand, WrenchReading

GOOD = 1.0  # N
MIDDLE = np.array([0.6, 0.0, 0.2])  # m, of the workspace
READY = RobotReading(enabled=True, stopped=False, error=False, estop=False)


def wrench(stamp: float = 0.0, force: float = GOOD, torque: float = 0.0) -> WrenchReading:
    """A force (N) and a torque (N m) along x."""
    return WrenchReading(stamp, np.array([force, 0.0, 0.0]), np.array([torque, 0.0, 0.0]))


def arm(stamp: float = 0.0, position: float = 0.0, speed: float = 0.0) -> ArmReading:
    """All joints at one position (rad) and speed (rad/s)."""
    return ArmReading(stamp, np.full(7, position), np.full(7, speed), np.zeros(7))


def command(
    stamp: float = 0.0, x: float = 0.0, yaw_rate: float = 0.0, gripper: float = 0.0
) -> TaskCommand:
    """A velocity along x (m/s)."""
    return TaskCommand(stamp, np.array([x, 0.0, 0.0]), yaw_rate, gripper)


def robot(**state: Any) -> RobotReading:
    """An enabled robot, but for `state`."""
    return dataclasses.replace(READY, **state)
