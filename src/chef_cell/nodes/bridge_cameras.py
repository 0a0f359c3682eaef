"""The simulated cell's cameras as devices: raw images before any camera node."""

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.sim.background import BackgroundRenderer
from chef_cell.sim.cell import SimCell


class BridgeCameras:
    """Publishes camera/<name>/device/image_raw and camera_info.

    In lockstep an instant is complete only with its images, so they are rendered on the spot. In
    real time they are rendered in the background from a copy of the state.

    Raises:
        RenderError: cameras are asked for, and there is no library to render with.
    """

    def __init__(
        self, node: Node, cell: SimCell, names: tuple[str, ...], size: int, lockstep: bool
    ) -> None:
        self._cell = cell
        self._size = size
        self._publishers = {
            name: node.create_publisher(
                Image, f'camera/{name}/device/image_raw', ros.SENSOR_PUBLISHER_QOS
            )
            for name in names
        }
        for name in names:
            self._announce(node, name)
        self._background: BackgroundRenderer | None = None
        if names and not lockstep:
            self._background = BackgroundRenderer(cell, names, size, self._send)
        for name in names if lockstep else ():
            cell.render(name, size, size)  # fail now, not in the first episode

    @property
    def dropped(self) -> int:
        """Sets of images left out because the last ones were still being rendered."""
        return self._background.dropped if self._background else 0

    def prepare(self) -> None:
        """Make ready for the images of a new scene."""
        if self._background:
            self._background.prepare()

    def publish(self, stamp_ns: int) -> None:
        """Publish the images of now."""
        if self._background:
            self._background.offer(stamp_ns)
            return
        for name in self._publishers:
            self._send(name, self._cell.render(name, self._size, self._size), stamp_ns)

    def close(self) -> None:
        """Stop rendering."""
        if self._background:
            self._background.close()
            self._background = None

    def _announce(self, node: Node, name: str) -> None:
        """Publish the intrinsics of the images, once for all: nothing about a camera changes."""
        intrinsics = Intrinsics.from_fovy(self._cell.camera(name).fovy, self._size, self._size)
        info = camera_info.to_message(intrinsics)
        info.header.frame_id = f'{name}_optical_frame'
        topic = f'camera/{name}/device/camera_info'
        node.create_publisher(CameraInfo, topic, ros.STATE_QOS).publish(info)

    def _send(self, name: str, pixels: np.ndarray, stamp_ns: int) -> None:
        reading = ImageReading(stamp_ns * 1e-9, pixels)
        self._publishers[name].publish(
            messages.image_to_message(reading, ros.to_stamp(stamp_ns), f'{name}_optical_frame')
        )
