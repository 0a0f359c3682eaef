"""What one camera sees of one object, and how a pose of the object would look there."""

import dataclasses

import cv2
import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.tracking.outline import Outline

#: Nothing nearer to a camera than this is in front of it (m).
_NEAREST = 0.02
_MARGIN = 3.0  # pixels
_FEWEST = 8  # points
_SHORTEST = 0.25  # pixels; shorter edges of a silhouette have no direction


@dataclasses.dataclass(frozen=True, eq=False)
class Sight:
    """An outline freed from the lens: on the plane at one focal length before the camera.

    Attributes:
        position: (3,), m, of the camera in base.
        rotation: (3, 3), optical frame in base.
        focal: pixels; coordinates are directions times this, so that errors are in pixels.
        points: (n, 2), pixels, of the outline.
        free: (n,), bool, see `Outline`.
        area: pixels.
    """

    position: np.ndarray
    rotation: np.ndarray
    focal: float
    points: np.ndarray
    free: np.ndarray
    area: float

    @classmethod
    def of(cls, outline: Outline, calibration: CameraCalibration) -> 'Sight':
        """Return the outline as seen by a calibrated camera."""
        rotation = calibration.rotation
        directions = calibration.rays(outline.points) @ rotation
        kept = np.isfinite(directions).all(axis=1)
        directions = directions[kept]
        focal = calibration.intrinsics.fx
        return cls(
            calibration.pose[:3],
            rotation,
            focal,
            focal * directions[:, :2] / directions[:, 2:],
            outline.free[kept],
            outline.area,
        )

    def within(self, centre: np.ndarray, radius: float) -> 'Sight | None':
        """Return what of the outline a ball can show, `centre` (3,) and `radius` in m.

        None when that is next to nothing: other things of that colour are not the object.
        """
        middle, _ = self.project(centre)
        scale = self.focal / float(np.linalg.norm(centre - self.position))
        apart = np.linalg.norm(self.points - middle, axis=1)
        kept = apart < radius * scale + _MARGIN
        if kept.sum() < _FEWEST:
            return None
        return dataclasses.replace(self, points=self.points[kept], free=self.free[kept])

    @property
    def ray(self) -> np.ndarray:
        """Unit vector (3,) in base towards the middle of the outline."""
        x, y = 0.5 * (self.points.min(axis=0) + self.points.max(axis=0))
        direction = self.rotation @ (x, y, self.focal)
        return direction / np.linalg.norm(direction)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where points (..., 3) in base are seen, (..., 2), and how that changes.

        The second is the derivative (..., 2, 3) to the points, pixels/m.

        Raises:
            BehindCameraError: one is not in front of the camera.
        """
        seen = (points - self.position) @ self.rotation
        depth = seen[..., 2]
        if not depth.min() > _NEAREST:
            raise BehindCameraError(f'depth {depth.min():.3f} m, must be above {_NEAREST} m')
        slopes = seen[..., :2] / depth[..., None]
        across = self.rotation.T[:2] - slopes[..., None] * self.rotation.T[2]
        return self.focal * slopes, across * (self.focal / depth)[..., None, None]


class BehindCameraError(ValueError):
    """A pose puts an object behind a camera."""


def silhouette(corners: np.ndarray) -> np.ndarray:
    """Return which of the corners (n, 2) bound their convex hull, in order."""
    hull = cv2.convexHull(corners.astype(np.float32), clockwise=True, returnPoints=False)
    return hull[:, 0]


def distances(points: np.ndarray, polygon: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return how far points (n, 2) are outside a convex polygon (m, 2), negative inside.

    Returns:
        distance (n,), index of the nearest edge (n,), place of the nearest point on that edge
        (n,) from 0 at its corner to 1 at the next, outward normal of that edge (n, 2).
    """
    edges = np.roll(polygon, -1, axis=0) - polygon
    lengths = np.sqrt((edges**2).sum(axis=1))
    long = np.flatnonzero(lengths > min(_SHORTEST, 0.5 * lengths.max()))
    edges, lengths, starts = edges[long], lengths[long], polygon[long]
    normals = np.column_stack((edges[:, 1], -edges[:, 0])) / lengths[:, None]
    if ((polygon.mean(axis=0) - starts) * normals).sum() > 0.0:
        normals = -normals
    apart = points @ normals.T - (normals * starts).sum(axis=1)
    nearest = np.argmax(apart, axis=1)
    along = ((points - starts[nearest]) * edges[nearest]).sum(axis=1) / lengths[nearest] ** 2
    return (
        apart[np.arange(len(points)), nearest],
        long[nearest],
        np.clip(along, 0.0, 1.0),
        normals[nearest],
    )
