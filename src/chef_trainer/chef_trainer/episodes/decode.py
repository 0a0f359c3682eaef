"""Turn many serialised messages of one topic into arrays, without ROS.

CDR puts no offsets into a message: where a field lies depends on the lengths of all strings and
sequences before it. But most topics repeat the same lengths in every message. So the first message
is walked field by field, and every message that agrees with it in size and lengths is then read
in one go; the walk is repeated only for messages that differ.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from chef_trainer.episodes.definitions import PRIMITIVES, TIMES, Definitions, Field

#: Encapsulation header of plain little-endian CDR, the only one ROS 2 machines of today write.
LITTLE_ENDIAN_CDR = b'\x00\x01'
ENCAPSULATION_BYTES = 4


class DecodeError(ValueError):
    """A message does not fit its definition."""


@dataclasses.dataclass(frozen=True)
class Column:
    """Where one array lies in a message: `count` numbers of type `dtype`."""

    offset: int
    dtype: str
    count: int
    scalar: bool

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return (n,) or (n, count) for messages `rows` (n, size) of bytes."""
        dtype = np.dtype(self.dtype)
        end = self.offset + self.count * dtype.itemsize
        values = np.ascontiguousarray(rows[:, self.offset : end]).view(dtype)
        return values[:, 0] if self.scalar else values


@dataclasses.dataclass(frozen=True)
class TimeColumn:
    """A Time or Duration, read as integer nanoseconds."""

    offset: int

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return (n,) int64 in ns."""
        pair = np.ascontiguousarray(rows[:, self.offset : self.offset + 8])
        seconds, nanoseconds = pair.view('<i4')[:, 0], pair.view('<u4')[:, 1]
        return seconds.astype(np.int64) * 1_000_000_000 + nanoseconds


@dataclasses.dataclass(frozen=True)
class TextColumn:
    """Strings: (offset, length) of each, without the closing zero."""

    spans: tuple[tuple[int, int], ...]
    scalar: bool

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return (n,) or (n, strings) of str."""
        texts = [_texts(rows[:, start : start + size]) for start, size in self.spans]
        values = np.array(texts, dtype=str).reshape(len(self.spans), len(rows)).T
        return values[:, 0] if self.scalar else values


def _texts(rows: np.ndarray) -> list[str]:
    """Decode rows of bytes; names and frames are the same in every message, most of the time."""
    if (rows == rows[:1]).all():
        return [bytes(rows[0]).decode(errors='replace')] * len(rows)
    return [bytes(row).decode(errors='replace') for row in rows]


@dataclasses.dataclass
class Layout:
    """Where everything lies in messages of one size with the same lengths inside."""

    size: int
    columns: dict[str, Column | TimeColumn | TextColumn]
    words: list[tuple[int, int]]  # offset and value of encapsulation and of every length

    def fits(self, rows: np.ndarray) -> np.ndarray:
        """Return (n,) bool: which of the messages `rows` (n, size) have this layout."""
        fit = np.ones(len(rows), dtype=bool)
        for offset, value in self.words:
            word = np.ascontiguousarray(rows[:, offset : offset + 4]).view('<u4')[:, 0]
            fit &= word == value
        return fit


