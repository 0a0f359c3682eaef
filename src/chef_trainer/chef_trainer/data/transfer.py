"""Put episodes into another folder, all of it or nothing."""

import argparse
import errno
import os
import shutil
from pathlib import Path

from chef_trainer.episodes import EpisodeFileError

#: Suffix of a copy under way: no reader takes it for an episode.
_PART = '.part'


def add_how(command: argparse.ArgumentParser) -> None:
    """Add --into and --copy."""
    command.add_argument('--into', type=Path, required=True, metavar='DIR', help='new set')
    command.add_argument(
        '--copy', action='store_true', help='copy; default: hard links, which take no space'
    )


def place(episode: Path, folder: Path, copy: bool) -> Path:
    """Put an episode's bag folder into `folder`; return the new file.

    The episode file appears last, whole. Labels of the two are independent from then on.

    Raises:
        EpisodeFileError: something of that name is there; or links cannot reach that disk.
    """
    target = folder / episode.parent.name
    new = target / episode.name
    if new.exists():
        raise EpisodeFileError(new, 'file', 'exists already', 'choose another folder')
    target.mkdir(parents=True, exist_ok=True)
    for item in sorted(episode.parent.iterdir()):
        if item.is_file() and item != episode and not item.name.endswith('.mcap'):
            _put(item, target / item.name, copy)
    part = new.with_name(new.name + _PART)
    _put(episode, part, copy)
    os.replace(part, new)
    return new


def _put(source: Path, target: Path, copy: bool) -> None:
    target.unlink(missing_ok=True)
    if copy:
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        problem = 'cannot be linked from there: another disk'
        raise EpisodeFileError(target, 'file', problem, 'give --copy') from error
