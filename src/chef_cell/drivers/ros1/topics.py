"""The topics of a node: who is connected, and what goes over the connections.

Everything here runs inside the node's event loop, but for `Publisher.publish`.
"""

import asyncio
import dataclasses
import functools
import logging
import threading
from collections.abc import Callable
from typing import Any

from chef_cell.drivers.ros1 import xmlrpc
from chef_cell.drivers.ros1.codec import Codec, DecodeError
from chef_cell.drivers.ros1.tcpros import (
    Header,
    Link,
    ProtocolError,
    encode_header,
    frame,
)

LOG = logging.getLogger('chef_cell.ros1')
#: Pause before a publisher that went away is asked again (s), at first and at most.
_RETRY, _MAX_RETRY = 0.1, 1.0


@dataclasses.dataclass(frozen=True)
class Identity:
    """What a node says of itself."""

    name: str
    uri: str  # of its API
    host: str  # where it accepts connections
    port: int


class Publisher:
    """One topic that this node publishes.

    Args:
        topic: full name.
        kind: package/Type.
        codec: of its messages.
        latch: whether who connects later gets the last message.
        queue: messages that may wait for a slow subscriber.
        encode: makes bytes of what is published; by default the codec, of a message.
    """

    def __init__(
        self,
        topic: str,
        kind: str,
        codec: Codec,
        latch: bool,
        queue: int,
        encode: Callable[[Any], bytearray] | None = None,
    ) -> None:
        self.topic = topic
        self.kind = kind
        self._codec = codec
        self._encode = encode or functools.partial(codec.encode, kind)
        self._latch = latch
        self._queue = queue
        fields = codec.definitions[kind].fields
        self._stamped = bool(fields) and fields[0].base == 'std_msgs/Header'
        self._lock = threading.Lock()  # of the three below
        self._count = 0
        self._last: bytes | None = None
        self._links: set[Link] = set()
        self._dropped = 0

    @property
    def subscribers(self) -> int:
        """How many are connected."""
        return len(self._links)

    @property
    def dropped(self) -> int:
        """Messages that gave way because a subscriber was too slow."""
        return self._dropped + sum(link.dropped for link in tuple(self._links))

    def publish(self, message: Any) -> None:
        """Send a message to all who are connected; never blocks. From any thread."""
        if not self._links and not self._latch:
            return
        data = self._encode(message)
        with self._lock:
            if self._stamped:
                data[:4] = self._count.to_bytes(4, 'little')
            self._count = (self._count + 1) % 2**32
            framed = frame(data)
            if self._latch:
                self._last = framed
            for link in self._links:
                link.send(framed)

    def greet(self, link: Link, header: Header, identity: Identity) -> None:
        """Take a subscriber, or refuse it."""
        md5 = self._codec.definitions.md5(self.kind)
        for key, own in (('md5sum', md5), ('type', self.kind)):
            if header.get(key) not in (own, '*'):
                link.refuse(f'topic {self.topic} has {key} {own}, not {header.get(key)}')
                return
        answer = {
            'callerid': identity.name,
            'topic': self.topic,
            'type': self.kind,
            'md5sum': md5,
            'message_definition': self._codec.definitions.text(self.kind),
            'latching': '1' if self._latch else '0',
        }
        link.send(encode_header(answer))
        link.allow_waiting(self._queue)
        with self._lock:
            self._links.add(link)
            if self._last is not None:
                link.send(self._last)

    def lose(self, link: Link) -> None:
        """Forget a subscriber that is gone."""
        with self._lock:
            if link in self._links:
                self._dropped += link.dropped
                self._links.discard(link)

    def close(self) -> None:
        """Let go of all subscribers."""
        for link in tuple(self._links):
            link.close()


class Subscription:
    """One topic that this node listens to, at every publisher that the master names.

    Args:
        topic: full name.
        kind: package/Type.
        codec: of its messages.
        callback: takes each message, inside the node's event loop: it must not block.
        identity: of this node.
        decode: makes of bytes what the callback takes; by default the codec, a message.
    """

    def __init__(
        self,
        topic: str,
        kind: str,
        codec: Codec,
        callback: Callable[[Any], None],
        identity: Identity,
        decode: Callable[[bytes], Any] | None = None,
    ) -> None:
        self.topic = topic
        self.kind = kind
        self.received = 0
        self.refused = 0  # messages that were not what their publisher said
        self._codec = codec
        self._decode = decode or functools.partial(codec.decode, kind)
        self._callback = callback
        self._identity = identity
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._links: dict[str, Link] = {}

    @property
    def publishers(self) -> int:
        """How many are connected."""
        return len(self._links)

    def follow(self, uris: list[str]) -> None:
        """Listen to exactly these publishers, given by the URIs of their APIs."""
        for uri in set(self._tasks) - set(uris):
            self._tasks.pop(uri).cancel()
        for uri in uris:
            if uri not in self._tasks:
                self._tasks[uri] = asyncio.get_running_loop().create_task(self._listen(uri))

    async def _listen(self, uri: str) -> None:
        """Stay connected to a publisher as long as the master names it."""
        pause, problem = _RETRY, ''
        while True:
            try:
                before = self.received
                await self._connect(uri)
                if self.received > before:
                    pause = _RETRY
                told, problem = problem, ''
            except (*xmlrpc.CALL_ERRORS, ProtocolError) as error:
                told, problem = problem, str(error)
            if problem and problem != told:
                LOG.warning('%s at %s: %s', self.topic, uri, problem)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_RETRY)

    async def _connect(self, uri: str) -> None:
        """Connect, and return when the connection has ended; raises what kept it from working."""
        loop = asyncio.get_running_loop()
        request = (uri, 'requestTopic', self._identity.name, self.topic, [['TCPROS']])
        _, host, port = await loop.run_in_executor(None, xmlrpc.call, *request)
        ended: asyncio.Future[str] = loop.create_future()

        def on_end(_: Link, problem: str) -> None:
            self._links.pop(uri, None)
            if not ended.done():
                ended.set_result(problem)

        def on_header(link: Link, header: Header) -> None:
            self._check(header)
            self._links[uri] = link

        link = Link(on_header, self._receive, on_end)
        async with asyncio.timeout(xmlrpc.TIMEOUT):
            await loop.create_connection(lambda: link, host, port)
        link.send(encode_header(self._header()))
        try:
            if problem := await ended:
                raise ProtocolError(problem)
        finally:
            link.close()

    def _header(self) -> Header:
        definitions = self._codec.definitions
        return {
            'callerid': self._identity.name,
            'topic': self.topic,
            'type': self.kind,
            'md5sum': definitions.md5(self.kind),
            'message_definition': definitions.text(self.kind),
            'tcp_nodelay': '1',
        }

    def _check(self, header: Header) -> None:
        own = self._codec.definitions.md5(self.kind)
        if 'error' in header:
            raise ProtocolError(header['error'])
        if header.get('md5sum') not in (own, '*'):
            raise ProtocolError(f'{self.kind} has md5sum {header.get("md5sum")}, expected {own}')

    def _receive(self, data: bytes) -> None:
        try:
            message = self._decode(data)
        except DecodeError as error:
            self.refused += 1
            LOG.warning('%s: refused: %s', self.topic, error)
            return
        self.received += 1
        try:
            self._callback(message)
        except Exception:  # one message that can't be used must not end the connection
            LOG.exception('%s', self.topic)

    def close(self) -> None:
        """Listen to nobody any more."""
        self.follow([])
