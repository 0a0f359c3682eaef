"""chef-data delete: remove episodes for good."""

import argparse
import contextlib

from chef_trainer.data.selection import (
    ERRORS,
    Subparsers,
    add_paths,
    add_yes,
    bar,
    confirmed,
    episodes,
    files,
)
from chef_trainer.episodes.labels import LABELS_FILE
from chef_trainer.episodes.step_index import index_file


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'delete',
        help='remove episodes for good',
        description='Remove the selected episodes with their labels and index. Asks first. '
        'Files that are not episodes stay.',
    )
    add_paths(command)
    add_yes(command)
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Delete the episodes."""
    # Without conditions, broken files too.
    chosen = files(arguments)
    if arguments.select:
        chosen = [path for path, _ in episodes(arguments, 'reading')]
    size = sum(path.stat().st_size for path in chosen) / 1e6
    for path in chosen[:20]:
        ERRORS.print(f'  {path}', markup=False)
    if len(chosen) > 20:
        ERRORS.print(f'  ... and {len(chosen) - 20} more')
    if not chosen or not confirmed(arguments, f'Delete {len(chosen)} episodes ({size:.0f} MB)?'):
        return 1
    for path in bar(chosen, 'deleting'):
        path.unlink()
        beside = (path.with_name('metadata.yaml'), path.with_name(LABELS_FILE), index_file(path))
        for item in beside:
            item.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else lies there
            path.parent.rmdir()
    ERRORS.print(f'deleted {len(chosen)} episodes')
    return 0
