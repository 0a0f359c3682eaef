"""chef-data import: demonstrations from elsewhere."""

import argparse
from pathlib import Path

from chef_trainer.data.selection import ERRORS, Subparsers
from chef_trainer.exchange.lerobot_reader import LeRobotDataset, import_episodes


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'import',
        help='read demonstrations from a LeRobot data set',
        description='Write every episode of a LeRobotDataset v3 as an episode file. Its action '
        'must be x, y, z, yaw, gripper in [-1, 1], its observation.state name the joints.',
    )
    command.add_argument('format', choices=('lerobot',))
    command.add_argument('dataset', type=Path, metavar='DATASET', help='its folder')
    command.add_argument('--into', type=Path, required=True, metavar='DIR', help='new set')
    command.add_argument('--triplet', help='1 to 5; needed where the data set does not know')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Import the episodes."""
    dataset = LeRobotDataset(arguments.dataset)
    metadata = {'imported_from': arguments.dataset.name}
    if arguments.triplet:
        metadata['triplet'] = arguments.triplet
    with ERRORS.status('importing') as status:
        for count, path in enumerate(import_episodes(dataset, arguments.into, metadata), 1):
            status.update(f'{count} of {len(dataset)}: {path.name}')
    ERRORS.print(f'{arguments.into}: {len(dataset)} episodes', markup=False)
    return 0
