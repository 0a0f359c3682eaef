"""chef-train train: a method of the table on recorded episodes."""

import argparse
from pathlib import Path
from typing import Any

from chef_trainer.cli.arguments import add_workers, show
from chef_trainer.learner.run import TrainRun
from chef_trainer.learner.settings import load_settings, parse_flag
from chef_trainer.learner.train import train
from chef_trainer.methods.table import METHODS
from chef_trainer.progress import progress_bars

FLAGS = ('method', 'data', 'updates', 'seed', 'device', 'teacher', 'start', 'name')
DESCRIPTION = """Train a policy from recorded episodes.

Settings come from a YAML file, flags win over it. A killed run goes on where it was when the same
command is given again, and ends with the same policy as one that was not killed. The run folder
holds the checkpoint, all curves (curves.jsonl, curves.png, TensorBoard files) and the episodes
that were collected on the way."""
EPILOG = """A settings file:

  name: crr_triplet3
  method: crr
  data: [sessions/]          # .mcap files and folders, or folders of chef-train collect
  updates: 100000
  observations: {names: [tool_pose, gripper_position, wrench, red_pose, blue_pose], history: 2}
  triplets: ['3']
  change: {temperature: 0.5, batch: 512}       # fields of the method
  networks: {hidden: [256, 256, 256], critic_hidden: [256, 256, 256, 256]}
  teacher: models/stack_state.onnx             # for dagger*, r_*
  online: {env: 'chef_cell.sim.environment:StackingEnv', triplets: ['3'],
           episodes: 20, updates: 2000}        # for methods that learn from their own episodes
"""


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'train',
        help='train a policy from recorded episodes',
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument('settings', type=Path, nargs='?', help='YAML file, see below')
    command.add_argument('--run', type=Path, required=True, help='folder of this run')
    command.add_argument('--method', help=', '.join(METHODS))
    command.add_argument('--data', nargs='+', help='episode files, or folders of them')
    command.add_argument('--updates', type=int, help='gradient steps in all')
    command.add_argument('--seed', type=int)
    command.add_argument('--device', help='cpu, cuda or cuda:<number>')
    command.add_argument('--teacher', help='policy file that is asked for advice')
    command.add_argument('--start', help='checkpoint of another run to start from')
    command.add_argument('--name', help='of the policy')
    command.add_argument(
        '--set',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='any other setting; change.temperature=0.5 reaches into a section',
    )
    add_workers(command)
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Carry out the command."""
    flags: dict[str, Any] = dict(map(parse_flag, arguments.set))
    for name in FLAGS:
        if (value := getattr(arguments, name)) is not None:
            flags[name] = value
    training = TrainRun(load_settings(arguments.settings, flags), arguments.run)
    with progress_bars() as progress:
        learner = train(training, progress, arguments.workers)
    show(
        f'{training.checkpoint}: {learner.step} updates; curves: {training.plot}\n'
        f'next: chef-train export {arguments.run} --out {training.settings.name}.onnx'
    )
