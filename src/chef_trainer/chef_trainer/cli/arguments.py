"""Arguments that several commands have."""

import argparse
import os

import rich.console
import rich.table


def add_environment(command: argparse.ArgumentParser) -> None:
    """Add the simulated cell, and how many processes run it."""
    command.add_argument(
        '--env', required=True, metavar='MODULE:ATTRIBUTE', help='simulated cell to run in'
    )
    add_workers(command)


def add_workers(command: argparse.ArgumentParser) -> None:
    """Add how many processes run episodes."""
    command.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='processes (%(default)s)'
    )


def add_force_limit(command: argparse.ArgumentParser) -> None:
    """Add the force above which an episode counts as failed under the force rule."""
    command.add_argument(
        '--force-limit', type=float, default=20.0, metavar='N', help='of the wrist (%(default)s)'
    )


def show(what: rich.table.Table | str) -> None:
    """Print a table or a line to the terminal; lines are not wrapped, so they can be copied."""
    rich.console.Console().print(what, soft_wrap=isinstance(what, str), markup=False)
