"""A ROS 1 master: who publishes and subscribes what, and the parameters.

A Sawyer runs one itself; ours stands in front of the simulated cell, and in tests. Master and
Parameter Server API as in the ROS wiki. What it tells other nodes (`publisherUpdate`,
`paramUpdate`, `shutdown`) goes out in a thread for each node, so that a dead node holds nobody up.
"""

import concurrent.futures
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from chef_cell.drivers.ros1 import xmlrpc
from chef_cell.drivers.ros1.parameters import ParameterMethods, ParameterTree
from chef_cell.drivers.ros1.xmlrpc import ERROR, SUCCESS, Answer

DEFAULT_PORT = 11311
#: How long a node may take to be told something (s).
_NOTIFY_TIMEOUT = 2.0


class _Registry:
    """Nodes by what they registered: key -> node name -> URI."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, str]] = {}

    def add(self, key: str, node: str, uri: str) -> None:
        self._entries.setdefault(key, {})[node] = uri

    def replace(self, key: str, node: str, uri: str) -> None:
        self._entries[key] = {node: uri}

    def remove(self, key: str, node: str, uri: str) -> int:
        """Remove a registration; returns how many that were: 0 or 1."""
        nodes = self._entries.get(key, {})
        if nodes.get(node) != uri:
            return 0
        del nodes[node]
        if not nodes:
            del self._entries[key]
        return 1

    def __contains__(self, node: str) -> bool:
        return any(node in nodes for nodes in self._entries.values())

    def forget(self, node: str) -> list[str]:
        """Remove a node from everywhere; returns the keys it was at."""
        keys = [key for key, nodes in self._entries.items() if node in nodes]
        for key in keys:
            self.remove(key, node, self._entries[key][node])
        return keys

    def uris(self, key: str) -> list[str]:
        return list(self._entries.get(key, {}).values())

    def state(self) -> list[list[Any]]:
        return [[key, list(nodes)] for key, nodes in self._entries.items()]


class Master:
    """Serves the master's API until it is closed.

    Args:
        host: name or address under which nodes reach this machine.
        port: 11311 is where everybody looks; 0 takes a free one.
    """

    def __init__(self, host: str = '127.0.0.1', port: int = DEFAULT_PORT) -> None:
        self._lock = threading.RLock()
        self._nodes: dict[str, str] = {}  # name -> URI of its API
        self._types: dict[str, str] = {}  # of topics
        self._publishers, self._subscribers = _Registry(), _Registry()
        self._services = _Registry()  # the URIs are those of the services
        self.parameters = ParameterTree()
        # One thread for each node keeps what it is told in order.
        self._messengers: dict[str, concurrent.futures.ThreadPoolExecutor] = {}
        methods: list[Callable[..., Answer]] = [
            self.register_publisher, self.unregister_publisher, self.register_subscriber,
            self.unregister_subscriber, self.register_service, self.unregister_service,
            self.lookup_node, self.lookup_service, self.get_published_topics, self.get_topic_types,
            self.get_system_state, self.get_uri, self.get_pid, self.shutdown,
            *ParameterMethods(self.parameters, self._lock, self._notify).methods(),
        ]  # fmt: skip
        self._server = xmlrpc.Server(host, methods, port)
        self.uri = self._server.uri

    def close(self) -> None:
        """Stop serving; registrations are lost."""
        self._server.close()
        for messenger in self._messengers.values():
            messenger.shutdown(cancel_futures=True)

    def register_publisher(self, caller: str, topic: str, kind: str, uri: str) -> Answer:
        """Note a publisher, and tell the topic's subscribers; returns their URIs."""
        with self._lock:
            self._meet(caller, uri)
            self._publishers.add(topic, caller, uri)
            if kind != '*' or topic not in self._types:
                self._types[topic] = kind
            self._announce(topic)
            return SUCCESS, f'{caller} publishes {topic}', self._subscribers.uris(topic)

    def unregister_publisher(self, caller: str, topic: str, uri: str) -> Answer:
        """Forget a publisher, and tell the topic's subscribers."""
        with self._lock:
            count = self._publishers.remove(topic, caller, uri)
            if count:
                self._announce(topic)
            self._part(caller)
            return SUCCESS, f'unregistered {count}', count

    def register_subscriber(self, caller: str, topic: str, kind: str, uri: str) -> Answer:
        """Note a subscriber; returns the URIs of the topic's publishers."""
        with self._lock:
            self._meet(caller, uri)
            self._subscribers.add(topic, caller, uri)
            if kind != '*':
                self._types.setdefault(topic, kind)
            return SUCCESS, f'subscribed {caller} to {topic}', self._publishers.uris(topic)

    def unregister_subscriber(self, caller: str, topic: str, uri: str) -> Answer:
        """Forget a subscriber."""
        with self._lock:
            count = self._subscribers.remove(topic, caller, uri)
            self._part(caller)
            return SUCCESS, f'unregistered {count}', count

    def register_service(self, caller: str, service: str, service_uri: str, uri: str) -> Answer:
        """Note a service; the last to register one serves it."""
        with self._lock:
            self._meet(caller, uri)
            self._services.replace(service, caller, service_uri)
            return SUCCESS, f'{caller} provides {service}', 1

    def unregister_service(self, caller: str, service: str, service_uri: str) -> Answer:
        """Forget a service."""
        with self._lock:
            count = self._services.remove(service, caller, service_uri)
            self._part(caller)
            return SUCCESS, f'unregistered {count}', count

    def lookup_node(self, caller: str, name: str) -> Answer:
        """Return the URI of a node."""
        with self._lock:
            if name in self._nodes:
                return SUCCESS, 'node api', self._nodes[name]
        return ERROR, f'unknown node [{name}]', ''

    def lookup_service(self, caller: str, service: str) -> Answer:
        """Return the URI of a service."""
        with self._lock:
            uris = self._services.uris(service)
        return (SUCCESS, 'rosrpc URI', uris[0]) if uris else (ERROR, 'no provider', '')

    def get_published_topics(self, caller: str, subgraph: str) -> Answer:
        """Return topics below `subgraph` that have a publisher, and their types."""
        with self._lock:
            topics = [topic for topic, _ in self._publishers.state()]
            below = subgraph.rstrip('/') + '/' if subgraph else ''
            found = [[topic, self._types[topic]] for topic in topics if topic.startswith(below)]
            return SUCCESS, 'current topics', found

    def get_topic_types(self, caller: str) -> Answer:
        """Return all topics and their types."""
        with self._lock:
            return SUCCESS, 'current topics', [list(item) for item in self._types.items()]

    def get_system_state(self, caller: str) -> Answer:
        """Return publishers, subscribers and services."""
        registries = (self._publishers, self._subscribers, self._services)
        with self._lock:
            return SUCCESS, 'current system state', [each.state() for each in registries]

    def get_uri(self, caller: str) -> Answer:
        """Return the master's URI."""
        return SUCCESS, '', self.uri

    def get_pid(self, caller: str) -> Answer:
        """Return the process id."""
        return SUCCESS, '', os.getpid()

    def shutdown(self, caller: str, reason: str = '') -> Answer:
        """Refuse: whoever started this master ends it."""
        return ERROR, 'this master is not shut down by its clients', 0

    def _meet(self, name: str, uri: str) -> None:
        """Note where a node is; one of the same name elsewhere is dead, or must make room."""
        old = self._nodes.get(name)
        if old == uri:
            return
        if old is not None:
            topics = self._publishers.forget(name)
            self._subscribers.forget(name)
            self._services.forget(name)
            for topic in topics:
                self._announce(topic)
            self._notify([old], 'shutdown', f'new node registered with same name [{name}]')
            self._messengers.pop(old).shutdown(wait=False)
        self._nodes[name] = uri

    def _part(self, name: str) -> None:
        """Forget a node that has nothing registered any more."""
        registries = (self._publishers, self._subscribers, self._services)
        if name not in self._nodes or any(name in each for each in registries):
            return
        if messenger := self._messengers.pop(self._nodes.pop(name), None):
            messenger.shutdown(wait=False)

    def _announce(self, topic: str) -> None:
        publishers = self._publishers.uris(topic)
        self._notify(self._subscribers.uris(topic), 'publisherUpdate', topic, publishers)

    def _notify(self, uris: Iterable[str], method: str, *arguments: Any) -> None:
        for uri in uris:
            if uri not in self._messengers:
                self._messengers[uri] = concurrent.futures.ThreadPoolExecutor(1, f'tell {uri}')
            self._messengers[uri].submit(_tell, uri, method, *arguments)


def _tell(uri: str, method: str, *arguments: Any) -> None:
    try:
        xmlrpc.call(uri, method, '/master', *arguments, timeout=_NOTIFY_TIMEOUT)
    except xmlrpc.CALL_ERRORS:
        # It died without a word, and learns the news when it registers again.
        return
