"""chef-data export: episodes for other frameworks."""

import argparse
from pathlib import Path

from chef_trainer.data.selection import ERRORS, Subparsers, add_paths, bar, files, selector
from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.exchange import lerobot, minari
from chef_trainer.exchange.trajectory import OBJECTS, PROPRIOCEPTION

LEROBOT, MINARI = 'lerobot', 'minari'


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'export',
        help='write a data set for another framework',
        description='Write episodes as a LeRobotDataset v3 or a Minari data set. Marked episodes '
        'and those that lack an observation are left out, each with a line that says why.',
    )
    command.add_argument('format', choices=(LEROBOT, MINARI))
    add_paths(command)
    command.add_argument('--into', type=Path, required=True, metavar='DIR', help='new data set')
    command.add_argument(
        '--observations',
        default=','.join((*PROPRIOCEPTION, *OBJECTS)),
        metavar='NAMES',
        help='what was seen, with commas between. Default: %(default)s',
    )
    command.add_argument(
        '--images',
        choices=('h264', 'av1', 'png'),
        default='h264',
        help='lerobot: h264 with full colour, av1 (smallest, half the colour), or png without '
        'loss. Default: h264',
    )
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Export the episodes."""
    left_out: list[EpisodeFileError] = []

    def refuse(error: EpisodeFileError) -> None:
        left_out.append(error)
        ERRORS.print(f'left out: {error}', style='yellow', markup=False)

    wanted = selector(arguments.select)
    chosen = []
    for path in bar(files(arguments), 'reading'):
        try:
            metadata = load_steps(path).metadata
        except EpisodeFileError as error:
            refuse(error)
            continue
        marks = metadata.get('marks')
        if marks:
            remedy = 'look at it and clear the marks (chef-data relabel)'
            refuse(EpisodeFileError(path, 'marks', f'{list(marks)}', remedy))
        elif wanted(metadata):
            chosen.append(path)
    names = tuple(arguments.observations.split(','))
    episodes = bar(chosen, 'exporting')
    if arguments.format == LEROBOT:
        count = lerobot.export(episodes, arguments.into, names, arguments.images, refuse)
    else:
        count = minari.export(episodes, arguments.into, names, refuse)
    ERRORS.print(f'{arguments.into}: {count} episodes, {len(left_out)} left out', markup=False)
    return 0
