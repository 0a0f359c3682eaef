"""Corners, faces to rest on and symmetries of convex objects."""

import numpy as np
import pytest

from chef_cell.core.convex_shape import ConvexShape


def prism(polygon, height):
    """Triangles of a prism over a convex polygon (n, 2), and some that have no area."""
    low = np.array([(*corner, -0.5 * height) for corner in polygon])
    high = low + np.array((0.0, 0.0, height))
    triangles = []
    for i in range(1, len(low) - 1):
        triangles += [(low[0], low[i], low[i + 1]), (high[0], high[i], high[i + 1])]
    for i, j in zip(range(len(low)), np.roll(range(len(low)), -1), strict=True):
        triangles += [(low[i], low[j], high[j]), (low[i], high[i], high[j])]
    return np.array([*triangles, (low[0], low[0], high[0])])


def regular(sides, radius):
    angles = 2.0 * np.pi * np.arange(sides) / sides
    return radius * np.column_stack((np.cos(angles), np.sin(angles)))


SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * 0.025
SHAPES = {
    # name: shape, corners, faces, symmetries, faces to rest on that differ
    'cube': (prism(SQUARE, 0.05), 8, 6, 24, 1),
    'bar': (prism(SQUARE, 0.15), 8, 6, 8, 2),
    'box': (prism(SQUARE * (1.0, 1.5), 0.15), 8, 6, 4, 3),
    'hexagon': (prism(regular(6, 0.03), 0.05), 12, 8, 12, 2),
    'sheared': (prism(SQUARE + SQUARE[:, 1:] * (0.6, 0.0), 0.03), 8, 6, 2, 3),
    'triangle': (prism(regular(3, 0.03), 0.05), 6, 5, 6, 2),
}


@pytest.fixture(params=SHAPES)
def case(request):
    triangles, *expected = SHAPES[request.param]
    return ConvexShape.from_triangles(triangles), *expected


def test_corners_and_faces_are_found_once(case):
    shape, corners, faces, *_ = case
    assert shape.vertices.shape == (corners, 3)
    assert shape.normals.shape == (faces, 3)
    depths = shape.normals @ shape.vertices.T
    assert (depths.max(axis=1) > 0.01).all(), 'normals point outwards'
    on_face = np.isclose(depths, depths.max(axis=1, keepdims=True), atol=1e-6)
    assert (on_face.sum(axis=1) >= 3).all(), 'each lies in at least three corners'


def test_symmetries_bring_the_shape_onto_itself(case):
    shape, _, _, count, _ = case
    assert len(shape.symmetries) == count
    for turn in shape.symmetries:
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)
        moved = shape.vertices @ turn.T
        apart = np.linalg.norm(moved[:, None] - shape.vertices, axis=2)
        assert apart.min(axis=1).max() < 1e-6


def test_every_way_to_rest_lies_flat_and_none_comes_twice(case):
    shape, _, _, _, different = case
    found = shape.resting_rotations
    heights = set()
    for rotation in found:
        down = (shape.vertices @ rotation.T)[:, 2]
        assert (down < down.min() + 1e-6).sum() >= 3
        heights.add(round(np.ptp(down), 4))
    assert len(heights) <= different
    for i, rotation in enumerate(found):
        assert all(shape.angle(rotation, other) > 0.2 for other in found[:i])


def test_angles_are_counted_up_to_symmetry():
    cube = ConvexShape.from_triangles(SHAPES['cube'][0])
    tenth = np.array([[np.cos(0.1), -np.sin(0.1), 0], [np.sin(0.1), np.cos(0.1), 0], [0, 0, 1]])
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert cube.angle(np.eye(3), quarter) == pytest.approx(0.0, abs=1e-6)
    assert cube.angle(quarter, tenth) == pytest.approx(0.1, abs=1e-6)
    np.testing.assert_allclose(cube.nearest(quarter @ tenth, np.eye(3)), tenth, atol=1e-6)


def test_what_encloses_nothing_is_refused():
    flat = np.array([[(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(1, 0, 0), (1, 1, 0), (0, 1, 0)]], float)
    with pytest.raises(ValueError, match='4 corners, 2 triangles: not a body'):
        ConvexShape.from_triangles(flat)
