"""What a driver lets through to the joints of a real arm."""

import math
from collections.abc import Callable, Sequence

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

    def check(self, command: JointCommand, position: Sequence[float]) -> JointCommand:
        """Return the command that may be sent, with the arrays of its mode and no others.

        `position` are the seven joints measured (rad).

        Raises:
            CommandError: the mode is not offered, names or values make no sense, or where the
                joints are is not known.
        """
        try:
            checked = self._check(command, position)
        except CommandError:
            self.rejected += 1
            raise
        self.accepted += 1
        return checked

    def _check(self, command: JointCommand, position: Sequence[float]) -> JointCommand:
        limits = self.limits
        if not all(map(math.isfinite, position)):
            raise CommandError(f'measured positions {list(position)} are not finite')
        sent = [index for index, name in enumerate(ARM_JOINTS) if name in command.names]

        def clipped(field: str, lower: Sequence[float], upper: Sequence[float]) -> list[float]:
            values = read_joints(field, command.names, getattr(command, field))
            return [min(max(values[joint], lower[joint]), upper[joint]) for joint in sent]

        goal: list[float] = []
        velocity: list[float] = []
        acceleration: list[float] = []
        if command.mode in (Mode.POSITION, Mode.TRAJECTORY):
            goal = clipped('position', limits.lower, limits.upper)
        if command.mode in (Mode.VELOCITY, Mode.TRAJECTORY):
            velocity = clipped('velocity', *self._speeds(position))
        if command.mode == Mode.TRAJECTORY:
            most = limits.acceleration
            acceleration = clipped('acceleration', [-each for each in most], most)
        if not goal and not velocity:
            raise CommandError(
                f'joint command mode {command.mode}, allowed: 1 position, 2 velocity, 4 trajectory'
            )
        names = tuple(ARM_JOINTS[joint] for joint in sent)
        return JointCommand(command.mode, names, goal, velocity, acceleration)

    def _speeds(self, position: Sequence[float]) -> tuple[list[float], list[float]]:
        """Return the lowest and the highest velocity of each joint (rad/s).

        In plain numbers: for seven of them numpy takes three times as long, a hundred times a
        second.
        """
        limits = self.limits
        lowest, highest = [], []
        for joint, at in enumerate(position):
            most, brake = limits.velocity[joint], 2.0 * limits.acceleration[joint]
            behind, ahead = at - limits.lower[joint], limits.upper[joint] - at
            lowest.append(-min(most, math.sqrt(brake * max(behind, 0.0))))
            highest.append(min(most, math.sqrt(brake * max(ahead, 0.0))))
        return lowest, highest


def _pairwise(
    choose: Callable[[float, float], float], first: tuple[float, ...], second: tuple[float, ...]
) -> tuple[float, ...]:
    return tuple(choose(a, b) for a, b in zip(first, second, strict=True))
