"""Services of ROS 1: a request and its response over a TCP connection."""

import asyncio
import socket
import urllib.parse
from collections.abc import Callable
from typing import Any

from chef_cell.drivers.ros1.codec import Codec, DecodeError
from chef_cell.drivers.ros1.tcpros import (
    MAX_FRAME,
    Header,
    Link,
    ProtocolError,
    decode_header,
    encode_header,
    frame,
    prepare,
)

_OK = b'\1'
_FAILED = b'\0'


class ServiceError(RuntimeError):
    """The service answered with an error; the text is its reason."""


class Service:
    """One service that this node offers.

    Args:
        name: full name.
        kind: package/Type.
        codec: of its messages.
        handler: answers a request, in a thread of its own; what it raises becomes the reason.
        loop: the node's event loop.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        codec: Codec,
        handler: Callable[[Any], Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.name = name
        self.kind = kind
        self._codec = codec
        self._handler = handler
        self._loop = loop

    def greet(self, link: Link, header: Header, node: str) -> None:
        """Take a client, or refuse it."""
        md5 = self._codec.definitions.md5(self.kind)
        if header.get('md5sum') not in (md5, '*'):
            link.refuse(f'service {self.name} has md5sum {md5}, not {header.get("md5sum")}')
            return
        answer = {
            'callerid': node,
            'md5sum': md5,
            'type': self.kind,
            'request_type': f'{self.kind}Request',
            'response_type': f'{self.kind}Response',
        }
        link.send(encode_header(answer))
        if header.get('probe') == '1':
            link.close()
            return
        persistent = header.get('persistent') == '1'
        link.on_frame = lambda data: self._receive(link, data, persistent)

    def _receive(self, link: Link, data: bytes, persistent: bool) -> None:
        future = self._loop.run_in_executor(None, self._answer, data)

        def reply(done: asyncio.Future[bytes]) -> None:
            link.send(done.result())
            if not persistent:
                link.close()

        future.add_done_callback(reply)

    def _answer(self, data: bytes) -> bytes:
        try:
            request = self._codec.decode(f'{self.kind}Request', data)
            response = self._codec.encode(f'{self.kind}Response', self._handler(request))
        except Exception as error:  # the client must hear of it, whatever it is
            return _FAILED + frame(str(error).encode())
        return _OK + frame(response)


def call_service(
    uri: str, name: str, kind: str, request: Any, codec: Codec, node: str, timeout: float
) -> Any:
    """Call a service at its rosrpc URI, and return the response. Blocks.

    Raises:
        ServiceError: the service answered with an error.
        OSError: nobody answers within `timeout` (s).
        ProtocolError, DecodeError: the answer is none.
    """
    place = urllib.parse.urlsplit(uri)
    header = {'callerid': node, 'service': name, 'md5sum': codec.definitions.md5(kind)}
    with socket.create_connection((place.hostname, place.port), timeout) as connection:
        prepare(connection)
        connection.sendall(encode_header(header))
        answer = decode_header(_read_frame(connection))
        if 'error' in answer:
            raise ServiceError(answer['error'])
        connection.sendall(frame(codec.encode(f'{kind}Request', request)))
        status = _read(connection, 1)
        data = _read_frame(connection)
    if status != _OK:
        raise ServiceError(data.decode(errors='replace'))
    return codec.decode(f'{kind}Response', data)


#: What may go wrong with `call_service`.
SERVICE_ERRORS = (OSError, ServiceError, ProtocolError, DecodeError)


def _read_frame(connection: socket.socket) -> bytes:
    length = int.from_bytes(_read(connection, 4), 'little')
    if length > MAX_FRAME:
        raise ProtocolError(f'frame of {length} bytes, allowed: {MAX_FRAME}')
    return _read(connection, length)


def _read(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError(f'connection closed after {len(data)} of {count} bytes')
        data += part
    return bytes(data)
