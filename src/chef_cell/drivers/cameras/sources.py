"""From a line of settings to the device that it names. Libraries are loaded only when needed."""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from chef_cell.core.camera_settings import CameraDevice
from chef_cell.drivers.cameras.source import CameraError, Source


def make_source(device: CameraDevice) -> Source:
    """Return the device, unopened; raises CameraError when its library is not installed."""
    with _told(device):
        if device.kind == 'basler':
            from chef_cell.drivers.cameras.basler import BaslerCamera

            return BaslerCamera(device)
        from chef_cell.drivers.cameras.opencv import VideoDevice, VideoFile

        return VideoDevice(device) if device.kind == 'v4l2' else VideoFile(device)


def rgb_converter(device: CameraDevice) -> Callable[..., np.ndarray]:
    """Return `encodings.to_rgb`; raises CameraError when OpenCV is not installed."""
    with _told(device):
        from chef_cell.drivers.cameras.encodings import to_rgb

        return to_rgb


@contextlib.contextmanager
def _told(device: CameraDevice) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise CameraError(
            f'{device.name}: {error}; `make devices`, or pip install -r config/locks/devices.txt'
        ) from error
