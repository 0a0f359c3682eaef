"""The safety latch: what stops an episode, what stops the session, and what a person may undo.

Two levels above OK. `EPISODE_STOP` (the 20 N rule) ends the episode and is released by the next
one; `FAULT` stays until a person rearms, and rearming is refused while a cause is still there.
The first reason wins and is the one reported. Time is an argument: a steady clock in real time,
simulated time in lockstep, where nothing grows stale while the simulation stands still.
"""

import dataclasses
import math

import numpy as np

from chef_cell.core.imaging import CameraReading
from chef_cell.core.readings import ArmReading, RobotReading, TaskCommand, WrenchReading
from chef_cell.core.safety_causes import (
    Cause,
    Level,
    SafetySettings,
    camera_causes,
    collision_causes,
    command_causes,
    publisher_causes,
    robot_causes,
    silence,
)
from chef_cell.core.safety_judges import ClockJudge, JointJudge, LoopJudge, WrenchJudge

_DEFAULTS = SafetySettings()
#: These speak seldom, or not again before the next change: what they said holds.
_STANDING = (
    'robot',
    'collision',
    'command_publishers',
    'reset/command_publishers',
    'joint_command_publishers',
)
#: Who has not looked for so long (s, five heartbeats) has slept: what was said then comes late.
_SLEPT = 0.1
#: Nobody has to say these between two episodes.
_ONLY_IN_EPISODE = {'command', 'session'}


@dataclasses.dataclass(frozen=True)
class SafetyVerdict:
    """What the latch says, and the first reason for it."""

    level: Level = Level.OK
    reason: str = ''  # empty when OK
    fault: str = ''  # why the level is FAULT; differs from `reason` after an EPISODE_STOP
    source: str = ''  # what caused it: a stream, the robot, or the node that is silent
    value: float = 0.0  # what tripped the latch, in the unit of `limit`
    limit: float = 0.0
    since: float = 0.0  # s, stamp of the sample that tripped it
    stamp: float = 0.0  # s, stamp of the newest wrench judged
    episode_id: str = ''  # episode in which it tripped, or, when OK, the one being judged

    @property
    def text(self) -> str:
        """The first reason, and the fault that came on top of it."""
        return self.reason if self.fault in ('', self.reason) else f'{self.reason}, {self.fault}'


