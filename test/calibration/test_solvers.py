"""Calibration finds the truth, and says why when it can't."""

import dataclasses

import numpy as np
import pytest
import scene

from chef_cell.calibration import rigid
from chef_cell.calibration.board import Board, Detection
from chef_cell.calibration.extrinsic import solve_extrinsics
from chef_cell.calibration.intrinsic import solve_intrinsics
from chef_cell.calibration.least_squares import minimise
from chef_cell.core.camera_model import CalibrationError

NOTHING = Detection(np.empty(0, int), np.empty((0, 2)))
INTRINSICS = {name: camera.intrinsics for name, camera in scene.CAMERAS.items()}
SIZE = scene.INTRINSICS.width, scene.INTRINSICS.height


def single_views(count=20, tilt=0.7, noise=0.1, distance=0.3):
    camera, generator = scene.CAMERAS['left'], np.random.default_rng(3)
    places = [scene.facing(camera, generator, tilt, distance) for _ in range(count)]
    return {f'{i}': scene.seen(camera, p, generator, noise) for i, p in enumerate(places)}


def away(found, truth):
    """Distance (m) and angle (rad) between two poses."""
    apart = rigid.turn_between(rigid.from_pose(found), rigid.from_pose(truth))
    return np.linalg.norm(found[:3] - truth[:3]), np.linalg.norm(apart)


def test_intrinsics_are_found_within_their_deviations():
    result = solve_intrinsics(single_views(), scene.BOARD, SIZE)
    found, truth = result.intrinsics, scene.INTRINSICS
    off = np.abs(
        [found.fx - truth.fx, found.fy - truth.fy, found.cx - truth.cx, found.cy - truth.cy]
    )
    assert (off < 5.0 * result.deviations[:4]).all(), (off, result.deviations)
    assert off.max() < 5.0
    assert 0.05 < result.error < 0.2  # the noise
    assert not result.left_out


def test_a_view_that_does_not_fit_the_others_is_left_out():
    views = single_views()
    good = solve_intrinsics(views, scene.BOARD, SIZE)
    shaken = np.random.default_rng(0).normal(scale=4.0, size=views['5'].corners.shape)
    views['5'] = dataclasses.replace(views['5'], corners=views['5'].corners + shaken)
    result = solve_intrinsics(views, scene.BOARD, SIZE)
    assert list(result.left_out) == ['5']
    assert result.intrinsics.fx == pytest.approx(good.intrinsics.fx, rel=0.005)


@pytest.mark.parametrize(
    ('views', 'words'),
    [
        ({'a': NOTHING}, r'the board 7x5,0.025,0.018,DICT_5X5_100 is in none of 1 images'),
        (
            {'a': dataclasses.replace(NOTHING, markers=(40, 41))},
            r'markers \[40, 41\] are seen, but no board',
        ),
        (single_views(5), '5 of 5 views are of use, at least 8'),
        (single_views(20, distance=0.9), 'span .* show the board at its edges'),
        (single_views(20, tilt=0.05), 'the board is tilted by 0.26 rad or more in 0 of 20 views'),
        (single_views(9, tilt=0.6, noise=3.0), 'the focal length is only known to .*, at most 1%'),
    ],
)
def test_views_that_do_not_tell_the_intrinsics_are_refused(views, words):
    with pytest.raises(CalibrationError, match=words):
        solve_intrinsics(views, scene.BOARD, SIZE)


def test_three_cameras_are_found_with_the_board_in_the_hand():
    views, places = scene.held_views(8)
    result = solve_extrinsics(views, scene.BOARD, INTRINSICS, places, held=True)
    for name, truth in scene.CAMERAS.items():
        metres, radians = away(result.cameras[name].pose, truth.pose)
        assert metres < 5.0 * result.deviations[name][0] < 0.005, (name, metres)
        assert radians < 5.0 * result.deviations[name][1] < 0.005, (name, radians)
    assert away(result.board_in_tool, rigid.to_pose(scene.BOARD_IN_TOOL))[0] < 0.001
    assert result.disagreements[('left', 'right')] < 0.003


def test_a_board_that_lies_at_a_known_place_is_enough():
    generator = np.random.default_rng(2)
    board = rigid.from_vectors(np.array([np.pi, 0.0, 0.3]), np.array([0.5, 0.1, 0.05]))
    views = {
        name: {'lying': scene.seen(camera, board, generator, 0.15)}
        for name, camera in scene.CAMERAS.items()
    }
    places = {'lying': rigid.to_pose(board)}
    result = solve_extrinsics(views, scene.BOARD, INTRINSICS, places, held=False)
    for name, truth in scene.CAMERAS.items():
        metres, radians = away(result.cameras[name].pose, truth.pose)
        assert metres < 0.005, (name, metres)
        assert radians < 0.01, (name, radians)
    assert result.board_in_tool is None


