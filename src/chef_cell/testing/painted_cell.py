"""Three objects painted into the images of three cameras: a tracker's world without a renderer."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.convex_shape import ConvexShape
from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import COLOURS
from chef_cell.core.wrench import quaternion, rotation

#: m, in base; all look at the middle of the basket.
_CAMERAS = {'left': (0.97, -0.37, 0.28), 'right': (0.97, 0.37, 0.28), 'back': (0.06, -0.26, 0.44)}
_MIDDLE = np.array([0.6, 0.0, 0.08])
_FOVY = 0.6  # rad
_RGB = {'red': (200, 20, 10), 'green': (20, 180, 30), 'blue': (20, 30, 190)}
_GREY = 110


def calibrations(size: int) -> dict[str, CameraCalibration]:
    """Return three cameras with square images of `size` pixels."""
    intrinsics = Intrinsics.from_fovy(_FOVY, size, size)
    found = {}
    for name, position in _CAMERAS.items():
        forward = _MIDDLE - position
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        axes = np.column_stack((right, np.cross(forward, right), forward))
        pose = np.concatenate((position, quaternion(axes)))
        found[name] = CameraCalibration(intrinsics, pose)
    return found


def box(*sides: float) -> ConvexShape:
    """Return a box with these sides (m), centred."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    normals = np.concatenate((np.eye(3), -np.eye(3)))
    return ConvexShape(0.5 * signs * sides, normals)


def paint(
    shapes: Mapping[str, ConvexShape],
    poses: Mapping[str, np.ndarray],
    cameras: Mapping[str, CameraCalibration],
    covers: Mapping[str, Sequence[Sequence[float]]] | None = None,
) -> dict[str, np.ndarray]:
    """Return images (height, width, 3), uint8 RGB, by camera.

    Args:
        shapes: by colour.
        poses: (7,), by colour.
        cameras: by name.
        covers: camera -> corners (pixels) of something grey that is in front of all objects.
    """
    images = {}
    for name, camera in cameras.items():
        width, height = camera.size
        image = np.full((height, width, 3), _GREY, np.uint8)
        far_first = sorted(
            COLOURS, key=lambda c: -float(np.linalg.norm(poses[c][:3] - camera.pose[:3]))
        )
        for colour in far_first:
            pose = poses[colour]
            corners = shapes[colour].vertices @ rotation(pose[3:]).T + pose[:3]
            _fill(image, camera.project(corners), _RGB[colour])
        if covers and name in covers:
            _fill(image, np.array(covers[name], float), (_GREY + 60,) * 3)
        images[name] = image
    return images


class PaintedCell:
    """Three boxes on the floor of a basket, in front of three cameras.

    Attributes:
        shapes, poses: of the objects, by colour; poses may be changed.
        calibrations: of the cameras, by name.
    """

    def __init__(self, size: int) -> None:
        self.shapes = {
            'red': box(0.03, 0.05, 0.10),
            'green': box(0.05, 0.05, 0.05),
            'blue': box(0.04, 0.06, 0.05),
        }
        self.poses = {
            'red': pose(0.55, -0.06, 0.065, (1.0, 0.0, 0.0), np.pi / 2),
            'green': pose(0.66, 0.06, 0.075, angle=0.4),
            'blue': pose(0.56, 0.06, 0.075, angle=1.0),
        }
        self.calibrations = calibrations(size)

    def images(
        self, covers: Mapping[str, Sequence[Sequence[float]]] | None = None
    ) -> dict[str, np.ndarray]:
        """Return what the cameras show, see `paint`."""
        return paint(self.shapes, self.poses, self.calibrations, covers)

    def error(self, poses: Mapping[str, np.ndarray], colour: str) -> float:
        """Return how far (m) a pose is from the true one."""
        return float(np.linalg.norm(poses[colour][:3] - self.poses[colour][:3]))


def pose(
    x: float, y: float, z: float, axis: tuple[float, ...] = (0.0, 0.0, 1.0), angle: float = 0.0
) -> np.ndarray:
    """Return a pose (7,): position (m), turned by `angle` (rad) about the unit vector `axis`."""
    turn = np.sin(0.5 * angle) * np.array(axis)
    return np.array([x, y, z, np.cos(0.5 * angle), *turn])


def _fill(image: np.ndarray, points: np.ndarray, rgb: tuple[int, ...]) -> None:
    """Fill the convex hull of points (n, 2); OpenCV counts sixteenths of pixels."""
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    cv2.fillConvexPoly(image, np.round(16 * hull).astype(np.int32), rgb, shift=4)
