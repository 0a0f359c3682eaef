"""chef-data recover: make episodes of what a crash left."""

import argparse
from pathlib import Path

from chef_trainer.data.selection import ERRORS, Subparsers, add_paths, add_yes, bar, confirmed
from chef_trainer.episodes import ACTIVE_SUFFIX, EpisodeFileError, find_unfinished, recover


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'recover',
        help='save what is whole of files that a crash left or damaged',
        description=f'Below a folder: every *{ACTIVE_SUFFIX} that nobody is writing. A damaged '
        'episode is recovered when its file is named; it is kept with the suffix .damaged.',
    )
    add_paths(command, select=False)
    add_yes(command)
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Recover the files; exit code 1 when one of them could not be."""
    broken: list[Path] = []
    for path in arguments.paths:
        broken += find_unfinished(path) if path.is_dir() else (path,)
    if not broken:
        ERRORS.print('nothing to recover')
        return 0
    if not confirmed(arguments, f'Recover {len(broken)} files?'):
        return 1
    failures = 0
    for path in bar(broken, 'recovering'):
        try:
            ERRORS.print(f'recovered: {recover(path)}', markup=False)
        except (EpisodeFileError, OSError) as error:
            failures += 1
            ERRORS.print(f'not recovered: {error}', style='red', markup=False)
    return 1 if failures else 0
