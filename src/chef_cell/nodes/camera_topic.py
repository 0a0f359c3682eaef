"""A camera that another driver serves: its topic, whatever the encoding."""

from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.core.camera_account import CameraAccount
from chef_cell.core.camera_settings import CameraDevice
from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.drivers.cameras.sources import rgb_converter
from chef_cell.nodes import camera_info, ros

#: Volatile and best effort: compatible with whatever a driver offers.
_QOS = QoSProfile(depth=2, reliability=ReliabilityPolicy.BEST_EFFORT)
#: Silence (s) that is a problem.
_SILENCE = 1.0


class TopicCamera:
    """Listens to a topic of sensor_msgs/Image, and to camera_info beside it.

    Args:
        node: that listens.
        device: names the topic.
        on_image: takes each image, stamped by its driver.
        on_info: takes what the driver says of the camera, when it says something else.

    Raises:
        CameraError: OpenCV is not installed.
    """

    def __init__(
        self,
        node: Node,
        device: CameraDevice,
        on_image: Callable[[ImageReading], None],
        on_info: Callable[[Intrinsics], None],
    ) -> None:
        self.name = device.name
        self._node = node
        self._topic = topic = device.address
        self._to_rgb = rgb_converter(device)
        self._on_image, self._on_info = on_image, on_info
        self._info: Intrinsics | None = None
        self._account = CameraAccount()
        self._account.open(topic)
        self._heard = self._now()
        info = f'{topic.rpartition("/")[0]}/camera_info'
        self._subscriptions = [
            node.create_subscription(Image, topic, self._receive, _QOS),
            node.create_subscription(CameraInfo, info, self._receive_info, _QOS),
        ]

    @property
    def problem(self) -> str:
        """Why no images come; empty when they do."""
        silence = self._now() - self._heard
        if not self._account.problem and silence > _SILENCE:
            return f'no image on {self._topic} for {silence:.1f} s'
        return self._account.problem

    def take(self, duration: float) -> dict[str, object]:
        """Return counts, rate and ages; see `CameraAccount.take`."""
        return self._account.take(duration)

    def close(self) -> None:
        """Stop listening."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds * 1e-9)

    def _receive(self, message: Image) -> None:
        size = message.width, message.height, message.step
        try:
            pixels = self._to_rgb(message.data, message.encoding, *size)
        except ValueError as error:
            self._account.damage()
            self._account.lose(f'{self._topic}: {error}')
            self._node.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)
            return
        self._heard = self._now()
        stamp = ros.seconds(message.header.stamp)
        self._account.receive(stamp, self._heard, None)
        self._on_image(ImageReading(stamp, pixels))

    def _receive_info(self, message: CameraInfo) -> None:
        try:
            info = camera_info.from_message(message)
        except ValueError as error:
            self._node.get_logger().warning(f'refused: {error}', throttle_duration_sec=10.0)
            return
        if info != self._info:
            self._info = info
            self._on_info(info)
