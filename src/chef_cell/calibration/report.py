"""The report of a calibration: one page that needs nothing else."""

from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from chef_cell.calibration.calibrate import Calibration
from chef_cell.calibration.drawings import draw_corners, draw_overview, draw_residuals

#: Pictures shown of each camera; of more, those that fit worst.
_PICTURES = 9


def write_report(path: Path, calibration: Calibration) -> None:
    """Write the page; an older one is replaced as a whole."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True
    )
    extrinsics = calibration.extrinsics
    hand = extrinsics.board_in_tool
    page = environment.get_template('page.html.j2').render(
        folder=calibration.pictures.folder.name,
        board=calibration.pictures.board,
        way='board at known places' if hand is None else 'board in the gripper',
        overview=draw_overview(calibration),
        places=[_place(calibration, name) for name in extrinsics.cameras],
        hand='' if hand is None else f'{_numbers(hand[:3], 4)} m, {_numbers(hand[3:], 4)}',
        disagreements=[
            (' and '.join(pair), f'{1e3 * distance:.2f} mm')
            for pair, distance in extrinsics.disagreements.items()
        ],
        cameras=[_camera(calibration, name) for name in extrinsics.cameras],
    )
    new = path.with_name(f'.{path.name}.new')
    new.write_text(page)
    new.replace(path)


def _place(calibration: Calibration, name: str) -> dict[str, str]:
    pose = calibration.extrinsics.cameras[name].pose
    metres, radians = calibration.extrinsics.deviations[name]
    return {
        'name': name,
        'position': _numbers(pose[:3], 4),
        'orientation': _numbers(pose[3:], 5),
        'deviation': f'{1e3 * metres:.2f} mm, {np.degrees(radians):.3f} degrees',
    }


def _camera(calibration: Calibration, name: str) -> dict[str, Any]:
    lens = calibration.extrinsics.cameras[name].intrinsics
    measured = calibration.intrinsics.get(name)
    facts = [
        ('size', f'{lens.width} x {lens.height} pixels'),
        ('fx, fy', _numbers([lens.fx, lens.fy], 2)),
        ('cx, cy', _numbers([lens.cx, lens.cy], 2)),
        ('k1, k2, p1, p2, k3', _numbers(lens.distortion, 5)),
    ]
    if measured is None:
        facts.append(('lens', 'of an earlier calibration'))
    else:
        facts += [
            ('deviations of fx, fy, cx, cy', _numbers(measured.deviations[:4], 2)),
            ('views for the lens', f'{len(measured.errors)}, {len(measured.left_out)} left out'),
            ('reprojection error, lens', f'{measured.error:.3f} pixels'),
            ('corners span', ' x '.join(f'{share:.0%}' for share in measured.coverage)),
        ]
    errors = calibration.extrinsics.errors[name]
    overall = float(np.sqrt(np.mean(np.square(list(errors.values())))))
    facts.append(('reprojection error, place', f'{overall:.3f} pixels in {len(errors)} views'))
    return {
        'name': name,
        'facts': facts,
        'plot': draw_residuals(calibration, name),
        'pictures': _pictures(calibration, name),
    }


def _pictures(calibration: Calibration, name: str) -> list[dict[str, Any]]:
    """Return the pictures that fit worst, or lack a board."""
    placed = calibration.extrinsics.errors[name]
    measured = calibration.intrinsics.get(name)
    lens, left_out = (measured.errors, measured.left_out) if measured else ({}, {})
    views = calibration.sightings[name].views
    worst = sorted(
        views, key=lambda view: -max(placed.get(view, 0.0), lens.get(view, left_out.get(view, 0)))
    )
    pictures = []
    for view in worst[:_PICTURES]:
        words = [f'{len(views[view])} corners']
        words += [f'lens {lens[view]:.2f} pixels'] if view in lens else []
        words += [f'place {placed[view]:.2f} pixels'] if view in placed else []
        words += [f'left out, {left_out[view]:.2f} pixels'] if view in left_out else []
        pictures.append(
            {
                'name': view,
                'words': ', '.join(words),
                'left_out': view in left_out,
                'source': draw_corners(calibration.pictures.files[name][view], views[view]),
            }
        )
    return pictures


def _numbers(values: Any, digits: int) -> str:
    return ', '.join(f'{float(value):.{digits}f}' for value in values)
