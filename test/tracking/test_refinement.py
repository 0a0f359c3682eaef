"""Poses from outlines: derivatives, convergence, and what hides an outline."""

import dataclasses

import cv2
import numpy as np
import pytest

from chef_cell.core.wrench import rotation
from chef_cell.tracking.outline import outline
from chef_cell.tracking.refinement import RefinementSettings, refine
from chef_cell.tracking.segmentation import ColourSettings, Segmenter
from chef_cell.tracking.sight import BehindCameraError, Sight, distances, silhouette

SETTINGS = RefinementSettings()


def sights_of(scene, label, covers=None):
    segmenter = Segmenter(ColourSettings())
    found = []
    for name, image in scene.images(covers).items():
        seen = outline(segmenter.labels(image), label, 20.0, 60)
        found.append(Sight.of(seen, scene.calibrations[name]))
    return found


def test_distances_to_a_polygon_are_signed_and_name_the_edge():
    square = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)])
    for polygon in (square, square[::-1]):
        far, edge, place, normal = distances(np.array([(5.0, -2.0), (9.0, 4.0)]), polygon)
        assert far == pytest.approx([2.0, -1.0])
        assert normal.tolist() == [[0.0, -1.0], [1.0, 0.0]]
        nearest = polygon[edge] + place[:, None] * (np.roll(polygon, -1, axis=0) - polygon)[edge]
        np.testing.assert_allclose(nearest, [(5.0, 0.0), (10.0, 4.0)], atol=1e-9)


def test_derivatives_of_projections_are_those_of_differences(small_scene):
    sight = sights_of(small_scene, 1)[0]
    points = np.array([(0.6, 0.0, 0.1), (0.5, 0.1, 0.05)])
    pixels, slopes = sight.project(points)
    for axis in range(3):
        step = 1e-6 * np.eye(3)[axis]
        change = (sight.project(points + step)[0] - pixels) / 1e-6
        np.testing.assert_allclose(slopes[:, :, axis], change, rtol=1e-3, atol=1e-2)


def test_a_sight_is_free_from_the_lens(small_scene):
    """A distorted outline is seen where a pinhole would show it."""
    plain = small_scene.calibrations['left']
    bent = dataclasses.replace(
        plain, intrinsics=dataclasses.replace(plain.intrinsics, distortion=(-0.2, 0.05, 0, 0, 0))
    )
    points = np.array([(0.6, 0.0, 0.1), (0.5, 0.1, 0.05), (0.62, -0.1, 0.08)])
    seen = outline(np.pad(np.ones((30, 30), np.uint8), 65), 1, 9.0, 3)
    seen = dataclasses.replace(seen, points=bent.project(points), free=np.ones(3, bool))
    sight = Sight.of(seen, bent)
    np.testing.assert_allclose(sight.points, sight.project(points)[0], atol=1e-6)


def test_points_behind_a_camera_are_refused(small_scene):
    sight = sights_of(small_scene, 1)[0]
    with pytest.raises(BehindCameraError, match='must be above'):
        sight.project(sight.position[None] + 1.0)


@pytest.mark.parametrize('colour', ['red', 'green', 'blue'])
def test_a_pose_that_is_off_is_pulled_onto_the_outlines(scene, colour):
    label = list(scene.poses).index(colour) + 1
    truth = scene.poses[colour]
    turned = cv2.Rodrigues(np.array([0.1, -0.1, 0.15]))[0] @ rotation(truth[3:])
    fit = refine(
        scene.shapes[colour],
        sights_of(scene, label),
        truth[:3] + np.array((0.008, -0.006, 0.005)),
        turned,
        SETTINGS,
    )
    pixel = 0.6 / next(iter(scene.calibrations.values())).intrinsics.fx  # m
    assert np.linalg.norm(fit.position - truth[:3]) < 0.5 * pixel
    assert scene.shapes[colour].angle(fit.rotation, rotation(truth[3:])) < 0.1
    assert fit.contradicted == 0.0
    assert fit.cameras == 3
    assert fit.cost < 0.5
    assert np.linalg.eigvalsh(fit.information)[0] > 0.0


def test_what_hides_a_part_does_not_pull_the_pose(scene):
    truth = scene.poses['green']
    corners = scene.shapes['green'].vertices @ rotation(truth[3:]).T + truth[:3]
    covers = {}
    for name, camera in scene.calibrations.items():
        pixels = camera.project(corners)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        middle = 0.5 * (low + high)
        covers[name] = [low - 9, (middle[0], low[1] - 9), middle, (low[0] - 9, middle[1])]
    fit = refine(
        scene.shapes['green'],
        sights_of(scene, 2, covers),
        truth[:3] + 0.004,
        rotation(truth[3:]),
        SETTINGS,
    )
    pixel = 0.6 / next(iter(scene.calibrations.values())).intrinsics.fx  # m
    assert np.linalg.norm(fit.position - truth[:3]) < 1.0 * pixel
    assert fit.contradicted < 0.02


def test_fewer_cameras_know_less(small_scene):
    truth = small_scene.poses['green']
    sights = sights_of(small_scene, 2)
    spreads = []
    for count in (3, 2, 1):
        fit = refine(
            small_scene.shapes['green'], sights[:count], truth[:3], rotation(truth[3:]), SETTINGS
        )
        assert fit.cameras == count
        spreads.append(np.linalg.eigvalsh(fit.information)[0])
    assert spreads == sorted(spreads, reverse=True)


def test_a_silhouette_goes_around_its_corners():
    corners = np.array([(0, 0), (4, 0), (2, 2), (4, 4), (0, 4)], float)
    around = corners[silhouette(corners)]
    assert {tuple(p) for p in around.tolist()} == {(0, 0), (4, 0), (4, 4), (0, 4)}
