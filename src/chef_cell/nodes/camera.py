"""Camera node: what the devices see, cut to what policies see.

Images of the right size pass untouched; others are cut to their central square and resized. The
intrinsics the device announces follow their pixels.
"""

import dataclasses
import sys

from chef_cell.nodes import ros
from chef_cell.nodes.camera_stream import CameraStream
from chef_cell.nodes.diagnostics import Health


@dataclasses.dataclass(frozen=True)
class CameraSettings:
    """Which cameras one process serves."""

    lockstep: bool = False
    cameras: tuple[str, ...] = ()
    image_size: int = 128  # pixels, square

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise ValueError(f'image_size {self.image_size}, must be positive')


class CameraNode(ros.ManagedNode):
    """Serves its cameras while it is active."""

    images = True
    hardware = 'cameras'

    def __init__(self) -> None:
        super().__init__('camera')
        self._settings = ros.declare_settings(self, CameraSettings)
        self._streams: dict[str, CameraStream] = {}

    def start(self) -> None:
        """Open the streams."""
        settings = self._settings
        self._streams = {
            name: CameraStream(self, name, settings.image_size, settings.lockstep)
            for name in settings.cameras
        }

    def pause(self) -> None:
        """Close the streams."""
        for stream in self._streams.values():
            stream.close()
        self._streams = {}

    def diagnose(self) -> dict[str, Health]:
        """Return how each camera is."""
        return {name: stream.health() for name, stream in self._streams.items()}


def main() -> int:
    """Run the node."""
    return ros.run(CameraNode)


if __name__ == '__main__':
    sys.exit(main())
