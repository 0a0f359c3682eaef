"""Cameras that the system knows, videos and sequences of images, through OpenCV."""

import time
from collections.abc import Mapping

import cv2
import numpy as np

from chef_cell.core.camera_settings import CameraDevice
from chef_cell.drivers.cameras.source import CameraError, Frame

_MANUAL = 1.0  # V4L2_EXPOSURE_MANUAL
_EXPOSURE_UNIT = 1e-4  # s, of V4L2_CID_EXPOSURE_ABSOLUTE


class VideoDevice:
    """A camera of the kernel (Video4Linux): USB, CSI, capture cards.

    Exposure, gain and white balance are taken from the device's automatic functions. The stamp is
    the kernel's, of the buffer.
    """

    def __init__(self, device: CameraDevice) -> None:
        self._device = device
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> str:
        """Open and set the device; raises CameraError naming what it did not take."""
        device = self._device
        self._capture = capture = cv2.VideoCapture(device.address, cv2.CAP_V4L2)
        if not capture.isOpened():
            raise CameraError(f'{device.address} can not be opened as a camera: v4l2-ctl --all')
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        capture.set(cv2.CAP_PROP_AUTO_WB, 0.0)
        for name, (property_, value) in _wanted(device).items():
            capture.set(property_, value)
            if not np.isclose(capture.get(property_), value, rtol=1e-3):
                raise CameraError(
                    f'{device.address}: {name} {value:g} asked for, the device has '
                    f'{capture.get(property_):g}; v4l2-ctl --list-ctrls --list-formats-ext'
                )
        width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        rate = capture.get(cv2.CAP_PROP_FPS)
        return f'{device.address}: {width:g}x{height:g} at {rate:g} Hz'

    def grab(self) -> Frame:
        """Wait for the next image; raises CameraError when none comes."""
        assert self._capture is not None
        if not self._capture.grab():
            raise CameraError(f'{self._device.address} gives no image any more: unplugged?')
        received = time.time()
        taken = self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
        whole, pixels = self._capture.retrieve()
        if not whole:
            raise CameraError(f'{self._device.address}: an image can not be decoded')
        return Frame(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), received, taken or None)

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()


class VideoFile:
    """A video, or images numbered as frame_%04d.png, played at the camera's rate for ever.

    It takes a camera's place where there is none: rehearsals, tests.
    """

    def __init__(self, device: CameraDevice) -> None:
        self._device = device
        self._capture: cv2.VideoCapture | None = None
        self._due = 0.0

    def open(self) -> str:
        """Open the file; raises CameraError."""
        self._capture = cv2.VideoCapture(self._device.address)
        if not self._capture.isOpened():
            raise CameraError(f'{self._device.address} is no video, nor a sequence of images')
        self._due = time.monotonic()
        return f'{self._device.address} at {self._device.rate:g} Hz'

    def grab(self) -> Frame:
        """Return the next image when it is due; raises CameraError when there is none."""
        assert self._capture is not None
        whole, pixels = self._capture.read()
        if not whole:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            whole, pixels = self._capture.read()
        if not whole:
            raise CameraError(f'{self._device.address} has no images any more')
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due += 1.0 / self._device.rate
        return Frame(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), time.time())

    def close(self) -> None:
        """Release the file."""
        if self._capture is not None:
            self._capture.release()


def _wanted(device: CameraDevice) -> Mapping[str, tuple[int, float]]:
    """Return option -> property and value, in the order in which drivers want them."""
    wanted: dict[str, tuple[int, float]] = {}
    if device.format:
        fourcc = cv2.VideoWriter.fourcc(*f'{device.format:4.4}')
        wanted['format'] = cv2.CAP_PROP_FOURCC, float(fourcc)
    if device.size:
        wanted['width'] = cv2.CAP_PROP_FRAME_WIDTH, float(device.size[0])
        wanted['height'] = cv2.CAP_PROP_FRAME_HEIGHT, float(device.size[1])
    wanted['rate'] = cv2.CAP_PROP_FPS, device.rate
    if device.exposure is not None:
        wanted['exposure'] = cv2.CAP_PROP_EXPOSURE, round(device.exposure / _EXPOSURE_UNIT)
    if device.gain is not None:
        wanted['gain'] = cv2.CAP_PROP_GAIN, device.gain
    if device.white_balance:
        wanted['white_balance'] = cv2.CAP_PROP_WB_TEMPERATURE, device.white_balance[0]
    return wanted
