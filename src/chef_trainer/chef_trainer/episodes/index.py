"""Find every message of an MCAP file by its place in it, so that data is used where it lies."""

import dataclasses
from collections.abc import Iterable

import numpy as np
from mcap.opcode import Opcode
from mcap.records import ChunkIndex

#: Bytes of an MCAP record before its content: opcode and length.
RECORD_HEADER = 9
#: Bytes of an uncompressed chunk record before the records inside it.
CHUNK_HEADER = RECORD_HEADER + 8 + 8 + 8 + 4 + 4 + 8
#: Where a chunk record keeps the checksum of its content.
CHUNK_CRC = RECORD_HEADER + 8 + 8 + 8
#: Bytes of a message index record before its entries.
INDEX_HEADER = RECORD_HEADER + 2 + 4
#: A message record up to its data.
MESSAGE = np.dtype(
    [
        ('opcode', 'u1'),
        ('length', '<u8'),
        ('channel', '<u2'),
        ('sequence', '<u4'),
        ('log_time', '<u8'),
        ('publish_time', '<u8'),
    ]
)


class BrokenIndexError(ValueError):
    """The file's index and its messages contradict each other."""


@dataclasses.dataclass(frozen=True)
class MessageIndex:
    """All messages of one channel, in order of log time; arrays of shape (n,)."""

    log_time: np.ndarray  # ns
    publish_time: np.ndarray  # ns
    offset: np.ndarray  # of the data in the file, bytes
    size: np.ndarray  # of the data, bytes


def index_messages(
    file: np.ndarray, chunks: Iterable[ChunkIndex], channel_id: int
) -> MessageIndex:
    """Index one channel of the mapped `file` (uint8, (size,)); raises BrokenIndexError."""
    starts, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for chunk in chunks:
        entry = chunk.message_index_offsets.get(channel_id)
        if entry is None:
            continue
        end = chunk.chunk_start_offset + chunk.chunk_length
        if end > len(file):
            raise BrokenIndexError(f'a chunk ends at byte {end} of {len(file)}')
        offsets = _entries(file, entry)
        starts.append(chunk.chunk_start_offset + CHUNK_HEADER + offsets)
        ends.append(np.full(len(offsets), end, np.int64))
    start, end = np.concatenate(starts), np.concatenate(ends)
    # Only differences from here on: a broken number is as large as it likes, and sums overflow.
    if np.any((start < 0) | (start > end - MESSAGE.itemsize)):
        raise BrokenIndexError(f'channel {channel_id}: a message lies outside its chunk')
    head = file[start[:, None] + np.arange(MESSAGE.itemsize)].view(MESSAGE)[:, 0]
    # Content of the record = rest of the head + data.
    size = head['length'].astype(np.int64) - (MESSAGE.itemsize - RECORD_HEADER)
    wrong = (head['opcode'] != Opcode.MESSAGE) | (head['channel'] != channel_id)
    offset = start + MESSAGE.itemsize
    if np.any(wrong | (size < 0) | (size > end - offset)):
        raise BrokenIndexError(f'channel {channel_id}: the index does not point at messages')
    order = np.argsort(head['log_time'], kind='stable')
    return MessageIndex(
        log_time=head['log_time'][order].astype(np.int64),
        publish_time=head['publish_time'][order].astype(np.int64),
        offset=offset[order],
        size=size[order],
    )


def _entries(file: np.ndarray, at: int) -> np.ndarray:
    """Offsets of messages inside their chunk, from the message index record at `at`."""
    head = bytes(file[at : at + INDEX_HEADER])
    if len(head) < INDEX_HEADER or head[0] != Opcode.MESSAGE_INDEX:
        raise BrokenIndexError(f'no message index at byte {at}')
    size = int.from_bytes(head[-4:], 'little')
    pairs = bytes(file[at + INDEX_HEADER : at + INDEX_HEADER + size])
    if len(pairs) != size or size % 16:
        raise BrokenIndexError(f'message index at byte {at} is cut short')
    return np.frombuffer(pairs, '<u8').reshape(-1, 2)[:, 1].astype(np.int64)
