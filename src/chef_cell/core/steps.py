"""Gather samples of several streams into complete control steps."""

from typing import Any


class StepAssembler:
    """Collects, for every control step, one sample of each stream.

    Lockstep: samples with exactly the step's stamp, whatever order they arrive in. Real time:
    the newest sample of each stream, as soon as `trigger` brings the first one of a new period.
    """

    def __init__(
        self, streams: tuple[str, ...], trigger: str, period_ns: int, lockstep: bool
    ) -> None:
        self._streams = frozenset(streams)
        self._trigger = trigger
        self._period_ns = period_ns
        self._lockstep = lockstep
        self.start(0)

    def start(self, stamp_ns: int) -> None:
        """Expect the step at `stamp_ns` first; earlier samples are dropped."""
        self._start_ns = self._next_ns = stamp_ns
        self._steps: dict[int, dict[str, Any]] = {}
        self._newest: dict[str, Any] = {}

    def wants(self, stamp_ns: int) -> bool:
        """Whether a sample with this stamp may belong to a step still to come."""
        on_time = stamp_ns >= self._next_ns
        aligned = (stamp_ns - self._start_ns) % self._period_ns == 0
        return on_time and aligned if self._lockstep else stamp_ns >= self._start_ns

    def put(self, stream: str, stamp_ns: int, sample: Any) -> dict[str, Any] | None:
        """Add a sample; return the step that it completes, as stream -> sample."""
        if not self.wants(stamp_ns):
            return None
        step = self._steps.setdefault(stamp_ns, {}) if self._lockstep else self._newest
        step[stream] = sample
        triggered = self._lockstep or (stream == self._trigger and stamp_ns >= self._next_ns)
        if not triggered or step.keys() < self._streams:
            return None
        # Streams are in order, so whatever an older step still lacks will never come.
        self._steps = {stamp: rest for stamp, rest in self._steps.items() if stamp > stamp_ns}
        steps_done = (stamp_ns - self._start_ns) // self._period_ns
        self._next_ns = self._start_ns + (steps_done + 1) * self._period_ns
        return dict(step)
