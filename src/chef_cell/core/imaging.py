"""Where a camera's pixels look, what cropping does to that, and whether it still sees."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera with the distortion of its lens.

    (0, 0) is the centre of the image's first pixel. The distortion is ROS's `plumb_bob`: Brown's
    radial k1, k2, k3 and tangential p1, p2, in the order of CameraInfo.
    """

    width: int  # pixels
    height: int  # pixels
    fx: float  # pixels
    fy: float  # pixels
    cx: float  # pixels
    cy: float  # pixels
    distortion: tuple[float, float, float, float, float] = (0.0,) * 5  # k1, k2, p1, p2, k3

    @classmethod
    def from_fovy(cls, fovy: float, width: int, height: int) -> 'Intrinsics':
        """Return those of an ideal camera with a vertical field of view `fovy` (rad)."""
        focal = 0.5 * height / math.tan(0.5 * fovy)
        return cls(width, height, focal, focal, 0.5 * (width - 1), 0.5 * (height - 1))

    @property
    def square(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge (pixels) of the largest central square."""
        side = min(self.width, self.height)
        left, upper = (self.width - side) // 2, (self.height - side) // 2
        return left, upper, left + side, upper + side

    def cropped(self, size: int) -> 'Intrinsics':
        """Return those of the central square resized to `size` x `size` pixels."""
        left, upper, right, _ = self.square
        scale = size / (right - left)
        return Intrinsics(
            size,
            size,
            scale * self.fx,
            scale * self.fy,
            # Half a pixel lies between the first pixel's centre and the edge, at either size.
            scale * (self.cx - left + 0.5) - 0.5,
            scale * (self.cy - upper + 0.5) - 0.5,
            self.distortion,  # of directions, not of pixels: the same at every size
        )


@dataclasses.dataclass(frozen=True)
class CameraReading:
    """Whether a camera still sees, at the stamp (s) of its newest image."""

    stamp: float
    same_stamp: int = 1  # images in a row with this stamp, this one included
    same_pixels: int = 1  # same for its pixels


class RepeatCounter:
    """Counts how often a camera shows the same again."""

    def __init__(self) -> None:
        self._last: CameraReading | None = None
        self._pixels: np.ndarray | None = None

    def count(self, stamp: float, pixels: np.ndarray) -> CameraReading:
        """Count the next image; `pixels` is kept until the one after it and must not change."""
        last, before = self._last, self._pixels
        self._pixels = pixels
        if last is None or before is None:
            self._last = CameraReading(stamp)
        else:
            self._last = CameraReading(
                stamp,
                last.same_stamp + 1 if stamp == last.stamp else 1,
                last.same_pixels + 1 if np.array_equal(pixels, before) else 1,
            )
        return self._last
