"""Open an MCAP file, and refuse whatever is not a whole episode file, saying why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from mcap.reader import SeekingReader
from mcap.summary import Summary
from mcap.writer import MCAP0_MAGIC

from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.labels import labelled, read_labels
from chef_trainer.episodes.writer import ACTIVE_SUFFIX, FORMAT_VERSION, RECORD_NAME

#: Remedies.
RECOVER = 'chef-data recover saves what is whole'
RESTORE = 'restore it from a copy, or delete it'
FOREIGN = 'only files of the CHEF recorder hold episodes'

Result = TypeVar('Result')


def episode_file(path: Path) -> Path:
    """Return the `.mcap` file meant by `path`: itself, or the one in a bag directory."""
    if path.is_dir():
        files = sorted(path.glob('*.mcap'))
        if len(files) != 1:
            left = bool(list(path.glob(f'*{ACTIVE_SUFFIX}')))
            remedy = RECOVER if left else 'name the file'
            raise EpisodeFileError(path, 'directory', f'{len(files)} .mcap files, not 1', remedy)
        return files[0]
    if not path.is_file():
        raise EpisodeFileError(path, 'file', 'does not exist', 'check the path')
    if path.name.endswith(ACTIVE_SUFFIX):
        raise EpisodeFileError(
            path, 'file', 'is being written, or was left behind by a crash', RECOVER
        )
    return path


def open_episode(path: Path) -> tuple[np.ndarray, Summary, dict[str, Any]]:
    """Map the file; return it (uint8, (size,)), its MCAP summary and the episode's metadata.

    Raises:
        EpisodeFileError: not an MCAP file, cut short, damaged, or not an episode.
    """
    try:
        file = np.memmap(path, np.uint8, mode='r') if path.stat().st_size else np.empty(0, 'u1')
    except OSError as error:
        raise EpisodeFileError(path, 'file', str(error), 'check the permissions') from error
    magic = len(MCAP0_MAGIC)
    if bytes(file[:magic]) != MCAP0_MAGIC:
        raise EpisodeFileError(path, 'file', 'is not an MCAP file', FOREIGN)
    if len(file) < 2 * magic or bytes(file[-magic:]) != MCAP0_MAGIC:
        raise EpisodeFileError(path, 'end of file', 'is missing: the file was cut short', RECOVER)
    with path.open('rb') as stream:
        reader = SeekingReader(stream, record_size_limit=len(file))
        summary = _parse(path, 'summary', reader.get_summary)
        if summary is None:
            raise EpisodeFileError(path, 'summary', 'is missing', FOREIGN)
        records = _parse(path, 'metadata', lambda: list(reader.iter_metadata()))
    # The one written last is the complete one.
    texts = [record.metadata for record in records if record.name == RECORD_NAME]
    if not texts:
        raise EpisodeFileError(path, RECORD_NAME, 'metadata record is missing', FOREIGN)
    metadata = labelled(_metadata(path, texts[-1]), read_labels(path))
    packed = {chunk.compression for chunk in summary.chunk_indexes} - {''}
    if packed:
        remedy = 'rewrite it uncompressed: mcap compress --compression none'
        raise EpisodeFileError(path, 'chunks', f'are compressed with {packed}', remedy)
    return file, summary, metadata


def _parse(path: Path, part: str, read: Callable[[], Result]) -> Result:
    try:
        return read()
    # The MCAP library raises whatever a damaged byte leads it to.
    except Exception as error:
        problem = f'cannot be read: {type(error).__name__} {error}'
        raise EpisodeFileError(path, part, problem, f'{RECOVER}, or {RESTORE}') from error


def _metadata(path: Path, record: dict[str, str]) -> dict[str, Any]:
    try:
        metadata = json.loads(record['json'])
    except (KeyError, ValueError) as error:
        raise EpisodeFileError(path, f'{RECORD_NAME}.json', repr(error), RESTORE) from error
    version = metadata.get('format') if isinstance(metadata, dict) else None
    if version != FORMAT_VERSION:
        raise EpisodeFileError(
            path,
            f'{RECORD_NAME}.format',
            f'is {version!r}, this software reads {FORMAT_VERSION}',
            'update chef_trainer',
        )
    return metadata
