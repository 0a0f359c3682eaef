"""Where fixed cameras are in the robot's base, from a board that the robot holds or that lies.

All cameras and the board's place in the hand are found together: the sum of squared reprojection
errors of all corners is minimised (Levenberg, 1944; Marquardt, 1963), beginning with the closed
form of `rigid.solve_robot_world`.
"""

import dataclasses
import itertools
from collections.abc import Mapping

import cv2
import numpy as np

from chef_cell.calibration import rigid
from chef_cell.calibration.board import Board, Detection
from chef_cell.calibration.least_squares import minimise
from chef_cell.core.camera_model import CalibrationError, CameraCalibration
from chef_cell.core.imaging import Intrinsics

#: Corners that a view needs to count.
MIN_CORNERS = 8
#: Views of each camera needed: of a board in the hand, of one that lies at a known place.
MIN_HELD, MIN_LYING = 5, 1
#: Rotation (rad) about a second axis that the hand must have shown.
MIN_TURN = 0.15
#: Reprojection error (RMS, pixels for each 1000 of the image's width) beyond which something
#: moved; a Sawyer knows to 2 mm where its hand is, which is 2 of them.
MAX_ERROR = 3.0
#: Distance (m) between where two cameras see the same board.
MAX_DISAGREEMENT = 0.010

Views = Mapping[str, Mapping[str, Detection]]  # camera -> view -> corners


@dataclasses.dataclass(frozen=True)
class ExtrinsicResult:
    """What was found, and how well it fits."""

    cameras: Mapping[str, CameraCalibration]
    board_in_tool: np.ndarray | None  # (7,), m and quaternion wxyz; None: its place was known
    boards: Mapping[str, np.ndarray]  # view -> pose (7,) of the board in base
    residuals: Mapping[str, Mapping[str, np.ndarray]]  # camera -> view -> (n, 2), pixels
    deviations: Mapping[str, tuple[float, float]]  # camera -> of position (m), orientation (rad)
    disagreements: Mapping[tuple[str, str], float]  # cameras -> median distance (m) of the board

    @property
    def errors(self) -> dict[str, dict[str, float]]:
        """Camera -> view -> reprojection error (RMS, pixels)."""
        return {
            camera: {
                name: float(np.sqrt(np.mean((miss**2).sum(axis=1))))
                for name, miss in found.items()
            }
            for camera, found in self.residuals.items()
        }


def solve_extrinsics(
    views: Views,
    board: Board,
    intrinsics: Mapping[str, Intrinsics],
    places: Mapping[str, np.ndarray],
    held: bool,
) -> ExtrinsicResult:
    """Return where the cameras are.

    Args:
        views: what each camera saw; views without a place are passed over.
        board: what was seen.
        intrinsics: of each camera.
        places: view -> pose (7,) in base: of the tool when the board was held, else of the board.
        held: whether the board was in the gripper, at a place in it that is not known.

    Raises:
        CalibrationError: too few views, the hand turned about one axis only, the corners do not
            fit, or the cameras do not agree where the board was.
    """
    seen = {
        camera: {
            name: view
            for name, view in found.items()
            if name in places and len(view) >= MIN_CORNERS
        }
        for camera, found in views.items()
    }
    _check_views(seen, held)
    robot = {name: rigid.from_pose(place) for name, place in places.items()}
    if held:
        for camera, found in seen.items():
            _check_turns(camera, [robot[name] for name in found])
    in_camera = {
        camera: {name: _locate(view, board, intrinsics[camera]) for name, view in found.items()}
        for camera, found in seen.items()
    }
    problem = _Problem(seen, board, intrinsics, robot, held)
    result = problem.solve(in_camera)
    _check_fit(result, intrinsics)
    result = dataclasses.replace(result, disagreements=_disagreements(result, in_camera, board))
    for pair, distance in result.disagreements.items():
        if distance > MAX_DISAGREEMENT:
            raise CalibrationError(
                f'{pair[0]} and {pair[1]} see the same board {1e3 * distance:.1f} mm apart, '
                f'limit {1e3 * MAX_DISAGREEMENT:g} mm: was one of them moved between the views?'
            )
    return result


