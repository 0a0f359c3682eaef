"""A ROS 1 client that shares no line with our own implementation of ROS 1.

It does call by call what rospy does under the vendor's `intera_interface`, with blocking sockets
and messages packed by hand, so that an error in our codec or transport can't hide behind itself.
"""

import socket
import struct
import threading
import xmlrpc.client
import xmlrpc.server
from collections.abc import Callable
from typing import Any

NAME = '/wire_client'
SERVICE_TIMEOUT = 10.0  # s


def text(value: str) -> bytes:
    """Pack a string."""
    return struct.pack('<I', len(value.encode())) + value.encode()


def texts(*values: str) -> bytes:
    """Pack an array of strings."""
    return struct.pack('<I', len(values)) + b''.join(text(value) for value in values)


def doubles(*values: float) -> bytes:
    """Pack an array of float64."""
    return struct.pack(f'<I{len(values)}d', len(values), *values)


def header(sec: int = 0, nanosec: int = 0, frame: str = '') -> bytes:
    """Pack a std_msgs/Header."""
    return struct.pack('<III', 0, sec, nanosec) + text(frame)


class Reader:
    """Unpacks one message, field by field."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Unpack some numbers, as `struct` lays them out."""
        values = struct.unpack_from('<' + layout, self._data, self._at)
        self._at += struct.calcsize('<' + layout)
        return values

    def text(self) -> str:
        """Unpack a string."""
        (length,) = self.take('I')
        return str(self.take(f'{length}s')[0], 'utf-8')

    def array(self, read: Callable[[], Any]) -> list[Any]:
        """Unpack an array."""
        (count,) = self.take('I')
        return [read() for _ in range(count)]

    def header(self) -> tuple[float, str]:
        """Unpack a std_msgs/Header: time (s) and frame."""
        _, sec, nanosec = self.take('III')
        return sec + 1e-9 * nanosec, self.text()

    def done(self) -> bool:
        """Whether all of the message was read."""
        return self._at == len(self._data)


class WireClient:
    """A node with one thread for each connection.

    Args:
        master_uri: of the master.
    """

    def __init__(self, master_uri: str) -> None:
        self._master = xmlrpc.client.ServerProxy(master_uri)
        self._api = xmlrpc.server.SimpleXMLRPCServer(('127.0.0.1', 0), logRequests=False)
        self._uri = f'http://127.0.0.1:{self._api.server_address[1]}/'
        self._server = socket.create_server(('127.0.0.1', 0))
        self._latest: dict[str, bytes] = {}
        self._outgoing: dict[str, list[socket.socket]] = {}
        self._sockets: list[socket.socket] = [self._server]
        self._types: dict[str, tuple[str, str]] = {}
        port = self._server.getsockname()[1]
        place = ['TCPROS', '127.0.0.1', port]
        self._api.register_function(lambda *_: (1, '', place), 'requestTopic')
        self._api.register_function(lambda *_: (1, '', 0), 'publisherUpdate')
        self._threads: list[threading.Thread] = []
        self._run(self._api.serve_forever, 0.05)
        self._run(self._accept)

    def parameter(self, name: str) -> Any:
        """Return a parameter."""
        return self._ask('getParam', name)

    def subscribe(self, topic: str, kind: str, md5: str) -> Callable[[], Reader | None]:
        """Listen to the topic's first publisher; the function returned gives the newest."""
        (publisher,) = self._ask('registerSubscriber', topic, kind, self._uri)
        with xmlrpc.client.ServerProxy(publisher) as proxy:
            answer: Any = proxy.requestTopic(NAME, topic, [['TCPROS']])
        _, host, port = answer[2]
        connection = self._connect(host, port)
        fields = {'callerid': NAME, 'topic': topic, 'type': kind, 'md5sum': md5}
        connection.sendall(_header_frame(fields))
        greeting = _read_header(connection)
        assert greeting['md5sum'] == md5, greeting
        self._run(self._listen, connection, topic)

        def newest() -> Reader | None:
            return Reader(self._latest[topic]) if topic in self._latest else None

        return newest

    def advertise(self, topic: str, kind: str, md5: str) -> None:
        """Publish a topic."""
        self._types[topic] = (kind, md5)
        self._outgoing[topic] = []
        self._ask('registerPublisher', topic, kind, self._uri)

    def connected(self, topic: str) -> bool:
        """Whether somebody listens."""
        return bool(self._outgoing[topic])

    def publish(self, topic: str, message: bytes) -> None:
        """Send a message to all who listen."""
        for connection in self._outgoing[topic]:
            connection.sendall(struct.pack('<I', len(message)) + message)

    def call(self, service: str, md5: str, request: bytes) -> Reader:
        """Ask whether a service is there, as rospy does, then call it; raises RuntimeError."""
        uri = self._ask('lookupService', service)
        host, _, port = uri.removeprefix('rosrpc://').rpartition(':')
        fields = {'callerid': NAME, 'service': service, 'md5sum': '*', 'probe': '1'}
        with self._connect(host, int(port)) as probe:
            probe.sendall(_header_frame(fields))
        with self._connect(host, int(port)) as connection:
            connection.settimeout(SERVICE_TIMEOUT)
            fields = {'callerid': NAME, 'service': service, 'md5sum': md5}
            connection.sendall(_header_frame(fields))
            answer = _read_header(connection)
            assert answer.get('md5sum') == md5, answer
            connection.sendall(struct.pack('<I', len(request)) + request)
            status, data = _read(connection, 1), _read_frame(connection)
        if status != b'\1':
            raise RuntimeError(data.decode())
        return Reader(data)

    def close(self) -> None:
        """End every thread and connection."""
        self._api.shutdown()
        self._api.server_close()
        for each in self._sockets:
            # Wakes the thread that waits for it.
            _quietly(each.shutdown, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _ask(self, method: str, *arguments: Any) -> Any:
        status, reason, value = getattr(self._master, method)(NAME, *arguments)
        assert status == 1, f'{method}: {reason}'
        return value

    def _run(self, target: Callable[..., Any], *arguments: Any) -> None:
        thread = threading.Thread(target=_quietly, args=(target, *arguments))
        thread.start()
        self._threads.append(thread)

    def _connect(self, host: str, port: int) -> socket.socket:
        connection = socket.create_connection((host, port))
        self._sockets.append(connection)
        return connection

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            self._sockets.append(connection)
            topic = _read_header(connection)['topic']
            kind, md5 = self._types[topic]
            fields = {'callerid': NAME, 'topic': topic, 'type': kind, 'md5sum': md5}
            connection.sendall(_header_frame(fields))
            self._outgoing[topic].append(connection)

    def _listen(self, connection: socket.socket, topic: str) -> None:
        while True:
            self._latest[topic] = _read_frame(connection)


def _header_frame(fields: dict[str, str]) -> bytes:
    data = b''.join(text(f'{key}={value}') for key, value in fields.items())
    return struct.pack('<I', len(data)) + data


def _read_header(connection: socket.socket) -> dict[str, str]:
    reader = Reader(_read_frame(connection))
    fields = {}
    while not reader.done():
        key, _, value = reader.text().partition('=')
        fields[key] = value
    return fields


def _read_frame(connection: socket.socket) -> bytes:
    return _read(connection, *struct.unpack('<I', _read(connection, 4)))


def _read(connection: socket.socket, count: int) -> bytes:
    data = b''
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError('the other end closed')
        data += part
    return data


def _quietly(work: Callable[..., Any], *arguments: Any) -> None:
    """Do something whose connection may be gone."""
    try:
        work(*arguments)
    except OSError:
        return
