"""The board as a page to print, in its true size."""

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw

from chef_cell.calibration.board import Board
from chef_cell.core.camera_model import CalibrationError

_RESOLUTION = 300 / 0.0254  # pixels a metre: 300 dpi
_MARGIN = 0.010  # m, white around the board: markers at the edge need it
_PAPERS = {'A4': (0.297, 0.210), 'A3': (0.420, 0.297)}
_LINE = 0.006  # m, height of the caption
_SUFFIXES = ('.pdf', '.png')


def write_page(path: Path, board: Board) -> tuple[float, float]:
    """Write the board with its size below it; returns the page's width and height (m).

    The page is the smallest of A4 and A3 (landscape) that holds it, else as large as needed.

    Raises:
        CalibrationError: the file's name ends in something else than .pdf or .png.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise CalibrationError(f'{path}: expected a name that ends in {" or ".join(_SUFFIXES)}')
    width, height = board.size
    needed = width + 2 * _MARGIN, height + 2 * _MARGIN + _LINE
    fits = [paper for paper in _PAPERS.values() if paper[0] >= needed[0] and paper[1] >= needed[1]]
    paper = fits[0] if fits else needed
    page = PIL.Image.new('L', _pixels(paper), 255)
    image = board.draw(_RESOLUTION)
    left, upper = (page.width - image.shape[1]) // 2, (page.height - image.shape[0]) // 2
    page.paste(PIL.Image.fromarray(np.ascontiguousarray(image)), (left, upper))
    caption = (
        f'{board} (m). The board is {1e3 * width:g} mm wide: measure it after printing at 100 %.'
    )
    pen = PIL.ImageDraw.Draw(page)
    below = upper + image.shape[0] + _pixels((_MARGIN / 4, 0.0))[0]
    pen.text((left, below), caption, fill=0, font_size=_LINE * _RESOLUTION / 2)
    resolution = _RESOLUTION * 0.0254
    new = path.with_name(f'.new-{path.name}')
    page.save(new, resolution=resolution, dpi=(resolution, resolution))
    new.replace(path)
    return paper


def _pixels(size: tuple[float, float]) -> tuple[int, int]:
    return round(size[0] * _RESOLUTION), round(size[1] * _RESOLUTION)