class _Problem:
    """Poses of all cameras, and of the board in the tool, as one vector of increments."""

    def __init__(
        self,
        seen: Views,
        board: Board,
        intrinsics: Mapping[str, Intrinsics],
        robot: Mapping[str, np.ndarray],
        held: bool,
    ) -> None:
        self._seen, self._robot, self._held = seen, robot, held
        self._corners = board.corners
        self._intrinsics = intrinsics
        self._lenses = {camera: _opencv(lens) for camera, lens in intrinsics.items()}
        self._hand = np.eye(4)  # board in tool
        self._cameras: dict[str, np.ndarray] = {}  # optical frame in base

    def solve(self, in_camera: Mapping[str, Mapping[str, np.ndarray]]) -> ExtrinsicResult:
        """Return the best poses, given where each camera saw the board."""
        self._begin(in_camera)
        increments, covariance = minimise(self._residuals, np.zeros(self._size))
        self._hand, self._cameras = self._moved(increments)
        deviations, residuals = {}, {}
        for index, (camera, found) in enumerate(self._seen.items()):
            block = np.sqrt(np.diag(covariance)[6 * (index + self._held) :][:6])
            deviations[camera] = float(np.linalg.norm(block[3:])), float(np.linalg.norm(block[:3]))
            residuals[camera] = {
                name: self._project(camera, name, self._hand, self._cameras[camera]) - view.corners
                for name, view in found.items()
            }
        return ExtrinsicResult(
            {
                camera: CameraCalibration(self._intrinsics[camera], rigid.to_pose(place))
                for camera, place in self._cameras.items()
            },
            rigid.to_pose(self._hand) if self._held else None,
            {name: rigid.to_pose(place @ self._hand) for name, place in self._robot.items()},
            residuals,
            deviations,
            {},
        )

    @property
    def _size(self) -> int:
        return 6 * (len(self._seen) + self._held)

    def _begin(self, in_camera: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Take the closed form for each camera; the hand of the one with most views."""
        most = 0
        for camera, found in in_camera.items():
            robot = [self._robot[name] for name in found]
            if not self._held:
                name = next(iter(found))
                self._cameras[camera] = self._robot[name] @ rigid.inverse(found[name])
                continue
            hand, self._cameras[camera] = rigid.solve_robot_world(robot, list(found.values()))
            if len(found) > most:
                most, self._hand = len(found), hand

    def _moved(self, increments: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        steps = [rigid.from_vectors(step[:3], step[3:]) for step in increments.reshape(-1, 6)]
        hand = self._hand @ steps.pop(0) if self._held else self._hand
        places = zip(self._cameras.items(), steps, strict=True)
        return hand, {camera: place @ step for (camera, place), step in places}

    def _residuals(self, increments: np.ndarray) -> np.ndarray:
        hand, cameras = self._moved(increments)
        return np.concatenate(
            [
                self._project(camera, name, hand, cameras[camera]) - view.corners
                for camera, found in self._seen.items()
                for name, view in found.items()
            ]
        ).ravel()

    def _project(self, camera: str, name: str, hand: np.ndarray, place: np.ndarray) -> np.ndarray:
        motion = rigid.inverse(place) @ self._robot[name] @ hand
        corners = self._corners[self._seen[camera][name].ids]
        matrix, lens = self._lenses[camera]
        turn, _ = cv2.Rodrigues(motion[:3, :3])
        pixels, _ = cv2.projectPoints(corners, turn, motion[:3, 3], matrix, lens)
        return np.asarray(pixels).reshape(-1, 2)


def _check_views(seen: Views, held: bool) -> None:
    needed = MIN_HELD if held else MIN_LYING
    for camera, found in seen.items():
        if len(found) < needed:
            raise CalibrationError(
                f'{camera}: {len(found)} views with a known place and {MIN_CORNERS} corners, at '
                f'least {needed} are needed'
            )


def _check_turns(camera: str, robot: list[np.ndarray]) -> None:
    """Refuse rotations about one axis: the place of the camera along it is then not determined."""
    turns = [rigid.turn_between(a, b) for a, b in itertools.combinations(robot, 2)]
    _, strengths, axes = np.linalg.svd(np.array(turns))
    second = float(strengths[1] / np.sqrt(len(turns)))
    if second < MIN_TURN:
        raise CalibrationError(
            f'{camera}: the hand turned about {np.round(axes[0], 2).tolist()} only; about a '
            f'second axis by {second:.2f} rad, at least {MIN_TURN} rad are needed'
        )


def _check_fit(result: ExtrinsicResult, intrinsics: Mapping[str, Intrinsics]) -> None:
    for camera, errors in result.errors.items():
        worst = max(errors, key=lambda name: errors[name])
        error = float(np.sqrt(np.mean(np.square(list(errors.values())))))
        limit = MAX_ERROR * intrinsics[camera].width / 1000.0
        if error > limit:
            raise CalibrationError(
                f'{camera}: corners are {error:.1f} pixels off, limit {limit:.1f}; worst in '
                f'{worst} ({errors[worst]:.1f}): did the camera or the board slip, or do the '
                'joint angles belong to other images?'
            )


def _locate(view: Detection, board: Board, intrinsics: Intrinsics) -> np.ndarray:
    """Return the board's pose in the optical frame, (4, 4)."""
    matrix, lens = _opencv(intrinsics)
    found, turn, shift = cv2.solvePnP(
        board.corners[view.ids], view.corners, matrix, lens, flags=cv2.SOLVEPNP_IPPE
    )
    if not found:
        raise CalibrationError(f'no pose fits {len(view)} corners')
    turn, shift = cv2.solvePnPRefineLM(
        board.corners[view.ids], view.corners, matrix, lens, turn, shift
    )
    return rigid.from_vectors(turn, shift)


def _disagreements(
    result: ExtrinsicResult, in_camera: Mapping[str, Mapping[str, np.ndarray]], board: Board
) -> dict[tuple[str, str], float]:
    """Return how far apart pairs of cameras see the middle of the board, each by itself."""
    middle = np.array([*(np.array(board.size) / 2.0), 0.0, 1.0])
    seen = {
        camera: {
            name: (rigid.from_pose(result.cameras[camera].pose) @ place @ middle)[:3]
            for name, place in found.items()
        }
        for camera, found in in_camera.items()
    }
    distances = {}
    for first, second in itertools.combinations(seen, 2):
        common = seen[first].keys() & seen[second].keys()
        if common:
            gaps = [np.linalg.norm(seen[first][name] - seen[second][name]) for name in common]
            distances[first, second] = float(np.median(gaps))
    return distances


def _opencv(intrinsics: Intrinsics) -> tuple[np.ndarray, np.ndarray]:
    camera = CameraCalibration(intrinsics, np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]))
    return camera.matrix, camera.distortion
