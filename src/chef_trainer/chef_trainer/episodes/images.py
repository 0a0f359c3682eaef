"""Images of one camera topic, looked at where they lie in the file."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from chef_trainer.episodes.decode import (
    Column,
    DecodeError,
    Layout,
    TextColumn,
    TimeColumn,
    layout_of,
)
from chef_trainer.episodes.definitions import Definitions
from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.index import MessageIndex

#: sensor_msgs/Image encodings understood: channels, and whether they are stored as blue first.
ENCODINGS = {'rgb8': (3, False), 'bgr8': (3, True), 'mono8': (1, False)}

Kind = TypeVar('Kind', Column, TextColumn, TimeColumn)


class Frames(Sequence[np.ndarray]):
    """Frames of one camera, (height, width, channels) uint8, RGB; views, not copies."""

    def __init__(
        self,
        messages: Sequence[np.ndarray],
        type_name: str,
        definitions: Definitions,
        fail: Callable[[str], EpisodeFileError],
    ) -> None:
        """Raises what `fail` makes of a wrong type, and DecodeError for broken messages."""
        if type_name != 'sensor_msgs/Image':
            raise fail(f'is of type {type_name}, expected sensor_msgs/Image')
        self._fail = fail
        self._messages = messages
        self._layouts: list[Layout] = []
        for message in messages:
            same = bool(self._layouts) and self._layouts[-1].size == len(message)
            if same and self._layouts[-1].fits(message[None])[0]:
                self._layouts.append(self._layouts[-1])
            else:
                self._layouts.append(layout_of(message, type_name, definitions))

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._messages)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        """Return one frame; raises EpisodeFileError unless size, encoding and data agree."""
        height, width, step = (self._number(index, name) for name in ('height', 'width', 'step'))
        encoding = self._text(index, 'encoding')
        if encoding not in ENCODINGS:
            raise self._fail(f'frame {index}: encoding {encoding!r}, allowed: {list(ENCODINGS)}')
        channels, blue_first = ENCODINGS[encoding]
        data = self._column(index, 'data', Column)
        if step < width * channels or data.count != height * step:
            raise self._fail(
                f'frame {index}: {data.count} bytes for {width}x{height} {encoding}, step {step}'
            )
        pixels = self._messages[index][data.offset : data.offset + data.count]
        frame = pixels.reshape(height, step)[:, : width * channels]
        frame = frame.reshape(height, width, channels)
        return frame[..., ::-1] if blue_first else frame

    @property
    def stamps(self) -> np.ndarray:
        """Acquisition times, (n,) in ns."""
        stamps = [
            self._column(index, 'header.stamp', TimeColumn).read(self._messages[index][None])[0]
            for index in range(len(self))
        ]
        return np.array(stamps, dtype=np.int64)

    def _number(self, index: int, name: str) -> int:
        offset = self._column(index, name, Column).offset
        return int.from_bytes(bytes(self._messages[index][offset : offset + 4]), 'little')

    def _text(self, index: int, name: str) -> str:
        ((offset, size),) = self._column(index, name, TextColumn).spans
        return bytes(self._messages[index][offset : offset + size]).decode(errors='replace')

    def _column(self, index: int, name: str, kind: type[Kind]) -> Kind:
        column = self._layouts[index].columns.get(name)
        if not isinstance(column, kind):
            raise self._fail(f'frame {index} has no field {name}')
        return column


def blob_places(
    file: np.ndarray,
    index: MessageIndex,
    type_name: str,
    definitions: Definitions,
    blob: str,
    fields: tuple[str, ...],
) -> dict[str, np.ndarray]:
    """Find field `blob` in all messages of an index, and read `fields`, which come before it.

    Pixels are not touched: the messages are grouped by the layout of what comes before them.

    Raises:
        DecodeError: a message does not fit the definition, or lacks a field.
    """
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (blob, *fields)}
    rows, waiting = [], np.ones(len(index.offset), dtype=bool)
    while waiting.any():
        first = int(np.argmax(waiting))
        start, size = int(index.offset[first]), int(index.size[first])
        layout = layout_of(file[start : start + size], type_name, definitions)
        column = layout.columns.get(blob)
        if not isinstance(column, Column) or not set(fields) <= layout.columns.keys():
            raise DecodeError(f'has not all of {sorted(parts)}')
        alike = np.flatnonzero(waiting & (index.size == size))
        heads = file[index.offset[alike][:, None] + np.arange(column.offset)]
        fit = layout.fits(heads)
        alike, heads = alike[fit], heads[fit]
        place = np.empty((len(alike), 2), np.int64)
        place[:, 0] = index.offset[alike] + column.offset
        place[:, 1] = column.count * np.dtype(column.dtype).itemsize
        parts[blob].append(place)
        for name in fields:
            parts[name].append(layout.columns[name].read(heads))
        rows.append(alike)
        waiting[alike] = False
    if not rows:
        raise DecodeError('has no messages')
    order = np.argsort(np.concatenate(rows))
    return {name: np.concatenate(values)[order] for name, values in parts.items()}
