"""Messages to bytes and back, as ROS 1 lays them out.

Little endian, fields in their order without padding; strings and arrays of open length carry
their count in 32 bits. A codec works on any message class whose attributes have the fields'
names in snake case; so the same bytes become ROS 2 messages in a node, and plain objects where
there is no ROS 2. Two differences are bridged: `seq` of a ROS 1 header has no counterpart and is
counted by the publisher, and a time has the attributes `sec` and `nanosec`.
"""

import array
import dataclasses
import functools
import operator
import struct
from collections.abc import Callable, Sequence
from typing import Any

from chef_cell.drivers.ros1.definitions import Definitions, Field

Classes = Callable[[str], type]
Encode = Callable[[Any, bytearray], None]
Decode = Callable[[memoryview, int], tuple[Any, int]]

_COUNT = struct.Struct('<I')
_TIME = struct.Struct('<II')
#: Primitive -> struct code of one, array code of many.
NUMBERS = {
    'int8': 'b', 'uint8': 'B', 'byte': 'b', 'char': 'B', 'int16': 'h', 'uint16': 'H',
    'int32': 'i', 'uint32': 'I', 'int64': 'q', 'uint64': 'Q', 'float32': 'f', 'float64': 'd',
}  # fmt: skip
_TIMES = {'time': 'builtin_interfaces/Time', 'duration': 'builtin_interfaces/Duration'}
_MAX_SEC = 2**31


class DecodeError(ValueError):
    """Bytes are not the message they are said to be."""


class Codec:
    """Encodes and decodes the messages of some definitions.

    Args:
        definitions: what messages look like.
        classes: package/Type -> class of the messages to make; plain ones by default.
    """

    def __init__(self, definitions: Definitions, classes: Classes | None = None) -> None:
        self.definitions = definitions
        self.classes = classes or functools.partial(plain_class, definitions)
        self._parts: dict[str, tuple[Encode, Decode]] = {}

    def encode(self, name: str, message: Any) -> bytearray:
        """Return a message as bytes."""
        out = bytearray()
        self.part(name)[0](message, out)
        return out

    def decode(self, name: str, data: bytes | bytearray | memoryview) -> Any:
        """Return the message that the bytes are.

        Raises:
            DecodeError: too few or too many bytes, or a time beyond 2038.
        """
        view = memoryview(data)
        try:
            message, end = self.part(name)[1](view, 0)
        except struct.error as error:
            raise DecodeError(f'{name}: {error}, of {len(view)} bytes') from error
        if end != len(view):
            raise DecodeError(f'{name}: {len(view)} bytes, the message has {end}')
        return message

    def part(self, name: str) -> tuple[Encode, Decode]:
        """Return what encodes and decodes one message inside others."""
        if name not in self._parts:
            self._parts[name] = self._time(name) if name in _TIMES else self._message(name)
        return self._parts[name]

    def _message(self, name: str) -> tuple[Encode, Decode]:
        steps = [(field.attribute, *self._field(field)) for field in self.definitions[name].fields]
        if name == 'std_msgs/Header':
            return _header(self.classes(name), steps[1:])
        make = self.classes(name)
        encoders = [(operator.attrgetter(attribute), encode) for attribute, encode, _ in steps]
        decoders = [(attribute, decode) for attribute, _, decode in steps]

        def encode(message: Any, out: bytearray) -> None:
            for get, write in encoders:
                write(get(message), out)

        def decode(data: memoryview, at: int) -> tuple[Any, int]:
            message = make()
            for attribute, read in decoders:
                value, at = read(data, at)
                setattr(message, attribute, value)
            return message, at

        return encode, decode

    def _time(self, name: str) -> tuple[Encode, Decode]:
        make = self.classes(_TIMES[name])

        def encode(value: Any, out: bytearray) -> None:
            out += _TIME.pack(value.sec, value.nanosec)

        def decode(data: memoryview, at: int) -> tuple[Any, int]:
            sec, nanosec = checked_time(*_TIME.unpack_from(data, at))
            return make(sec=sec, nanosec=nanosec), at + 8

        return encode, decode

    def _field(self, field: Field) -> tuple[Encode, Decode]:
        if field.array and field.base in NUMBERS:
            return _numbers(field)
        one = self._one(field.base)
        return _array(*one, field.size) if field.array else one

    def _one(self, base: str) -> tuple[Encode, Decode]:
        if base == 'string':
            return _encode_string, _decode_string
        if base == 'bool':
            return _number('?')
        return _number(NUMBERS[base]) if base in NUMBERS else self.part(base)


