"""Convex objects where they lie, the basket under them, and the gaps between them."""

import dataclasses
import itertools

import numpy as np

from chef_cell.core.rewards import FLOOR, WORKSPACE_CENTRE
from chef_cell.core.wrench import rotation

#: Half the side of the basket's flat floor (m), and how steeply its four walls rise (1).
FLAT, SLOPE = 0.1216, 0.4770
_AROUND = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
_DIRECTIONS = np.stack((np.cos(_AROUND), np.sin(_AROUND)))  # (2, 48)
_SAME_HEIGHT = 1e-9  # m
_FLAT_FACE = 1e-5  # m, corners so near a plane lie in it
_SAME_FACE = 1e-3  # 1, normals so near are one
#: The vertical in base.
UP = np.array((0.0, 0.0, 1.0))


def surface(points: np.ndarray) -> np.ndarray:
    """Return the height (m) of the basket's surface below points (..., 2 or more) in base."""
    away = np.abs(points[..., :2] - np.array(WORKSPACE_CENTRE[:2])).max(axis=-1)
    return FLOOR + SLOPE * np.maximum(away - FLAT, 0.0)


def gap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the distance (m) of two convex sets of points (n, 2), seen from above.

    The largest gap between their shadows along 48 directions; negative when they overlap. Never
    more than the distance, and at most 0.2 % of the way between two corners less.
    """
    return float(((first @ _DIRECTIONS).min(0) - (second @ _DIRECTIONS).max(0)).max())


def cut(points: np.ndarray, axis: np.ndarray, offset: float) -> np.ndarray:
    """Return points whose convex hull is the cross-section of a hull with a plane, maybe none.

    Args:
        points: (n, d), m, whose convex hull is cut.
        axis: (d,), of length 1, normal to the plane.
        offset: of the plane along `axis`, m.
    """
    along = points @ axis
    near, far = along <= offset, along > offset
    below, over = (offset - along[near])[:, None], (along[far] - offset)[None]
    share = (below / np.maximum(below + over, _SAME_HEIGHT))[..., None]
    crossings = (1.0 - share) * points[near][:, None] + share * points[far][None]
    return crossings.reshape(-1, points.shape[1])


@dataclasses.dataclass(frozen=True)
class Solid:
    """A convex object in base, by its corners and its faces: all x with normals x <= offsets."""

    corners: np.ndarray  # (n, 3), m
    normals: np.ndarray  # (m, 3), outwards, of length 1
    offsets: np.ndarray  # (m,), m

    @classmethod
    def of(cls, corners: np.ndarray) -> 'Solid':
        """Return the convex hull of a few `corners` (n, 3), in their own frame.

        Every plane through three corners that leaves all others on one side is a face.

        Raises:
            ValueError: the corners lie in one plane.
        """
        middle = corners.mean(axis=0)
        normals: list[np.ndarray] = []
        offsets: list[float] = []
        for first, second, third in itertools.combinations(corners, 3):
            normal = np.cross(second - first, third - first)
            length = float(np.linalg.norm(normal))
            if length < _FLAT_FACE**2:
                continue
            normal = normal / length
            normal = normal * np.sign(normal @ (first - middle))
            if ((corners - first) @ normal).max() > _FLAT_FACE or not normal.any():
                continue
            if all(np.abs(normal - known).max() > _SAME_FACE for known in normals):
                normals.append(normal)
                offsets.append(float(normal @ first))
        if len(normals) < 4:
            raise ValueError(f'{len(corners)} corners make {len(normals)} faces, not a solid')
        return cls(np.array(corners, float), np.array(normals), np.array(offsets))

    def at(self, pose: np.ndarray) -> 'Solid':
        """Return the solid with its own frame put at `pose` (7,)."""
        return self._transformed(rotation(pose[3:]), pose[:3])

    def _transformed(self, turn: np.ndarray, shift: np.ndarray) -> 'Solid':
        normals = self.normals @ turn.T
        return Solid(self.corners @ turn.T + shift, normals, self.offsets + normals @ shift)

    def pierced(self, points: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where lines through `points` (n, 3) along `way` (3,) go in and come out.

        Two arrays (n,) in m from the points along `way`; a line that misses goes in after it
        comes out.
        """
        speed = self.normals @ way
        left = self.offsets - points @ self.normals.T  # (n, m)
        facing = np.abs(speed) > _SAME_HEIGHT
        times = left[:, facing] / speed[facing]
        ins = np.where(speed[facing] < 0.0, times, -np.inf).max(axis=1)
        outs = np.where(speed[facing] > 0.0, times, np.inf).min(axis=1)
        missed = (left[:, ~facing] < 0.0).any(axis=1)
        return np.where(missed, np.inf, ins), np.where(missed, -np.inf, outs)

    @property
    def plan(self) -> np.ndarray:
        """The corners seen from above, (n, 2)."""
        return self.corners[:, :2]

    @property
    def top(self) -> float:
        """Height of the highest corner (m)."""
        return float(self.corners[:, 2].max())

    @property
    def bottom(self) -> float:
        """Height of the lowest corner (m)."""
        return float(self.corners[:, 2].min())

    @property
    def centre(self) -> np.ndarray:
        """Mean of the corners, (3,)."""
        return self.corners.mean(axis=0)

    @property
    def above_ground(self) -> float:
        """Smallest height (m) of a corner above the basket's surface."""
        return float((self.corners[:, 2] - surface(self.corners)).min())

    def slice(self, height: float) -> np.ndarray:
        """Return points (n, 2) whose convex hull is the cross-section at `height`, maybe none."""
        return cut(self.corners, UP, height)[:, :2]

    def between(self, axis: np.ndarray, lower: float, upper: float) -> np.ndarray:
        """Return points (n, 3) whose convex hull is what lies between two planes, maybe none.

        Args:
            axis: (3,), of length 1, normal to both planes.
            lower: where the first plane is along `axis`, m.
            upper: where the second one is, m.
        """
        along = self.corners @ axis
        inside = self.corners[(along >= lower) & (along <= upper)]
        ends = [cut(self.corners, axis, offset) for offset in (lower, upper)]
        return np.concatenate((inside, *ends))

    def above(self, height: float) -> np.ndarray:
        """Return points (n, 2) whose convex hull is what lies above `height`, from above."""
        return np.concatenate((self.slice(height), self.plan[self.corners[:, 2] > height]))

    def moved(self, pivot: np.ndarray, turn: float, goal: np.ndarray) -> 'Solid':
        """Return the solid turned by `turn` (rad) about the vertical through `pivot`.

        The `pivot` (3,) itself goes to `goal` (3,).
        """
        cosine, sine = np.cos(turn), np.sin(turn)
        spin = np.array(((cosine, -sine, 0.0), (sine, cosine, 0.0), (0.0, 0.0, 1.0)))
        return self._transformed(spin, goal - spin @ pivot)
