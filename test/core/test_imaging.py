"""Intrinsics must follow their pixels through cropping and resizing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.imaging import Intrinsics, RepeatCounter

sizes = st.integers(1, 4000)


def test_an_edge_pixel_of_an_ideal_camera_looks_along_half_its_field_of_view():
    camera = Intrinsics.from_fovy(math.radians(35.0), 128, 128)
    upper_edge = -0.5  # half a pixel above the centre of the first row
    slope = (camera.cy - upper_edge) / camera.fy
    assert math.degrees(math.atan(slope)) == pytest.approx(17.5)
    assert camera.fx == camera.fy == pytest.approx(64 / math.tan(math.radians(17.5)))
    assert (camera.cx, camera.cy) == (63.5, 63.5)


@pytest.mark.parametrize(
    ('width', 'height', 'square'),
    [
        (1920, 1200, (360, 0, 1560, 1200)),
        (480, 640, (0, 80, 480, 560)),
        (128, 128, (0, 0, 128, 128)),
        (5, 4, (0, 0, 4, 4)),
    ],
)
def test_the_square_is_the_largest_in_the_middle(width, height, square):
    assert Intrinsics(width, height, 1.0, 1.0, 0.0, 0.0).square == square


def test_cropping_an_image_of_the_right_size_changes_nothing():
    camera = Intrinsics.from_fovy(0.6, 128, 128)
    assert camera.cropped(128) == camera


@given(sizes, sizes, st.integers(1, 512), st.floats(0.1, 2.5))
def test_the_edges_of_the_square_look_the_same_way_before_and_after(width, height, size, fovy):
    before = Intrinsics.from_fovy(fovy, width, height)
    after = before.cropped(size)
    left, upper, right, lower = before.square
    edges_before = np.array([left, right]) - 0.5, np.array([upper, lower]) - 0.5
    edges_after = np.array([0, size]) - 0.5
    np.testing.assert_allclose(
        (edges_after - after.cx) / after.fx, (edges_before[0] - before.cx) / before.fx, atol=1e-12
    )
    np.testing.assert_allclose(
        (edges_after - after.cy) / after.fy, (edges_before[1] - before.cy) / before.fy, atol=1e-12
    )


def test_repeats_of_stamps_and_pixels_are_counted_apart():
    counter = RepeatCounter()
    dark, bright = np.zeros((2, 2, 3), np.uint8), np.ones((2, 2, 3), np.uint8)
    seen = [
        counter.count(stamp, pixels.copy())
        for stamp, pixels in [
            (1.0, dark),
            (1.0, bright),
            (2.0, bright),
            (2.0, bright),
            (3.0, dark),
        ]
    ]
    assert [reading.same_stamp for reading in seen] == [1, 2, 1, 2, 1]
    assert [reading.same_pixels for reading in seen] == [1, 1, 2, 3, 1]
    assert [reading.stamp for reading in seen] == [1.0, 1.0, 2.0, 2.0, 3.0]