def test_a_hand_that_turned_about_one_axis_is_refused():
    camera, generator = scene.CAMERAS['left'], np.random.default_rng(4)
    start = scene.facing(camera, generator, tilt=0.1)
    middle = start @ [*(np.array(scene.BOARD.size) / 2), 0.0, 1.0]
    views, places = {'left': {}}, {}
    for index, angle in enumerate(np.linspace(-0.5, 0.5, 8)):
        turn = rigid.from_vectors(np.array([0.0, 0.0, angle]), np.zeros(3))
        board = turn @ start
        board[:3, 3] += middle[:3] - (turn @ middle)[:3]
        places[f'{index}'] = rigid.to_pose(board @ rigid.inverse(scene.BOARD_IN_TOOL))
        views['left'][f'{index}'] = scene.seen(camera, board, generator, 0.1)
    with pytest.raises(
        CalibrationError, match=r'turned about .* only; about a second axis by 0\.0'
    ):
        solve_extrinsics(views, scene.BOARD, INTRINSICS, places, held=True)


def test_too_few_views_are_refused():
    views, places = scene.held_views(8)
    views['back'] = {}
    with pytest.raises(CalibrationError, match=r'back: 0 views with a known place .* at least 5'):
        solve_extrinsics(views, scene.BOARD, INTRINSICS, places, held=True)


def test_joint_angles_of_other_images_are_found_out():
    views, places = scene.held_views(8)
    names = list(places)
    shifted = dict(zip(names, [places[name] for name in names[1:] + names[:1]], strict=True))
    with pytest.raises(CalibrationError, match=r'pixels off, limit .* worst in view_'):
        solve_extrinsics(views, scene.BOARD, INTRINSICS, shifted, held=True)


def test_wrong_intrinsics_of_one_camera_make_the_cameras_disagree():
    """Of lying boards each camera fits by itself; only together they show what is wrong."""
    generator = np.random.default_rng(2)
    views, places = {name: {} for name in scene.CAMERAS}, {}
    wrong = {
        **INTRINSICS,
        'right': dataclasses.replace(scene.INTRINSICS, fx=1300.0, fy=1300.0),
    }
    for index, shift in enumerate((-0.1, 0.0, 0.1)):
        board = rigid.from_vectors(
            np.array([np.pi, 0.0, 0.3]), np.array([0.5, 0.05 + shift, 0.05])
        )
        places[f'{index}'] = rigid.to_pose(board)
        for name, camera in scene.CAMERAS.items():
            views[name][f'{index}'] = scene.seen(camera, board, generator, 0.1)
    with pytest.raises(CalibrationError, match=r'left and right see .* mm apart, limit 10 mm'):
        solve_extrinsics(views, scene.BOARD, wrong, places, held=False)


def test_robot_and_world_are_found_exactly():
    generator = np.random.default_rng(0)

    def motion():
        return rigid.from_vectors(generator.normal(size=3), generator.normal(size=3))

    hand, camera = motion(), motion()
    robot = [motion() for _ in range(3)]
    board = [rigid.inverse(camera) @ place @ hand for place in robot]
    found = rigid.solve_robot_world(robot, board)
    np.testing.assert_allclose(found, (hand, camera), atol=1e-9)


def test_poses_and_matrices_are_the_same_motion():
    generator = np.random.default_rng(1)
    for _ in range(50):
        matrix = rigid.from_vectors(2.0 * generator.normal(size=3), generator.normal(size=3))
        np.testing.assert_allclose(rigid.from_pose(rigid.to_pose(matrix)), matrix, atol=1e-12)
        np.testing.assert_allclose(rigid.inverse(matrix) @ matrix, np.eye(4), atol=1e-12)


def test_minimise_finds_a_line_with_the_covariance_of_regression():
    generator = np.random.default_rng(5)
    rows = np.column_stack((np.linspace(0.0, 1.0, 200), np.ones(200)))
    values = rows @ (2.0, -1.0) + generator.normal(scale=0.1, size=200)
    found, covariance = minimise(lambda x: rows @ x - values, np.zeros(2))
    expected, squares, *_ = np.linalg.lstsq(rows, values, rcond=None)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(
        covariance, squares[0] / 198 * np.linalg.inv(rows.T @ rows), rtol=1e-4
    )


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('9by6,0.03,0.02', 'expected COLUMNSxROWS,SQUARE,MARKER'),
        ('9x6,0.02,0.03', 'markers smaller than them'),
        ('9x6,0.03,0.02,DICT_NONE', "'DICT_NONE', allowed: .*DICT_4X4_50"),
        ('20x20,0.03,0.02,DICT_4X4_50', 'has 50 markers, the board needs 200'),
        ('9x6', 'expected COLUMNSxROWS'),
    ],
)
def test_boards_that_can_not_be_are_refused(text, words):
    with pytest.raises(CalibrationError, match=words):
        Board.parse(text)


def test_a_board_is_what_its_text_says():
    assert Board.parse(str(scene.BOARD)) == scene.BOARD
    assert Board.parse('9x6,0.03,0.022') == Board()
