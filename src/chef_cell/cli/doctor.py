"""`chef doctor`: look before a session whether it can go well."""

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chef_cell.cli.arguments import add_cell_arguments, by_node, read_cameras
from chef_cell.cli.paths import config_folder, default_policy
from chef_cell.doctor.finding import Finding, Level, failed
from chef_cell.graph import CAMERAS, CellSettings, GraphError

_STYLES = {Level.OK: 'green', Level.WARN: 'yellow', Level.FAIL: 'bold red'}
_DESCRIPTION = """
Check this machine and a cell, and say what to do about what is amiss.

The machine: shared memory of dead processes, the DDS segment in force and real frame loss between
two processes, head-less rendering, disk space and speed, clock, ROS domain.
The cell: the policy against it, and each limit with its origin (a file, an override, or default).
With --cell a running one too: its limits in force, the rate of every stream, noise and bias of
the wrist sensor. It listens only; the arm does not move.
"""


def add_parser(commands: Any) -> None:
    """Add the command to those of `chef`."""
    parser = commands.add_parser(
        'doctor',
        help='check the machine and the cell',
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='exit codes: 0 nothing failed (there may be warnings), 1 a check failed',
    )
    parser.set_defaults(command=run)
    parser.add_argument(
        '--cell',
        action='store_true',
        help='look at the running cell on ROS_DOMAIN_ID; unset: on the one domain in use',
    )
    parser.add_argument(
        '--real', action='store_true', help='judge a real cell, not the simulated one'
    )
    parser.add_argument(
        '--clean',
        action='store_true',
        help='remove shared memory of DDS processes that are gone; others are not touched',
    )
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    _add_cell(parser)


def _add_cell(parser: argparse.ArgumentParser) -> None:
    """Add what a session would be started with."""
    parser.add_argument(
        '--policy', type=Path, metavar='FILE', help='policy file. Default: the one in models/'
    )
    parser.add_argument(
        '--cameras',
        type=read_cameras,
        default=CAMERAS,
        metavar='NAMES',
        help='all, none, or some of them. Default: all',
    )
    add_cell_arguments(
        parser, 'judge the cell with this parameter of a node, as chef session takes it'
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Examine and print; returns 0, or 1 if a check failed."""
    # Only now: ROS and the runner of policies take long to import.
    from chef_cell.cli.domain import domains_in_use, reserved_domain
    from chef_cell.cli.session import cell_environment
    from chef_cell.doctor.examination import Patient, examine

    asked = os.environ.pop('ROS_DOMAIN_ID', '')
    in_use = domains_in_use()
    with reserved_domain() as free:
        domain = _domain(asked, in_use if options.cell else [], free)
        environment = cell_environment(config_folder(), free)
        os.environ.update(environment)
        patient = Patient(
            CellSettings(
                'real' if options.real else 'sim',
                lockstep=not options.real,
                cameras=options.cameras,
                directory=options.out,
            ),
            config_folder(),
            by_node(options.overrides),
            _policy(options),
            environment,
            free,
            domain,
            chosen=bool(asked),
            reserved=domain in in_use,
            running=options.cell,
            clean=options.clean,
        )
        quiet = options.json or not console.is_terminal
        with contextlib.nullcontext() if quiet else console.status('examining'):
            findings = list(examine(patient))
    if options.json:
        sys.stdout.write(json.dumps([dataclasses.asdict(item) for item in findings], indent=1))
        sys.stdout.write('\n')
    else:
        _print(findings, console)
    return int(failed(findings))


def _policy(options: argparse.Namespace) -> Path | None:
    """Return the policy asked for, or the one that is shipped, if it is."""
    with contextlib.suppress(GraphError):
        return Path(options.policy or default_policy())
    return None


def _domain(asked: str, in_use: list[int], free: int) -> int:
    """Return the domain to look at: the one asked for, the only one in use, or a free one."""
    if asked:
        if not asked.isdecimal() or int(asked) > 232:
            raise GraphError(f'ROS_DOMAIN_ID={asked!r}: expected a number from 0 to 232')
        return int(asked)
    if len(in_use) > 1:
        raise GraphError(f'cells on the ROS domains {in_use}: choose one with ROS_DOMAIN_ID')
    return in_use[0] if in_use else free


def _print(findings: list[Finding], console: Console) -> None:
    """Print a table, or where there is no terminal, lines that a script can cut."""
    if console.is_terminal:
        table = Table('', 'check', 'found', 'expected', 'what to do')
        for item in findings:
            cells = (item.level, item.name, item.value, item.expected, item.remedy)
            table.add_row(*map(escape, cells), style=_STYLES[item.level])
        console.print(table)
    else:
        for item in findings:
            remedy = f' -> {item.remedy}' if item.remedy else ''
            sys.stdout.write(
                f'{item.level:4} {item.name}: {item.value} [{item.expected}]{remedy}\n'
            )
    counts = ', '.join(f'{sum(i.level is level for i in findings)} {level}' for level in Level)
    console.print(counts, highlight=False)
