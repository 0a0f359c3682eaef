"""chef-train script: the stacker written by hand as a policy file."""

import argparse
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.export.onnx import export_policy
from chef_trainer.scripted.stacker import CLOSING_AXES, ScriptedStacker, StackerSettings


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'script',
        help='write a policy file of the stacker written by hand',
        description='Write a policy file of a stacker that was written, not learned: it needs no '
        'data, knows the poses of the objects, and can be made as bad as a study needs it. It '
        'drives the cell, collects episodes and teaches like any other policy.',
    )
    command.add_argument('--triplet', required=True, choices=[*CLOSING_AXES])
    command.add_argument('--out', type=Path, required=True, help='policy file to write (.onnx)')
    command.add_argument(
        '--noise',
        type=float,
        default=0.0,
        help='deviation of the velocities where actions are drawn, share of full speed (0)',
    )
    command.add_argument(
        '--displaced',
        type=float,
        nargs=3,
        default=(0.0, 0.0, 0.0),
        metavar=('X', 'Y', 'Z'),
        help='how far from its place red is seen, m in the base frame (0 0 0)',
    )
    command.add_argument(
        '--drift',
        type=float,
        default=0.0,
        help='how much that differs between episodes: 1 - DRIFT to 1 + DRIFT times as far (0)',
    )
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the file."""
    settings = StackerSettings(arguments.noise, tuple(arguments.displaced), arguments.drift)
    stacker = ScriptedStacker(arguments.triplet, settings)
    export_policy(stacker, stacker.spec, arguments.out)
    print(f'{arguments.out}: sha256 {policy_file.sha256(arguments.out)}')
