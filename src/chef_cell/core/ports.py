"""The ports of a cell: what a simulated and a real device must both offer.

Each port has a conformance suite in `chef_cell.testing`; every implementation must pass it.
"""

from typing import Protocol

import numpy as np

from chef_cell.core.readings import (
    ArmReading,
    GripperReading,
    ImageReading,
    ObjectReading,
    WrenchReading,
)
from chef_trainer.spec import PolicySpec
from chef_trainer.task.kinematics import Kinematics

__all__ = [
    'Arm',
    'Camera',
    'Gripper',
    'Kinematics',
    'ObjectTracker',
    'PolicyRunner',
    'Wrist',
]


class Arm(Protocol):
    """Seven velocity-controlled joints."""

    def read(self) -> ArmReading:
        """Return the newest joint state."""

    def command_velocity(self, velocity: np.ndarray) -> None:
        """Command joint velocities (rad/s, (7,)); raises ValueError unless finite, shape (7,)."""


class Gripper(Protocol):
    """A parallel gripper commanded by closing speed."""

    def read(self) -> GripperReading:
        """Return the newest gripper state."""

    def command_velocity(self, velocity: float) -> None:
        """Command the closing speed, -1 .. 1; raises ValueError outside that or if not finite."""


class Wrist(Protocol):
    """A force-torque sensor at the wrist."""

    def read(self) -> WrenchReading:
        """Return the newest raw wrench in the sensor frame."""


class Camera(Protocol):
    """One fixed camera."""

    name: str

    def read(self) -> ImageReading:
        """Return the newest image."""


class ObjectTracker(Protocol):
    """Source of object poses (simulation truth, or tracking from the cameras)."""

    def read(self) -> ObjectReading:
        """Return the newest poses."""


class PolicyRunner(Protocol):
    """A policy ready to be asked for actions."""

    spec: PolicySpec
    sha256: str
    path: str

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """Return the action (5,) in [-1, 1] for one observation (no batch axis).

        Raises ValueError when an input is missing or has the wrong shape, or when the
        network returns a number that is not finite.
        """
