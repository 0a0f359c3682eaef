"""Where an object may be when nothing is known: many poses at once, judged by coarse outlines.

A convex outline is told by its support function, how far it reaches in each direction of the
image. That of a silhouette is the reach of one projected corner, whose derivative is known, so
that all poses to be tried are improved together.
"""

import numpy as np

from chef_cell.core.convex_shape import ConvexShape
from chef_cell.tracking.sight import BehindCameraError, Sight

_DIRECTIONS = 24
_ITERATIONS = 6
_TRUST = np.repeat((0.05**-2.0, 0.5**-2.0), 3)  # 1/m^2 and 1/rad^2, in the last iterate
_STD = 2.0  # pixels
_REACH = 0.15  # of the object's size in the image, see `_weights`


def triangulate(sights: list[Sight]) -> np.ndarray:
    """Return the point (3,) nearest to the rays of at least two cameras; m, in base."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for sight in sights:
        across = np.eye(3) - np.outer(sight.ray, sight.ray)
        normal += across
        right += across @ sight.position
    return np.linalg.solve(normal, right)


def candidates(
    shape: ConvexShape, sights: list[Sight], position: np.ndarray, rotations: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Improve many poses that begin at `position` (3,) with `rotations` (k, 3, 3).

    Returns:
        positions (k, 3), rotations (k, 3, 3) and costs (k,), pixels^2, in order of cost.
    """
    reaches = [_reach(sight) for sight in sights]
    positions = np.repeat(position[None], len(rotations), axis=0)
    costs = np.full(len(rotations), np.inf)
    for iteration in range(_ITERATIONS + 1):
        try:
            information, gradient, costs = _pull(shape, sights, reaches, positions, rotations)
        except BehindCameraError:
            break
        if iteration < _ITERATIONS:
            steps = np.linalg.solve(information + np.diag(_TRUST), gradient[..., None])[..., 0]
            positions = positions + steps[:, :3]
            rotations = turned(steps[:, 3:]) @ rotations
    order = np.argsort(costs)
    return positions[order], rotations[order], costs[order]


def _axes() -> np.ndarray:
    angles = np.arange(_DIRECTIONS) * (2.0 * np.pi / _DIRECTIONS)
    return np.column_stack((np.cos(angles), np.sin(angles)))


_AXES = _axes()


def _reach(sight: Sight) -> tuple[np.ndarray, np.ndarray]:
    """Return how far an outline reaches in each direction, and whether it surely ends there."""
    along = sight.points @ _AXES.T
    farthest = np.argmax(along, axis=0)
    return along[farthest, np.arange(_DIRECTIONS)], sight.free[farthest]


def _pull(
    shape: ConvexShape,
    sights: list[Sight],
    reaches: list[tuple[np.ndarray, np.ndarray]],
    positions: np.ndarray,
    rotations: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    arms = np.einsum('kij,nj->kni', rotations, shape.vertices)
    rows, errors, weights = [], [], []
    which = np.arange(len(positions))[:, None]
    for sight, (reach, sure) in zip(sights, reaches, strict=True):
        corners, slopes = sight.project(arms + positions[:, None])
        along = corners @ _AXES.T  # (k, n, directions)
        corner = np.argmax(along, axis=1)
        short = reach - np.take_along_axis(along, corner[:, None], axis=1)[:, 0]
        moves = np.einsum('di,kdij->kdj', _AXES, slopes[which, corner])
        rows.append(np.concatenate((moves, np.cross(arms[which, corner], moves)), axis=2))
        errors.append(short)
        size = shape.radius * sight.focal / np.linalg.norm(positions - sight.position, axis=1)
        weights.append(_weights(short, sure, _REACH * size[:, None]))
    row, error = np.concatenate(rows, axis=1), np.concatenate(errors, axis=1)
    weight = np.concatenate(weights, axis=1)
    weighted = row * (weight / _STD**2)[..., None]
    information = np.einsum('kdi,kdj->kij', weighted, row)
    gradient = np.einsum('kdi,kd->ki', weighted, error)
    return information, gradient, (weight * error**2).mean(axis=1)


def _weights(short: np.ndarray, sure: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """An outline that reaches less far than the silhouette may be hidden in part."""
    hidden = np.where(sure, 1.0 / (1.0 + (short / reach) ** 2), 0.02)
    return np.where(short < 0.0, hidden, 1.0)


def turned(vectors: np.ndarray) -> np.ndarray:
    """Return the rotations (k, 3, 3) of rotation vectors (k, 3), by Rodrigues' formula."""
    angles = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    cross = np.stack((zero, -z, y, z, zero, -x, -y, x, zero), axis=1).reshape(-1, 3, 3)
    safe = np.maximum(angles, 1e-9)
    return (
        np.eye(3) + np.sin(safe) / safe * cross + (1.0 - np.cos(safe)) / safe**2 * (cross @ cross)
    )
