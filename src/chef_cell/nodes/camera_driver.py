"""Camera driver node: the cameras of a real cell behind the topics of the simulated ones.

One process serves all cameras, each in a thread of its own. The executor's thread only tells how
they are, so that a camera that hangs holds up nothing but itself.
"""

import dataclasses
import functools
import logging
import sys
from pathlib import Path

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.calibration import file as calibration_file
from chef_cell.core.camera_settings import CameraDevice, CameraSettingsError, parse_device
from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.drivers.cameras.camera import GrabbedCamera
from chef_cell.drivers.cameras.sources import make_source
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.nodes.camera_topic import TopicCamera
from chef_cell.nodes.diagnostics import PERIOD, Health
from chef_cell.nodes.real_time import RealTime

#: As the simulated cameras offer them, but of large images only the newest are kept.
_IMAGE_QOS = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)


@dataclasses.dataclass(frozen=True)
class DriverSettings(RealTime):
    """Which cameras there are."""

    cameras: tuple[str, ...] = ()  # names of those to serve
    devices: tuple[str, ...] = ()  # a line each: NAME KIND:ADDRESS [OPTION=VALUE ...]
    calibration: str = ''  # file that `chef calibrate cameras` wrote; empty: uncalibrated

    def chosen(self) -> list[CameraDevice]:
        """Return the devices of the cameras to serve; raises CameraSettingsError."""
        devices = {device.name: device for device in map(parse_device, self.devices)}
        if len(devices) < len(self.devices):
            raise CameraSettingsError(f'devices name a camera twice: {list(self.devices)}')
        if missing := [name for name in self.cameras if name not in devices]:
            raise CameraSettingsError(
                f'no device for {", ".join(missing)}; camera_driver.devices in config/real.yaml '
                f'has {", ".join(devices) or "none"}'
            )
        return [devices[name] for name in self.cameras]


class CameraDriver(ros.CellNode):
    """Publishes camera/<name>/device/image_raw and camera_info."""

    images = True
    hardware = 'cameras'

    def __init__(self) -> None:
        super().__init__('camera_driver')
        logging.basicConfig(level=logging.INFO, format='%(message)s')
        settings = ros.declare_settings(self, DriverSettings)
        path = settings.calibration
        self._calibrations = calibration_file.load(Path(path)) if path else {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._images, self._infos = {}, {}
        self._cameras: list[GrabbedCamera | TopicCamera] = []
        for device in settings.chosen():
            prefix = f'camera/{device.name}/device/'
            self._images[device.name] = self.create_publisher(
                Image, prefix + 'image_raw', _IMAGE_QOS
            )
            self._infos[device.name] = self.create_publisher(
                CameraInfo, prefix + 'camera_info', ros.STATE_QOS
            )
            if device.name in self._calibrations:
                self._announce(device.name, self._calibrations[device.name].intrinsics)
            self._cameras.append(self._serve(device))

    def _serve(self, device: CameraDevice) -> GrabbedCamera | TopicCamera:
        name = device.name
        publish = functools.partial(self._publish, name)
        if device.kind != 'topic':
            return GrabbedCamera(name, make_source(device), publish)
        announce = functools.partial(self._announce, name)
        own = name in self._calibrations
        return TopicCamera(self, device, publish, (lambda _: None) if own else announce)

    def _publish(self, name: str, reading: ImageReading) -> None:
        """Publish an image; called in its camera's thread."""
        height, width, _ = reading.pixels.shape
        self._sizes[name] = width, height
        stamp = ros.to_stamp(round(reading.stamp * 1e9))
        self._images[name].publish(
            messages.image_to_message(reading, stamp, f'{name}_optical_frame')
        )

    def _announce(self, name: str, intrinsics: Intrinsics) -> None:
        info = camera_info.to_message(intrinsics)
        info.header.frame_id = f'{name}_optical_frame'
        self._infos[name].publish(info)

    def diagnose(self) -> dict[str, Health]:
        """Return how each camera is; without images for long, the safety latch stops the cell."""
        return {
            camera.name: Health(
                camera.problem or self._mismatch(camera.name),
                camera.take(PERIOD),
                stops=bool(camera.problem),
            )
            for camera in self._cameras
        }

    def _mismatch(self, name: str) -> str:
        """Say whether a camera's images are of another size than it was calibrated with."""
        calibration, size = self._calibrations.get(name), self._sizes.get(name)
        if calibration is None or size in (None, calibration.size):
            return ''
        return f'images of {size} pixels, calibrated with {calibration.size}: calibrate again'

    def stop(self) -> None:
        """Release the devices."""
        for camera in self._cameras:
            camera.close()
        self._cameras = []


def main() -> int:
    """Run the node."""
    return ros.run(CameraDriver)


if __name__ == '__main__':
    sys.exit(main())
