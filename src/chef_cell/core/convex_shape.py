"""Convex objects as far as a camera can tell: corners, faces to rest on, and symmetries."""

import dataclasses
import functools
import itertools

import numpy as np

_SAME_POINT = 2e-4  # m, corners closer than this are one
_SAME_DIRECTION = 1e-3  # of unit vectors
_TURN = np.pi / 6  # rad, between two headings of one resting face


@dataclasses.dataclass(frozen=True, eq=False)
class ConvexShape:
    """A convex polyhedron in the frame of its object.

    Attributes:
        vertices: (n, 3), m.
        normals: (m, 3), outward unit normals of its faces.
    """

    vertices: np.ndarray
    normals: np.ndarray

    @classmethod
    def from_triangles(cls, triangles: np.ndarray) -> 'ConvexShape':
        """Return the shape whose surface is the triangles (k, 3, 3), m.

        Raises:
            ValueError: they enclose nothing.
        """
        points = np.asarray(triangles, np.float64)
        vertices = _distinct(points.reshape(-1, 3), _SAME_POINT)
        across = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        areas = np.linalg.norm(across, axis=1)
        real = areas > 1e-12
        normals = across[real] / areas[real, None]
        depths = ((points[real].mean(axis=1) - vertices.mean(axis=0)) * normals).sum(axis=1)
        if len(vertices) < 4 or not np.abs(depths).max(initial=0.0) > _SAME_POINT:
            raise ValueError(f'{len(vertices)} corners, {real.sum()} triangles: not a body')
        outward = np.where(depths[:, None] < 0.0, -normals, normals)
        return cls(vertices, _distinct(outward, _SAME_DIRECTION))

    @functools.cached_property
    def radius(self) -> float:
        """Distance of the farthest corner from the frame's origin, m."""
        return float(np.linalg.norm(self.vertices, axis=1).max())

    @functools.cached_property
    def symmetries(self) -> np.ndarray:
        """Rotations (k, 3, 3) about the origin after which the shape looks the same."""
        gram = self.vertices @ self.vertices.T
        base = _spanning_triple(self.vertices)
        inverse = np.linalg.inv(self.vertices[base].T)
        wanted = gram[np.ix_(base, base)]
        tolerance = _SAME_POINT * self.radius
        found = []
        for triple in itertools.permutations(range(len(self.vertices)), 3):
            if np.abs(gram[np.ix_(triple, triple)] - wanted).max() > tolerance:
                continue
            turn = self.vertices[list(triple)].T @ inverse
            if np.linalg.det(turn) > 0.0 and self._looks_the_same(turn):
                found.append(turn)
        return np.array(found)

    @functools.cached_property
    def resting_rotations(self) -> np.ndarray:
        """Rotations (k, 3, 3), object in base, with a face flat on the floor; none twice."""
        found: list[np.ndarray] = []
        for normal in self.normals:
            flat = _turning(normal, np.array([0.0, 0.0, -1.0]))
            for heading in np.arange(0.0, 2.0 * np.pi - 1e-9, _TURN):
                turned = _about_z(heading) @ flat
                if all(self.angle(known, turned) > 0.5 * _TURN for known in found):
                    found.append(turned)
        return np.array(found)

    def prepare(self) -> None:
        """Work out now, in up to 0.2 s, what the properties keep."""
        _ = self.symmetries, self.resting_rotations

    def nearest(self, rotation: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Return that of all rotations that look like `rotation` which is nearest `reference`."""
        candidates = rotation @ self.symmetries
        return candidates[np.argmax(np.einsum('kij,ij->k', candidates, reference))]

    def angle(self, first: np.ndarray, second: np.ndarray) -> float:
        """Return the angle (rad) between two rotations (3, 3), as far as one can see it."""
        trace = float((self.nearest(first, second) * second).sum())
        return float(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0)))

    def _looks_the_same(self, turn: np.ndarray) -> bool:
        moved = self.vertices @ turn.T
        apart = np.linalg.norm(moved[:, None] - self.vertices, axis=2).min(axis=1)
        return bool(apart.max() < 2.0 * _SAME_POINT)


def _distinct(rows: np.ndarray, tolerance: float) -> np.ndarray:
    kept: list[np.ndarray] = []
    for row in rows:
        if all(np.abs(row - other).max() > tolerance for other in kept):
            kept.append(row)
    return np.array(kept)


def _spanning_triple(vertices: np.ndarray) -> list[int]:
    """Return the indices of three corners whose vectors span space best."""
    triples = list(itertools.combinations(range(len(vertices)), 3))
    volumes = np.abs(np.linalg.det(vertices[np.array(triples)]))
    return list(triples[int(np.argmax(volumes))])


def _turning(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the shortest rotation (3, 3) that brings one unit vector onto another."""
    axis, cosine = np.cross(source, target), float(source @ target)
    if cosine < -1.0 + 1e-9:  # any half turn about an axis across does
        across = np.linalg.svd(source[None])[2][1]
        return 2.0 * np.outer(across, across) - np.eye(3)
    cross = np.array(
        [[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]]
    )
    return np.eye(3) + cross + cross @ cross / (1.0 + cosine)


def _about_z(angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
