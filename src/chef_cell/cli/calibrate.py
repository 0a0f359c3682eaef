"""`chef calibrate`: a board to print, pictures of it, and where the cameras are."""

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from chef_cell.cli import calibrate_wrist
from chef_cell.graph import CAMERAS, NAMESPACE

_DESCRIPTION = """
Find how the cameras see (lens) and where they are in the robot's base, from pictures of a
printed board:

  chef calibrate board board.pdf            print it at 100 %, measure it, glue it on a plate
  chef calibrate collect pictures           take pictures with the running cell
  chef calibrate cameras pictures           cameras.yaml and a report

And what hangs on the wrist sensor:

  chef calibrate wrist                      bias, mass and centre of gravity of the tool

docs/cameras.md and docs/real_cell.md lead through it.
"""
_BOARD = 'COLUMNSxROWS,SQUARE,MARKER[,DICTIONARY], lengths in m'
_DEFAULT_BOARD = '9x6,0.03,0.022,DICT_5X5_100'


def add_parser(commands: Any) -> None:
    """Add the command to those of `chef`."""
    parser = commands.add_parser(
        'calibrate',
        help='find lenses and places of the cameras, and the weight of the tool',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(required=True, metavar='STEP')
    board = steps.add_parser('board', help='write the board to print')
    board.set_defaults(command=_write_board)
    board.add_argument('file', type=Path, help='.pdf or .png to write')
    board.add_argument(
        '--board', default=_DEFAULT_BOARD, metavar='B', help=f'{_BOARD}. Default: {_DEFAULT_BOARD}'
    )
    _add_collect(steps)
    calibrate_wrist.add_parser(steps)
    _add_cameras(steps)


def _add_cameras(steps: Any) -> None:
    cameras = steps.add_parser('cameras', help='calibrate from a folder of pictures')
    cameras.set_defaults(command=_calibrate)
    cameras.add_argument(
        'pictures', type=Path, help='folder with CAMERA/VIEW.png and views.yaml, as collect writes'
    )
    cameras.add_argument(
        '--out',
        type=Path,
        default=Path('cameras.yaml'),
        help='file to write. Default: %(default)s',
    )
    cameras.add_argument(
        '--board', metavar='B', help=f'{_BOARD}. Default: the one that views.yaml names'
    )
    cameras.add_argument(
        '--lenses',
        type=Path,
        metavar='FILE',
        help='earlier calibration whose lenses still hold: only the places are sought',
    )
    cameras.add_argument(
        '--wide', action='store_true', help='lenses of a wide angle: estimate k3 as well'
    )
    cameras.add_argument(
        '--report', type=Path, metavar='FILE', help='page to write. Default: beside --out, .html'
    )


def _add_collect(steps: Any) -> None:
    collect = steps.add_parser(
        'collect',
        help='take pictures of the board with a running cell',
        description='Take a picture with every camera each time Enter is pressed.',
    )
    collect.set_defaults(command=_collect)
    collect.add_argument('pictures', type=Path, help='folder to write; pictures are added to it')
    collect.add_argument(
        '--board', default=_DEFAULT_BOARD, metavar='B', help=f'{_BOARD}. Default: {_DEFAULT_BOARD}'
    )
    collect.add_argument(
        '--cameras',
        type=lambda text: tuple(text.split(',')),
        default=CAMERAS,
        metavar='NAMES',
        help=f'with commas between them. Default: {",".join(CAMERAS)}',
    )
    collect.add_argument(
        '--namespace', default=NAMESPACE, help='of the cell. Default: %(default)s'
    )
    place = collect.add_mutually_exclusive_group()
    place.add_argument(
        '--held', action='store_true', help='the gripper holds the board: note the joint angles'
    )
    place.add_argument(
        '--at',
        type=lambda text: [float(part) for part in text.split(',')],
        metavar='X,Y,Z,QW,QX,QY,QZ',
        help='the board lies at this pose in base (m)',
    )


def _write_board(options: argparse.Namespace, console: Console) -> int:
    from chef_cell.calibration.board import Board
    from chef_cell.calibration.page import write_page

    board = Board.parse(options.board)
    width, height = write_page(options.file, board)
    console.print(
        f'{options.file}: {width * 1e3:.0f} x {height * 1e3:.0f} mm. Print it at 100 %, then '
        f'measure: the board is {board.size[0] * 1e3:.1f} mm wide. If not, tell the square that '
        'you measured by --board.',
        highlight=False,
    )
    return 0


def _collect(options: argparse.Namespace, console: Console) -> int:
    from chef_cell.cli.calibrate_collect import collect

    return collect(options, console)


def _calibrate(options: argparse.Namespace, console: Console) -> int:
    from chef_cell.calibration import file
    from chef_cell.calibration.board import Board
    from chef_cell.calibration.calibrate import Calibration, calibrate
    from chef_cell.calibration.pictures import read_set
    from chef_cell.calibration.report import write_report
    from chef_trainer.task.kinematics import SawyerKinematics

    board = Board.parse(options.board) if options.board else None
    pictures = read_set(options.pictures, board)
    known = file.load(options.lenses) if options.lenses else {}
    count = sum(len(files) for files in pictures.files.values())
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task('looking for the board', total=count)

        def on_view(camera: str, view: str, corners: int) -> None:
            progress.update(task, advance=1, description=f'{camera} {view}: {corners} corners')

        result: Calibration = calibrate(pictures, known, SawyerKinematics(), options.wide, on_view)
    report = options.report or options.out.with_suffix('.html')
    write_report(report, result)
    file.save(options.out, result.extrinsics.cameras, f'From {options.pictures}, {pictures.board}')
    console.print(_table(result))
    console.print(f'calibration: {options.out}\nreport: {report}', highlight=False)
    return 0


def _table(result: Any) -> Table:
    table = Table(title='cameras in base')
    for title in ('camera', 'views', 'error (pixels)', 'x, y, z (m)', 'deviation (mm)'):
        table.add_column(title, justify='left' if title == 'camera' else 'right')
    for name, camera in result.extrinsics.cameras.items():
        errors = result.extrinsics.errors[name]
        mean = (sum(error**2 for error in errors.values()) / len(errors)) ** 0.5
        x, y, z = camera.pose[:3]
        table.add_row(
            name,
            str(len(errors)),
            f'{mean:.3f}',
            f'{x:.4f}, {y:.4f}, {z:.4f}',
            f'{1e3 * result.extrinsics.deviations[name][0]:.2f}',
        )
    return table
