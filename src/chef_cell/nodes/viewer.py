"""Viewer node: what the cameras see, in a browser on this machine."""

import dataclasses
import sys
from functools import partial

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from chef_cell.nodes import messages, ros
from chef_cell.nodes.live_view import LiveView

#: Whoever looks wants the newest image, and must never hold up the cell.
_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@dataclasses.dataclass(frozen=True)
class ViewerSettings:
    """Parameters of the node."""

    lockstep: bool = False  # of no meaning here: nobody waits for this node
    cameras: tuple[str, ...] = ()
    port: int = 0  # 0: any free one

    def __post_init__(self) -> None:
        if not 0 <= self.port < 1 << 16:
            raise ValueError(f'port = {self.port}, allowed: 0 to 65535')


class ViewerNode(ros.CellNode):
    """Shows images as they come."""

    images = True

    def __init__(self) -> None:
        super().__init__('viewer')
        settings = ros.declare_settings(self, ViewerSettings)
        self._view: LiveView | None = LiveView(settings.port, settings.cameras)
        for name in settings.cameras:
            topic = f'camera/{name}/image_raw'
            self.create_subscription(Image, topic, partial(self._on_image, name), _NEWEST)
        self.get_logger().info(f'cameras: http://127.0.0.1:{self._view.port}/')

    def _on_image(self, camera: str, message: Image) -> None:
        try:
            pixels = messages.image_from_message(message).pixels
        except ValueError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        if self._view is not None:
            self._view.show(camera, pixels)

    def stop(self) -> None:
        """Stop serving."""
        if self._view is not None:
            self._view.close()
            self._view = None


def main() -> int:
    """Run the node."""
    return ros.run(ViewerNode)


if __name__ == '__main__':
    sys.exit(main())
