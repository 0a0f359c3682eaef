"""chef-train distill: one policy from released specialists."""

import argparse
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.cli.arguments import add_environment
from chef_trainer.distillation.dagger import distill
from chef_trainer.distillation.recipe import load_recipe
from chef_trainer.distillation.run import Run
from chef_trainer.progress import progress_bars


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'distill',
        help='imitate released policies by DAgger',
        description='Train one policy to imitate the released ones, by DAgger in a simulated '
        'cell. A killed run goes on where it was when started again by the same command.',
    )
    command.add_argument('recipe', type=Path, help='YAML file with all settings')
    add_environment(command)
    command.add_argument(
        '--teachers', type=Path, required=True, help='folder with triplet<name>.npz'
    )
    command.add_argument(
        '--run', type=Path, required=True, help='folder for episodes, checkpoints and curves'
    )
    command.add_argument('--out', type=Path, required=True, help='policy file to write (.onnx)')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Carry out a recipe and put the final policy where it was asked for."""
    distillation = Run(
        recipe=load_recipe(arguments.recipe),
        directory=arguments.run,
        entry=arguments.env,
        teachers=arguments.teachers,
    )
    with progress_bars() as progress:
        student = distill(distillation, progress, arguments.workers)
    with policy_file.replacing(arguments.out) as temporary:
        temporary.write_bytes(student.read_bytes())
    print(f'{arguments.out}: sha256 {policy_file.sha256(arguments.out)}')
