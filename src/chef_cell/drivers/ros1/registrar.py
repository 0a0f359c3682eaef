"""Keep a node known to its master, whatever becomes of the master."""

import collections
import dataclasses
import logging
import threading
from collections.abc import Callable

from chef_cell.drivers.ros1 import xmlrpc

LOG = logging.getLogger('chef_cell.ros1')
#: How often the master is asked whether it still knows the node (s).
PERIOD = 1.0


@dataclasses.dataclass(frozen=True)
class Registration:
    """Something a master is to know of: topic or service `name`, by the method `register...`."""

    what: str  # Publisher, Subscriber or Service
    name: str
    details: tuple[str, ...]  # further arguments of register...
    undo: tuple[str, ...]  # further arguments of unregister...


class Registrar:
    """Brings the master's book and the node's wishes together, in a thread of its own.

    The master may be absent at first, go away, and come back having forgotten everything, as a
    robot does that is switched off and on.

    Args:
        master_uri: where the master is.
        node: name of the node.
        uri: of the node's API.
        on_publishers: takes a topic and the URIs of its publishers, from any thread, in the order
            in which they were true.
    """

    def __init__(
        self,
        master_uri: str,
        node: str,
        uri: str,
        on_publishers: Callable[[str, list[str]], None],
    ) -> None:
        self.problem = 'master not asked yet'  # empty when all is registered
        self._master = master_uri
        self._node = node
        self._uri = uri
        self._on_publishers = on_publishers
        self._wanted: list[Registration] = []
        self._known: set[Registration] = set()
        self._telling = threading.Lock()
        self._updates: collections.Counter[str] = collections.Counter()
        self._wake = threading.Event()
        self._settled = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f'registrar {node}', daemon=True)
        self._thread.start()

    def add(self, registration: Registration) -> None:
        """Wish for a registration; returns at once."""
        self._wanted.append(registration)
        self._wake.set()

    def update(self, topic: str, publishers: list[str]) -> None:
        """The master says who publishes a topic now."""
        with self._telling:
            self._updates[topic] += 1
            self._on_publishers(topic, publishers)

    def wait(self, timeout: float) -> bool:
        """Wait until everything wished for so far is registered; returns whether it is."""
        with self._settled:
            return self._settled.wait_for(lambda: set(self._wanted) <= self._known, timeout)

    def close(self) -> None:
        """Take everything back and end."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                self._settle()
                problem = ''
            except xmlrpc.CALL_ERRORS as error:
                # A master that failed in the middle may come back knowing half of it.
                self._known.clear()
                problem = f'master {self._master}: {error}'
            if problem != self.problem:
                (LOG.warning if problem else LOG.info)('%s', problem or f'master {self._master}')
            self.problem = problem
            with self._settled:
                self._settled.notify_all()
            self._wake.wait(PERIOD)
        self._leave()

    def _settle(self) -> None:
        """Register what the master does not know."""
        if self._known and not self._is_known():
            LOG.warning('master %s has forgotten %s: registering again', self._master, self._node)
            self._known.clear()
        for each in tuple(self._wanted):
            if each not in self._known and not self._closing:
                self._register(each)
                self._known.add(each)

    def _register(self, each: Registration) -> None:
        arguments = (self._node, each.name, *each.details, self._uri)
        before = self._updates[each.name]
        answer = xmlrpc.call(self._master, f'register{each.what}', *arguments)
        if each.what != 'Subscriber':
            return
        with self._telling:
            # A publisher that came meanwhile was announced already, and the answer lacks it.
            if self._updates[each.name] == before:
                self._on_publishers(each.name, answer)

    def _is_known(self) -> bool:
        try:
            uri = xmlrpc.call(self._master, 'lookupNode', self._node, self._node)
        except xmlrpc.RemoteError:
            return False
        # Another URI: a node of our name came, and the master tells us to shut down.
        return bool(uri)

    def _leave(self) -> None:
        try:
            for each in self._known:
                arguments = (self._node, each.name, *(each.undo or (self._uri,)))
                xmlrpc.call(self._master, f'unregister{each.what}', *arguments, timeout=1.0)
        except xmlrpc.CALL_ERRORS as error:
            LOG.info('master %s: %s', self._master, error)
