"""Judges of streams: what they say depends on what they heard before."""

import math
from collections import deque

import numpy as np

from chef_cell.core.readings import ArmReading, WrenchReading
from chef_cell.core.safety_causes import Cause, Level, SafetySettings


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


class ClockJudge:
    """Judges the system clock, with which samples are stamped, by one that never jumps."""

    def __init__(self, step_limit: float) -> None:
        self._limit = step_limit
        self._offset: float | None = None

    def judge(self, offset: float) -> list[Cause]:
        """Judge the difference (s) between the two clocks; it is compared with the last one."""
        last, self._offset = self._offset, offset
        step = 0.0 if last is None else offset - last
        if abs(step) <= self._limit:
            return []
        return [Cause('clock_jump', 'clock', step, self._limit, only_in_episode=True)]
