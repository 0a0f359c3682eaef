"""One camera, from its device's topics to those of the cell."""

import numpy as np
import PIL.Image
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import camera_info, messages, ros


class CameraStream:
    """Takes images of any size and gives square ones of `size` pixels.

    `lockstep` says that images are stamped with simulated time, which stands still at will.
    """

    def __init__(self, node: Node, name: str, size: int, lockstep: bool) -> None:
        self._node = node
        self._size = size
        self._lockstep = lockstep
        self._intrinsics: Intrinsics | None = None
        self._refused = self._received = self._reported = 0
        self._age = float('nan')  # s, of the newest image when it arrived
        prefix, sensor = f'camera/{name}/', ros.SENSOR_PUBLISHER_QOS
        self._images = node.create_publisher(Image, prefix + 'image_raw', sensor)
        self._infos = node.create_publisher(CameraInfo, prefix + 'camera_info', sensor)
        self._subscriptions = [
            node.create_subscription(kind, f'{prefix}device/{topic}', callback, qos)
            for kind, topic, callback, qos in (
                (CameraInfo, 'camera_info', self._on_info, ros.STATE_QOS),
                (Image, 'image_raw', self._on_image, ros.sensor_qos(lockstep)),
            )
        ]

    def close(self) -> None:
        """Stop listening and publishing."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._node.destroy_publisher(self._images)
        self._node.destroy_publisher(self._infos)

    def report(self, period: float) -> tuple[str, dict[str, object]]:
        """Return what is wrong (empty if nothing), and values, for the last `period` (s)."""
        rate = (self._received - self._reported) / period
        self._reported = self._received
        values: dict[str, object] = {'rate (Hz)': rate, 'refused': self._refused}
        if self._lockstep:
            return '', values
        values['age (s)'] = self._age
        return '' if rate else 'no images', values

    def _on_info(self, message: CameraInfo) -> None:
        try:
            self._intrinsics = camera_info.from_message(message).cropped(self._size)
        except ValueError as error:
            self._refuse(error)

    def _on_image(self, message: Image) -> None:
        try:
            image = self._cut(message)
        except ValueError as error:
            self._refuse(error)
            return
        self._received += 1
        now = self._node.get_clock().now().nanoseconds
        self._age = (now - ros.nanoseconds(message.header.stamp)) * 1e-9
        if self._intrinsics is not None:
            info = camera_info.to_message(self._intrinsics)
            info.header = message.header
            self._infos.publish(info)
        self._images.publish(image)

    def _cut(self, message: Image) -> Image:
        """Return the central square, resized; raises ValueError on a malformed image."""
        reading = messages.image_from_message(message)
        height, width, _ = reading.pixels.shape
        size = (self._size, self._size)
        if (height, width) == size:
            return message
        left, upper, right, lower = Intrinsics(width, height, 1.0, 1.0, 0.0, 0.0).square
        square = np.ascontiguousarray(reading.pixels[upper:lower, left:right])
        # Bilinear with a support that grows with the reduction: each pixel counts, none aliases.
        resized = PIL.Image.fromarray(square).resize(size, PIL.Image.Resampling.BILINEAR)
        return messages.image_to_message(
            ImageReading(reading.stamp, np.asarray(resized)),
            message.header.stamp,
            message.header.frame_id,
        )

    def _refuse(self, error: ValueError) -> None:
        self._refused += 1
        self._node.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)
