"""Which images of several cameras belong together."""

from typing import Generic, TypeVar

Image = TypeVar('Image')

_SECOND = 1_000_000_000  # ns


class ImageSets(Generic[Image]):
    """Gathers the newest image of each camera until they are of about one instant.

    Args:
        cameras: names.
        tolerance: s, between the oldest and the newest image of a set.
        missing_after: s behind the newest image, after which a camera is not waited for.
        period: s, between two sets at least; images in between are dropped.
    """

    def __init__(
        self, cameras: tuple[str, ...], tolerance: float, missing_after: float, period: float
    ) -> None:
        self._cameras = cameras
        self._tolerance = tolerance * _SECOND
        self._missing_after = missing_after * _SECOND
        self._period = period * _SECOND
        self._heard: dict[str, int] = {}
        self._held: dict[str, tuple[int, Image]] = {}
        self._last: int | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Cameras that are not waited for."""
        newest = max(self._heard.values(), default=0)
        return tuple(
            name for name, stamp in self._heard.items() if newest - stamp > self._missing_after
        )

    def put(self, camera: str, stamp_ns: int, image: Image) -> tuple[int, dict[str, Image]] | None:
        """Take an image; return the newest stamp (ns) and the images of a set that is complete.

        A stamp before that of the last set begins anew: clocks may be set back.
        """
        if not self._heard or (self._last is not None and stamp_ns < self._last):
            self._heard = dict.fromkeys(self._cameras, stamp_ns)
            self._held, self._last = {}, None
        self._heard[camera] = stamp_ns
        self._held[camera] = stamp_ns, image
        newest = max(held for held, _ in self._held.values())
        missing = self.missing
        expected = [name for name in self._cameras if name not in missing]
        early = self._last is not None and newest - self._last < self._period
        if early or not all(
            name in self._held and newest - self._held[name][0] <= self._tolerance
            for name in expected
        ):
            return None
        found = {name: self._held[name][1] for name in expected}
        self._held, self._last = {}, newest
        return newest, found
