"""Stamps of a robot's clock told by our own."""

import math

#: How long a sample counts for the offset between the clocks (s): long enough to hold one that
#: came without delay, short enough to follow two clocks that drift apart.
WINDOW = 10.0
#: A robot whose clock went back by more than this was restarted, or its clock was set (s).
_RESTART = 1.0


class RobotClock:
    """Translates stamps, assuming that the quickest message of late took no time.

    So a stamp keeps the regularity of the robot's clock, whatever the network does, and is late
    by the shortest way only. It never goes back, and stays the same when the robot's does.
    """

    def __init__(self) -> None:
        self._robot = self._local = self._since = -math.inf
        # The smallest delay of this window and of the one before.
        self._before = self._quickest = math.inf

    def local(self, stamp: float, received: float) -> float:
        """Return our time (s) of a robot's `stamp` (s) in a message `received` (s) now."""
        if stamp == self._robot:
            return self._local
        if stamp < self._robot - _RESTART:
            self._before = self._quickest = math.inf
            self._since = received
        self._robot = stamp
        delay = received - stamp
        if received - self._since > WINDOW:
            self._before, self._quickest, self._since = self._quickest, delay, received
        self._quickest = min(self._quickest, delay)
        offset = min(self._before, self._quickest)
        self._local = max(self._local, stamp + offset)
        return self._local