def checked_time(sec: int, nanosec: int) -> tuple[int, int]:
    """Return a time; raises DecodeError where ROS 2 has no such second."""
    if sec >= _MAX_SEC:
        raise DecodeError(f'time of {sec} s, allowed: below {_MAX_SEC}')
    return sec, nanosec


# Making a class takes a millisecond, and every message has others inside.
@functools.cache
def plain_class(definitions: Definitions, name: str) -> type:
    """Return a class for a message, with default values; for programs without ROS 2."""
    if name in _TIMES.values():
        fields: list[Any] = [(each, int, 0) for each in ('sec', 'nanosec')]
        return dataclasses.make_dataclass(name.rpartition('/')[2], fields)
    definition = definitions[name]
    fields = []
    for field in definition.fields:
        if name == 'std_msgs/Header' and field.name == 'seq':
            continue
        default = _default(definitions, field)
        fields.append((field.attribute, Any, dataclasses.field(default_factory=default)))
    constants = {
        constant: value if base == 'string' else int(value)
        for base, constant, value in definition.constants
    }
    return dataclasses.make_dataclass(name.rpartition('/')[2], fields, namespace=constants)


def _default(definitions: Definitions, field: Field) -> Callable[[], Any]:
    if field.array:
        return list
    simple: dict[str, Callable[[], Any]] = {'string': str, 'bool': bool}
    simple |= {'float32': float, 'float64': float}
    if field.base in simple or field.base in NUMBERS:
        return simple.get(field.base, int)
    inner = _TIMES.get(field.base, field.base)
    return lambda: plain_class(definitions, inner)()


def _header(make: type, steps: list[tuple[str, Encode, Decode]]) -> tuple[Encode, Decode]:
    """A header without `seq`, which the publisher fills in."""
    (_, write_stamp, read_stamp), (_, write_frame, read_frame) = steps

    def encode(header: Any, out: bytearray) -> None:
        out += b'\0\0\0\0'
        write_stamp(header.stamp, out)
        write_frame(header.frame_id, out)

    def decode(data: memoryview, at: int) -> tuple[Any, int]:
        stamp, at = read_stamp(data, at + 4)
        frame_id, at = read_frame(data, at)
        return make(stamp=stamp, frame_id=frame_id), at

    return encode, decode


def _number(code: str) -> tuple[Encode, Decode]:
    layout = struct.Struct(f'<{code}')

    def encode(value: Any, out: bytearray) -> None:
        out += layout.pack(value)

    def decode(data: memoryview, at: int) -> tuple[Any, int]:
        return layout.unpack_from(data, at)[0], at + layout.size

    return encode, decode


def _numbers(field: Field) -> tuple[Encode, Decode]:
    code, size = NUMBERS[field.base], field.size
    width = struct.calcsize(code)

    def encode(values: Sequence[Any], out: bytearray) -> None:
        if size is None:
            out += _COUNT.pack(len(values))
        elif len(values) != size:
            raise ValueError(f'{field.name} has {len(values)} values, expected {size}')
        out += array.array(code, values).tobytes()

    def decode(data: memoryview, at: int) -> tuple[Any, int]:
        count, at = (size, at) if size is not None else _count(data, at)
        end = at + count * width
        values = array.array(code)
        values.frombytes(_slice(data, at, end))
        return values, end

    return encode, decode


def _array(encode_one: Encode, decode_one: Decode, size: int | None) -> tuple[Encode, Decode]:
    def encode(values: Sequence[Any], out: bytearray) -> None:
        if size is None:
            out += _COUNT.pack(len(values))
        for value in values:
            encode_one(value, out)

    def decode(data: memoryview, at: int) -> tuple[Any, int]:
        count, at = (size, at) if size is not None else _count(data, at)
        values = []
        for _ in range(count):
            value, at = decode_one(data, at)
            values.append(value)
        return values, at

    return encode, decode


def _encode_string(value: str, out: bytearray) -> None:
    data = value.encode()
    out += _COUNT.pack(len(data))
    out += data


def _decode_string(data: memoryview, at: int) -> tuple[str, int]:
    count, at = _count(data, at)
    # A stray byte in a name must not cost the whole message.
    return str(_slice(data, at, at + count), 'utf-8', 'replace'), at + count


def _count(data: memoryview, at: int) -> tuple[int, int]:
    """Length of a string or array; an element takes at least a byte, so it can't exceed these."""
    (count,) = _COUNT.unpack_from(data, at)
    if count > len(data) - at - 4:
        raise DecodeError(f'length {count}, but only {len(data) - at - 4} bytes follow')
    return count, at + 4


def _slice(data: memoryview, start: int, end: int) -> memoryview:
    if end > len(data):
        raise DecodeError(f'{end - start} bytes expected, {len(data) - start} follow')
    return data[start:end]
