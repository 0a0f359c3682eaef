"""The small way back after the force rule: out of the contact, the way the tool came."""

import dataclasses
import math

import numpy as np

from chef_cell.core.readings import TaskCommand

#: m/s, below which a command gives no direction
_STANDING = 1e-6
#: m, that the tool must have come since it stood, to go back
_BEGUN = 0.001


@dataclasses.dataclass(frozen=True)
class RetreatSettings:
    """How far and how fast the tool retreats after an episode was stopped."""

    retreat_distance: float = 0.01  # m at most; 0: the arm stops and stays
    retreat_speed: float = 0.03  # m/s

    def __post_init__(self) -> None:
        if not (self.retreat_distance >= 0 and math.isfinite(self.retreat_distance)):
            raise ValueError(f'retreat_distance = {self.retreat_distance}, must be 0 or more')
        if not (self.retreat_speed > 0 and math.isfinite(self.retreat_speed)):
            raise ValueError(f'retreat_speed = {self.retreat_speed}, must be positive and finite')


class Retreat:
    """Remembers where the tool was last sent, and leads it back a bounded way, once per stop.

    The reverse of the last motion is the one direction known to have been free. A tool that has
    hardly moved stays: the force was there before, and its motion, maybe out of the contact, is
    not to be undone. Times are the caller's: of a steady clock, or stamps in lockstep.
    """

    def __init__(self, settings: RetreatSettings) -> None:
        self._speed = settings.retreat_speed
        self._duration = settings.retreat_distance / settings.retreat_speed
        self.forget()

    def forget(self) -> None:
        """No motion is known: the arm stands or was put elsewhere."""
        self._direction: np.ndarray | None = None
        self._followed: float | None = None  # s, until when
        self._travelled = 0.0  # m
        self._since: float | None = None

    def follow(self, command: TaskCommand, now: float) -> None:
        """The tool is sent where `command` says from `now` (s) on; a retreat is over."""
        speed = float(np.linalg.norm(command.linear))
        if self._since is not None:
            self.forget()
        if self._followed is not None:
            self._travelled += speed * (now - self._followed)
        self._followed = now
        if speed > _STANDING:
            self._direction = -command.linear / speed

    def command(self, now: float) -> TaskCommand | None:
        """Return what to follow at `now`, from the stop on; None to stand.

        The first call answers None: the arm stops before it turns round.
        """
        if self._since is None:
            self._since = now
            return None
        if self._direction is None or self._travelled < _BEGUN:
            return None
        # Half a nanosecond, because stamps in seconds are rounded.
        if now - self._since > self._duration + 5e-10:
            return None
        return TaskCommand(now, self._direction * self._speed, 0.0, 0.0)
