"""`chef calibrate`: from pictures with a known truth to a file and a report."""

import numpy as np
import PIL.Image
import pytest
import scene
import yaml

from chef_cell.calibration import file as calibration_file
from chef_cell.calibration import pictures, rigid
from chef_cell.calibration.board import Board, detect
from chef_cell.cli.main import main
from chef_cell.core.imaging import Intrinsics
from chef_cell.core.position_kinematics import NEUTRAL, Goal, PositionKinematics
from chef_cell.testing.board_images import BoardPainter
from chef_trainer.task.kinematics import SawyerKinematics

SMALL = Intrinsics(400, 250, 430.0, 429.0, 201.0, 124.0, scene.LENS)
VIEWS = 10


@pytest.fixture(scope='module')
def truth():
    """Joints and boards of each view, and the two cameras that see what the hand holds."""
    generator, kinematics = np.random.default_rng(8), SawyerKinematics()
    arm = PositionKinematics(kinematics)
    cameras = {
        'left': scene.looking_at((0.97, -0.1, 0.3), intrinsics=SMALL),
        'right': scene.looking_at((0.97, 0.1, 0.3), intrinsics=SMALL),
    }
    joints, boards = {}, {}
    while len(joints) < VIEWS:
        board = scene.facing(cameras['left'], generator, 0.55, 0.36)
        tool = rigid.to_pose(board @ rigid.inverse(scene.BOARD_IN_TOOL))
        found, _ = arm.inverse(Goal(tool, 'right_gripper_tip'), np.array(NEUTRAL))
        if found is not None:
            name = f'view_{len(joints):03}'
            joints[name] = found
            boards[name] = rigid.from_pose(kinematics.tool_pose(found)) @ scene.BOARD_IN_TOOL
    return joints, boards, cameras


@pytest.fixture(scope='module')
def folder(truth, tmp_path_factory):
    """Their pictures, as `chef calibrate collect --held` leaves them."""
    joints, boards, cameras = truth
    painters = {name: BoardPainter(camera, scene.BOARD) for name, camera in cameras.items()}
    made = tmp_path_factory.mktemp('pictures')
    for name, board in boards.items():
        images = {
            camera: painter.paint(rigid.to_pose(board)) for camera, painter in painters.items()
        }
        pictures.write_view(made, name, images, scene.BOARD, joints=joints[name])
    return made


@pytest.fixture(scope='module')
def result(folder, tmp_path_factory):
    """What the command makes of them."""
    out = tmp_path_factory.mktemp('result') / 'cameras.yaml'
    assert main(['calibrate', 'cameras', str(folder), '--out', str(out)]) == 0
    return out


def test_the_cameras_are_found(truth, result):
    _, _, cameras = truth
    found = calibration_file.load(result)
    assert set(found) == set(cameras)
    for name, camera in cameras.items():
        assert found[name].size == camera.size
        assert found[name].intrinsics.fx == pytest.approx(SMALL.fx, rel=0.02)
        np.testing.assert_allclose(found[name].pose[:3], camera.pose[:3], atol=0.008)
        turn = rigid.turn_between(rigid.from_pose(found[name].pose), rigid.from_pose(camera.pose))
        assert np.linalg.norm(turn) < 0.015
        # What counts: where a point of the workspace is seen.
        boards = [board[:3, 3] for board in truth[1].values()]
        off = found[name].project(np.array(boards)) - camera.project(np.array(boards))
        assert np.abs(off).max() < 1.0


def test_the_report_shows_corners_and_errors(result):
    page = result.with_suffix('.html').read_text()
    assert page.count('data:image/jpeg;base64,') >= 2 * 5
    assert page.count('data:image/png;base64,') == 3
    for word in ('left', 'right', 'reprojection error, place', 'see the same board apart'):
        assert word in page
    assert 'http' not in page.replace('http-equiv', '')


def test_lenses_of_an_earlier_calibration_are_kept(truth, folder, result, tmp_path):
    _, _, cameras = truth
    known = tmp_path / 'lenses.yaml'
    calibration_file.save(known, cameras)
    out = tmp_path / 'cameras.yaml'
    assert (
        main(['calibrate', 'cameras', str(folder), '--out', str(out), '--lenses', str(known)]) == 0
    )
    found = calibration_file.load(out)
    for name, camera in cameras.items():
        assert found[name].intrinsics == camera.intrinsics
        np.testing.assert_allclose(found[name].pose[:3], camera.pose[:3], atol=0.003)


def refused(arguments, capsys):
    """The complaint of a command that must fail."""
    assert main(['calibrate', *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_bad_input_is_one_clear_sentence(folder, tmp_path, capsys):
    out = tmp_path / 'cameras.yaml'
    words = refused(['cameras', tmp_path / 'absent', '--out', out], capsys)
    assert 'names no board' in words
    words = refused(['cameras', tmp_path, '--board', '7x5,0.025,0.018', '--out', out], capsys)
    assert 'has no pictures as CAMERA/VIEW.png' in words
    words = refused(['cameras', folder, '--board', '5x7,0.025,0.018', '--out', out], capsys)
    assert 'left: ' in words
    words = refused(['board', tmp_path / 'board.gif'], capsys)
    assert 'ends in .pdf or .png' in words
    assert not out.exists()


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('views: {a: {joints: [1, 2]}}', r'joints of a \[1, 2\], expected 7 finite'),
        ('views: {a: {joint: [1]}}', "a has 'joint', allowed: joints, board"),
        ('views: {a: {board: [0, 0, 0, 1, 1, 0, 0]}}', 'must have length 1'),
        ('pictures: 1', 'expected the keys board and views'),
        ('views: [', 'views.yaml: '),
    ],
)
def test_a_malformed_list_of_views_is_refused(tmp_path, content, words):
    (tmp_path / pictures.FILE).write_text(content)
    with pytest.raises(calibration_file.CalibrationError, match=words):
        pictures.read_set(tmp_path, Board())


@pytest.mark.parametrize(('suffix', 'columns'), [('.png', 9), ('.pdf', 9), ('.png', 12)])
def test_the_board_is_printed_in_its_size(tmp_path, suffix, columns):
    board = Board(columns, 6, 0.03, 0.022)
    path = tmp_path / f'board{suffix}'
    assert main(['calibrate', 'board', str(path), '--board', str(board)]) == 0
    if suffix == '.pdf':
        # Points of 1/72 inch: A4, landscape.
        assert b'/MediaBox [ 0 0 841.' in path.read_bytes()
        return
    with PIL.Image.open(path) as picture:
        image, resolution = np.asarray(picture), picture.info['dpi'][0] / 0.0254  # pixels a metre
    found = detect(image[::2, ::2], board)
    assert len(found) == len(board.corners)
    width = 2 * np.ptp(found.corners[:, 0]) / resolution
    assert width == pytest.approx((columns - 2) * board.square, rel=1e-3)


def test_calibration_files_carry_everything_and_bad_ones_are_named(tmp_path):
    path = tmp_path / 'cameras.yaml'
    camera = scene.CAMERAS['left']
    calibration_file.save(path, {'left': camera}, 'made by hand')
    assert '# made by hand' in path.read_text()
    again = calibration_file.load(path)['left']
    assert again.intrinsics == camera.intrinsics
    np.testing.assert_array_equal(again.pose, camera.pose)
    content = yaml.safe_load(path.read_text())
    content['left'].pop('matrix')
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(
        calibration_file.CalibrationError, match=r'cameras\.yaml: left: a camera has'
    ):
        calibration_file.load(path)
