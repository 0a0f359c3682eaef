"""Messages of ROS 1 as those of ROS 2 and back, bytes to bytes: no objects are made on the way.

ROS 2 sends CDR (OMG DDSI-RTPS 10.5, PLAIN_CDR): four bytes that tell the encoding, then the
fields in their order, each number at a multiple of its size from there; strings end with a zero.
A ROS 1 message is the same without gaps and zeros, and its header has a `seq` more.
"""

import struct
from collections.abc import Callable, Iterator

from chef_cell.drivers.ros1.codec import NUMBERS, DecodeError, checked_time
from chef_cell.drivers.ros1.definitions import Definitions, Field

#: Encapsulation of little-endian CDR.
LITTLE_ENDIAN = b'\0\1\0\0'
_ORIGIN = len(LITTLE_ENDIAN)
_COUNT = struct.Struct('<I')
_TIME = struct.Struct('<II')
_SIZES = {**{name: struct.calcsize(code) for name, code in NUMBERS.items()}, 'bool': 1}
#: Reads one part of a message at an offset, appends it; returns where the next part begins.
Step = Callable[[bytes, int, bytearray], int]
#: To CDR, and from it.
Steps = tuple[Step, Step]


class Transcoder:
    """Turns the messages of some definitions into CDR and back."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._steps: dict[str, list[Steps]] = {}

    def to_cdr(self, name: str, data: bytes) -> bytes:
        """Return a message of ROS 1 as ROS 2 sends it.

        Raises:
            DecodeError: too few or too many bytes.
        """
        out = bytearray(LITTLE_ENDIAN)
        self._carry(name, data, 0, out, 0)
        if len(out) == _ORIGIN:
            out += b'\0'  # in ROS 2 even an empty message has a byte
        return bytes(out)

    def from_cdr(self, name: str, data: bytes) -> bytearray:
        """Return a message of ROS 2 as ROS 1 sends it, with a `seq` of 0.

        Raises:
            DecodeError: too few bytes, or another encoding.
        """
        if data[:2] != LITTLE_ENDIAN[:2]:
            raise DecodeError(f'{name}: begins with {data[:2]!r}, allowed: {LITTLE_ENDIAN[:2]!r}')
        out = bytearray()
        self._carry(name, data, _ORIGIN, out, 1)
        return out

    def _carry(self, name: str, data: bytes, at: int, out: bytearray, way: int) -> None:
        try:
            for step in self._of(name):
                at = step[way](data, at, out)
        except struct.error as error:
            raise DecodeError(f'{name}: {error}, of {len(data)} bytes') from error
        # What follows in CDR is padding, as much as its writer liked.
        if at > len(data) or (way == 0 and at < len(data)):
            raise DecodeError(f'{name}: {len(data)} bytes, the message has {at}')

    def _of(self, name: str) -> list[Steps]:
        if name not in self._steps:
            self._steps[name] = list(_merged(self._parts(name)))
        return self._steps[name]

    def _parts(self, name: str) -> Iterator[str | Steps]:
        """Yield struct codes of numbers, and steps for everything that has no fixed size."""
        for field in self._definitions[name].fields:
            if name == 'std_msgs/Header' and field.name == 'seq':
                yield _skip_seq()
            elif field.array and field.size is None:
                yield self._sequence(field)
            else:
                for _ in range(field.size or 1):
                    yield from self._one(field.base)

    def _one(self, base: str) -> Iterator[str | Steps]:
        if base == 'string':
            yield _string()
        elif base in ('time', 'duration'):
            yield _time()
        elif base in _SIZES:
            yield NUMBERS.get(base, '?')
        else:
            yield from self._parts(base)

    def _sequence(self, field: Field) -> Steps:
        if field.base in _SIZES:
            return _numbers(_SIZES[field.base])
        inner = list(_merged(self._one(field.base)))
        return _repeated(inner, 0), _repeated(inner, 1)


def _merged(parts: Iterator[str | Steps]) -> Iterator[Steps]:
    """Join neighbouring numbers, which are then packed at once."""
    codes = ''
    for part in parts:
        if isinstance(part, str):
            codes += part
            continue
        if codes:
            yield _run(codes)
        codes = ''
        yield part
    if codes:
        yield _run(codes)


def _run(codes: str) -> Steps:
    plain = struct.Struct('<' + codes)
    aligned = [struct.Struct('<' + _with_gaps(codes, start)) for start in range(8)]

    def to_cdr(data: bytes, at: int, out: bytearray) -> int:
        out += aligned[(len(out) - _ORIGIN) % 8].pack(*plain.unpack_from(data, at))
        return at + plain.size

    def from_cdr(data: bytes, at: int, out: bytearray) -> int:
        layout = aligned[(at - _ORIGIN) % 8]
        out += plain.pack(*layout.unpack_from(data, at))
        return at + layout.size

    return to_cdr, from_cdr


def _with_gaps(codes: str, start: int) -> str:
    """Return the codes with the padding that CDR wants when they begin at `start`."""
    text, at = '', start
    for code in codes:
        size = struct.calcsize('<' + code)
        gap = -at % size
        text += 'x' * gap + code
        at += gap + size
    return text


def _skip_seq() -> Steps:
    def to_cdr(data: bytes, at: int, out: bytearray) -> int:
        return at + 4

    def from_cdr(data: bytes, at: int, out: bytearray) -> int:
        out += bytes(4)
        return at

    return to_cdr, from_cdr


def _time() -> Steps:
    to_plain_cdr, from_cdr = _run('II')

    def to_cdr(data: bytes, at: int, out: bytearray) -> int:
        checked_time(*_TIME.unpack_from(data, at))
        return to_plain_cdr(data, at, out)

    return to_cdr, from_cdr


def _string() -> Steps:
    def to_cdr(data: bytes, at: int, out: bytearray) -> int:
        (count,) = _COUNT.unpack_from(data, at)
        text = _cut(data, at + 4, count)
        out += bytes(-len(out) % 4) + _COUNT.pack(count + 1) + text + b'\0'
        return at + 4 + count

    def from_cdr(data: bytes, at: int, out: bytearray) -> int:
        at += -at % 4
        (count,) = _COUNT.unpack_from(data, at)
        text = _cut(data, at + 4, count)[:-1]
        out += _COUNT.pack(len(text)) + text
        return at + 4 + count

    return to_cdr, from_cdr


def _numbers(size: int) -> Steps:
    """Any number of numbers of `size` bytes."""

    def to_cdr(data: bytes, at: int, out: bytearray) -> int:
        (count,) = _COUNT.unpack_from(data, at)
        block = _cut(data, at + 4, count * size)
        out += bytes(-len(out) % 4) + _COUNT.pack(count)
        if count:
            out += bytes(-(len(out) - _ORIGIN) % size) + block
        return at + 4 + len(block)

    def from_cdr(data: bytes, at: int, out: bytearray) -> int:
        at += -at % 4
        (count,) = _COUNT.unpack_from(data, at)
        at += 4
        if count:
            at += -(at - _ORIGIN) % size
        out += _COUNT.pack(count) + _cut(data, at, count * size)
        return at + count * size

    return to_cdr, from_cdr


def _repeated(inner: list[Steps], way: int) -> Step:
    """Any number of strings or messages."""
    steps = [each[way] for each in inner]

    def carry(data: bytes, at: int, out: bytearray) -> int:
        if way:
            at += -at % 4
        else:
            out += bytes(-len(out) % 4)
        (count,) = _COUNT.unpack_from(data, at)
        # Each takes a byte at least: a wild count must not keep us busy.
        _cut(data, at + 4, count)
        out += _COUNT.pack(count)
        at += 4
        for _ in range(count):
            for step in steps:
                at = step(data, at, out)
        return at

    return carry


def _cut(data: bytes, at: int, count: int) -> bytes:
    if count > len(data) - at:
        raise DecodeError(f'length {count}, but only {len(data) - at} bytes follow')
    return data[at : at + count]
