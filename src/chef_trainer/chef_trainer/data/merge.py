"""chef-data merge: one set of several."""

import argparse
from pathlib import Path

from chef_trainer.data.selection import ERRORS, Subparsers, add_paths, bar, episodes
from chef_trainer.data.transfer import add_how, place
from chef_trainer.episodes import EpisodeFileError


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'merge',
        help='put several sets into one',
        description='Put all episodes into one folder. An id that comes twice, or is there '
        'already, is an error, and then nothing is done. Sources are not changed.',
    )
    add_paths(command)
    add_how(command)
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Merge the sets."""
    seen: dict[str, Path] = {}
    names: dict[str, Path] = {}
    for path, steps in episodes(arguments, 'reading'):
        for known, key in ((seen, str(steps.metadata.get('episode_id'))), (names, path.name)):
            first = known.setdefault(key, path)
            if first != path:
                problem = f'{key} is that of {first}, too'
                raise EpisodeFileError(path, 'episode_id', problem, 'leave one of them out')
        new = arguments.into / path.parent.name / path.name
        if new.exists():
            raise EpisodeFileError(new, 'file', 'exists already', 'choose another folder')
    for path in bar(list(names.values()), 'merging'):
        place(path, arguments.into, arguments.copy)
    ERRORS.print(f'{arguments.into}: {len(names)} episodes', markup=False)
    return 0
