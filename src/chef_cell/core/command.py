"""Which task command the arm may follow now, and if none, why and how it comes to rest."""

import dataclasses
import math
from enum import Enum

from chef_cell.core.readings import TaskCommand
from chef_cell.core.retreat import Retreat, RetreatSettings


@dataclasses.dataclass(frozen=True)
class CommandLimits:
    """What a task command may ask for; larger numbers are refused, not clipped."""

    linear: float = 0.07  # m/s, each axis
    yaw_rate: float = 1.0  # rad/s
    gripper: float = 1.0  # share of full speed


@dataclasses.dataclass(frozen=True)
class CommandProblem:
    """One number of a command that cannot be followed."""

    name: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f'{self.name} = {self.value:.4g}, allowed: -{self.limit:.4g} .. {self.limit:.4g}'


def command_problem(command: TaskCommand, limits: CommandLimits) -> CommandProblem | None:
    """Return the first number that is not finite or out of range; None for a good command."""
    x, y, z = command.linear
    for name, value, limit in (
        ('linear.x', x, limits.linear),
        ('linear.y', y, limits.linear),
        ('linear.z', z, limits.linear),
        ('yaw_rate', command.yaw_rate, limits.yaw_rate),
        ('gripper', command.gripper, limits.gripper),
    ):
        # Written so that NaN, which compares false with everything, is a problem.
        if not abs(value) <= limit:
            return CommandProblem(name, float(value), limit)
    return None


class Motion(Enum):
    """How the arm moves in this tick."""

    FOLLOW = 'follow'  # the command
    RETREAT = 'retreat'  # a small way back, after the force rule has stopped the arm
    SLOW_DOWN = 'slow down'  # to rest, within the limits of acceleration
    HALT = 'halt'  # zero velocity at once


@dataclasses.dataclass(frozen=True)
class Decision:
    """What the controller does in one tick of the joint loop."""

    motion: Motion
    command: TaskCommand | None = None  # of FOLLOW and RETREAT; else None
    reason: str = ''  # why the arm stops; empty when it follows


@dataclasses.dataclass(frozen=True)
class GateSettings(RetreatSettings):
    """How old an input may grow before the arm stops, and how it retreats."""

    command_timeout: float = 0.125  # s: 2.5 command periods
    safety_timeout: float = 0.1  # s: 5 heartbeats of the latch
    joint_timeout: float = 0.05  # s: 5 joint states
    episode_timeout: float = 2.5  # s: the session speaks once a second
    linear_limit: float = CommandLimits.linear  # m/s, each axis
    yaw_rate_limit: float = CommandLimits.yaw_rate  # rad/s

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in dataclasses.asdict(self).items():
            if name != 'retreat_distance' and not (value > 0 and math.isfinite(value)):
                raise ValueError(f'{name} = {value}, must be positive and finite')


class CommandGate:
    """Lets a task command through only while everything that could forbid it has said yes.

    Silence forbids: an input never heard, or not for its timeout, stops the arm. Times are those
    of arrival on a steady clock, or stamps in lockstep; the caller uses one kind throughout.
    """

    def __init__(self, settings: GateSettings = GateSettings()) -> None:
        self._settings = settings
        self._retreat = Retreat(settings)
        self._may_retreat = False
        self._limits = CommandLimits(settings.linear_limit, settings.yaw_rate_limit)
        self._heard: dict[str, float] = {}
        self._joints_valid = self._safe = self._running = False
        self._command: TaskCommand | None = None
        self.problem: CommandProblem | None = None

    def on_joints(self, valid: bool, now: float) -> None:
        """A joint state has arrived."""
        self._joints_valid = valid
        self._heard['joints'] = now

    def on_safety(self, ok: bool, now: float, may_retreat: bool = False) -> bool:
        """The latch has spoken; return whether the arm must stop that may have moved before.

        When the latch has only ended the episode, the arm may retreat.
        """
        worse = not ok and (self._safe or (self._may_retreat and not may_retreat))
        self._safe, self._may_retreat = ok, may_retreat
        self._heard['safety'] = now
        return worse

    def on_episode(self, running: bool, now: float) -> None:
        """The session has spoken. Commands do not outlive an episode."""
        if not running:
            self._command = self.problem = None
        self._running = running
        self._heard['episode'] = now

    def on_command(self, command: TaskCommand, now: float) -> None:
        """Keep a command until the next one; a bad one is refused and ends the last one too."""
        self.problem = command_problem(command, self._limits)
        self._command = None if self.problem else command
        self._heard['command'] = now

    def begin(self) -> None:
        """The arm was put elsewhere: the way it came leads nowhere now."""
        self._retreat.forget()

    def decide(self, now: float) -> Decision:
        """What the arm may do at `now`; the worst reason is the one given."""
        limits = self._settings
        if not self._joints_valid or self._silent('joints', limits.joint_timeout, now):
            return Decision(Motion.HALT, reason='stale_joints')
        if self._silent('safety', limits.safety_timeout, now):
            return Decision(Motion.HALT, reason='safety_silent')
        if not self._safe:
            return self._decide_retreat(now)
        if not self._running or self._silent('episode', limits.episode_timeout, now):
            self._retreat.forget()
            return Decision(Motion.SLOW_DOWN, reason='idle')
        if self.problem is not None:
            return Decision(Motion.SLOW_DOWN, reason='invalid_command')
        if self._command is None or self._silent('command', limits.command_timeout, now):
            # At once, as for any other silence: slowing down costs 50 ms that nobody watches over.
            return Decision(Motion.HALT, reason='stale_command')
        self._retreat.follow(self._command, now)
        return Decision(Motion.FOLLOW, self._command)

    def _decide_retreat(self, now: float) -> Decision:
        command = self._retreat.command(now) if self._may_retreat else None
        if command is None:
            return Decision(Motion.HALT, reason='safety')
        return Decision(Motion.RETREAT, command, 'retreat')

    def _silent(self, name: str, timeout: float, now: float) -> bool:
        heard = self._heard.get(name)
        # An input from the future belongs to another episode: time has gone back since.
        return heard is None or not 0 <= now - heard <= timeout
