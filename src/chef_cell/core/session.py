"""One episode as the session sees it: phases, steps, rewards, and the first reason to end."""

import dataclasses
import math
from collections.abc import Mapping
from enum import IntEnum

from chef_cell.core.rewards import REWARD_NAMES, success


class Phase(IntEnum):
    """What the cell is doing; the numbers are those of EpisodeState.msg."""

    IDLE = 0
    RESETTING = 1
    RUNNING = 2
    ENDED = 3
    SCRIPTED_RESET = 4


@dataclasses.dataclass(frozen=True)
class EpisodeSettings:
    """Length of an episode, and patience with silent nodes."""

    max_steps: int = 400  # control steps
    period_ns: int = 50_000_000  # ns, control period
    step_timeout: float = 10.0  # s of wall time without a new step: somebody is silent
    stop_grace: float = 1.0  # s of wall time for the samples up to a stop to arrive
    safety_timeout: float = 1.0  # s of wall time without a verdict of the latch (real time)
    retreat_time: float = 0.4  # s of the samples' time for the arm to retreat after a force stop

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not (value > 0 or (field.name == 'retreat_time' and value == 0)):
                raise ValueError(f'{field.name} = {value}, must be positive')


@dataclasses.dataclass(frozen=True)
class Stop:
    """A reason to end an episode before its last step."""

    outcome: str  # force, fault or abort
    reason: str
    value: float = 0.0  # what was measured, in the unit of `limit`
    limit: float = 0.0
    stamp_ns: int | None = None  # when it happened; None: at once, whatever is still under way