class SafetyLatch:
    """Judges all that is measured, commanded and said; remembers the first thing that was wrong.

    Args:
        settings: limits.
        real_time: whether time goes on by itself. In lockstep it waits for the slowest.
    """

    def __init__(self, settings: SafetySettings = _DEFAULTS, real_time: bool = True) -> None:
        self._settings = settings
        self._real_time = real_time
        self._timeouts = settings.timeouts(real_time)
        self._wrench = WrenchJudge(settings)
        self._joints = JointJudge(settings)
        self._loop = LoopJudge(settings)
        self._clock = ClockJudge(settings.clock_step)
        self._heard: dict[str, float] = {}
        self._present: dict[str, list[Cause]] = {}
        self._episode = ''
        self._ended: str | None = None
        self._looked: float | None = None
        self._awake = -math.inf  # s, since when
        self.state = SafetyVerdict()

    def on_wrench(self, reading: WrenchReading, now: float) -> None:
        """Judge one compensated wrench."""
        self.tick(now)
        self._heard['wrench'] = now
        self.state = dataclasses.replace(self.state, stamp=reading.stamp)
        self._judge('wrench', self._wrench.judge(reading), reading.stamp)

    def on_joints(self, reading: ArmReading, now: float, tool: np.ndarray | None = None) -> None:
        """Judge one measured joint state, and where it puts the tool (m, (3,), in base)."""
        self._heard['joint_states'] = now
        self._judge('joint_states', self._joints.judge(reading, tool), reading.stamp)

    def on_command(self, command: TaskCommand, now: float, clock: float | None = None) -> None:
        """Judge one task command, unless it was sent while the latch slept.

        To a process that hung DDS repeats what it lost up to 3 s later: old, but not sent late.

        Args:
            command: what is asked for.
            now: s, the latch's clock.
            clock: s, now on the clock that commands are stamped with; None when that is `now`.
        """
        clock = now if clock is None else clock
        self._look(now)
        sent = now - (clock - command.stamp)
        if sent < self._awake:
            self._heard['command'] = max(sent, self._heard.get('command', sent))
            return
        self._heard['command'] = now
        causes = command_causes(command, self._settings, command.stamp - clock)
        self._judge('command', causes, min(command.stamp, clock))
        if not self._episode:
            self._present.pop('command')  # not in force, so it does not forbid rearming

    def on_camera(self, camera: str, reading: CameraReading, now: float) -> None:
        """Judge the newest image of a camera, by what the camera node says of it."""
        name = f'camera/{camera}'
        self._heard[name] = now
        self._judge(name, camera_causes(camera, reading, self._settings), reading.stamp)

    def on_heartbeat(self, node: str, now: float) -> None:
        """`session` or `recorder` is alive; who has said so once is missed in real time."""
        self._heard[node] = now
        if self._real_time:
            self._timeouts[node] = getattr(self._settings, f'{node}_timeout')

    def on_publishers(self, count: int, topic: str = 'command') -> None:
        """Judge how many may publish `command`, `reset/command` or `joint_command`."""
        self._judge(f'{topic}_publishers', publisher_causes(topic, count), self.state.stamp)

    def on_collision(self, collided: bool) -> None:
        """Judge whether the robot feels a collision in its joints."""
        self._judge('collision', collision_causes(collided), self.state.stamp)

    def on_clock(self, offset: float) -> None:
        """Judge the system clock by its offset (s) to one that never jumps."""
        self._judge('clock', self._clock.judge(offset), self.state.stamp)

    def on_robot(self, robot: RobotReading) -> None:
        """Judge what the robot says of itself."""
        self._judge('robot', robot_causes(robot), self.state.stamp)

    def on_controller(self, missed: int, now: float) -> None:
        """Judge the deadlines missed by the joint loop since it started."""
        self._heard['controller'] = now
        self._judge('controller', self._loop.judge(missed, now), self.state.stamp)

    def on_malformed(self, source: str, stamp: float, now: float) -> None:
        """A message of `source` could not be read at all."""
        self._heard[source] = now
        self._judge(source, [Cause(f'{source}_invalid', source, math.nan, math.nan)], stamp)

    def tick(self, now: float) -> None:
        """Judge silence. Only while an episode runs: else the arm stands still anyway."""
        self._look(now)
        if self._episode:
            for cause in self._silent(now):
                self._trip(cause, self.state.stamp)

    def start_episode(self, episode_id: str, now: float) -> None:
        """Release an EPISODE_STOP, never a FAULT; silence counts from now on.

        Word of the episode that ended last comes late, and begins nothing.
        """
        if episode_id in (self._episode, self._ended):
            return
        self._episode = episode_id
        self._heard = dict.fromkeys(self._timeouts, now)
        self._wrench.restart()
        self._joints.restart()
        if self.state.level != Level.FAULT:
            self._release()
        for source in _STANDING:
            self._judge(source, self._present.get(source, []), self.state.stamp)

    def end_episode(self, episode_id: str) -> None:
        """Expect no more samples of this episode; its last command is no longer in force.

        An empty id is the word of a session that has none: whatever runs was its predecessor's,
        which died, and nobody else will ever end it.

        In lockstep neither are its samples: no newer ones come before the next episode, and
        there each is judged before the arm moves.
        """
        if episode_id in ('', self._episode):
            self._ended = self._episode or self._ended
            self._episode = ''
            over = set(self._present) - set(_STANDING) if not self._real_time else {'command'}
            for source in over:
                self._present.pop(source, None)
            if self.state.level == Level.OK:
                self._release()

    def rearm(self, now: float) -> tuple[str, ...]:
        """Release every latch; or, when a cause is still there, do nothing and name it."""
        causes = [cause for causes in self._present.values() for cause in causes]
        causes += self._silent(now)
        if not causes:
            self._release()
        return tuple(map(str, causes))

    def _look(self, now: float) -> None:
        """Notice that this process hung; in lockstep time does not pass meanwhile."""
        last, self._looked = self._looked, now
        if self._real_time and last is not None and now - last > _SLEPT:
            self._awake = now

    def _release(self) -> None:
        self.state = SafetyVerdict(stamp=self.state.stamp, episode_id=self._episode)

    def _judge(self, source: str, causes: list[Cause], stamp: float) -> None:
        self._present[source] = causes
        for cause in causes:
            self._trip(cause, stamp)

    def _trip(self, cause: Cause, stamp: float) -> None:
        """Latch a cause: the first one stays, a later one can only raise the level."""
        if cause.level <= self.state.level or (cause.only_in_episode and not self._episode):
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
        """Who has been silent too long; the longest, by its own measure, comes first."""
        if not (self._episode or self._real_time):
            return []
        expected = set(self._timeouts) - (set() if self._episode else _ONLY_IN_EPISODE)
        overdue = [
            ((now - self._heard[name]) / self._timeouts[name], name)
            for name in expected & set(self._heard)
        ]
        return [
            silence(name, now - self._heard[name], self._timeouts[name])
            for share, name in sorted(overdue, reverse=True)
            if share > 1.0
        ]
