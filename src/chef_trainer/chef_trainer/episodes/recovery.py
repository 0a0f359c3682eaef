"""Save what a crash left of an episode."""

import contextlib
import fcntl
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mcap.exceptions import McapError
from mcap.records import Channel as ChannelRecord
from mcap.records import Chunk, McapRecord, Metadata, Schema
from mcap.records import Message as MessageRecord
from mcap.stream_reader import CRCValidationError, StreamReader, breakup_chunk

from chef_trainer.episodes.bag import Channel
from chef_trainer.episodes.container import FOREIGN, RESTORE
from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.labels import MARKS
from chef_trainer.episodes.writer import ACTIVE_SUFFIX, RECORD_NAME, EpisodeWriter

#: Suffix of the copy while it is being made; left behind only by a crash of the recovery itself.
_COPY_SUFFIX = '.recovering'
#: Suffix under which a damaged finished file is kept.
_DAMAGED_SUFFIX = '.damaged'
#: What the MCAP library raises where a file ends early or holds nonsense.
_BROKEN = (McapError, CRCValidationError, struct.error, UnicodeDecodeError, MemoryError)


def find_unfinished(directory: Path) -> tuple[Path, ...]:
    """Files below `directory` that a running recorder is writing or a crash has left."""
    return tuple(sorted(directory.rglob(f'*.mcap{ACTIVE_SUFFIX}')))


def recover_all(directory: Path) -> tuple[str, ...]:
    """Recover every unfinished file below `directory`; return one line about each.

    Files that another process is writing, and files that cannot be recovered, stay as they are.
    """
    lines = []
    for path in find_unfinished(directory):
        try:
            lines.append(f'recovered {recover(path)}')
        except (EpisodeFileError, OSError) as error:
            lines.append(f'not recovered: {error}')
    return tuple(lines)


def recover(path: Path) -> Path:
    """Make a finished episode of every whole chunk in `path`; return the new file.

    An `.mcap.active` file disappears once its copy is safe; a damaged `.mcap` is kept beside it
    with the suffix `.damaged`. The metadata says `recovered`, and without a recorded outcome the
    episode counts as aborted.

    Raises:
        EpisodeFileError: another process is writing the file, it is not an episode file, or no
            chunk of it is whole. Then nothing is changed.
    """
    active = path.name.endswith(ACTIVE_SUFFIX)
    target = path.with_name(path.name.removesuffix(ACTIVE_SUFFIX))
    with path.open('rb') as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EpisodeFileError(
                path, 'file', 'is being written by another process', 'wait for its end'
            ) from error
        copy = target.with_name(target.name + _COPY_SUFFIX)
        copy.unlink(missing_ok=True)
        writer = EpisodeWriter(
            target.parent.parent, target.name.removesuffix('.mcap'), {}, _COPY_SUFFIX
        )
        damaged: Path | None = None
        try:
            metadata = _copy(path, _records(stream), writer)
            if not active:
                damaged = path.rename(path.with_name(path.name + _DAMAGED_SUFFIX))
            writer.finish(metadata)
        except BaseException:  # a full disk, above all
            writer.discard()
            if damaged:
                damaged.rename(path)
            raise
        if active:
            path.unlink()
    return target


def _copy(path: Path, records: Iterator[McapRecord], writer: EpisodeWriter) -> dict[str, Any]:
    """Copy messages; return the last metadata seen, marked as recovered."""
    metadata: dict[str, Any] | None = None
    schemas: dict[int, Schema] = {}
    topics: dict[int, str] = {}
    for record in records:
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, ChannelRecord) and record.id not in topics:
            topics[record.id] = record.topic
            writer.add_channel(_channel(record, schemas[record.schema_id]))
        elif isinstance(record, MessageRecord):
            topic = topics[record.channel_id]
            writer.write(topic, record.log_time, record.publish_time, record.data)
        elif isinstance(record, Metadata) and record.name == RECORD_NAME:
            metadata = json.loads(record.metadata['json'])
    if metadata is None:
        raise EpisodeFileError(path, RECORD_NAME, 'metadata record is missing', FOREIGN)
    if not writer.messages_written:
        raise EpisodeFileError(path, 'chunks', 'not one is whole', RESTORE)
    lost_end = {'outcome': 'abort', 'reason': 'the recorder did not finish', 'success': False}
    marks = [*metadata.get(MARKS, ()), 'recovered: its end may be missing']
    return {**lost_end, **metadata, 'recovered': True, MARKS: marks}


def _records(stream: BinaryIO) -> Iterator[McapRecord]:
    """Yield records up to the first one that is not whole."""
    reader = StreamReader(stream, emit_chunks=True, record_size_limit=None)
    with contextlib.suppress(*_BROKEN):
        for record in reader.records:
            if isinstance(record, Chunk):
                yield from breakup_chunk(record, validate_crc=True)
            else:
                yield record


def _channel(record: ChannelRecord, schema: Schema) -> Channel:
    return Channel(
        topic=record.topic,
        type_name=schema.name,
        schema=schema.data.decode(),
        qos=tuple(json.loads(record.metadata['offered_qos_profiles'])),
        type_hash=record.metadata.get('topic_type_hash', ''),
    )
