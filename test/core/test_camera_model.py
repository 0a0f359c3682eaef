"""A calibrated camera must see points where OpenCV does, and look back along the same lines."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.camera_model import CalibrationError, CameraCalibration
from chef_cell.core.imaging import Intrinsics

LENS = (-0.21, 0.08, 0.0011, -0.0007, -0.012)
FULL = Intrinsics(1920, 1200, 1372.0, 1368.0, 951.3, 612.8, LENS)
#: Looks down into the basket from the front left.
POSE = np.array([0.97, -0.375, 0.285, 0.245, 0.402, 0.770, 0.430])
POSE[3:] /= np.linalg.norm(POSE[3:])
CAMERA = CameraCalibration(FULL, POSE)

points_seen = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.4, 0.4), st.floats(0.1, 3.0))


def in_base(x_slope, y_slope, depth):
    """A point seen in a direction of the optical frame, as base coordinates (1, 3)."""
    point = depth * np.array([x_slope, y_slope, 1.0])
    return (CAMERA.rotation @ point + CAMERA.pose[:3])[None]


@given(points_seen)
def test_a_point_is_seen_where_opencv_sees_it(seen):
    point = in_base(*seen)
    turn, _ = cv2.Rodrigues(CAMERA.rotation.T)
    shift = -CAMERA.rotation.T @ CAMERA.pose[:3]
    expected, _ = cv2.projectPoints(point, turn, shift, CAMERA.matrix, CAMERA.distortion)
    np.testing.assert_allclose(CAMERA.project(point), expected[0], atol=1e-6)


@given(points_seen)
def test_the_ray_of_a_pixel_leads_to_the_point(seen):
    point = in_base(*seen)
    ray = CAMERA.rays(CAMERA.project(point))[0]
    to_point = point[0] - CAMERA.pose[:3]
    np.testing.assert_allclose(ray, to_point / np.linalg.norm(to_point), atol=1e-7)


@given(points_seen, st.integers(16, 512))
def test_a_resized_square_shows_the_same_point_at_the_same_place(seen, size):
    point = in_base(*seen)
    left, upper, right, _ = FULL.square
    scale = size / (right - left)
    u, v = CAMERA.project(point)[0]
    expected = (scale * (u - left + 0.5) - 0.5, scale * (v - upper + 0.5) - 0.5)
    np.testing.assert_allclose(CAMERA.cropped(size).project(point)[0], expected, atol=1e-6)


def test_points_behind_the_camera_are_not_seen():
    assert np.isnan(CAMERA.project(in_base(0.1, 0.1, -1.0))).all()
    assert np.isnan(CAMERA.project(CAMERA.pose[None, :3])).all()


def test_points_that_the_distortion_folds_back_are_not_seen():
    # x (1 - 0.3 x^2) grows up to x = 1.054 and then falls: 1.5 would be drawn near the centre.
    barrel = dataclasses.replace(FULL, distortion=(-0.3, 0.0, 0.0, 0.0, 0.0))
    camera = CameraCalibration(barrel, POSE)
    aside = np.vstack([in_base(1.0, 0.0, 1.0), in_base(1.5, 0.0, 1.0)])
    seen = camera.project(aside)
    assert np.isfinite(seen[0]).all()
    assert np.isnan(seen[1]).all()
    beyond = np.array([[FULL.cx + 0.75 * FULL.fx, FULL.cy]])  # the fold is at 0.703
    assert np.isnan(camera.rays(beyond)).all()


def test_plain_data_carry_it_bit_for_bit():
    again = CameraCalibration.from_dict(CAMERA.to_dict())
    assert again.intrinsics == FULL
    np.testing.assert_array_equal(again.pose, CAMERA.pose)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'size': [1920]}, r'size \[1920\], expected 2 numbers'),
        ({'distortion': [0.1, 0.2]}, 'distortion .* expected 5'),
        ({'position': ['a', 'b', 'c']}, 'position .* expected 3'),
        ({'position': [0.0, 0.0, float('nan')]}, 'finite'),
        ({'orientation': [1.0, 1.0, 0.0, 0.0]}, 'length 1.4142, must be 1'),
        ({'matrix': [9.0, 1.0, 2.0, 0.0, 9.0, 2.0, 0.0, 0.0, 1.0]}, r'\[fx, 0, cx, 0, fy'),
        ({'matrix': [-9.0, 0.0, 2.0, 0.0, 9.0, 2.0, 0.0, 0.0, 1.0]}, 'must be positive'),
        ({'name': 'front'}, "expected .*'matrix'"),
    ],
)
def test_malformed_data_are_refused(change, words):
    with pytest.raises(CalibrationError, match=words):
        CameraCalibration.from_dict({**CAMERA.to_dict(), **change})


def test_what_is_no_mapping_is_refused():
    with pytest.raises(CalibrationError, match='expected'):
        CameraCalibration.from_dict([1, 2, 3])
