"""TCPROS: how two ROS 1 programs send each other messages over one TCP connection.

The first frame each way is the connection header, `key=value` pairs that must agree about topic,
type and md5 sum. Every frame after it is a message. All frames begin with their length.
"""

import asyncio
import collections
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping

_LENGTH = struct.Struct('<I')
#: Longest frame believed (bytes): more means that the other end does not speak TCPROS.
MAX_FRAME = 64 * 2**20
MAX_HEADER = 2**20
#: How long the other end may take for its connection header (s).
HEADER_TIMEOUT = 10.0
#: A peer that takes nothing, or whose machine is off or unplugged, is given up after this (s).
DEAD_AFTER = 5

#: What the kernel may hold back for a peer that does not keep up (bytes): some dozens of commands.
#: Its own choice, megabytes, would be minutes of stale ones.
SEND_BUFFER = 2**13
_RECEIVE_BUFFER = 2**16

Header = dict[str, str]


class ProtocolError(ValueError):
    """The other end does not keep to TCPROS, or wants something else."""


def frame(data: bytes | bytearray) -> bytes:
    """Return a message with its length in front."""
    return _LENGTH.pack(len(data)) + data


def encode_header(fields: Mapping[str, str]) -> bytes:
    """Return a connection header, with its length in front."""
    return frame(b''.join(frame(f'{key}={value}'.encode()) for key, value in fields.items()))


def decode_header(data: bytes | memoryview) -> Header:
    """Return the fields of a connection header, given without its length.

    Raises:
        ProtocolError: the bytes are no header.
    """
    fields, at = {}, 0
    while at < len(data):
        if at + 4 > len(data):
            raise ProtocolError(f'connection header ends within a length, at byte {at}')
        (length,) = _LENGTH.unpack_from(data, at)
        text = str(data[at + 4 : at + 4 + length], 'utf-8', 'replace')
        key, equals, value = text.partition('=')
        at += 4 + length
        if not equals or at > len(data):
            raise ProtocolError(f'connection header has the field {text!r}')
        fields[key] = value
    return fields


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.limit = MAX_HEADER

    def feed(self, data: bytes | memoryview) -> Iterator[bytes]:
        """Yield every frame that is complete, without its length.

        Raises:
            ProtocolError: a frame is longer than `limit`.
        """
        self._data += data
        at = 0
        try:
            while len(self._data) - at >= 4:
                (length,) = _LENGTH.unpack_from(self._data, at)
                if length > self.limit:
                    raise ProtocolError(f'frame of {length} bytes, allowed: {self.limit}')
                if len(self._data) - at - 4 < length:
                    return
                at += 4 + length
                yield bytes(self._data[at - length : at])
        finally:
            del self._data[:at]


class Link(asyncio.BufferedProtocol):
    """One end of a connection, inside an event loop; only `send` may be called from elsewhere.

    A peer that does not keep up never holds anybody up: what the socket does not take waits in
    a queue of bounded length, whose oldest message gives way to the newest. What it does take is
    sent by whoever has it, at once: waking the loop for it would cost more than sending.

    Args:
        on_header: takes the other end's header; raises ProtocolError to refuse it.
        on_frame: takes each message.
        on_end: called once when the connection is gone, with what was wrong, if anything was.
        queue: messages that may wait for the peer.
    """

    def __init__(
        self,
        on_header: Callable[['Link', Header], None],
        on_frame: Callable[[bytes], None],
        on_end: Callable[['Link', str], None],
        queue: int = 1,
    ) -> None:
        self.on_frame = on_frame
        self.dropped = 0
        self._on_header = on_header
        self._on_end = on_end
        self._frames = Frames()
        self._arriving = memoryview(bytearray(_RECEIVE_BUFFER))
        self._greeted = False
        self._problem = ''
        self._lock = threading.Lock()  # of the three below
        self._full = False
        self._waiting: collections.deque[bytes] = collections.deque(maxlen=queue)
        self._socket: socket.socket | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare the socket: nothing is held back, a dead peer is noticed."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Without a buffer of its own the transport says at once when the socket is full.
        transport.set_write_buffer_limits(high=0)
        connection = transport.get_extra_info('socket')
        prepare(connection)
        self._socket = connection.dup()
        self._socket.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.call_later(
            HEADER_TIMEOUT, self.close, 'no connection header came'
        )

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go: without, each piece would have 256 KiB allocated."""
        return self._arriving

    def buffer_updated(self, nbytes: int) -> None:
        """Hand the frames on."""
        try:
            for each in self._frames.feed(self._arriving[:nbytes]):
                if self._greeted:
                    self.on_frame(each)
                else:
                    self._deadline.cancel()
                    self._on_header(self, decode_header(each))
                    self._greeted = True
                    self._frames.limit = MAX_FRAME
        except ProtocolError as error:
            self.close(str(error))

    def send(self, data: bytes) -> None:
        """Send bytes that were framed; never blocks. From any thread."""
        with self._lock:
            if self._full:
                self.dropped += len(self._waiting) == self._waiting.maxlen
                self._waiting.append(data)
                return
            sent = self._try(data)
            self._full = sent < len(data)
        if sent < len(data):
            # A loop that is closed has nobody left to tell.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._finish, data[sent:])

    def _try(self, data: bytes) -> int:
        """Return how many bytes the socket has taken. When it is broken, the loop will say so."""
        if self._socket is None:
            return len(data)
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def _finish(self, rest: bytes) -> None:
        """Let the transport send the rest of a message; the others wait for it."""
        self._transport.write(rest)
        if not self._transport.get_write_buffer_size():
            self.resume_writing()

    def allow_waiting(self, queue: int) -> None:
        """Set how many messages may wait for the peer."""
        with self._lock:
            self._waiting = collections.deque(self._waiting, maxlen=queue)

    def resume_writing(self) -> None:
        """Send what waited, as far as the socket takes it."""
        with self._lock:
            while self._waiting and not self._transport.get_write_buffer_size():
                self._transport.write(self._waiting.popleft())
            self._full = bool(self._transport.get_write_buffer_size())

    def refuse(self, reason: str) -> None:
        """Answer the other end's header with an error, and close."""
        self._transport.write(encode_header({'error': reason}))
        self.close(reason)

    def close(self, problem: str = '') -> None:
        """End the connection once everything is sent."""
        self._problem = self._problem or problem
        if self._full:
            self._loop.call_soon(self._transport.close)  # the rest of a message may be on its way
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Say that it is over."""
        self._deadline.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None
        self._on_end(self, self._problem or (str(error) if error else ''))


def prepare(connection: socket.socket) -> None:
    """Make a connection prompt, and let it fail when the other machine is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, DEAD_AFTER - 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * DEAD_AFTER)
