"""The one ROS 2 node of a program, spinning in a thread of its own."""

import atexit
import threading
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.client import Client
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from chef_cell.intera_interface.waiting import NODE_ENDED, wait_for
from chef_cell.nodes.wire import COMMAND_QOS, STATE_QOS

_SPIN_TIMEOUT = 0.05  # s


class Session:
    """Makes publishers, subscriptions and service clients; callbacks run in its thread."""

    def __init__(self, name: str) -> None:
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = Node(name, context=self._context, enable_rosout=False)
        self._executor = EventsExecutor(context=self._context)
        self._executor.add_node(self.node)
        NODE_ENDED.clear()
        self._thread = threading.Thread(target=self._spin, name='intera_interface', daemon=True)
        self._thread.start()

    def subscribe(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile = COMMAND_QOS,
    ) -> None:
        """Listen to a topic."""
        self.node.create_subscription(kind, topic, callback, qos)

    def publisher(self, kind: type, topic: str, latch: bool = False) -> Publisher:
        """Return a publisher, once somebody listens or a second has passed."""
        publisher = self.node.create_publisher(kind, topic, STATE_QOS if latch else COMMAND_QOS)
        wait_for(publisher.get_subscription_count, timeout=1.0, raise_on_error=False)
        return publisher

    def client(self, kind: type, service: str, timeout: float) -> Client:
        """Return a service client; raises OSError when nobody serves within `timeout` (s)."""
        client = self.node.create_client(kind, service)
        wait_for(client.service_is_ready, timeout=timeout, timeout_msg=f'nobody serves {service}')
        return client

    @staticmethod
    def call(client: Client, request: Any, timeout: float = 5.0) -> Any:
        """Return the response to a request, or None when there is none within `timeout` (s)."""
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        return future.result() if done.wait(timeout) else None

    def close(self) -> None:
        """End the node and its thread."""
        NODE_ENDED.set()
        self._thread.join()
        self.node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        try:
            while not NODE_ENDED.is_set():
                self._executor.spin_once(timeout_sec=_SPIN_TIMEOUT)
        except ExternalShutdownException:
            return


_SESSIONS: list[Session] = []


def init_node(name: str = 'intera_program') -> Session:
    """Start this program's node. Classes of the interface do it when they are the first."""
    if not _SESSIONS:
        _SESSIONS.append(Session(name))
    return _SESSIONS[0]


# A thread that still spins when the interpreter goes would abort the process.
@atexit.register
def shutdown() -> None:
    """End this program's node; done at its end anyway."""
    while _SESSIONS:
        _SESSIONS.pop().close()
