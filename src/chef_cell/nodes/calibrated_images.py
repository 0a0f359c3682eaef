"""Images of cameras whose calibration is known, and why those of others are of no use."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sensor_msgs.msg import Image

from chef_cell.calibration import file
from chef_cell.core.camera_model import CameraCalibration
from chef_cell.nodes import messages
from chef_cell.sim import calibration as simulated

#: Stands for the calibration of the simulated cell, which is known.
SIMULATED = 'simulated'


class CalibratedImages:
    """Opens image messages.

    Args:
        calibration: a file that `chef calibrate cameras` wrote; SIMULATED; or empty: none.

    Attributes:
        calibrations: by camera.
        refused: by camera, why its last image was of no use.

    Raises:
        CalibrationError: the file cannot be read.
    """

    def __init__(self, calibration: str) -> None:
        self._simulated = calibration == SIMULATED
        self.calibrations: dict[str, CameraCalibration] = {}
        if calibration and not self._simulated:
            self.calibrations = file.load(Path(calibration))
        self.refused: dict[str, str] = {}

    def take(self, images: Mapping[str, Image]) -> dict[str, np.ndarray]:
        """Return the pixels, (height, width, 3) uint8 RGB, of the images that are of use."""
        pixels, self.refused = {}, {}
        for camera, message in images.items():
            try:
                found = messages.image_from_message(message).pixels
                self._check(camera, (message.width, message.height))
            except ValueError as error:
                self.refused[camera] = str(error)
            else:
                pixels[camera] = found
        return pixels

    def _check(self, camera: str, size: tuple[int, int]) -> None:
        """Raise ValueError unless the camera is calibrated for images of this size."""
        if self._simulated and camera not in self.calibrations:
            self.calibrations = simulated.calibrations(*size)
        if camera not in self.calibrations:
            raise ValueError('not calibrated: chef calibrate cameras')
        known = self.calibrations[camera].size
        if known != size:
            raise ValueError(f'images of {size} pixels, calibrated with {known}: calibrate again')
