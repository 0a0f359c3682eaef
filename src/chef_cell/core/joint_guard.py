"""What a driver lets through to the joints of a real arm."""

import dataclasses
from collections.abc import Callable

import numpy as np

from chef_cell.core.intera import (
    ARM_JOINTS,
    CommandError,
    JointCommand,
    Mode,
    read_joints,
)
from chef_cell.core.limits import JointLimits

#: A Sawyer at rest reports this much (rad/s), with either sign.
DEAD_BAND = 0.001001


def without_dead_band(velocity: float) -> float:
    """Return a measured joint velocity (rad/s), zero where the robot can't tell it from rest."""
    return 0.0 if abs(velocity) < DEAD_BAND else velocity


def intersection(first: JointLimits, second: JointLimits) -> JointLimits:
    """Return the limits that keep both; raises ValueError when no position does."""
    return JointLimits(
        lower=_pairwise(max, first.lower, second.lower),
        upper=_pairwise(min, first.upper, second.upper),
        velocity=_pairwise(min, first.velocity, second.velocity),
        acceleration=_pairwise(min, first.acceleration, second.acceleration),
    )


class JointGuard:
    """Checks joint commands, and keeps them within the limits.

    Speeds are capped to what lets a joint stop before the end of its range: v^2 <= 2 a d. Torque
    commands are refused: neither limits nor the force rule could hold the arm then.
    """

    def __init__(self, limits: JointLimits) -> None:
        self.limits = limits
        self.accepted = 0
        self.rejected = 0

    def check(self, command: JointCommand, position: np.ndarray) -> JointCommand:
        """Return the command that may be sent, with the arrays of its mode and no others.

        `position` are the joints measured (rad, (7,)).

        Raises:
            CommandError: the mode is not offered, or names or values make no sense.
        """
        try:
            checked = self._check(command, position)
        except CommandError:
            self.rejected += 1
            raise
        self.accepted += 1
        return checked

    def _check(self, command: JointCommand, position: np.ndarray) -> JointCommand:
        names = tuple(name for name in ARM_JOINTS if name in command.names)
        sent = [ARM_JOINTS.index(name) for name in names]
        goal = velocity = acceleration = np.zeros(0)
        if command.mode in (Mode.POSITION, Mode.TRAJECTORY):
            goal = read_joints('position', command.names, command.position)
            goal = np.clip(goal, self.limits.lower, self.limits.upper)[sent]
        if command.mode in (Mode.VELOCITY, Mode.TRAJECTORY):
            velocity = read_joints('velocity', command.names, command.velocity)
            velocity = self._slowed(velocity, position)[sent]
        if command.mode == Mode.TRAJECTORY:
            most = self.limits.acceleration
            acceleration = read_joints('acceleration', command.names, command.acceleration)
            acceleration = np.clip(acceleration, np.negative(most), most)[sent]
        if not len(goal) and not len(velocity):
            raise CommandError(
                f'joint command mode {command.mode}, allowed: 1 position, 2 velocity, 4 trajectory'
            )
        return dataclasses.replace(
            command,
            names=names,
            position=goal.tolist(),
            velocity=velocity.tolist(),
            acceleration=acceleration.tolist(),
        )

    def _slowed(self, velocity: np.ndarray, position: np.ndarray) -> np.ndarray:
        limits = self.limits
        most = np.array(limits.velocity)
        ahead = np.maximum(np.subtract(limits.upper, position), 0.0)
        behind = np.maximum(np.subtract(position, limits.lower), 0.0)
        highest = np.minimum(most, np.sqrt(2.0 * np.array(limits.acceleration) * ahead))
        lowest = np.minimum(most, np.sqrt(2.0 * np.array(limits.acceleration) * behind))
        return np.clip(velocity, -lowest, highest)


def _pairwise(
    choose: Callable[[float, float], float], first: tuple[float, ...], second: tuple[float, ...]
) -> tuple[float, ...]:
    return tuple(choose(a, b) for a, b in zip(first, second, strict=True))