class _Walk:
    """Follow one message through its definition."""

    def __init__(self, data: np.ndarray, definitions: Definitions) -> None:
        self.data = data
        self.definitions = definitions
        self.position = ENCAPSULATION_BYTES
        encapsulation = _word(data, 0)
        self.layout = Layout(len(data), {}, [(0, encapsulation)])

    def message(self, type_name: str, prefix: str) -> None:
        fields = self.definitions[type_name]
        if not fields:  # CDR has no empty structures: one byte stands in
            self.take(1, 1)
        for field in fields:
            self.field(field, prefix + field.name)

    def field(self, field: Field, name: str) -> None:
        count = 1
        if field.is_array:
            count = field.size if field.size is not None else self.length()
        if field.is_text:
            spans = tuple(self.text() for _ in range(count))
            self.layout.columns[name] = TextColumn(spans, not field.is_array)
        elif field.type_name in PRIMITIVES:
            self.numbers(name, PRIMITIVES[field.type_name], count, not field.is_array)
        elif not field.is_array:
            self.nested(field.type_name, name)
        else:
            for index in range(count):
                self.nested(field.type_name, f'{name}[{index}]')

    def nested(self, type_name: str, name: str) -> None:
        if type_name in TIMES:
            self.layout.columns[name] = TimeColumn(self.take(4, 8))
            return
        fields = self.definitions[type_name]
        kinds = {field.type_name for field in fields}
        if len(kinds) == 1 and kinds <= set(PRIMITIVES) and not any(f.is_array for f in fields):
            # Vectors and quaternions are more useful as one array than as x, y, z.
            self.numbers(name, PRIMITIVES[kinds.pop()], len(fields), scalar=False)
        else:
            self.message(type_name, f'{name}.')

    def numbers(self, name: str, dtype: str, count: int, scalar: bool) -> None:
        size = np.dtype(dtype).itemsize
        # An empty sequence has no elements to align.
        offset = self.take(size, size * count) if count else self.position
        self.layout.columns[name] = Column(offset, dtype, count, scalar)

    def text(self) -> tuple[int, int]:
        size = self.length()
        return self.take(1, size), max(size - 1, 0)

    def length(self) -> int:
        offset = self.take(4, 4)
        value = _word(self.data, offset)
        if value > len(self.data) - self.position:
            raise DecodeError(f'length {value} at byte {offset} is more than the message holds')
        self.layout.words.append((offset, value))
        return value

    def take(self, alignment: int, size: int) -> int:
        start = self.position - ENCAPSULATION_BYTES
        start += -start % alignment + ENCAPSULATION_BYTES
        self.position = start + size
        if self.position > len(self.data):
            raise DecodeError(f'{len(self.data)} bytes, the definition needs {self.position}')
        return start


def _word(data: np.ndarray, offset: int) -> int:
    return int.from_bytes(bytes(data[offset : offset + 4]), 'little')


def layout_of(data: np.ndarray, type_name: str, definitions: Definitions) -> Layout:
    """Find every field of one message (uint8, (size,)); raises DecodeError."""
    if len(data) < ENCAPSULATION_BYTES or bytes(data[:2]) != LITTLE_ENDIAN_CDR:
        raise DecodeError(f'encapsulation {bytes(data[:4])!r}, expected little-endian CDR')
    walk = _Walk(data, definitions)
    walk.message(type_name, '')
    return walk.layout


def decode(
    messages: Sequence[np.ndarray], type_name: str, definitions: Definitions
) -> dict[str, np.ndarray]:
    """Return one array per field, first axis = message, for messages of bytes (uint8, (size,)).

    Names are paths: 'header.stamp' (ns), 'wrench.force' (n, 3), 'objects[0].name'. A field whose
    length changes from message to message is an object array of arrays.

    Raises:
        DecodeError: a message does not fit the definition.
    """
    sizes = np.array([len(message) for message in messages])
    waiting = np.ones(len(messages), dtype=bool)
    groups: list[tuple[np.ndarray, dict[str, np.ndarray]]] = []
    while waiting.any():
        first = messages[int(np.argmax(waiting))]
        layout = layout_of(first, type_name, definitions)
        candidates = np.flatnonzero(waiting & (sizes == layout.size))
        rows = np.stack([messages[int(index)] for index in candidates])
        fit = layout.fits(rows)
        chosen, rows = candidates[fit], rows if fit.all() else rows[fit]
        groups.append((chosen, {name: c.read(rows) for name, c in layout.columns.items()}))
        waiting[chosen] = False
    names = dict.fromkeys(name for _, columns in groups for name in columns)
    return {name: _merge(name, groups, len(messages)) for name in names}


def _merge(
    name: str, groups: list[tuple[np.ndarray, dict[str, np.ndarray]]], count: int
) -> np.ndarray:
    parts = [(chosen, columns[name]) for chosen, columns in groups if name in columns]
    if len(parts) == 1 and len(parts[0][0]) == count:
        return parts[0][1]
    covered = sum(len(chosen) for chosen, _ in parts)
    if covered == count and len({values.shape[1:] for _, values in parts}) == 1:
        merged = np.concatenate([values for _, values in parts])
        return merged[np.argsort(np.concatenate([chosen for chosen, _ in parts]))]
    ragged = np.empty(count, dtype=object)
    for chosen, values in parts:
        for index, value in zip(chosen, values, strict=True):
            ragged[index] = value
    return ragged
