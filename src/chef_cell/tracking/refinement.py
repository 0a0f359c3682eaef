"""The pose whose silhouettes lie on the outlines that the cameras see (Gauss-Newton).

Each point of an outline pulls at the nearest edge of the convex silhouette (Harris and Stennett,
1990, RAPID; here the object is convex, so its silhouette is the hull of its projected corners).
A point outside the silhouette is a contradiction; one inside may be the edge of something that
hides the object, so its pull fades with distance.
"""

import dataclasses
import math

import cv2
import numpy as np

from chef_cell.core.convex_shape import ConvexShape
from chef_cell.tracking.sight import BehindCameraError, Sight, distances, silhouette

#: Share of the object's size in the image beyond which points inside are ignored at first.
_REACH = 0.25
_NARROWING = 0.6  # of that reach, each iteration
_SEEN = 0.1  # of a camera's outline points that must lie on the silhouette
_AT_REST = 1e-5  # m and, times the radius, rad


@dataclasses.dataclass(frozen=True)
class RefinementSettings:
    """How outlines are weighed. Errors are counted in their standard deviations."""

    pixel_std: float = 0.7  # pixels, of outlines in an image
    calibration_std: float = 0.002  # rad, of lines of sight: what calibrations are wrong by
    independent: float = 6.0  # points of an outline that err independently; neighbours err alike
    outline_points: int = 60  # a camera, at most
    inner_reach: float = 2.5  # deviations inside the silhouette, where the weight is a quarter
    outer_reach: float = 2.5  # deviations outside, from which on the pull is constant
    start_position_std: float = 0.03  # m, how far the start is to be trusted
    start_rotation_std: float = 0.3  # rad
    iterations: int = 12

    def outline_std(self, focal: float) -> float:
        """Return the standard deviation (pixels) of outlines seen with a focal length (pixels)."""
        return math.hypot(self.pixel_std, self.calibration_std * focal)


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """A pose, and what the outlines say about it.

    Attributes:
        position: (3,), m, in base.
        rotation: (3, 3), object in base.
        information: (6, 6), of position (1/m^2) and rotation about base's axes (1/rad^2), by the
            images alone.
        cost: mean robust squared error of the outline points, in squared deviations.
        contradicted: share of the outline points that lie outside the silhouette.
        cameras: how many show some of the object's own outline.
    """

    position: np.ndarray
    rotation: np.ndarray
    information: np.ndarray
    cost: float
    contradicted: float
    cameras: int


def refine(
    shape: ConvexShape,
    sights: list[Sight],
    position: np.ndarray,
    rotation: np.ndarray,
    settings: RefinementSettings,
) -> Fit | None:
    """Return the pose near a start that fits best; None when it leaves the cameras' view."""
    start_position, start_rotation = position, rotation
    trust = np.repeat((settings.start_position_std**-2.0, settings.start_rotation_std**-2.0), 3)
    reach = _REACH * _deviations(shape, sights, position, settings)
    try:
        for _ in range(settings.iterations):
            reach = max(_NARROWING * reach, settings.inner_reach)
            pull = _pull(shape, sights, position, rotation, reach, settings)
            behind = np.concatenate(
                (start_position - position, _vector(start_rotation @ rotation.T))
            )
            hessian = pull.information + np.diag(trust)
            step = np.linalg.solve(hessian, pull.gradient + trust * behind)
            position = position + step[:3]
            rotation = cv2.Rodrigues(step[3:])[0] @ rotation
            moved = max(np.abs(step[:3]).max(), shape.radius * np.abs(step[3:]).max())
            if moved < _AT_REST and reach <= settings.inner_reach:
                break
        pull = _pull(shape, sights, position, rotation, settings.inner_reach, settings)
    except (BehindCameraError, np.linalg.LinAlgError):
        return None
    return Fit(position, rotation, pull.information, pull.cost, pull.contradicted, pull.cameras)


@dataclasses.dataclass(frozen=True, eq=False)
class _Pull:
    information: np.ndarray
    gradient: np.ndarray
    cost: float
    contradicted: float
    cameras: int


def _pull(
    shape: ConvexShape,
    sights: list[Sight],
    position: np.ndarray,
    rotation: np.ndarray,
    reach: float,
    settings: RefinementSettings,
) -> _Pull:
    """Linearise all outlines about a pose."""
    arms = shape.vertices @ rotation.T
    turned = _with_pose(arms)
    information, gradient = np.zeros((6, 6)), np.zeros(6)
    losses, outside, cameras = [], [], 0
    for sight in sights:
        corners, slopes = sight.project(arms + position)
        around = silhouette(corners)
        far, edge, place, normal = distances(sight.points, corners[around])
        moved = (slopes @ turned)[around]  # how its corners move with the pose, (m, 2, 6)
        by_edge = moved[edge] + place[:, None, None] * (np.roll(moved, -1, axis=0) - moved)[edge]
        std = settings.outline_std(sight.focal)
        rows = np.einsum('ni,nij->nj', normal / std, by_edge)
        far = far / std
        weight, loss = _robust(far, sight.free, reach, settings.outer_reach)
        weighted = rows * (weight * (settings.independent / len(far)))[:, None]
        information += weighted.T @ rows
        gradient += weighted.T @ far
        losses.append(loss)
        outside.append(far > settings.outer_reach)
        on_it = sight.free & (np.abs(far) < settings.inner_reach)
        cameras += int(on_it.mean() > _SEEN)
    return _Pull(
        information,
        gradient,
        float(np.concatenate(losses).mean()),
        float(np.concatenate(outside).mean()),
        cameras,
    )


def _with_pose(arms: np.ndarray) -> np.ndarray:
    """Return how points (n, 3) about the object's origin move with its pose, (n, 3, 6)."""
    moved = np.zeros((len(arms), 3, 6))
    moved[:, :, :3] = np.eye(3)
    x, y, z = arms.T
    moved[:, 0, 4], moved[:, 0, 5] = z, -y
    moved[:, 1, 5], moved[:, 1, 3] = x, -z
    moved[:, 2, 3], moved[:, 2, 4] = y, -x
    return moved


def _robust(
    far: np.ndarray, free: np.ndarray, inner: float, outer: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and loss of errors: Geman and McClure's inside, Huber's outside."""
    fading = 1.0 / (1.0 + (far / inner) ** 2)
    beyond = outer / np.maximum(far, outer)
    inside = far < 0.0
    weight = np.where(inside, np.where(free, fading**2, 0.0), beyond)
    loss = np.where(inside, np.where(free, fading, 0.0), beyond * (2.0 - beyond)) * far**2
    return weight, loss


def _deviations(
    shape: ConvexShape, sights: list[Sight], position: np.ndarray, settings: RefinementSettings
) -> float:
    """Return the object's radius in the images, in standard deviations of their outlines."""
    return max(
        shape.radius
        * sight.focal
        / max(float(np.linalg.norm(position - sight.position)), shape.radius)
        / settings.outline_std(sight.focal)
        for sight in sights
    )


def _vector(rotation: np.ndarray) -> np.ndarray:
    return cv2.Rodrigues(rotation)[0][:, 0]
