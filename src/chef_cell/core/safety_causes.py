"""What can be wrong with each thing the safety latch hears.

Who is missed when it falls silent while an episode runs (the heartbeat of each node is what it
publishes anyway, so no node can be alive by heartbeat and dead by its work):

    wrench        the sensor and the wrist node
    joint_states  the robot, or the bridge in its place
    command       the policy node
    controller    the controller, by its controller/state; in real time only

The latch's own heartbeat is its verdict; the controller stops without it.
"""

import dataclasses
import math
from collections import deque
from enum import IntEnum

import numpy as np

from chef_cell.core.command import CommandLimits, command_problem
from chef_cell.core.limits import SAWYER
from chef_cell.core.readings import ArmReading, RobotReading, TaskCommand, WrenchReading

_MAY_BE_NEGATIVE = ('workspace_lower', 'workspace_upper', 'joint_lower', 'joint_upper')


class Level(IntEnum):
    """Severity of a verdict; the numbers are those of SafetyState.msg."""

    OK = 0
    EPISODE_STOP = 1
    FAULT = 2


@dataclasses.dataclass(frozen=True)
class SafetySettings:
    """Limits of the latch. Read-only once the node runs."""

    force_limit: float = 20.0  # N, norm of any single wrist force ends the episode
    torque_limit: float = 30.0  # N m, same for the torque; default: the sensor's range
    wrench_timeout: float = 0.05  # s between two wrenches while an episode runs
    joint_timeout: float = 0.1  # s, same for joint states
    command_timeout: float = 0.5  # s, same for commands (the controller stops long before)
    controller_timeout: float = 0.5  # s, same for the controller's state; real time only
    frozen_stamps: int = 3  # wrenches or joint states in a row with one stamp
    frozen_values: int = 0  # same with one value; 0: not judged, a simulated arm rests at 0 N
    #: rad/s, measured, each joint: a fifth above what may be commanded
    joint_speed_limit: tuple[float, ...] = tuple(1.2 * speed for speed in SAWYER.velocity)
    # The controller keeps 0.01 rad free before these.
    joint_lower: tuple[float, ...] = SAWYER.lower  # rad, measured, each joint
    joint_upper: tuple[float, ...] = SAWYER.upper  # rad
    # Episodes begin up to 0.43 m above the base; 0.05 m are left to a healthy arm all around.
    workspace_lower: tuple[float, ...] = (0.425, -0.19, 0.02)  # m, measured, the tool in base
    workspace_upper: tuple[float, ...] = (0.775, 0.19, 0.48)  # m
    linear_limit: float = 0.07  # m/s, commanded, each axis
    yaw_rate_limit: float = 1.0  # rad/s, commanded
    command_ahead: float = 0.05  # s by which a command's stamp may lie in the future
    missed_deadlines: int = 20  # periods of the joint loop that came late, in `missed_window`
    missed_window: float = 1.0  # s

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == 'frozen_values' and value == 0:
                continue
            positive = field.name in _MAY_BE_NEGATIVE or np.all(np.greater(value, 0))
            if not (positive and np.all(np.isfinite(value))):
                raise ValueError(f'{field.name} = {value}, must be positive and finite')
        if min(self.frozen_stamps, self.frozen_values or 2) < 2:
            raise ValueError('frozen_stamps and frozen_values count repeats: 2 at least')
        for name, size in (('joint', 7), ('workspace', 3)):
            lower, upper = getattr(self, f'{name}_lower'), getattr(self, f'{name}_upper')
            if not (len(lower) == len(upper) == size and np.less(lower, upper).all()):
                raise ValueError(f'{name}_lower {lower} must lie below {name}_upper {upper}')


@dataclasses.dataclass(frozen=True)
class Cause:
    """Something wrong, seen at this moment."""

    reason: str
    source: str
    value: float = 0.0
    limit: float = 0.0
    level: Level = Level.FAULT
    #: Harmless while no episode runs (a person moves the arm): trips only within one, though it
    #: forbids rearming at any time.
    only_in_episode: bool = False

    def __str__(self) -> str:
        return f'{self.reason}: {self.source} {self.value:.4g}, limit {self.limit:.4g}'


class StampJudge:
    """Notices a stream that repeats its stamps or goes back in time."""

    def __init__(self, source: str, frozen_stamps: int) -> None:
        self._source = source
        self._frozen_stamps = frozen_stamps
        self.restart()

    def restart(self) -> None:
        """Time may begin anew."""
        self._last: float | None = None
        self._same = 1

    def judge(self, stamp: float) -> list[Cause]:
        """Judge the stamp (s) of the next sample."""
        last, self._last = self._last, stamp
        self._same = self._same + 1 if stamp == last else 1
        causes = []
        if last is not None and stamp < last:
            causes.append(Cause('clock_jump', self._source, stamp, last))
        if self._same >= self._frozen_stamps:
            reason = f'{self._source}_frozen'
            causes.append(Cause(reason, self._source, self._same, self._frozen_stamps))
        return causes


