"""What became of a camera's images, and how long to wait before it is tried again."""

from chef_cell.core.timing import StreamStatistics

#: Numbers of images are counted with 16 bits by GigE Vision 1, and start again from 1.
_LAST_NUMBER = 65535
#: A longer leap of numbers is a camera that was started anew.
_LONGEST_GAP = 1000


class BackOff:
    """Waiting times that double from `shortest` to `longest` (s)."""

    def __init__(self, shortest: float = 0.5, longest: float = 8.0) -> None:
        self._shortest, self._longest = shortest, longest
        self._next = shortest

    def reset(self) -> None:
        """Begin with the shortest again."""
        self._next = self._shortest

    def next(self) -> float:
        """Return how long to wait this time (s)."""
        delay, self._next = self._next, min(2.0 * self._next, self._longest)
        return delay


class CameraAccount:
    """Counts a camera's images: those that came, were damaged, or never arrived.

    Attributes:
        problem: why no images come; empty when they do.
        description: what the device said of itself when it was opened.
    """

    def __init__(self) -> None:
        self.problem = 'not opened yet'
        self.description = ''
        self.received = self.damaged = self.dropped = self.opened = 0
        self._statistics = StreamStatistics()
        self._number: int | None = None

    def open(self, description: str) -> None:
        """Note that the camera was opened."""
        self.opened += 1
        self.description = description
        self.problem = 'no image yet'
        self._number = None

    def receive(self, stamp: float, arrived: float, number: int | None) -> None:
        """Note an image.

        Args:
            stamp: when it was taken (s).
            arrived: now, on the same clock (s).
            number: that the device gave it; None: it does not count.
        """
        self.problem = ''
        self.received += 1
        self._statistics.add(stamp, arrived)
        self._count(number)

    def damage(self, number: int | None = None) -> None:
        """Note an image that came incomplete."""
        self.damaged += 1
        self._count(number)

    def lose(self, problem: str) -> None:
        """Note that the camera is gone."""
        self.problem = problem

    def take(self, duration: float) -> dict[str, object]:
        """Return the counts since the start, and rate and ages since the last call.

        `duration` is how long ago that was (s).
        """
        summary = self._statistics.take(duration)
        return {
            'device': self.description,
            'rate (Hz)': round(summary.rate, 2),
            'age p50 (ms)': round(1e3 * summary.p50, 3),
            'age max (ms)': round(1e3 * summary.max, 3),
            'images': self.received,
            'dropped': self.dropped,
            'damaged': self.damaged,
            'opened': self.opened,
        }

    def _count(self, number: int | None) -> None:
        if number is not None and self._number is not None:
            gap = (number - self._number - 1) % _LAST_NUMBER
            self.dropped += gap if gap < _LONGEST_GAP else 0
        self._number = number