class Episode:
    """Counts steps, sums rewards, and decides the outcome: success, timeout, or the first `Stop`.

    Samples may arrive a little after the stop they precede. An episode that is stopped at a
    stamp ends when every step up to that stamp is judged, so that its record does not depend on
    the order in which messages of different nodes arrive. A stop by force leaves the arm time to
    retreat; what happens in it does not count.

    Time arguments: `stamp_ns` is the samples' time, `now` a steady wall clock (s).
    """

    def __init__(self, settings: EpisodeSettings, now: float) -> None:
        self._settings = settings
        self._heard = now
        self._start_ns = 0
        self._step_ns = self._newest_ns = -1
        self._forces: list[tuple[int, float]] = []
        self._stop: Stop | None = None
        self._stop_heard = now
        self.phase = Phase.RESETTING
        self.steps = 0
        self.outcome = ''
        self.reason = ''
        self.success = False
        self.value = 0.0
        self.limit = 0.0
        self.end_ns = 0
        self.peak_force = 0.0
        self.final_rewards = dict.fromkeys(REWARD_NAMES, 0.0)
        self.return_rewards = dict.fromkeys(REWARD_NAMES, 0.0)

    def start(self, stamp_ns: int, now: float) -> None:
        """The scene is reset; `stamp_ns` is the stamp of the first observation."""
        self._start_ns = self._step_ns = self._newest_ns = self.end_ns = stamp_ns
        self._heard = now
        self.phase = Phase.RUNNING

    def on_force(self, stamp_ns: int, force: float) -> None:
        """Note the norm of a wrist force (N)."""
        if self.phase == Phase.RUNNING and stamp_ns >= self._start_ns:
            self._forces.append((stamp_ns, force))

    def on_step(self, stamp_ns: int, rewards: dict[str, float], now: float) -> None:
        """Note the rewards of the state at a control step; the first state earns nothing."""
        if self.phase != Phase.RUNNING:
            return
        self._newest_ns = stamp_ns
        if self._stop_ns is not None and stamp_ns > self._stop_ns:
            self._settle()
            return
        self._heard = now
        self._take_forces(stamp_ns)
        self._step_ns = self.end_ns = stamp_ns
        step = self._step_at(stamp_ns)
        self.final_rewards = dict(rewards)
        if step > self.steps:
            self.steps = step
            for name, value in rewards.items():
                self.return_rewards[name] += value
        if self.steps >= self._settings.max_steps:
            self._judge()
        self._settle()

    def finish(self) -> None:
        """End the episode because a person says that it is done: the newest step is the last."""
        if self.phase == Phase.RUNNING and self._stop is None:
            self._take_forces(math.inf)
            self._judge()

    def stop(self, stop: Stop, now: float) -> None:
        """End the episode, now or once the samples up to the stop's stamp are judged."""
        if self._stop is None and self.phase in (Phase.RESETTING, Phase.RUNNING):
            self._stop, self._stop_heard = stop, now
            self._settle()
        elif self._stop is not None and stop.outcome != self._stop.outcome:
            self._apply_stop()  # the first stop counts, but there is no time left

    def on_time(self, now: float, silent: str) -> None:
        """End the episode when nothing happens any more because `silent` does not answer."""
        if self._stop is not None and now - self._stop_heard > self._settings.stop_grace:
            self._apply_stop()
        waited = now - self._heard
        if self.phase == Phase.RUNNING and waited > self._settings.step_timeout:
            limit = self._settings.step_timeout
            reason = f'no step for {limit:g} s after step {self.steps}: {silent} is silent'
            self.stop(Stop('fault', reason, waited, limit), now)

    def _judge(self) -> None:
        """The newest step is the last one, and decides."""
        self.success = success(self.final_rewards)
        text = 'stacked and left alone' if self.success else 'not stacked'
        self._end('success' if self.success else 'timeout', f'{text} at the last step')

    @property
    def _stop_ns(self) -> int | None:
        return None if self._stop is None else self._stop.stamp_ns

    def _settle(self) -> None:
        """End at a stop whose last step has been judged."""
        stop_ns = self._stop_ns
        if self._stop is None or self.phase == Phase.ENDED:
            return
        if stop_ns is None or (
            stop_ns - self._step_ns < self._settings.period_ns and self._retreated(self._stop)
        ):
            self._apply_stop()

    def _retreated(self, stop: Stop) -> bool:
        """Whether the arm has had its time; none comes after the last step."""
        wait_ns = self._settings.retreat_time * 1e9
        return (
            stop.outcome != 'force'
            or wait_ns == 0
            or self._newest_ns - (stop.stamp_ns or 0) >= wait_ns
            or self._step_at(self._newest_ns) >= self._settings.max_steps
        )

    def _step_at(self, stamp_ns: int) -> int:
        """Control steps done; rounded, as real sensors are sampled a little early or late."""
        return round((stamp_ns - self._start_ns) / self._settings.period_ns)

    def _apply_stop(self) -> None:
        if self._stop is None or self.phase == Phase.ENDED:
            return
        stop = self._stop
        self._take_forces(math.inf if stop.stamp_ns is None else stop.stamp_ns)
        if stop.stamp_ns is not None:
            self.end_ns = stop.stamp_ns
        self.value, self.limit = stop.value, stop.limit
        self._end(stop.outcome, stop.reason)

    def _take_forces(self, until_ns: float) -> None:
        taken = [force for stamp, force in self._forces if stamp <= until_ns]
        self._forces = [item for item in self._forces if item[0] > until_ns]
        self.peak_force = max([self.peak_force, *taken])

    def _end(self, outcome: str, reason: str) -> None:
        if self.phase != Phase.ENDED:
            self.outcome, self.reason = outcome, reason
            self.phase = Phase.ENDED


def silent_node(newest_ns: Mapping[str, int], tolerance_ns: int) -> str:
    """Return the node whose answer a control step lacks.

    Args:
        newest_ns: stream (arm, objects, wrench, safety, policy) -> newest stamp heard.
        tolerance_ns: how far behind a stream may be; 0 in lockstep.
    """
    if 'arm' not in newest_ns:
        return 'mujoco_bridge'
    for stream, asked_by, node in (
        ('wrench', 'arm', 'wrist'),
        ('safety', 'wrench', 'safety'),
        ('policy', 'objects', 'policy'),
    ):
        if newest_ns.get(stream, 0) + tolerance_ns < newest_ns.get(asked_by, 0):
            return node
    return 'controller or mujoco_bridge'
