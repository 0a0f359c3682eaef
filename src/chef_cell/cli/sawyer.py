"""`chef sawyer`: a simulated Sawyer for programs that were written for a real one."""

import argparse
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.paths import config_folder
from chef_cell.cli.processes import CellProcesses, NodeProcess
from chef_cell.cli.session import cell_environment, collected_signals
from chef_cell.graph import sawyer

#: How long the nodes may take to come up (s).
_START = 60.0
_POLL = 0.1
_DESCRIPTION = """
Start the simulated cell on the clock on the wall, behind a ROS 1 master with a Sawyer's topics,
services and parameters. Programs that use intera_interface, the vendor's under ROS 1 or ours
under ROS 2, drive it unchanged. It runs until Ctrl-C.
"""


def add_parser(commands: Any) -> None:
    """Add the command to those of `chef`."""
    parser = commands.add_parser(
        'sawyer',
        help='offer the simulated cell to programs for a Sawyer',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=run)
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address of this machine for ROS 1 programs on others. Default: 127.0.0.1',
    )
    parser.add_argument(
        '--port', type=int, default=11311, help='of the ROS 1 master. Default: 11311'
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Serve until Ctrl-C; returns 130 then, 1 when a part of the cell died."""
    config = config_folder()
    specs = sawyer(config, options.host, options.port)
    with (
        reserved_domain() as domain,
        tempfile.TemporaryDirectory(prefix='chef_sawyer_') as folder,
        collected_signals() as stopped,
        CellProcesses(specs, Path(folder), cell_environment(config, domain)) as cell,
    ):
        end = time.monotonic() + _START
        while not stopped and not cell.dead() and 'ROS_MASTER_URI' not in _said(folder):
            if time.monotonic() > end:
                console.print(f'the Intera server did not come up in {_START:g} s')
                return 1
            time.sleep(_POLL)
        console.print(f'ROS 1: export ROS_MASTER_URI=http://{options.host}:{options.port}')
        console.print(f'ROS 2: export ROS_DOMAIN_ID={domain}')
        while not stopped:
            if dead := cell.dead():
                return _mourn(dead, console)
            time.sleep(_POLL)
    return 128 + signal.SIGINT


def _said(folder: str) -> str:
    return (Path(folder) / 'intera_server.log').read_text(errors='replace')


def _mourn(dead: NodeProcess, console: Console) -> int:
    console.print(f'{dead.name} ended with exit code {dead.exit_code}:')
    console.print(dead.last_lines(), markup=False)
    return 1
