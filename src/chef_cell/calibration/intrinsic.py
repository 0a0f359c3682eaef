"""Intrinsics of a camera from views of a board: Zhang (2000), through OpenCV."""

import dataclasses
from collections.abc import Mapping

import cv2
import numpy as np

from chef_cell.calibration.board import Board, Detection
from chef_cell.core.camera_model import CalibrationError
from chef_cell.core.imaging import Intrinsics

#: Views needed, and corners in each.
MIN_VIEWS, MIN_CORNERS = 8, 8
#: Share of the image's width and height that the corners of all views must span.
MIN_COVERAGE = 0.5
#: Views needed in which the board is tilted, and by how much (rad): seen flat, a board looks the
#: same from afar through a long lens as from near through a short one.
MIN_TILTED, MIN_TILT = 3, 0.26
#: Standard deviation of the focal length, as a share of it: more, and the views do not tell it.
MAX_FOCAL_DEVIATION = 0.01
#: A view that fits so many times worse than the median one, and by more than a pixel, is left out.
OUTLIER = 4.0


@dataclasses.dataclass(frozen=True)
class IntrinsicResult:
    """What was found, and how well it fits."""

    intrinsics: Intrinsics
    errors: Mapping[str, float]  # view -> reprojection error (RMS, pixels)
    left_out: Mapping[str, float]  # same, of the views that do not fit the others
    deviations: np.ndarray  # (9,), standard deviations of fx, fy, cx, cy, k1, k2, p1, p2, k3
    coverage: tuple[float, float]  # share of the width and of the height

    @property
    def error(self) -> float:
        """Reprojection error of all views, RMS, pixels."""
        return float(np.sqrt(np.mean(np.square(list(self.errors.values())))))


def solve_intrinsics(
    views: Mapping[str, Detection], board: Board, size: tuple[int, int], wide: bool = False
) -> IntrinsicResult:
    """Return the intrinsics of one camera.

    Args:
        views: name -> corners seen; views with fewer than `MIN_CORNERS` are passed over.
        board: what was seen.
        size: width and height of the images, pixels.
        wide: whether to estimate k3 too, which only a wide-angle lens needs.

    Raises:
        CalibrationError: the board was not seen, there are too few views, they do not cover the
            image, they are not tilted, or the focal length stays unsure.
    """
    usable = {name: view for name, view in views.items() if len(view) >= MIN_CORNERS}
    _check_views(views, usable, board)
    coverage = _coverage(usable, size)
    if min(coverage) < MIN_COVERAGE:
        raise CalibrationError(
            f'the corners span {coverage[0]:.0%} of the width and {coverage[1]:.0%} of the height '
            f'of the image, at least {MIN_COVERAGE:.0%} are needed: show the board at its edges'
        )
    tilted = sum(_tilt(view, board) > MIN_TILT for view in usable.values())
    if tilted < MIN_TILTED:
        raise CalibrationError(
            f'the board is tilted by {MIN_TILT} rad or more in {tilted} of {len(usable)} views, '
            f'in {MIN_TILTED} it must be: tilt it by 20 to 50 degrees about both its axes'
        )
    result = _solve(usable, board, size, wide)
    limit = max(1.0, OUTLIER * float(np.median(list(result.errors.values()))))
    bad = {name: error for name, error in result.errors.items() if error > limit}
    if bad:
        good = {name: view for name, view in usable.items() if name not in bad}
        _check_views(views, good, board)
        result = dataclasses.replace(_solve(good, board, size, wide), left_out=bad)
    share = float(result.deviations[0] / result.intrinsics.fx)
    if not share < MAX_FOCAL_DEVIATION:
        raise CalibrationError(
            f'the focal length is only known to {share:.1%} (standard deviation), at most '
            f'{MAX_FOCAL_DEVIATION:.0%} is allowed: take more views, sharper ones, or nearer ones'
        )
    return dataclasses.replace(result, coverage=coverage)


def _check_views(
    views: Mapping[str, Detection], usable: Mapping[str, Detection], board: Board
) -> None:
    if len(usable) >= MIN_VIEWS:
        return
    markers = sorted({marker for view in views.values() for marker in view.markers})
    if not usable and not markers:
        raise CalibrationError(
            f'the board {board} is in none of {len(views)} images: is it this board, sharp and '
            'lit evenly?'
        )
    if not usable:
        raise CalibrationError(
            f'markers {markers} are seen, but no board {board}: is it another one, or cut off?'
        )
    raise CalibrationError(
        f'{len(usable)} of {len(views)} views are of use, at least {MIN_VIEWS} with '
        f'{MIN_CORNERS} corners each are needed'
    )


def _coverage(views: Mapping[str, Detection], size: tuple[int, int]) -> tuple[float, float]:
    corners = np.vstack([view.corners for view in views.values()])
    width, height = np.ptp(corners, axis=0) / size
    return float(width), float(height)


def _tilt(view: Detection, board: Board) -> float:
    """Return by how much (rad) a board is tilted, told by how it is foreshortened."""
    flat = np.column_stack((board.corners[view.ids, :2], np.ones(len(view))))
    affine, *_ = np.linalg.lstsq(flat, view.corners, rcond=None)
    long, short = np.linalg.svd(affine[:2], compute_uv=False)
    return float(np.arccos(short / long))


def _solve(
    views: Mapping[str, Detection], board: Board, size: tuple[int, int], wide: bool
) -> IntrinsicResult:
    points = [board.corners[view.ids].astype(np.float32) for view in views.values()]
    pixels = [view.corners.astype(np.float32) for view in views.values()]
    flags = 0 if wide else cv2.CALIB_FIX_K3
    _, matrix, lens, _, _, deviations, _, errors = cv2.calibrateCameraExtended(
        points, pixels, size, np.eye(3), np.zeros(5), flags=flags
    )
    k1, k2, p1, p2, k3 = np.ravel(lens)[:5].tolist()
    (fx, _, cx), (_, fy, cy), _ = matrix.tolist()
    return IntrinsicResult(
        Intrinsics(*size, fx, fy, cx, cy, (k1, k2, p1, p2, k3)),
        dict(zip(views, np.ravel(errors).tolist(), strict=True)),
        {},
        np.ravel(deviations)[:9],
        (0.0, 0.0),
    )
