"""Images of a calibration board as an exactly known camera would take them."""

import cv2
import numpy as np

from chef_cell.calibration import rigid
from chef_cell.calibration.board import Board
from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.imaging import Intrinsics

#: Samples a pixel, in each direction.
_SAMPLES = 2
_BACKGROUND = 90
#: Pixels of the board's texture a metre.
_RESOLUTION = 6000.0


class BoardPainter:
    """Paints what a camera sees of a board in an even grey world, lens distortion included."""

    def __init__(self, camera: CameraCalibration, board: Board) -> None:
        self._board = board
        self._place = rigid.from_pose(camera.pose)
        margin = round(0.5 * board.square * _RESOLUTION)
        self._margin = margin / _RESOLUTION
        self._texture = cv2.copyMakeBorder(
            board.draw(_RESOLUTION), margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=255
        )
        # Lens and sampling once for all: the directions of all samples in the optical frame.
        fine = _finer(camera.intrinsics)
        columns, rows = np.meshgrid(np.arange(fine.width), np.arange(fine.height))
        still = CameraCalibration(fine, np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]))
        pixels = np.column_stack((columns.ravel(), rows.ravel()))
        self._directions = still.rays(pixels)
        self._shape = fine.height, fine.width

    def paint(self, board_pose: np.ndarray) -> np.ndarray:
        """Return the image (h, w, 3) uint8 of the board at a pose (7,) in base."""
        motion = rigid.inverse(rigid.from_pose(board_pose)) @ self._place
        directions = self._directions @ motion[:3, :3].T
        with np.errstate(divide='ignore', invalid='ignore'):
            reach = -motion[2, 3] / directions[:, 2]
            hits = motion[:2, 3] + reach[:, None] * directions[:, :2]
        hits[~(reach > 0.0)] = -1.0  # behind the camera
        texels = ((hits + self._margin) * _RESOLUTION - 0.5).astype(np.float32)
        columns, rows = (texels[:, axis].reshape(self._shape) for axis in (0, 1))
        fine = cv2.remap(self._texture, columns, rows, cv2.INTER_LINEAR, borderValue=_BACKGROUND)
        height, width = self._shape[0] // _SAMPLES, self._shape[1] // _SAMPLES
        grey = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
        return np.repeat(grey[..., None], 3, axis=2)


def _finer(intrinsics: Intrinsics) -> Intrinsics:
    scale = _SAMPLES
    return Intrinsics(
        scale * intrinsics.width,
        scale * intrinsics.height,
        scale * intrinsics.fx,
        scale * intrinsics.fy,
        scale * (intrinsics.cx + 0.5) - 0.5,
        scale * (intrinsics.cy + 0.5) - 0.5,
        intrinsics.distortion,
    )