class WrenchJudge:
    """Judges the compensated wrench: readable, in order, alive, gentle."""

    def __init__(self, settings: SafetySettings) -> None:
        self._settings = settings
        self._stamps = StampJudge('wrench', settings.frozen_stamps)
        self.restart()

    def restart(self) -> None:
        """Another episode begins."""
        self._stamps.restart()
        self._last: WrenchReading | None = None
        self._same_value = 1

    def judge(self, reading: WrenchReading) -> list[Cause]:
        """Return everything wrong with one wrench."""
        limits = self._settings
        if not (np.all(np.isfinite(reading.force)) and np.all(np.isfinite(reading.torque))):
            return [Cause('wrench_invalid', 'wrench', math.nan, limits.force_limit)]
        causes = self._stamps.judge(reading.stamp) + self._frozen(reading)
        for reason, vector, limit in (
            ('force', reading.force, limits.force_limit),
            ('torque', reading.torque, limits.torque_limit),
        ):
            norm = float(np.linalg.norm(vector))
            if norm > limit:
                causes.append(Cause(reason, 'wrench', norm, limit, Level.EPISODE_STOP))
        return causes

    def _frozen(self, reading: WrenchReading) -> list[Cause]:
        last, self._last = self._last, reading
        equal = (
            last is not None
            and np.array_equal(reading.force, last.force)
            and np.array_equal(reading.torque, last.torque)
        )
        self._same_value = self._same_value + 1 if equal else 1
        limit = self._settings.frozen_values
        if 0 < limit <= self._same_value:
            return [Cause('wrench_frozen', 'wrench', self._same_value, limit)]
        return []


class JointJudge:
    """Judges measured joint states: readable, in order, and within what the arm may do."""

    def __init__(self, settings: SafetySettings) -> None:
        self._speed = np.array(settings.joint_speed_limit)
        self._joints = np.array(settings.joint_lower), np.array(settings.joint_upper)
        self._workspace = np.array(settings.workspace_lower), np.array(settings.workspace_upper)
        self._stamps = StampJudge('joint_states', settings.frozen_stamps)

    def restart(self) -> None:
        """Another episode begins."""
        self._stamps.restart()

    def judge(self, reading: ArmReading, tool: np.ndarray | None) -> list[Cause]:
        """Return everything wrong; `tool` is where the tool then is in base (m, (3,))."""
        measured = np.concatenate([reading.position, reading.velocity, reading.torque])
        if not np.all(np.isfinite(measured)):
            return [Cause('joint_states_invalid', 'joint_states', math.nan, math.nan)]
        causes = self._stamps.judge(reading.stamp)
        worst = int(np.argmax(np.abs(reading.velocity) / self._speed))
        speed, limit = abs(float(reading.velocity[worst])), float(self._speed[worst])
        if speed > limit:
            causes.append(Cause('joint_speed', 'joint_states', speed, limit))
        causes += _outside('joint_position', reading.position, *self._joints)
        if tool is not None:
            causes += _outside('workspace', tool, *self._workspace)
        return causes


def _outside(reason: str, values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> list[Cause]:
    """The value that is furthest outside its range, if one is."""
    excess = np.maximum(lower - values, values - upper)
    worst = int(np.argmax(excess))
    # Written so that NaN, which compares false with everything, is outside.
    if excess[worst] <= 0.0:
        return []
    value = float(values[worst])
    limit = float(lower[worst] if value < lower[worst] else upper[worst])
    return [Cause(reason, 'joint_states', value, limit, only_in_episode=True)]


class LoopJudge:
    """Judges the joint loop by its count of missed deadlines."""

    def __init__(self, settings: SafetySettings) -> None:
        self._limit = settings.missed_deadlines
        self._window = settings.missed_window
        self._counts: deque[tuple[float, int]] = deque()

    def judge(self, missed: int, now: float) -> list[Cause]:
        """Judge the periods `missed` since the controller's start, as told at `now` (s)."""
        counts = self._counts
        if counts and missed < counts[-1][1]:
            counts.clear()  # the controller was started anew
        counts.append((now, missed))
        while counts[0][0] < now - self._window:
            counts.popleft()
        late = missed - counts[0][1]
        if late < self._limit:
            return []
        return [Cause('missed_deadlines', 'controller', late, self._limit, only_in_episode=True)]


def command_causes(
    command: TaskCommand, limits: CommandLimits, ahead: float, ahead_limit: float
) -> list[Cause]:
    """Return what is wrong with a command whose stamp lies `ahead` (s) in the future."""
    causes = []
    if problem := command_problem(command, limits):
        causes.append(Cause('command_invalid', 'command', problem.value, problem.limit))
    if not ahead <= ahead_limit:
        causes.append(Cause('command_future', 'command', ahead, ahead_limit))
    return causes


def publisher_causes(count: int) -> list[Cause]:
    """Return what is wrong with `count` publishers of the command: nobody knows whose it is."""
    if count <= 1:
        return []
    return [Cause('command_publishers', 'command', count, 1, only_in_episode=True)]


def robot_causes(robot: RobotReading) -> list[Cause]:
    """Return what keeps the robot from being driven, by its own word."""
    states = (
        ('robot_estop', robot.estop, False),
        ('robot_error', robot.error, False),
        ('robot_stopped', robot.stopped, False),
        ('robot_disabled', not robot.enabled, True),  # the normal state before a session
    )
    return [
        Cause(reason, 'robot', 1.0, 0.0, only_in_episode=only)
        for reason, wrong, only in states
        if wrong
    ]
