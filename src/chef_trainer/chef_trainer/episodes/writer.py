"""Write one episode as a rosbag2 bag of one MCAP file that survives a crash."""

import contextlib
import fcntl
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mcap.writer import CompressionType, Writer

from chef_trainer.episodes.bag import BagContent, Channel, bag_information, to_yaml
from chef_trainer.episodes.durable import publish, sync_directory, write_durably
from chef_trainer.episodes.errors import DiskFullError, EpisodeFileError

#: Name of the metadata record that makes an MCAP file an episode file.
RECORD_NAME = 'chef_episode'
#: Version of that record.
FORMAT_VERSION = 1
#: Suffix of a file that is being written, or that a crash left behind.
ACTIVE_SUFFIX = '.active'
#: A chunk is closed and handed to the operating system at this size (bytes) ...
CHUNK_BYTES = 1 << 20
#: ... or when it spans this much log time (ns): what a killed process can lose.
CHUNK_NS = 1_000_000_000
#: Bytes of an MCAP message record around the message itself.
MESSAGE_OVERHEAD = 31
#: Upper bound on the bytes of a channel's records around its schema text.
CHANNEL_OVERHEAD = 1024


class EpisodeWriter:
    """One episode: `<directory>/<name>/<name>.mcap` with rosbag2's `metadata.yaml` beside it.

    Chunks are not compressed, so that readers map the file and use messages in place. Until
    `finish` renames it, the file ends in `.mcap.active` and is locked; a reader never sees half an
    episode, and `recover` finds every closed chunk after a crash. A chunk is safe from a crash of
    the process when it is closed, and from a power cut after the next `sync`.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        metadata: Mapping[str, Any],
        suffix: str = ACTIVE_SUFFIX,
        reserve: int = 0,
    ) -> None:
        """Create the file; with less than `reserve` bytes left on the disk nothing is written.

        Raises EpisodeFileError when the episode exists, OSError as open.
        """
        self.path = directory / name / f'{name}.mcap'
        self.active_path = self.path.with_name(self.path.name + suffix)
        self.messages_written = 0
        self.bytes_written = 0  # of message data
        self._reserve = reserve
        self._metadata = {'format': FORMAT_VERSION, **metadata}
        self._channels: dict[str, tuple[int, Channel]] = {}
        self._counts: dict[str, int] = {}
        self._start_ns, self._end_ns = sys.maxsize, 0
        self._chunk_messages, self._chunk_bytes, self._chunk_start_ns = 0, 0, 0
        self._stream = self._create()
        # Chunks are closed by this class: never by size alone.
        self._writer = Writer(
            self._stream, chunk_size=sys.maxsize, compression=CompressionType.NONE
        )
        try:
            self._writer.start(profile='ros2', library='chef_trainer')
            # A first copy, so that a recovered file still knows what it was.
            self._writer.add_metadata(RECORD_NAME, metadata_record(self._metadata))
            self._writer.flush()
        except OSError:  # a full disk
            self.discard()
            raise

    def add_channel(self, channel: Channel) -> None:
        """Announce a topic; messages of unannounced topics are refused."""
        schema_id = self._writer.register_schema(
            channel.type_name, 'ros2msg', channel.schema.encode()
        )
        channel_id = self._writer.register_channel(
            channel.topic,
            'cdr',
            schema_id,
            {
                # JSON is YAML, which rosbag2 keeps here.
                'offered_qos_profiles': json.dumps([dict(profile) for profile in channel.qos]),
                'topic_type_hash': channel.type_hash,
            },
        )
        self._channels[channel.topic] = channel_id, channel
        self._chunk_bytes += len(channel.schema) + CHANNEL_OVERHEAD

    def write(self, topic: str, log_time_ns: int, publish_time_ns: int, data: bytes) -> None:
        """Append one serialised message.

        Raises KeyError for an unannounced topic, OSError as write, and DiskFullError when the
        reserve is touched: then the message is left out, and the file can still be finished.
        """
        channel_id, _ = self._channels[topic]
        size = len(data) + MESSAGE_OVERHEAD
        if self._chunk_messages and (
            self._chunk_bytes + size > CHUNK_BYTES
            or log_time_ns - self._chunk_start_ns >= CHUNK_NS
        ):
            self.flush()
            if self.free_bytes < self._reserve:
                raise DiskFullError(
                    f'{self.path.parent}: {self.free_bytes / 1e6:.0f} MB are left on the disk, '
                    f'{self._reserve / 1e6:.0f} MB are kept in reserve'
                )
        if not self._chunk_messages:
            self._chunk_start_ns = log_time_ns
        self._chunk_messages += 1
        self._chunk_bytes += size
        sequence = self._counts.get(topic, 0)
        self._writer.add_message(channel_id, log_time_ns, data, publish_time_ns, sequence)
        self._counts[topic] = sequence + 1
        self.messages_written += 1
        self.bytes_written += len(data)
        self._start_ns = min(self._start_ns, log_time_ns)
        self._end_ns = max(self._end_ns, log_time_ns)

    def flush(self) -> None:
        """Close the chunk and hand it to the operating system."""
        self._writer.flush()
        self._chunk_messages, self._chunk_bytes = 0, 0

    def sync(self) -> None:
        """Wait until closed chunks are on the disk; may be called from another thread."""
        os.fdatasync(self._stream.fileno())

    @property
    def free_bytes(self) -> int:
        """Bytes left on the disk that this file is on."""
        disk = os.fstatvfs(self._stream.fileno())
        return disk.f_bavail * disk.f_frsize

    def finish(self, metadata: Mapping[str, Any]) -> Path:
        """Add `metadata`, make the file durable and visible; return its path.

        `metadata.yaml` is in place before the rename: a visible episode is always complete.
        """
        self._metadata.update(metadata)
        information = self._bag_information()
        self._writer.flush()
        self._writer.add_metadata('rosbag2', {'serialized_metadata': to_yaml(information)})
        self._writer.add_metadata(RECORD_NAME, metadata_record(self._metadata))
        self._writer.finish()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        text = to_yaml({'rosbag2_bagfile_information': information})
        write_durably(self.path.with_name('metadata.yaml'), text)
        publish(self.active_path, self.path)
        self._stream.close()
        return self.path

    def abandon(self) -> None:
        """Close without finishing, after an error; what was written stays, for `recover`."""
        # Closing tries once more to write what a full disk refused.
        with contextlib.suppress(OSError):
            self._stream.close()

    def discard(self) -> None:
        """Close and delete the episode."""
        self.abandon()
        self.active_path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()

    def _create(self) -> BinaryIO:
        replaces = not self.active_path.name.endswith(ACTIVE_SUFFIX)
        if self.path.exists() and not replaces:
            raise EpisodeFileError(
                self.path, 'file', 'exists already', 'choose another episode id or directory'
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        stream = self.active_path.open('xb')
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for directory in (self.path.parent, self.path.parent.parent):
            sync_directory(directory)
        return stream

    def _bag_information(self) -> dict[str, Any]:
        start_ns = self._start_ns if self.messages_written else 0
        custom = metadata_record(self._metadata)
        del custom['json']
        return bag_information(
            BagContent(
                file=self.path.name,
                start_ns=start_ns,
                duration_ns=self._end_ns - start_ns,
                counts=self._counts,
                channels=tuple(channel for _, channel in self._channels.values()),
                custom=custom,
                ros_distro=str(self._metadata.get('ros_distro', '')),
            )
        )


def metadata_record(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the `chef_episode` record: all of it as JSON in one key, and one text per key."""
    clean = finite(metadata)
    readable = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in clean.items()
    }
    return {'json': json.dumps(clean, sort_keys=True, allow_nan=False), **readable}


def finite(value: Any) -> Any:
    """Return `value` as JSON takes it: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
