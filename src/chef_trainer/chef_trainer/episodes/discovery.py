"""Find episode files below folders, and notice new ones."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from chef_trainer.episodes.errors import EpisodeFileError


def find_episodes(paths: Iterable[Path | str]) -> Iterator[Path]:
    """Yield all finished episode files at and below `paths`, sorted by name within each path.

    A file that is being written has another suffix and is never found.

    Raises:
        EpisodeFileError: one of the paths does not exist.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(item for item in path.rglob('*.mcap') if item.is_file())
        elif path.exists():
            yield path
        else:
            raise EpisodeFileError(path, 'path', 'does not exist', 'name episodes or folders')
