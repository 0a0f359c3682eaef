"""A folder of pictures of a board: CAMERA/VIEW.png, and what else is known in views.yaml.

    board: 9x6,0.03,0.022,DICT_5X5_100
    views:
      view_000: {joints: [7 numbers, rad]}            # the gripper held the board
      view_001: {board: [x, y, z, qw, qx, qy, qz]}    # it lay there in base, m
      view_002: {}                                    # a person held it: for intrinsics only

Pictures of the same name were taken while nothing moved. Those that views.yaml does not name are
for intrinsics only.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from chef_cell.calibration.board import Board, Detection, detect
from chef_cell.core.camera_model import CalibrationError

FILE = 'views.yaml'
_SUFFIXES = ('.png', '.jpg', '.jpeg')
_KINDS = ('joints', 'board')


@dataclasses.dataclass(frozen=True)
class PictureSet:
    """What a folder holds."""

    folder: Path
    board: Board
    files: Mapping[str, Mapping[str, Path]]  # camera -> view -> picture
    joints: Mapping[str, np.ndarray]  # view -> rad, (7,), when the gripper held the board
    boards: Mapping[str, np.ndarray]  # view -> pose (7,) in base of the board that lay there


@dataclasses.dataclass(frozen=True)
class Sighting:
    """What one camera saw."""

    size: tuple[int, int]  # width, height, pixels
    views: Mapping[str, Detection]


def read_set(folder: Path, board: Board | None = None) -> PictureSet:
    """Return the pictures of a folder; `board` wins over the one that views.yaml names.

    Raises:
        CalibrationError: no pictures, no board, or a malformed views.yaml.
    """
    content = _read_yaml(folder / FILE)
    if board is None:
        if 'board' not in content:
            raise CalibrationError(f'{folder / FILE} names no board: give one with --board')
        board = Board.parse(str(content['board']))
    places: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in _KINDS}
    for name, values in (content.get('views') or {}).items():
        for kind, numbers in (values or {}).items():
            if kind not in _KINDS:
                raise CalibrationError(
                    f'{folder / FILE}: {name} has {kind!r}, allowed: {", ".join(_KINDS)}'
                )
            places[kind][str(name)] = _seven(folder, str(name), kind, numbers)
    files = {
        path.name: {
            picture.stem: picture
            for picture in sorted(path.iterdir())
            if picture.suffix.lower() in _SUFFIXES
        }
        for path in sorted(folder.iterdir() if folder.is_dir() else ())
        if path.is_dir() and not path.name.startswith('.')
    }
    files = {camera: pictures for camera, pictures in files.items() if pictures}
    if not files:
        raise CalibrationError(f'{folder} has no pictures as CAMERA/VIEW{_SUFFIXES[0]}')
    return PictureSet(folder, board, files, places['joints'], places['board'])


def look(
    pictures: PictureSet, camera: str, on_view: Callable[[str, int], None] = lambda *_: None
) -> Sighting:
    """Find the board in a camera's pictures; `on_view` takes each name and its count of corners.

    Raises:
        CalibrationError: a picture can't be read, or they are of different sizes.
    """
    views: dict[str, Detection] = {}
    sizes: dict[tuple[int, int], str] = {}
    for name, path in pictures.files[camera].items():
        image = read_picture(path)
        sizes.setdefault((image.shape[1], image.shape[0]), name)
        if len(sizes) > 1:
            raise CalibrationError(f'{camera}: pictures of different sizes: {sizes}')
        views[name] = detect(image, pictures.board)
        on_view(name, len(views[name]))
    return Sighting(next(iter(sizes)), views)


def read_picture(path: Path) -> np.ndarray:
    """Return a picture as RGB (h, w, 3) uint8; raises CalibrationError."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise CalibrationError(f'{path} is no picture')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def write_view(
    folder: Path, name: str, images: Mapping[str, np.ndarray], board: Board, **place: Any
) -> None:
    """Add what the cameras saw at one moment; RGB (h, w, 3) uint8.

    `place` is `joints=` or `board=` with seven numbers, or nothing. views.yaml is written last,
    as a whole, so that an interruption leaves nothing that counts.
    """
    for camera, image in images.items():
        path = folder / camera / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    content = _read_yaml(folder / FILE)
    views = content.get('views') or {}
    views[name] = {kind: np.asarray(numbers).tolist() for kind, numbers in place.items()}
    content = {'board': str(board), 'views': views}
    new = folder / f'.{FILE}.new'
    new.write_text(yaml.safe_dump(content, sort_keys=False, default_flow_style=None))
    new.replace(folder / FILE)


def new_name(folder: Path) -> str:
    """Return a name for the next view of a folder."""
    views = _read_yaml(folder / FILE).get('views') or {}
    number = len(views)
    while f'view_{number:03}' in views:
        number += 1
    return f'view_{number:03}'


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise CalibrationError(f'{path}: {error}') from error
    if not isinstance(content, dict) or set(content) - {'board', 'views'}:
        raise CalibrationError(f'{path}: expected the keys board and views')
    return content


def _seven(folder: Path, view: str, kind: str, numbers: Any) -> np.ndarray:
    try:
        values = np.array(numbers, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (7,) or not np.isfinite(values).all():
        raise CalibrationError(
            f'{folder / FILE}: {kind} of {view} {numbers!r}, expected 7 finite numbers'
        )
    if kind == 'board' and abs(np.linalg.norm(values[3:]) - 1.0) > 1e-3:
        raise CalibrationError(f'{folder / FILE}: the quaternion of {view} must have length 1')
    return values
