"""Camera node: what the devices see, cut to what policies see.

Images of the right size pass untouched; others are cut to their central square and resized. The
intrinsics the device announces follow their pixels.
"""

import dataclasses
import math
import sys

import numpy as np
import PIL.Image
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.nodes.diagnostics import PERIOD, Diagnostics


@dataclasses.dataclass(frozen=True)
class CameraSettings:
    """Which cameras one process serves."""

    lockstep: bool = False
    cameras: tuple[str, ...] = ()
    image_size: int = 128  # pixels, square

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise ValueError(f'image_size {self.image_size}, must be positive')


class Stream:
    """One camera, from its device's topics to those of the cell."""

    def __init__(self, node: 'CameraNode', name: str, settings: CameraSettings) -> None:
        self.refused = self.received = 0
        self.age = math.nan  # s, of the newest image when it arrived
        self._node = node
        self._size = settings.image_size
        self._intrinsics: Intrinsics | None = None
        prefix, sensor = f'camera/{name}/', ros.SENSOR_PUBLISHER_QOS
        self._images: Publisher = node.create_publisher(Image, prefix + 'image_raw', sensor)
        self._infos: Publisher = node.create_publisher(CameraInfo, prefix + 'camera_info', sensor)
        self._subscriptions: list[Subscription] = [
            node.create_subscription(
                CameraInfo, prefix + 'device/camera_info', self._on_info, ros.STATE_QOS
            ),
            node.create_subscription(
                Image,
                prefix + 'device/image_raw',
                self._on_image,
                ros.sensor_qos(settings.lockstep),
            ),
        ]

    def close(self) -> None:
        """Stop listening and publishing."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._node.destroy_publisher(self._images)
        self._node.destroy_publisher(self._infos)

    def _on_info(self, message: CameraInfo) -> None:
        self._intrinsics = camera_info.from_message(message)

    def _on_image(self, message: Image) -> None:
        try:
            image = self._cut(message)
        except ValueError as error:
            self.refused += 1
            self._node.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)
            return
        self.received += 1
        self.age = self._node.now() - ros.seconds(message.header.stamp)
        if self._intrinsics is not None:
            info = camera_info.to_message(self._intrinsics.cropped(self._size))
            info.header = message.header
            self._infos.publish(info)
        self._images.publish(image)

    def _cut(self, message: Image) -> Image:
        """Raises ValueError unless the image is a whole rgb8 one."""
        reading = messages.image_from_message(message)
        size = (self._size, self._size)
        if reading.pixels.shape[:2] == size:
            return message
        height, width, _ = reading.pixels.shape
        left, upper, right, lower = Intrinsics(width, height, 1.0, 1.0, 0.0, 0.0).square
        square = np.ascontiguousarray(reading.pixels[upper:lower, left:right])
        # Bilinear with a support that grows with the reduction: each pixel counts, none aliases.
        resized = PIL.Image.fromarray(square).resize(size, PIL.Image.Resampling.BILINEAR)
        return messages.image_to_message(
            ImageReading(reading.stamp, np.asarray(resized)),
            message.header.stamp,
            message.header.frame_id,
        )


class CameraNode(ros.ManagedNode):
    """Serves its cameras while it is active."""

    def __init__(self) -> None:
        super().__init__('camera')
        self._settings = ros.declare_settings(self, CameraSettings)
        self._streams: dict[str, Stream] = {}
        Diagnostics(self, 'cameras', self._report)

    def start(self) -> None:
        """Open the streams."""
        self._received = dict.fromkeys(self._settings.cameras, 0)
        self._streams = {
            name: Stream(self, name, self._settings) for name in self._settings.cameras
        }

    def pause(self) -> None:
        """Close the streams."""
        for stream in self._streams.values():
            stream.close()
        self._streams = {}

    def now(self) -> float:
        """ROS time (s), as in the stamps of devices in real time."""
        return self.get_clock().now().nanoseconds * 1e-9

    def _report(self) -> dict[str, tuple[str, dict[str, object]]]:
        report: dict[str, tuple[str, dict[str, object]]] = {}
        for name, stream in self._streams.items():
            rate = (stream.received - self._received[name]) / PERIOD
            self._received[name] = stream.received
            values: dict[str, object] = {
                'rate (Hz)': rate,
                'age (s)': stream.age,
                'refused': stream.refused,
            }
            silent = not rate and not self._settings.lockstep
            report[name] = ('no images' if silent else '', values)
        return report


def main() -> int:
    """Run the node."""
    return ros.run(CameraNode)


if __name__ == '__main__':
    sys.exit(main())
