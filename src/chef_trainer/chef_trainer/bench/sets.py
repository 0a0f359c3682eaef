"""Episode sets for the loader's measurements: recorded episodes, written again many times."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from chef_trainer.episodes import Channel, EpisodeReader, EpisodeWriter
from chef_trainer.episodes.reader import Message

JPEG_QUALITY = 90
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
_RULE = '\n' + 80 * '=' + '\n'
COMPRESSED_SCHEMA = _RULE.join(
    (
        'std_msgs/Header header\nstring format\nuint8[] data',
        'MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id',
        'MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec',
    )
)


def multiply(sources: Sequence[Path], folder: Path, copies: int, jpeg: bool = False) -> Path:
    """Write every episode `copies` times below `folder`, each under an id of its own.

    The messages are those of the source, byte for byte; with `jpeg` images are compressed, 4:4:4.
    """
    work = [(source, copy) for copy in range(copies) for source in sources]
    for source, copy in track(work, f'writing {folder.name}', transient=True):
        reader = EpisodeReader(source)
        name = f'{copy:04d}_{reader.path.stem}'
        if (folder / name / f'{name}.mcap').exists():
            continue
        writer = EpisodeWriter(folder, name, {**reader.metadata, 'episode_id': name})
        _copy(reader, writer, jpeg)
        writer.finish({})
    return folder


def _copy(reader: EpisodeReader, writer: EpisodeWriter, jpeg: bool) -> None:
    """Write all messages in the order in which they lie in the source."""
    entries: list[tuple[int, str, Message, np.ndarray | None]] = []
    for topic in reader.topics:
        channel = reader.channel(topic)
        packs = jpeg and channel.type_name == 'sensor_msgs/msg/Image'
        if packs:
            channel = Channel(f'{topic}/compressed', COMPRESSED, COMPRESSED_SCHEMA)
        writer.add_channel(channel)
        frames: Sequence[np.ndarray | None] = (
            reader.frames(topic) if packs else [None] * reader.topics[topic].count
        )
        rows = zip(reader.index(topic).offset, reader.messages(topic), frames, strict=True)
        entries += [(offset, channel.topic, message, frame) for offset, message, frame in rows]
    for _, topic, message, frame in sorted(entries, key=lambda entry: entry[0]):
        data = message.data.tobytes() if frame is None else _packed(message, frame)
        writer.write(topic, message.log_time, message.publish_time, data)


def _packed(message: Message, pixels: np.ndarray) -> bytes:
    """Return a CompressedImage with the header of an Image."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, 'jpeg', quality=JPEG_QUALITY, subsampling=0)
    # Encapsulation, stamp, then the frame's length and text; all that follows is aligned to 4.
    source = message.data[:1024].tobytes()
    (frame,) = struct.unpack_from('<I', source, 12)
    head = _padded(source[: 16 + frame])
    form = b'rgb8; jpeg compressed rgb8\0'
    data = stream.getvalue()
    text = _padded(head + struct.pack('<I', len(form)) + form)
    return text + struct.pack('<I', len(data)) + data


def _padded(data: bytes) -> bytes:
    return data + b'\0' * (-len(data) % 4)
