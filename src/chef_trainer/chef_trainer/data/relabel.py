"""chef-data relabel: say what an episode is worth, beside its file."""

import argparse
import getpass

from chef_trainer.data.selection import ERRORS, Subparsers, add_paths, add_yes, confirmed, episodes
from chef_trainer.episodes import Label, add_label


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'relabel',
        help='judge episodes, mark them, or add a note',
        description='Add a label beside each episode. Files are not changed and earlier labels '
        'are kept: the newest judgement counts.',
    )
    add_paths(command)
    judgement = command.add_mutually_exclusive_group()
    judgement.add_argument('--success', action='store_true', default=None, dest='success')
    judgement.add_argument('--failure', action='store_false', default=None, dest='success')
    command.add_argument(
        '--mark', action='append', default=[], metavar='REASON', help='not to be used unseen'
    )
    command.add_argument('--clear-marks', action='store_true', help='somebody has looked at it')
    command.add_argument('--note', default='', help='words to keep')
    command.add_argument('--author', default=None, help='default: the user of this machine')
    add_yes(command)
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Label the episodes."""
    label = Label(
        author=arguments.author or getpass.getuser(),
        success=arguments.success,
        marks=tuple(arguments.mark),
        clear_marks=arguments.clear_marks,
        note=arguments.note,
    )
    chosen = [path for path, _ in episodes(arguments, 'reading')]
    if len(chosen) != 1 and not confirmed(arguments, f'Label {len(chosen)} episodes?'):
        return 1
    for path in chosen:
        ERRORS.print(f'labelled: {add_label(path, label)}', markup=False)
    return 0
