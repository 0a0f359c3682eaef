"""Which pixels belong to which object: by colour, as light changes and noise comes."""

import dataclasses

import cv2
import numpy as np

from chef_cell.core.readings import COLOURS

#: OpenCV keeps hues in 0 .. 179, two degrees each.
_HUES = 180
_WINDOW = (3, 3)  # pixels, of the blur


@dataclasses.dataclass(frozen=True)
class ColourSettings:
    """What counts as red, green and blue.

    Hue and saturation hardly change with the brightness of the light; grey and white have no
    saturation, whatever their brightness.
    """

    hues: tuple[float, ...] = (0.0, 120.0, 240.0)  # degrees, of red, green and blue
    hue_tolerance: float = 40.0  # degrees, either way
    min_saturation: float = 0.5  # 1, share of pure colour
    min_value: float = 0.12  # 1, of the brightest that an image can show
    smoothing: float = 0.6  # pixels, standard deviation of the blur against noise; 0: none
    min_area: float = 3e-4  # share of the image that an object must fill to be seen

    def __post_init__(self) -> None:
        if len(self.hues) != len(COLOURS):
            raise ValueError(f'hues {self.hues}, expected one each of {COLOURS}')
        if not 0.0 < self.hue_tolerance <= 60.0:
            raise ValueError(f'hue_tolerance {self.hue_tolerance} degrees, allowed: 0 to 60')
        for name in ('min_saturation', 'min_value', 'min_area'):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f'{name} {getattr(self, name)}, allowed: between 0 and 1')


class Segmenter:
    """Sorts the pixels of images by colour."""

    def __init__(self, settings: ColourSettings) -> None:
        self._settings = settings
        degrees = np.arange(_HUES) * (360.0 / _HUES)
        apart = np.abs((degrees[:, None] - settings.hues + 180.0) % 360.0 - 180.0)
        nearest = np.argmin(apart, axis=1)
        near = apart.min(axis=1) <= settings.hue_tolerance
        self._label_of_hue = np.zeros(256, np.uint8)
        self._label_of_hue[:_HUES] = np.where(near, nearest + 1, 0)

    def labels(self, pixels: np.ndarray) -> np.ndarray:
        """Return the label of each pixel: 0, or 1 + the colour's place in `COLOURS`.

        Args:
            pixels: (height, width, 3), uint8 RGB.

        Returns:
            (height, width), uint8.
        """
        settings = self._settings
        if settings.smoothing > 0.0:
            pixels = cv2.GaussianBlur(pixels, _WINDOW, settings.smoothing)
        hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
        lower = (0, round(255 * settings.min_saturation), round(255 * settings.min_value))
        coloured = cv2.inRange(hsv, lower, (255, 255, 255))
        return cv2.bitwise_and(cv2.LUT(hsv[:, :, 0], self._label_of_hue), coloured)
