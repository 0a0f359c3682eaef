"""How often a state goes out."""

import math

#: Rate of a Sawyer's joint states (Hz), and the largest that may be asked for.
DEFAULT_STATE_RATE = 100
MAX_STATE_RATE = 800


class RateLimit:
    """How often the joint states go out: as clients ask, up to the rate of the arm's own loop."""

    #: How much earlier than due a sample may come, because its source is never quite regular (s).
    _EARLY = 0.003

    def __init__(self, rate: int = DEFAULT_STATE_RATE) -> None:
        self._period = 0.0
        self._next = -math.inf
        self.set(rate)

    def set(self, rate: int) -> None:
        """Ask for `rate` (Hz), clamped to 1 .. 800 as on the robot."""
        self._period = 1.0 / min(max(rate, 1), MAX_STATE_RATE)
        self._next = -math.inf

    def due(self, now: float) -> bool:
        """Return whether the sample taken at `now` (s) goes out."""
        if now < self._next - self._EARLY:
            return False
        # From when it was due, so that early and late samples leave the rate as it is; but after
        # a pause there is nothing to catch up.
        on_time = now - self._next < self._period
        self._next = (self._next if on_time else now) + self._period
        return True
