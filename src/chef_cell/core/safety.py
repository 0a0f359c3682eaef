"""The safety latch: what stops an episode, what stops the session, and what a person may undo.

Two levels above OK. `EPISODE_STOP` (the 20 N rule) ends the episode and is released by the next
one; `FAULT` stays until a person rearms, and rearming is refused while a cause is still there.
The first reason wins and is the one reported. Time is an argument: a steady clock in real time,
simulated time in lockstep, where nothing grows stale while the simulation stands still.
"""

import dataclasses
import math
from enum import IntEnum

import numpy as np

from chef_cell.core.command import CommandLimits, command_problem
from chef_cell.core.limits import SAWYER
from chef_cell.core.readings import ArmReading, TaskCommand, WrenchReading


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
    frozen_stamps: int = 3  # wrenches in a row with one stamp
    frozen_values: int = 0  # same with one value; 0: not judged, a simulated arm rests at 0 N
    #: rad/s, measured, each joint: a fifth above what may be commanded
    joint_speed_limit: tuple[float, ...] = tuple(1.2 * speed for speed in SAWYER.velocity)
    linear_limit: float = 0.07  # m/s, commanded, each axis
    yaw_rate_limit: float = 1.0  # rad/s, commanded

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == 'frozen_values' and value == 0:
                continue
            if not np.all(np.greater(value, 0) & np.isfinite(value)):
                raise ValueError(f'{field.name} = {value}, must be positive and finite')
        if min(self.frozen_stamps, self.frozen_values or 2) < 2:
            raise ValueError('frozen_stamps and frozen_values count repeats: 2 at least')


@dataclasses.dataclass(frozen=True)
class SafetyVerdict:
    """What the latch says, and the first reason for it."""

    level: Level = Level.OK
    reason: str = ''  # empty when OK
    fault: str = ''  # why the level is FAULT; differs from `reason` after an EPISODE_STOP
    source: str = ''  # stream that caused it: wrench, joint_states or command
    value: float = 0.0  # what tripped the latch, in the unit of `limit`
    limit: float = 0.0
    since: float = 0.0  # s, stamp of the sample that tripped it
    stamp: float = 0.0  # s, stamp of the newest wrench judged
    episode_id: str = ''  # episode in which it tripped, or, when OK, the one being judged

    @property
    def text(self) -> str:
        """The first reason, and the fault that came on top of it."""
        return self.reason if self.fault in ('', self.reason) else f'{self.reason}, {self.fault}'


@dataclasses.dataclass(frozen=True)
class Cause:
    """Something wrong, seen at this moment."""

    reason: str
    source: str
    value: float = 0.0
    limit: float = 0.0
    level: Level = Level.FAULT

    def __str__(self) -> str:
        return f'{self.reason}: {self.source} {self.value:.4g}, limit {self.limit:.4g}'


