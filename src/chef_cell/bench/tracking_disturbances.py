"""What may be wrong with the images of a real cell, put into those of the simulated one."""

import dataclasses
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.wrench import quaternion

Images = Mapping[str, np.ndarray]
#: Images, the number of the instant, random numbers -> images.
Disturb = Callable[[Images, int, np.random.Generator], Images]

_NOISE = 12.0  # of 255, standard deviation: a camera at high gain
_BLUR = 0.004  # of the image's width, standard deviation: out of focus by that much
_HAND_SIZE = 0.14  # of the image's width
_HAND = (196, 150, 125)  # RGB of skin
_TURN, _SHIFT = 0.0017, 0.001  # rad and m, standard deviations of wrong calibrations (0.1 degree)


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """One way in which images differ from perfect ones."""

    name: str
    apply: Disturb
    miscalibrated: bool = False


def noisy(images: Images, instant: int, rng: np.random.Generator) -> Images:
    """Add independent noise to each pixel and channel."""
    return {
        name: _clipped(pixels + rng.normal(0.0, _NOISE, pixels.shape).astype(np.float32))
        for name, pixels in images.items()
    }


def blurred(images: Images, instant: int, rng: np.random.Generator) -> Images:
    """Take the images out of focus."""
    return {
        name: cv2.GaussianBlur(pixels, (0, 0), _BLUR * pixels.shape[1])
        for name, pixels in images.items()
    }


def relit(images: Images, instant: int, rng: np.random.Generator) -> Images:
    """Let brightness rise and fall by 60 %, unevenly over each image, under tinted light."""
    found = {}
    for place, (name, pixels) in enumerate(images.items()):
        gain = 1.0 + 0.6 * np.sin(0.03 * instant + 2.0 * place)
        across = np.linspace(0.6, 1.4, pixels.shape[1], dtype=np.float32)[None, :, None]
        tint = np.array(((1.15, 1.0, 0.8), (0.85, 1.0, 1.2))[place % 2], np.float32)
        found[name] = _clipped(pixels * (gain * across * tint) + 5.0)
    return found


def covered(images: Images, instant: int, rng: np.random.Generator) -> Images:
    """Let something like a person's arm wander through each image, in front of everything."""
    found = {}
    for place, (name, pixels) in enumerate(images.items()):
        width = pixels.shape[1]
        middle = width * (0.5 + 0.45 * np.sin(0.035 * instant + 2.0 * place))
        half, tip = 0.5 * _HAND_SIZE * width, width * (0.6 + 0.2 * np.sin(0.05 * instant))
        corners = [
            (middle - half, 0),
            (middle + half, 0),
            (middle + 1.4 * half, tip),
            (middle, tip),
        ]
        covered_pixels = pixels.copy()
        cv2.fillConvexPoly(covered_pixels, np.array(corners, np.int32), _HAND)
        found[name] = covered_pixels
    return found


def all_at_once(images: Images, instant: int, rng: np.random.Generator) -> Images:
    """Do all of the above."""
    for apply in (covered, blurred, relit, noisy):
        images = apply(images, instant, rng)
    return images


DISTURBANCES = (
    Disturbance('none', lambda images, instant, rng: images),
    Disturbance('noise', noisy),
    Disturbance('blur', blurred),
    Disturbance('light', relit),
    Disturbance('a hand', covered),
    Disturbance('calibration', lambda images, instant, rng: images, miscalibrated=True),
    Disturbance('all', all_at_once, miscalibrated=True),
)


def misjudged(
    calibrations: Mapping[str, CameraCalibration], rng: np.random.Generator
) -> dict[str, CameraCalibration]:
    """Return calibrations that are wrong by 0.1 degrees and 1 mm on each axis."""
    found = {}
    for name, known in calibrations.items():
        turn = cv2.Rodrigues(rng.normal(0.0, _TURN, 3))[0] @ known.rotation
        position = known.pose[:3] + rng.normal(0.0, _SHIFT, 3)
        pose = np.concatenate((position, quaternion(turn)))
        found[name] = CameraCalibration(known.intrinsics, pose)
    return found


def _clipped(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels, 0.0, 255.0).astype(np.uint8)
