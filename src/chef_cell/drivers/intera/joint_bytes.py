"""Joint states and joint commands where they lie, in the bytes of ROS 1.

Both are a header, names, and arrays of numbers along the names; a command has its mode in front of
the names. Hundreds of them pass every second, nearly all with the same names, so what is needed is
read and changed in place, and no messages are made of them. No numpy either: a processor that has
just been woken takes several times as long for it as for seven plain numbers.
"""

import dataclasses
import functools
import struct

from chef_cell.core.intera import JointCommand
from chef_cell.drivers.ros1.codec import DecodeError, checked_time

_COUNT = struct.Struct('<I')
_TIME = struct.Struct('<II')
_MODE = struct.Struct('<i')
#: `seq`, stamp, the length of an empty `frame_id`, mode.
_HEAD = struct.Struct('<IIIIi')
_STAMP_AT = 4  # behind `seq`
_FRAME_AT = _STAMP_AT + _TIME.size
_NUMBER = struct.Struct('<d')


@dataclasses.dataclass(frozen=True)
class JointBytes:
    """A message about joints."""

    data: bytearray
    names: tuple[str, ...]
    mode: int  # of a command, else 0
    arrays: tuple[tuple[float, ...], ...]  # along the names, or empty; in the message's order
    starts: tuple[int, ...]  # where in `data` each array begins

    @property
    def stamp(self) -> float:
        """Stamp of the header (s)."""
        sec, nanosec = _TIME.unpack_from(self.data, _STAMP_AT)
        return float(sec + 1e-9 * nanosec)

    def change(self, array: int, index: int, value: float) -> None:
        """Change one number of an array, in `data` alone."""
        _NUMBER.pack_into(self.data, self.starts[array] + _NUMBER.size * index, value)

    def stamp_with(self, stamp: float) -> None:
        """Change the stamp (s)."""
        _TIME.pack_into(self.data, _STAMP_AT, *divmod(round(stamp * 1e9), 10**9))


class JointReader:
    """Reads the messages of one topic; remembers the names, which hardly ever change.

    Args:
        arrays: how many the message has.
        has_mode: whether it is a command.
    """

    def __init__(self, arrays: int, has_mode: bool = False) -> None:
        self._arrays = range(arrays)
        self._has_mode = has_mode
        self._block = b''  # the names as bytes
        self._names: tuple[str, ...] = ()

    def read(self, message: bytes | bytearray) -> JointBytes:
        """Return a message; its bytes are copied, unless they are a bytearray.

        Raises:
            DecodeError: too few or too many bytes, or a state's time beyond 2038.
        """
        data = message if isinstance(message, bytearray) else bytearray(message)
        try:
            return self._read(data)
        except struct.error as error:
            raise DecodeError(f'{error}, of {len(data)} bytes') from error

    def _read(self, data: bytearray) -> JointBytes:
        if not self._has_mode:  # nobody reads the stamp of a command
            checked_time(*_TIME.unpack_from(data, _STAMP_AT))
        at = _FRAME_AT + _COUNT.size + _count(data, _FRAME_AT, 1)
        mode = 0
        if self._has_mode:
            (mode,) = _MODE.unpack_from(data, at)
            at += _MODE.size
        at = self._read_names(data, at)
        arrays, starts = [], []
        for _ in self._arrays:
            count = _count(data, at, _NUMBER.size)
            starts.append(at + _COUNT.size)
            arrays.append(struct.unpack_from(f'<{count}d', data, starts[-1]))
            at = starts[-1] + _NUMBER.size * count
        if at != len(data):
            raise DecodeError(f'{len(data)} bytes, the message has {at}')
        return JointBytes(data, self._names, mode, tuple(arrays), tuple(starts))

    def _read_names(self, data: bytearray, start: int) -> int:
        end = start + len(self._block)
        if self._block and data[start:end] == self._block:
            return end
        at, names = start + _COUNT.size, []
        for _ in range(_count(data, start, 1)):
            count = _count(data, at, 1)
            at += _COUNT.size
            names.append(str(data[at : at + count], 'utf-8', 'replace'))
            at += count
        self._block, self._names = bytes(data[start:at]), tuple(names)
        return at


def command_bytes(command: JointCommand, stamp: float) -> bytearray:
    """Return a joint command, stamped (s), as bytes."""
    time = divmod(round(stamp * 1e9), 10**9)
    out = bytearray(_HEAD.pack(0, *time, 0, command.mode))
    out += _names(tuple(command.names))
    for values in (command.position, command.velocity, command.acceleration, ()):
        out += struct.pack(f'<I{len(values)}d', len(values), *values)
    return out


@functools.lru_cache(16)
def _names(names: tuple[str, ...]) -> bytes:
    encoded = [name.encode() for name in names]
    return _COUNT.pack(len(names)) + b''.join(_COUNT.pack(len(each)) + each for each in encoded)


def _count(data: bytearray, at: int, size: int) -> int:
    """Length at an offset, of things of at least `size` bytes each."""
    (count,) = _COUNT.unpack_from(data, at)
    if count * size > len(data) - at - _COUNT.size:
        raise DecodeError(f'length {count}, but only {len(data) - at - 4} bytes follow')
    return int(count)
