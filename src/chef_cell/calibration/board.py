"""The ChArUco board: a chessboard whose white squares carry markers, seen even when cut off."""

import dataclasses
from typing import Any

import cv2
import numpy as np

from chef_cell.core.camera_model import CalibrationError

_PREFIX = 'DICT_'


@dataclasses.dataclass(frozen=True)
class Board:
    """A board of `columns` x `rows` squares.

    Its frame: origin at the corner where the first square was printed, x along the columns, y
    along the rows, z away from whoever looks at it.

    Raises:
        CalibrationError: the marker does not fit into the square, the dictionary is unknown or
            too small.
    """

    columns: int = 9
    rows: int = 6
    square: float = 0.030  # m
    marker: float = 0.022  # m
    dictionary: str = 'DICT_5X5_100'

    def __post_init__(self) -> None:
        if not 0.0 < self.marker < self.square or min(self.columns, self.rows) < 3:
            raise CalibrationError(
                f'board {self}: at least 3x3 squares, with markers smaller than them'
            )
        if not (self.dictionary.startswith(_PREFIX) and hasattr(cv2.aruco, self.dictionary)):
            known = sorted(name for name in dir(cv2.aruco) if name.startswith(_PREFIX))
            raise CalibrationError(f'{self.dictionary!r}, allowed: {", ".join(known)}')
        markers, needed = len(self.markers.bytesList), self.columns * self.rows // 2
        if markers < needed:
            raise CalibrationError(
                f'{self.dictionary} has {markers} markers, the board needs {needed}'
            )

    @classmethod
    def parse(cls, text: str) -> 'Board':
        """Read `COLUMNSxROWS,SQUARE,MARKER[,DICTIONARY]`, lengths in m; raises as the class."""
        try:
            squares, square, marker, *dictionary = text.split(',')
            columns, rows = (int(part) for part in squares.split('x'))
            return cls(columns, rows, float(square), float(marker), *dictionary)
        except (TypeError, ValueError) as error:
            if isinstance(error, CalibrationError):
                raise
            raise CalibrationError(
                f'board {text!r}, expected COLUMNSxROWS,SQUARE,MARKER[,DICTIONARY], as {cls()}'
            ) from error

    def __str__(self) -> str:
        return f'{self.columns}x{self.rows},{self.square:g},{self.marker:g},{self.dictionary}'

    @property
    def markers(self) -> Any:
        """The dictionary of its markers."""
        return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, self.dictionary))

    @property
    def pattern(self) -> Any:
        """The board as OpenCV knows it."""
        return cv2.aruco.CharucoBoard(
            (self.columns, self.rows), self.square, self.marker, self.markers
        )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, m."""
        return self.columns * self.square, self.rows * self.square

    @property
    def corners(self) -> np.ndarray:
        """Inner corners of the squares in the board's frame, (n, 3), m, in the order of ids."""
        return np.array(self.pattern.getChessboardCorners(), np.float64)

    def draw(self, resolution: float) -> np.ndarray:
        """Return it as grey pixels, `resolution` of them a metre; no margin."""
        width, height = (round(length * resolution) for length in self.size)
        return np.array(self.pattern.generateImage((width, height), marginSize=0))


@dataclasses.dataclass(frozen=True)
class Detection:
    """Corners of a board in one image."""

    ids: np.ndarray  # (n,), indices into `Board.corners`
    corners: np.ndarray  # (n, 2), pixels
    markers: tuple[int, ...] = ()  # ids of all markers seen, whether of this board or not

    def __len__(self) -> int:
        return len(self.ids)


def detect(image: np.ndarray, board: Board) -> Detection:
    """Find a board in an image, (h, w) or (h, w, 3) uint8."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    detector = cv2.aruco.CharucoDetector(board.pattern)
    # OpenCV's type hints know nothing of None, which stands for nothing found.
    found: tuple[Any, ...] = detector.detectBoard(grey)
    corners, ids, _, markers = found
    seen = () if markers is None else tuple(sorted(int(marker) for marker in np.ravel(markers)))
    if ids is None:
        return Detection(np.empty(0, int), np.empty((0, 2)), seen)
    return Detection(
        np.array(ids, int).ravel(), np.array(corners, np.float64).reshape(-1, 2), seen
    )
