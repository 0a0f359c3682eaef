"""One camera, from its device's topics to those of the cell."""

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.core.imaging import CameraReading, Intrinsics, RepeatCounter
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.nodes.cropping import central_square
from chef_cell.nodes.diagnostics import Health
from chef_interfaces.msg import CameraState


class CameraStream:
    """Takes images of any size and gives square ones of `size` pixels.

    With each it tells the safety latch whether the camera still sees: images are too large to be
    judged there. `lockstep` says that they come when simulated time goes on.
    """

    def __init__(self, node: Node, name: str, size: int, lockstep: bool) -> None:
        self._node = node
        self._name = name
        self._size = size
        self._lockstep = lockstep
        self._intrinsics: Intrinsics | None = None
        self._refused = self._received = self._reported = 0
        self._repeats = RepeatCounter()
        self._newest = CameraReading(0.0)
        prefix, sensor = f'camera/{name}/', ros.SENSOR_PUBLISHER_QOS
        self._images = node.create_publisher(Image, prefix + 'image_raw', sensor)
        self._infos = node.create_publisher(CameraInfo, prefix + 'camera_info', sensor)
        self._states = node.create_publisher(CameraState, 'camera/state', ros.COMMAND_QOS)
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
        for publisher in (self._images, self._infos, self._states):
            self._node.destroy_publisher(publisher)

    def health(self) -> Health:
        """Return how the camera was since the last call."""
        received, self._reported = self._received - self._reported, self._received
        newest = self._newest
        values = {
            'images': self._received,
            'refused': self._refused,
            'images with this stamp': newest.same_stamp,
            'images with these pixels': newest.same_pixels,
        }
        silent = not received and not self._lockstep
        return Health('no images' if silent else '', values)

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
        if self._intrinsics is not None:
            info = camera_info.to_message(self._intrinsics)
            info.header = message.header
            self._infos.publish(info)
        self._images.publish(image)
        newest = self._newest
        state = CameraState(header=message.header, camera=self._name)
        state.same_stamp, state.same_pixels = newest.same_stamp, newest.same_pixels
        self._states.publish(state)

    def _cut(self, message: Image) -> Image:
        """Return the central square, resized; raises ValueError on a malformed image."""
        reading = messages.image_from_message(message)
        self._newest = self._repeats.count(reading.stamp, reading.pixels)
        square = central_square(reading.pixels, self._size)
        if square is reading.pixels:
            return message
        header = message.header
        return messages.image_to_message(
            ImageReading(reading.stamp, square), header.stamp, header.frame_id
        )

    def _refuse(self, error: ValueError) -> None:
        self._refused += 1
        self._node.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)
