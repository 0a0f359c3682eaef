"""Read an episode file: metadata, messages in place, and arrays per topic."""

import dataclasses
import functools
import json
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from mcap.records import Schema

from chef_trainer.episodes.bag import Channel
from chef_trainer.episodes.container import RESTORE, episode_file, open_episode
from chef_trainer.episodes.decode import DecodeError, decode
from chef_trainer.episodes.definitions import (
    DefinitionError,
    Definitions,
    parse_definitions,
    short_name,
)
from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.images import Frames, blob_places
from chef_trainer.episodes.index import (
    CHUNK_CRC,
    CHUNK_HEADER,
    BrokenIndexError,
    MessageIndex,
    index_messages,
)


class Message(NamedTuple):
    """One serialised message; `data` is a view into the mapped file."""

    log_time: int  # ns
    publish_time: int  # ns
    data: np.ndarray  # uint8, (size,)


@dataclasses.dataclass(frozen=True)
class Topic:
    """One topic of an episode and how many messages it has."""

    name: str
    type_name: str
    count: int
    type_hash: str


class EpisodeReader:
    """One finished episode, mapped into memory; every method may raise EpisodeFileError.

    Topics are named in full ('/robot/state') or as the cell's nodes do, relative to the namespace
    of the cell ('wrist/wrench'); * stands for one part of a name ('camera/*/image_raw').
    """

    def __init__(self, path: Path | str) -> None:
        """Open an `.mcap` file, or the bag directory that holds one."""
        self.path = episode_file(Path(path))
        file, summary, self.metadata = open_episode(self.path)
        self._file = np.asarray(file)  # slicing a plain array costs a fifth of slicing a memmap
        self._chunks = summary.chunk_indexes
        self._schemas = summary.schemas
        self._ids = {channel.topic: number for number, channel in summary.channels.items()}
        self._channels = summary.channels
        counts = summary.statistics.channel_message_counts if summary.statistics else {}
        self.topics = {
            name: Topic(
                name,
                self._schema(name).name,
                counts.get(number, 0),
                self._channels[number].metadata.get('topic_type_hash', ''),
            )
            for name, number in sorted(self._ids.items())
        }
        self._indices: dict[str, MessageIndex] = {}

    def find(self, pattern: str) -> tuple[str, ...]:
        """Full names of the topics that match."""
        full = PurePosixPath(self.metadata.get('namespace', '/')) / pattern
        return tuple(name for name in self.topics if PurePosixPath(name).match(str(full)))

    def channel(self, topic: str) -> Channel:
        """The topic as it was announced to the writer; a copy may be written with it."""
        name = self._resolve(topic)
        record, schema = self._channels[self._ids[name]], self._schema(name)
        try:
            qos = tuple(json.loads(record.metadata.get('offered_qos_profiles') or '[]'))
            text = schema.data.decode()
        except ValueError as error:
            raise self._error(name, str(error)) from error
        return Channel(name, schema.name, text, qos, self.topics[name].type_hash)

    def index(self, topic: str) -> MessageIndex:
        """Where the messages of `topic` lie in the file."""
        name = self._resolve(topic)
        if name not in self._indices:
            try:
                index = index_messages(self._file, self._chunks, self._ids[name])
            except BrokenIndexError as error:
                raise self._error(name, str(error)) from error
            self._indices[name] = index
        return self._indices[name]

    def messages(self, topic: str) -> Iterator[Message]:
        """Serialised messages in order of log time."""
        index = self.index(topic)
        for row in zip(index.log_time, index.publish_time, self._views(index), strict=True):
            yield Message(int(row[0]), int(row[1]), row[2])

    def arrays(self, topic: str) -> dict[str, np.ndarray]:
        """One array per field, first axis = message; see `decode` for names and shapes.

        `log_time` and `publish_time` (ns) are added.
        """
        name = self._resolve(topic)
        index = self.index(name)
        type_name, definitions = self._definitions(name)
        try:
            columns = decode(self._views(index), type_name, definitions)
        except (DecodeError, RecursionError) as error:
            raise self._error(name, str(error)) from error
        return {'log_time': index.log_time, 'publish_time': index.publish_time, **columns}

    def frames(self, topic: str) -> Frames:
        """Images of a sensor_msgs/Image topic, each read from the file when it is asked for."""
        name = self._resolve(topic)
        type_name, definitions = self._definitions(name)
        index = self.index(name)
        try:
            return Frames(
                self._views(index), type_name, definitions, functools.partial(self._error, name)
            )
        except (DecodeError, RecursionError) as error:
            raise self._error(name, str(error)) from error

    def places(self, topic: str, blob: str, fields: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Where the field `blob` of every message lies: (n, 2) int64, file offset and bytes.

        `fields` that come before it in the message are read as by `arrays`; nothing else is.
        """
        name = self._resolve(topic)
        type_name, definitions = self._definitions(name)
        index = self.index(name)
        try:
            return blob_places(self._file, index, type_name, definitions, blob, fields)
        except (DecodeError, RecursionError) as error:
            raise self._error(name, str(error)) from error

    def verify(self) -> None:
        """Check every chunk against its checksum (about 1 GB/s)."""
        for chunk in self._chunks:
            start = chunk.chunk_start_offset
            expected = int.from_bytes(bytes(self._file[start + CHUNK_CRC :][:4]), 'little')
            content = self._file[start + CHUNK_HEADER :][: chunk.uncompressed_size]
            if expected and zlib.crc32(content.data) != expected:
                raise self._error(f'chunk at byte {start}', 'checksum does not match')

    def _resolve(self, topic: str) -> str:
        names = self.find(topic)
        if len(names) != 1:
            problem = (
                f'found {len(names)} times: {list(names)}' if names else 'not in this episode'
            )
            raise self._error(topic, problem, f'topics: {list(self.topics)}')
        return names[0]

    def _views(self, index: MessageIndex) -> list[np.ndarray]:
        ends = index.offset + index.size
        return [self._file[a:b] for a, b in zip(index.offset, ends, strict=True)]

    def _schema(self, name: str) -> Schema:
        schema = self._schemas.get(self._channels[self._ids[name]].schema_id)
        if schema is None or schema.encoding != 'ros2msg':
            raise self._error(name, 'has no ros2msg schema')
        return schema

    def _definitions(self, name: str) -> tuple[str, Definitions]:
        schema = self._schema(name)
        try:
            definitions = parse_definitions(schema.name, schema.data.decode())
        except (DefinitionError, UnicodeDecodeError) as error:
            raise self._error(name, str(error)) from error
        return short_name(schema.name), definitions

    def _error(self, field: str, problem: str, remedy: str = RESTORE) -> EpisodeFileError:
        return EpisodeFileError(self.path, field, problem, remedy)