class SafetyLatch:
    """Judges wrenches, joint states and commands; remembers the first thing that was wrong."""

    def __init__(self, settings: SafetySettings = SafetySettings()) -> None:
        self._settings = settings
        self._limits = CommandLimits(settings.linear_limit, settings.yaw_rate_limit)
        self._timeouts = {
            'wrench': settings.wrench_timeout,
            'joint_states': settings.joint_timeout,
            'command': settings.command_timeout,
        }
        self._heard: dict[str, float] = {}
        self._present: dict[str, tuple[Cause, ...]] = {}
        self._episode = ''
        self._wrench: WrenchReading | None = None
        self._same_stamp = self._same_value = 1
        self.state = SafetyVerdict()

    def on_wrench(self, reading: WrenchReading, now: float) -> None:
        """Judge one compensated wrench."""
        self.tick(now)
        self._present['wrench'] = tuple(self._wrench_causes(reading))
        self._heard['wrench'] = now
        self._wrench = reading
        self.state = dataclasses.replace(self.state, stamp=reading.stamp)
        self._judge('wrench', reading.stamp)

    def on_joints(self, reading: ArmReading, now: float) -> None:
        """Judge one measured joint state."""
        self._heard['joint_states'] = now
        self._present['joint_states'] = tuple(self._joint_causes(reading))
        self._judge('joint_states', reading.stamp)

    def on_command(self, command: TaskCommand, now: float) -> None:
        """Judge one task command."""
        self._heard['command'] = now
        problem = command_problem(command, self._limits)
        self._present['command'] = (
            (Cause('command_invalid', 'command', problem.value, problem.limit),) if problem else ()
        )
        self._judge('command', command.stamp)

    def on_malformed(self, source: str, stamp: float, now: float) -> None:
        """A message of `source` could not be read at all."""
        self._heard[source] = now
        self._present[source] = (Cause(f'{source}_invalid', source, math.nan, math.nan),)
        self._judge(source, stamp)

    def tick(self, now: float) -> None:
        """Judge silence. Only while an episode runs: else the arm stands still anyway."""
        if self._episode:
            for cause in self._silent(now):
                self._trip(cause, self.state.stamp)

    def start_episode(self, episode_id: str, now: float) -> None:
        """Release an EPISODE_STOP, never a FAULT; silence counts from now on."""
        if episode_id == self._episode:
            return
        self._episode = episode_id
        self._heard = dict.fromkeys(self._timeouts, now)
        self._wrench = None
        self._same_stamp = self._same_value = 1
        if self.state.level != Level.FAULT:
            self._release()

    def end_episode(self, episode_id: str) -> None:
        """Expect no more samples of this episode; its last command is no longer in force."""
        if episode_id == self._episode:
            self._episode = ''
            self._present.pop('command', None)
            if self.state.level == Level.OK:
                self._release()

    def rearm(self, now: float) -> tuple[str, ...]:
        """Release every latch; or, when a cause is still there, do nothing and name it."""
        causes = [cause for causes in self._present.values() for cause in causes]
        causes += self._silent(now) if self._episode else ()
        if not causes:
            self._release()
        return tuple(map(str, causes))

    def _release(self) -> None:
        self.state = SafetyVerdict(stamp=self.state.stamp, episode_id=self._episode)

    def _judge(self, source: str, stamp: float) -> None:
        for cause in self._present[source]:
            self._trip(cause, stamp)

    def _trip(self, cause: Cause, stamp: float) -> None:
        """Latch a cause: the first one stays, a later one can only raise the level."""
        if cause.level <= self.state.level:
            return
        fault = cause.reason if cause.level == Level.FAULT else ''
        if self.state.level == Level.OK:
            self.state = SafetyVerdict(
                cause.level,
                cause.reason,
                fault,
                cause.source,
                cause.value,
                cause.limit,
                stamp,
                self.state.stamp,
                self._episode,
            )
        else:
            self.state = dataclasses.replace(self.state, level=cause.level, fault=fault)

    def _silent(self, now: float) -> list[Cause]:
        ages = {name: now - heard for name, heard in self._heard.items()}
        return [
            Cause(f'{name}_stale', name, ages[name], limit)
            for name, limit in self._timeouts.items()
            if ages.get(name, 0.0) > limit
        ]

    def _wrench_causes(self, reading: WrenchReading) -> list[Cause]:
        limits = self._settings
        if not (np.all(np.isfinite(reading.force)) and np.all(np.isfinite(reading.torque))):
            return [Cause('wrench_invalid', 'wrench', math.nan, limits.force_limit)]
        causes = self._order_causes(reading)
        force = float(np.linalg.norm(reading.force))
        torque = float(np.linalg.norm(reading.torque))
        if force > limits.force_limit:
            causes.append(Cause('force', 'wrench', force, limits.force_limit, Level.EPISODE_STOP))
        if torque > limits.torque_limit:
            causes.append(
                Cause('torque', 'wrench', torque, limits.torque_limit, Level.EPISODE_STOP)
            )
        return causes

    def _order_causes(self, reading: WrenchReading) -> list[Cause]:
        """A sensor that repeats itself or goes back in time."""
        last, limits = self._wrench, self._settings
        if last is None:
            return []
        same = reading.stamp == last.stamp
        self._same_stamp = self._same_stamp + 1 if same else 1
        equal = np.array_equal(reading.force, last.force) and np.array_equal(
            reading.torque, last.torque
        )
        self._same_value = self._same_value + 1 if equal else 1
        causes = []
        if reading.stamp < last.stamp:
            causes.append(Cause('clock_jump', 'wrench', reading.stamp, last.stamp))
        if self._same_stamp >= limits.frozen_stamps:
            causes.append(Cause('wrench_frozen', 'wrench', self._same_stamp, limits.frozen_stamps))
        if 0 < limits.frozen_values <= self._same_value:
            causes.append(Cause('wrench_frozen', 'wrench', self._same_value, limits.frozen_values))
        return causes

    def _joint_causes(self, reading: ArmReading) -> list[Cause]:
        limits = np.array(self._settings.joint_speed_limit)
        measured = np.concatenate([reading.position, reading.velocity, reading.torque])
        if not np.all(np.isfinite(measured)):
            return [Cause('joint_states_invalid', 'joint_states', math.nan, math.nan)]
        worst = int(np.argmax(np.abs(reading.velocity) / limits))
        speed = abs(float(reading.velocity[worst]))
        if speed > limits[worst]:
            return [Cause('joint_speed', 'joint_states', speed, float(limits[worst]))]
        return []
