"""`chef calibrate wrist`: what hangs on the wrist sensor, from a few postures of the arm."""

import argparse
import dataclasses
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chef_cell.cli.arguments import add_overrides, by_node
from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.parameter_file import write_parameters
from chef_cell.cli.paths import config_folder
from chef_cell.cli.processes import CellProcesses
from chef_cell.cli.session import cell_environment, collected_signals
from chef_cell.core.tool_weight import IdentificationError, RestingWrench, ToolWeight, identify
from chef_cell.graph import NAMESPACE, CellSettings, NodeSpec, limits, nodes

_DESCRIPTION = """
Find the sensor's bias and the mass and centre of gravity of what hangs on it, so that the wrist
node can take the tool's weight off in every posture.

It starts the drivers of arm and sensor (no other cell may run), moves the arm to its neutral pose
and tilts the hand seven times in free space. The arm must be enabled, the gripper empty, nobody
in reach, and the e-stop in your hand. With --by-hand you move the arm yourself by its cuff.
"""


def add_parser(steps: Any) -> None:
    """Add the step to those of `chef calibrate`."""
    parser = steps.add_parser(
        'wrist',
        help='find bias and tool weight of the wrist sensor',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='exit codes: 0 found, 1 not found, 130 Ctrl-C',
    )
    parser.set_defaults(command=run)
    parser.add_argument(
        '--by-hand', action='store_true', help='a person moves the arm, instead of this command'
    )
    parser.add_argument('--yes', action='store_true', help='do not ask before the arm moves')
    parser.add_argument(
        '--speed', type=float, default=0.1, metavar='S', help='share of full speed. Default: 0.1'
    )
    parser.add_argument(
        '--readings', type=int, default=100, metavar='N', help='per posture. Default: 100'
    )
    parser.add_argument(
        '--write', type=Path, metavar='FILE', help='put the numbers into it: config/real.yaml'
    )
    add_overrides(parser, 'set a parameter of a node, in YAML; wins over config/*.yaml')


def run(options: argparse.Namespace, console: Console) -> int:
    """Take readings, print what they tell; returns the exit code."""
    specs = nodes(
        CellSettings(cell='real', lockstep=False),
        config_folder(),
        overrides=by_node(options.overrides),
    )
    wrist = limits({spec.name: spec.parameters for spec in specs})['wrist']
    orientation = np.array(wrist['sensor_orientation'])
    with collected_signals() as signals:
        try:
            samples = _sample(options, console, specs, lambda: bool(signals))
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
    if not samples:
        return 1
    try:
        found = identify(samples, orientation)
    except IdentificationError as error:
        sys.stderr.write(f'chef: {error}\n')
        return 1
    _show(found, options.write, console)
    return 0


def _sample(
    options: argparse.Namespace,
    console: Console,
    specs: tuple[NodeSpec, ...],
    stopped: Callable[[], bool],
) -> list[RestingWrench]:
    """Start the drivers and take the readings, none where that fails.

    Raises:
        KeyboardInterrupt: there was a signal.
    """
    from chef_cell.cli.wrist_samples import SamplingError, WristSamples
    from chef_cell.intera_interface.session import shutdown

    drivers = [
        dataclasses.replace(spec, parameters={**spec.parameters, 'peers': []})
        for spec in specs
        if spec.name in ('intera_driver', 'ft300_driver')
    ]
    drivers.append(NodeSpec('position_kinematics', {'lockstep': False}))
    config, taken = config_folder(), list[RestingWrench]()
    with reserved_domain() as domain, tempfile.TemporaryDirectory(prefix='chef_wrist_') as folder:
        environment = cell_environment(config, domain)
        os.environ.update(environment)
        with CellProcesses(drivers, Path(folder), environment) as cell:
            try:
                wrist = WristSamples(NAMESPACE, stopped)
                turns = (
                    _by_hand(console, stopped)
                    if options.by_hand
                    else _tilts(options, console, wrist, stopped)
                )
                for _ in turns:
                    taken.append(wrist.take(options.readings))
            except (OSError, SamplingError) as error:
                _complain(error, Path(folder), sorted(cell.names))
                return []
            finally:
                shutdown()
    return taken


def _complain(error: Exception, folder: Path, names: list[str]) -> None:
    """Say what went wrong, and what the drivers said last."""
    sys.stderr.write(f'chef: {error}\n')
    for name in names:
        said = (folder / f'{name}.log').read_text(errors='replace').splitlines()
        sys.stderr.write(''.join(f'{name}: {line}\n' for line in said[-4:]))


def _enter(stopped: Callable[[], bool]) -> bool:
    """Wait for Enter; False at the end of the input; raises KeyboardInterrupt on a signal."""
    while not stopped():
        if select.select([sys.stdin], [], [], 0.1)[0]:
            return sys.stdin.readline() != ''
    raise KeyboardInterrupt


def _tilts(
    options: argparse.Namespace, console: Console, wrist: Any, stopped: Callable[[], bool]
) -> Iterator[None]:
    """Move the arm from posture to posture."""
    from chef_cell.cli.wrist_samples import TILTS

    if not options.yes:
        console.print('The arm is going to move. Enter: go. Ctrl-C: leave.')
        _enter(stopped)
    with Progress(console=console) as progress:
        task = progress.add_task('to the neutral pose', total=len(TILTS))
        wrist.neutral(options.speed)
        for number, angles in enumerate(TILTS, 1):
            progress.update(task, description=f'posture {number}')
            wrist.tilt(angles)
            yield
            progress.advance(task)
        wrist.tilt(TILTS[0])


def _by_hand(console: Console, stopped: Callable[[], bool]) -> Iterator[None]:
    """Wait until a person has moved the arm, until the input ends."""
    console.print(
        'Tilt the hand by the cuff, let go, press Enter; at least 4 postures, tilted by 45 '
        'degrees to all sides. Ctrl-D: done.'
    )
    count = 0
    while _enter(stopped):
        yield
        count += 1
        console.print(f'{count} postures', highlight=False)


def _show(found: ToolWeight, file: Path | None, console: Console) -> None:
    """Print what was found, and put it into the file."""
    table = Table(title='wrist sensor')
    for title in ('', 'found', 'standard deviation'):
        table.add_column(title, justify='left' if not title else 'right')
    table.add_row('mass below the sensor (kg)', f'{found.mass:.3f}', f'{found.mass_error:.3f}')
    for axis, value, error in zip('xyz', found.centre, found.centre_error, strict=True):
        table.add_row(f'centre of gravity {axis} (mm)', f'{1e3 * value:.1f}', f'{1e3 * error:.1f}')
    table.add_row('unexplained force (N)', f'{found.force_residual:.2f}', '')
    table.add_row('unexplained torque (N m)', f'{found.torque_residual:.3f}', '')
    console.print(table)
    values: dict[str, object] = {
        'bias_force': found.bias_force.round(3).tolist(),
        'bias_torque': found.bias_torque.round(4).tolist(),
        'tool_mass': round(found.mass, 4),
        'tool_centre': found.centre.round(5).tolist(),
    }
    if file is None:
        section = {'wrist': {'ros__parameters': values}}
        console.print(yaml.safe_dump(section, default_flow_style=None), highlight=False)
    else:
        write_parameters(file, 'wrist', values)
        console.print(f'written: {file}', highlight=False)
