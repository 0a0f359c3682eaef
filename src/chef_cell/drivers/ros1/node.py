"""A ROS 1 node: topics, services and parameters, without a ROS 1 installation.

Connections are served by one event loop in a thread of its own. Nothing a caller does waits for
the network, except to read or set parameters and to call services.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from chef_cell.drivers.ros1 import xmlrpc
from chef_cell.drivers.ros1.codec import Codec
from chef_cell.drivers.ros1.parameters import resolve
from chef_cell.drivers.ros1.registrar import Registrar, Registration
from chef_cell.drivers.ros1.services import Service, call_service
from chef_cell.drivers.ros1.tcpros import Header, Link
from chef_cell.drivers.ros1.topics import Identity, Publisher, Subscription
from chef_cell.drivers.ros1.xmlrpc import ERROR, SUCCESS, Answer

LOG = logging.getLogger('chef_cell.ros1')


class Node:
    """A node of a ROS 1 graph, from its creation until it is closed.

    Args:
        name: without namespace, unless it begins with `/`.
        master_uri: such as http://robot:11311.
        codec: of all messages.
        host: name or address under which others reach this machine; None finds out.

    Raises:
        ValueError: the master's URI is none.
        OSError: no connections can be accepted.
    """

    def __init__(self, name: str, master_uri: str, codec: Codec, host: str | None = None) -> None:
        self.name = resolve('/', name)
        self.codec = codec
        self.shut_down = ''  # why somebody ended this node, if anybody did
        self._master = master_uri
        self._publishers: dict[str, Publisher] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._services: dict[str, Service] = {}
        self._links: set[Link] = set()
        host = host or xmlrpc.own_host(master_uri)
        self._loop = asyncio.new_event_loop()
        accept = self._loop.create_server(self._greet, xmlrpc.bind_address(host), 0)
        self._server = self._loop.run_until_complete(accept)
        port = self._server.sockets[0].getsockname()[1]
        self._api = xmlrpc.Server(host, self._methods())
        self.identity = Identity(self.name, self._api.uri, host, port)
        # A node that was forgotten must not keep its process alive.
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f'ros1 {self.name}', daemon=True
        )
        self._thread.start()
        self._registrar = Registrar(master_uri, self.name, self._api.uri, self._follow)

    @property
    def problem(self) -> str:
        """Why the master does not know this node; empty when it does."""
        return self.shut_down or self._registrar.problem

    def advertise(
        self,
        topic: str,
        kind: str,
        latch: bool = False,
        queue: int = 1,
        encode: Callable[[Any], bytearray] | None = None,
    ) -> Publisher:
        """Publish a topic: `queue` messages may wait for each slow subscriber.

        What is published are messages of the codec, or whatever `encode` makes bytes of.
        """
        publisher = Publisher(topic, kind, self.codec, latch, queue, encode)
        self._publishers[topic] = publisher
        self._registrar.add(Registration('Publisher', topic, (kind,), ()))
        return publisher

    def subscribe(
        self,
        topic: str,
        kind: str,
        callback: Callable[[Any], None],
        decode: Callable[[bytes], Any] | None = None,
    ) -> Subscription:
        """Listen to a topic. `callback` runs in the node's thread and must not block.

        It takes messages of the codec, or what `decode` makes of their bytes.
        """
        subscription = Subscription(topic, kind, self.codec, callback, self.identity, decode)
        self._subscriptions[topic] = subscription
        self._registrar.add(Registration('Subscriber', topic, (kind,), ()))
        return subscription

    def serve(self, name: str, kind: str, handler: Callable[[Any], Any]) -> None:
        """Offer a service. `handler` runs in threads of its own; what it raises is the answer."""
        self._services[name] = Service(name, kind, self.codec, handler, self._loop)
        uri = f'rosrpc://{self.identity.host}:{self.identity.port}'
        self._registrar.add(Registration('Service', name, (uri,), (uri,)))

    def call(self, name: str, kind: str, request: Any, timeout: float = 5.0) -> Any:
        """Call a service and return its response; raises one of `SERVICE_ERRORS`, RemoteError."""
        uri = xmlrpc.call(self._master, 'lookupService', self.name, name)
        return call_service(uri, name, kind, request, self.codec, self.name, timeout)

    def get_param(self, name: str) -> Any:
        """Return a parameter; raises RemoteError when it is not set, OSError without a master."""
        return xmlrpc.call(self._master, 'getParam', self.name, resolve(self.name, name))

    def set_param(self, name: str, value: Any) -> None:
        """Set a parameter; raises OSError without a master."""
        xmlrpc.call(self._master, 'setParam', self.name, resolve(self.name, name), value)

    def wait_registered(self, timeout: float = 5.0) -> bool:
        """Wait until the master knows all topics and services; returns whether it does."""
        return self._registrar.wait(timeout)

    def counts(self) -> dict[str, int]:
        """Return how many peers are connected, and what was lost on the way to and from them."""
        publishers, subscriptions = self._publishers.values(), self._subscriptions.values()
        return {
            'subscribers': sum(each.subscribers for each in publishers),
            'publishers': sum(each.publishers for each in subscriptions),
            'messages dropped': sum(each.dropped for each in publishers),
            'messages refused': sum(each.refused for each in subscriptions),
        }

    def close(self) -> None:
        """Take leave of the master and of everybody. May be called twice."""
        if self._loop.is_closed():
            return
        self._registrar.close()
        self._api.close()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for subscription in self._subscriptions.values():
            subscription.close()
        for link in tuple(self._links):
            link.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets closed connections say so
        await self._loop.shutdown_default_executor()

    def _greet(self) -> Link:
        """A connection that somebody opened; its header says what it is for."""
        link = Link(self._on_header, lambda _: None, self._on_end)
        self._links.add(link)
        return link

    def _on_header(self, link: Link, header: Header) -> None:
        if service := self._services.get(header.get('service', '')):
            service.greet(link, header, self.name)
        elif publisher := self._publishers.get(header.get('topic', '')):
            publisher.greet(link, header, self.identity)
        else:
            link.refuse(f'{self.name} has neither that topic nor that service')

    def _on_end(self, link: Link, problem: str) -> None:
        self._links.discard(link)
        for publisher in self._publishers.values():
            publisher.lose(link)

    def _follow(self, topic: str, uris: list[str]) -> None:
        subscription = self._subscriptions.get(topic)
        if subscription is not None:
            self._loop.call_soon_threadsafe(subscription.follow, list(uris))

    def _methods(self) -> tuple[Callable[..., Answer], ...]:
        return (
            self.publisher_update, self.request_topic, self.param_update, self.get_pid,
            self.get_master_uri, self.get_bus_stats, self.get_bus_info, self.get_subscriptions,
            self.get_publications, self.shutdown,
        )  # fmt: skip

    # What the master and other nodes may call: the Slave API.

    def publisher_update(self, caller: str, topic: str, uris: list[str]) -> Answer:
        """Learn who publishes a topic."""
        self._registrar.update(topic, uris)
        return SUCCESS, '', 0

    def request_topic(self, caller: str, topic: str, protocols: list[list[Any]]) -> Answer:
        """Say where to connect for a topic."""
        if topic not in self._publishers:
            return ERROR, f'{self.name} does not publish {topic}', 0
        if not any(protocol[:1] == ['TCPROS'] for protocol in protocols):
            return ERROR, 'only TCPROS is spoken here', 0
        return SUCCESS, 'ready', ['TCPROS', self.identity.host, self.identity.port]

    def param_update(self, caller: str, name: str, value: Any) -> Answer:
        """Nothing: this node subscribes to no parameters."""
        return SUCCESS, '', 0

    def get_pid(self, caller: str) -> Answer:
        """Return the process id."""
        return SUCCESS, '', os.getpid()

    def get_master_uri(self, caller: str) -> Answer:
        """Return the master's URI."""
        return SUCCESS, '', self._master

    def get_bus_stats(self, caller: str) -> Answer:
        """Return no statistics: nobody has asked for them since ROS 1 was young."""
        return SUCCESS, '', [[], [], []]

    def get_bus_info(self, caller: str) -> Answer:
        """Return the topics that are connected."""
        out = [(topic, 'o') for topic, each in self._publishers.items() if each.subscribers]
        into = [(topic, 'i') for topic, each in self._subscriptions.items() if each.publishers]
        buses = enumerate(out + into)
        return SUCCESS, '', [[i, '', way, 'TCPROS', topic, True] for i, (topic, way) in buses]

    def get_subscriptions(self, caller: str) -> Answer:
        """Return topics listened to, and their types."""
        return SUCCESS, '', [[topic, each.kind] for topic, each in self._subscriptions.items()]

    def get_publications(self, caller: str) -> Answer:
        """Return topics published, and their types."""
        return SUCCESS, '', [[topic, each.kind] for topic, each in self._publishers.items()]

    def shutdown(self, caller: str, reason: str = '') -> Answer:
        """Note that somebody wants this node to end; whoever owns it decides."""
        self.shut_down = f'shut down by {caller}: {reason}'
        LOG.error('%s %s', self.name, self.shut_down)
        return SUCCESS, '', 0
