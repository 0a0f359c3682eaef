"""What a device must offer to be a camera of the cell, and how it fails."""

import dataclasses
from typing import Protocol

import numpy as np


class CameraError(RuntimeError):
    """A camera can't be opened, is set wrongly, or is gone: it must be opened again."""


class DamagedImageError(RuntimeError):
    """One image did not arrive whole; the next one may."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """One image as the device gave it."""

    pixels: np.ndarray  # uint8 (height, width, 3), RGB; nobody else's
    received: float  # s, when it had come, on the clock of `time.time`
    stamp: float | None = None  # s, on the device's clock; None: it has none
    number: int | None = None  # counted by the device; None: it does not


class Source(Protocol):
    """A device that gives images to one thread."""

    def open(self) -> str:
        """Open and set the device, and return what it is; raises CameraError."""

    def grab(self) -> Frame:
        """Wait for the next image, or the newest of several; raises the errors above."""

    def close(self) -> None:
        """Release the device, in whatever state it is."""
