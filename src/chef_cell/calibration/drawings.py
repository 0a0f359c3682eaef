"""Drawings of the report, as data URIs."""

import base64
import io
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from chef_cell.calibration import rigid
from chef_cell.calibration.board import Detection
from chef_cell.calibration.calibrate import Calibration
from chef_cell.calibration.pictures import read_picture

_WIDTH = 480  # pixels, of a picture
_CORNER = (255, 60, 60)
_LENGTHENED = 50.0  # times, how error vectors are drawn


def draw_corners(path: Path, view: Detection) -> str:
    """Return a picture with the corners found in it."""
    image = read_picture(path)
    scale = _WIDTH / image.shape[1]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for corner in view.corners:
        # Half a pixel, because (0, 0) is the middle of the first pixel at either size.
        x, y = np.round(scale * (corner + 0.5) - 0.5).astype(int).tolist()
        cv2.circle(small, (x, y), 4, _CORNER, 1, cv2.LINE_AA)
    _, data = cv2.imencode('.jpg', cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return _uri(data.tobytes(), 'jpeg')


def draw_residuals(calibration: Calibration, camera: str) -> str:
    """Return where corners were seen, how far off each is, and how the errors are distributed."""
    extrinsics, sighting = calibration.extrinsics, calibration.sightings[camera]
    width, height = sighting.size
    figure = Figure(figsize=(11, 3.6), layout='constrained')
    place, spread = figure.subplots(1, 2, width_ratios=(2, 1))
    everywhere = np.vstack([view.corners for view in sighting.views.values()])
    place.plot(*everywhere.T, '.', color='#cbd2d9', markersize=2)
    found = extrinsics.residuals[camera]
    corners = np.vstack([sighting.views[name].corners for name in found])
    errors = np.vstack(list(found.values()))
    arrows = _LENGTHENED * errors
    place.quiver(*corners.T, *arrows.T, angles='xy', scale_units='xy', scale=1, width=0.002)
    spread.hist(np.linalg.norm(errors, axis=1), bins=30, color='#3e7cb1')
    place.set(xlim=(0, width), ylim=(height, 0), xlabel='u (pixels)', ylabel='v (pixels)')
    place.set_aspect('equal')
    place.set_title(f'corners; errors of the place, {_LENGTHENED:g} times as long')
    spread.set(xlabel='error (pixels)', ylabel='corners')
    spread.set_title(f'{len(found)} views')
    return _drawn(figure)


def draw_overview(calibration: Calibration) -> str:
    """Return cameras, their lines of sight and the boards, from above."""
    figure = Figure(figsize=(5.6, 4.6), layout='constrained')
    axes = figure.subplots()
    board = calibration.pictures.board
    middle = np.array([*(np.array(board.size) / 2.0), 0.0, 1.0])
    for index, (name, camera) in enumerate(calibration.extrinsics.cameras.items()):
        colour = f'C{index}'
        width, height = camera.size
        x, y = camera.pose[:2]
        axes.plot(x, y, 's', color=colour, label=name)
        for u in (0.0, width - 1.0):
            dx, dy = 0.7 * camera.rays(np.array([[u, height / 2.0]]))[0, :2]
            axes.plot([x, x + dx], [y, y + dy], color=colour, linewidth=0.6)
    boards = [rigid.from_pose(place) @ middle for place in calibration.extrinsics.boards.values()]
    axes.plot(*np.array(boards)[:, :2].T, '.', color='#9aa5b1', markersize=4, label='boards')
    axes.plot(0.0, 0.0, 'k^', label='base')
    axes.set(xlabel='x in base (m)', ylabel='y in base (m)')
    axes.set_aspect('equal')
    axes.legend(fontsize=8)
    return _drawn(figure)


def _drawn(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format='png', dpi=110)
    return _uri(stream.getvalue(), 'png')


def _uri(data: bytes, kind: str) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'
