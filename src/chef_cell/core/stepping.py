"""When simulated time may move on: the cell's side of lockstep."""

import dataclasses

JOINT_COMMAND = 'joint_command'
GRIPPER_COMMAND = 'gripper_command'


@dataclasses.dataclass(frozen=True)
class Instant:
    """One joint tick at which simulated time stands still until it is answered."""

    stamp_ns: int
    tick: int  # joint ticks since the episode's start
    step: int  # control steps completed
    command_due: bool  # whether a new task command, and so a gripper command, is waited for
    last: bool  # whether the episode is over here: no answer is waited for


class EpisodeStepper:
    """The instants of one episode. Each is left once, when everything it waits for has come.

    Whatever else comes (a repetition, an answer to another instant) is ignored and counted, so
    that no message, however late or often it is delivered, moves time.
    """

    def __init__(self, joint_period_ns: int, ticks_per_step: int) -> None:
        if joint_period_ns < 1 or ticks_per_step < 1:
            raise ValueError(
                f'joint period {joint_period_ns} ns, {ticks_per_step} ticks per step: '
                'must be at least 1'
            )
        self.instant: Instant | None = None
        self.ignored = 0
        self._period_ns = joint_period_ns
        self._ticks_per_step = ticks_per_step
        self._max_steps = 0
        self._awaited: set[str] = set()

    def start(self, stamp_ns: int, max_steps: int) -> Instant:
        """Begin an episode of `max_steps` control steps and return its first instant."""
        self._max_steps = max_steps
        return self._arrive(stamp_ns, 0)

    def stop(self) -> None:
        """End the episode: time stands still."""
        self.instant = None
        self._awaited = set()

    def awaits(self, name: str, stamp_ns: int) -> bool:
        """Whether an input with this stamp is waited for; if not, it is counted as ignored.

        An answer to the last instant is not counted: whoever answers ticks can't know it to be
        the last.
        """
        instant = self.instant
        if instant is None or instant.stamp_ns != stamp_ns:
            self.ignored += 1
            return False
        awaited = name in self._awaited
        self.ignored += not awaited and not instant.last
        return awaited

    def put(self, name: str) -> bool:
        """Take an awaited input; return whether it was the last one."""
        self._awaited.remove(name)
        return not self._awaited

    def advance(self) -> Instant:
        """Move on to the next instant; raises ValueError while an answer is still missing."""
        if self.instant is None or self.instant.last or self._awaited:
            raise ValueError(f'{self.instant} still waits for {sorted(self._awaited)}')
        return self._arrive(self.instant.stamp_ns + self._period_ns, self.instant.tick + 1)

    def _arrive(self, stamp_ns: int, tick: int) -> Instant:
        step, into_step = divmod(tick, self._ticks_per_step)
        last = step >= self._max_steps
        due = into_step == 0 and not last
        self._awaited = set() if last else {JOINT_COMMAND} | ({GRIPPER_COMMAND} if due else set())
        self.instant = Instant(stamp_ns, tick, step, due, last)
        return self.instant


class Pacer:
    """How many periods of simulated time are due, so that it keeps pace with a clock.

    A process held up for longer than `max_catch_up` periods lets go of the rest: a burst of
    physics would only hold it up further.
    """

    def __init__(self, period: float, max_catch_up: int = 10) -> None:
        self.lost = 0  # periods
        self._period = period
        self._max_catch_up = max_catch_up
        self.restart()

    def restart(self) -> None:
        """Begin anew with the next call: the time since the last one was not to be made up for."""
        self._origin: float | None = None
        self._done = 0

    def due(self, now: float) -> int:
        """Return the periods to pass at `now` (s, a clock that never jumps), and count them.

        The timer that asks is as regular as the periods are, so half a period of jitter either way
        makes no difference.
        """
        if self._origin is None:
            self._origin = now - self._period
        due = round((now - self._origin) / self._period) - self._done
        self._done += due
        self.lost += max(0, due - self._max_catch_up)
        return min(due, self._max_catch_up)
