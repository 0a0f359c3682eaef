"""A calibrated camera: from points of the cell to its pixels, and back to lines of sight."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from chef_cell.core.imaging import Intrinsics
from chef_cell.core.wrench import rotation

#: Keys of a calibration as plain data -> how many numbers belong to each.
KEYS = {'size': 2, 'matrix': 9, 'distortion': 5, 'position': 3, 'orientation': 4}
#: Directions whose distortion can't be undone within this (pixels of the unit focal length).
_UNDISTORTED = 1e-9
_ITERATIONS = 100


class CalibrationError(ValueError):
    """A calibration is malformed, or can't be made of what was seen."""


@dataclasses.dataclass(frozen=True, eq=False)
class CameraCalibration:
    """Intrinsics of a camera, and where it is.

    Frames: `base` is the robot's (x forward, z up); the camera's is its optical frame (REP-103:
    z forward, x right, y down). Pixels are u to the right and v down, (0, 0) the centre of the
    first one. Sources: Zhang (2000) for the model, Brown (1966) for the distortion, which OpenCV
    and ROS call `plumb_bob`.

    Attributes:
        intrinsics: of the images, in pixels.
        pose: (7,) of the optical frame in base: position (m), unit quaternion wxyz.

    Raises:
        CalibrationError: not finite, a focal length or size not positive, no unit quaternion.
    """

    intrinsics: Intrinsics
    pose: np.ndarray

    def __post_init__(self) -> None:
        pose = np.array(self.pose, np.float64)
        if pose.shape != (7,) or not np.isfinite(pose).all():
            raise CalibrationError(f'pose {pose.tolist()}, expected 7 finite numbers')
        length = float(np.linalg.norm(pose[3:]))
        if abs(length - 1.0) > 1e-3:
            raise CalibrationError(f'orientation of length {length:.4f}, must be 1')
        pose[3:] /= length
        object.__setattr__(self, 'pose', pose)
        values = self.intrinsics
        if not np.isfinite([*self.matrix.ravel(), *values.distortion]).all():
            raise CalibrationError('matrix or distortion is not finite')
        if min(values.fx, values.fy) <= 0.0 or min(self.size) < 1:
            raise CalibrationError(
                f'focal lengths {values.fx}, {values.fy} and size {self.size} must be positive'
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.intrinsics.width, self.intrinsics.height

    @property
    def matrix(self) -> np.ndarray:
        """K, (3, 3): from directions (x/z, y/z, 1) to pixels."""
        values = self.intrinsics
        return np.array(
            [[values.fx, 0.0, values.cx], [0.0, values.fy, values.cy], [0.0, 0.0, 1.0]]
        )

    @property
    def distortion(self) -> np.ndarray:
        """k1, k2, p1, p2, k3, (5,)."""
        return np.array(self.intrinsics.distortion)

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3): turns vectors of the optical frame into those of base."""
        return rotation(self.pose[3:])

    def cropped(self, size: int) -> 'CameraCalibration':
        """Return that of the central square resized to `size` x `size` pixels."""
        return dataclasses.replace(self, intrinsics=self.intrinsics.cropped(size))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (n, 2) of points (n, 3) in base (m).

        NaN stands for a point that is behind the camera, or so far aside that the distortion
        folds it back into the image. Pixels outside the image are returned as they are.
        """
        seen = (np.asarray(points, np.float64) - self.pose[:3]) @ self.rotation
        with np.errstate(divide='ignore', invalid='ignore'):
            slopes = np.where(seen[:, 2:] > 0.0, seen[:, :2] / seen[:, 2:], np.nan)
        return self._to_pixels(_distorted(slopes, self.distortion))

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Return unit vectors (n, 3) in base along which pixels (n, 2) look.

        Each begins at `pose[:3]`. NaN stands for a pixel that the distortion model never reaches.
        """
        values = self.intrinsics
        centre, focal = (values.cx, values.cy), (values.fx, values.fy)
        slopes = _undistorted((np.asarray(pixels, np.float64) - centre) / focal, self.distortion)
        directions = np.column_stack((slopes, np.ones(len(slopes))))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return directions @ self.rotation.T

    def to_dict(self) -> dict[str, list[float]]:
        """Return it as plain data with the keys `KEYS`, for YAML."""
        return {
            'size': list(self.size),
            'matrix': self.matrix.ravel().tolist(),
            'distortion': self.distortion.tolist(),
            'position': self.pose[:3].tolist(),
            'orientation': self.pose[3:].tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'CameraCalibration':
        """Return what `to_dict` gave; raises CalibrationError on anything else."""
        if not isinstance(values, Mapping) or set(values) != set(KEYS):
            found = sorted(values) if isinstance(values, Mapping) else values
            raise CalibrationError(f'a camera has {found}, expected {sorted(KEYS)}')
        numbers = {key: _numbers(key, values[key], count) for key, count in KEYS.items()}
        width, height = numbers['size']
        fx, skew, cx, zero, fy, cy, *last = numbers['matrix']
        if skew or zero or last != [0.0, 0.0, 1.0]:
            raise CalibrationError(
                f'matrix {numbers["matrix"]}, expected [fx, 0, cx, 0, fy, cy, 0, 0, 1]'
            )
        k1, k2, p1, p2, k3 = numbers['distortion']
        intrinsics = Intrinsics(int(width), int(height), fx, fy, cx, cy, (k1, k2, p1, p2, k3))
        return cls(intrinsics, np.array(numbers['position'] + numbers['orientation']))

    def _to_pixels(self, slopes: np.ndarray) -> np.ndarray:
        values = self.intrinsics
        return slopes * (values.fx, values.fy) + (values.cx, values.cy)


def _numbers(key: str, values: Any, count: int) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count:
        raise CalibrationError(f'{key} {values!r}, expected {count} numbers')
    return numbers


def _distorted(slopes: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    """Return where a lens puts directions (n, 2) of the pinhole; NaN beyond its fold."""
    k1, k2, _, _, k3 = distortion
    square = (slopes**2).sum(axis=1, keepdims=True)
    folded = 1.0 + square * (3.0 * k1 + square * (5.0 * k2 + square * 7.0 * k3)) <= 0.0
    return np.where(folded, np.nan, slopes + _shift(slopes, distortion))


def _shift(slopes: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    k1, k2, p1, p2, k3 = distortion
    x, y = slopes[:, :1], slopes[:, 1:]
    square = x * x + y * y
    radial = square * (k1 + square * (k2 + square * k3))
    tangential = np.hstack(
        (
            2.0 * p1 * x * y + p2 * (square + 2.0 * x * x),
            p1 * (square + 2.0 * y * y) + 2.0 * p2 * x * y,
        )
    )
    return slopes * radial + tangential


def _undistorted(slopes: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    """Undo `_distorted` by fixed-point iteration (OpenCV does the same); NaN where it can't."""
    if not distortion.any():
        return slopes
    found = slopes
    with np.errstate(all='ignore'):
        for _ in range(_ITERATIONS):
            before, found = found, slopes - _shift(found, distortion)
            if np.nanmax(np.abs(found - before), initial=0.0) < 0.01 * _UNDISTORTED:
                break
        missed = np.abs(_distorted(found, distortion) - slopes).max(axis=1, keepdims=True)
        return np.where(missed < _UNDISTORTED, found, np.nan)
