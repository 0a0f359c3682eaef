"""Run real nodes as processes on a DDS domain of their own, and talk to them from a test.

A test asks for a `Graph`, starts nodes, and waits for conditions; it never sleeps:

    with Graph.open() as graph:
        node = graph.start('safety', parameters={'lockstep': True})
        verdicts = graph.collect(SafetyState, 'safety', STATE_QOS)
        graph.wait_for(lambda: verdicts, 'the first verdict')
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import domain_coordinator
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from std_msgs.msg import String

from chef_cell.nodes.bystander import Bystander
from chef_cell.nodes.ros import COMMAND_QOS, STATE_QOS, RollCall
from chef_cell.testing.freezing import freeze

#: How long a condition may take to come true (s): where many others want to run, a node may need
#: half a minute to start.
DEADLINE = 60.0
#: How long a process may take to end when asked to (s).
GRACE = 3.0

_FASTDDS_PROFILES = Path(__file__).parents[3] / 'config' / 'fastdds.xml'


class NodeProcess:
    """One node in a process of its own; what it printed is kept."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: dict[str, str],
        output: IO[bytes],
        stdin: int | None = None,
    ) -> None:
        self.name = name
        self._output = output
        self.process = subprocess.Popen(
            [sys.executable, '-m', f'chef_cell.nodes.{name}', *arguments],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def send_signal(self, number: int) -> None:
        """Send a signal, such as SIGSTOP or SIGKILL."""
        self.process.send_signal(number)

    def freeze(self) -> None:
        """Send SIGSTOP and return when no thread of the process runs any more."""
        freeze(self.pid)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code; raises TimeoutExpired if it does not end."""
        self.send_signal(number)
        return self.process.wait(DEADLINE)

    def output(self) -> str:
        """Everything the process printed so far."""
        self._output.seek(0)
        return self._output.read().decode(errors='replace')

    def ask_to_end(self) -> None:
        """Request an orderly end, which also removes the process's shared memory."""
        if self.alive:
            self.send_signal(signal.SIGINT)
            self.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the process whatever state it is in."""
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(DEADLINE)


class Inbox(list):
    """Messages received, oldest first; `times` are their arrivals (s, steady clock)."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def receive(self, message: Any) -> None:
        """Keep one message."""
        self.append(message)
        self.times.append(time.monotonic())

    def forget(self) -> None:
        """Empty the inbox."""
        self.clear()
        self.times.clear()


class Graph:
    """Nodes under test, and a probe node that publishes, listens and calls services."""

    def __init__(self, domain: int, namespace: str) -> None:
        self.namespace = namespace
        self.environment = {
            **os.environ,
            'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'FASTDDS_DEFAULT_PROFILES_FILE': str(_FASTDDS_PROFILES),  # Fast DDS 3 (Kilted)
            'FASTRTPS_DEFAULT_PROFILES_FILE': str(_FASTDDS_PROFILES),  # Fast DDS 2 (Jazzy)
            'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
            'PYTHONUNBUFFERED': '1',
        }
        self.processes: list[NodeProcess] = []
        self._files = contextlib.ExitStack()
        self._inboxes: list[str] = []
        self._publishers: list[Publisher] = []
        self._heard_by: Inbox | None = None
        self._peers: set[str] = set()  # nodes that have the probe in their roll call
        with _environment(self.environment):
            self._bystander = Bystander('probe', domain, namespace)
        self.probe = self._bystander.node

    @classmethod
    @contextlib.contextmanager
    def open(cls, namespace: str = '/cell') -> Iterator['Graph']:
        """A graph on a free domain; everything in it has ended when the block is left."""
        # Not a `with`: the coordinator takes every OSError of its block for a port in use.
        reservation = contextlib.ExitStack()
        domain = reservation.enter_context(
            domain_coordinator.domain_id(lambda: random.randint(10, 99))
        )
        graph = cls(domain, namespace)
        try:
            yield graph
        finally:
            graph.close()
            reservation.close()

    def start(
        self,
        name: str,
        parameters: dict[str, Any] | None = None,
        arguments: tuple[str, ...] = (),
        stdin: int | None = None,
    ) -> NodeProcess:
        """Start `chef_cell.nodes.<name>` in this graph's namespace; `stdin` is a descriptor.

        The probe is the only peer of a node for which no others are named.
        """
        if not arguments and 'peers' not in (parameters or {}):
            parameters = {'peers': '[probe]', **(parameters or {})}
            self._peers.add(name)
        command = ['--ros-args', '-r', f'__ns:={self.namespace}', *arguments]
        for key, value in (parameters or {}).items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += ['-p', f'{key}:={text}']
        output = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        process = NodeProcess(name, command, self.environment, output, stdin)
        self.processes.append(process)
        return process

    def publisher(self, kind: type, topic: str, qos: QoSProfile = COMMAND_QOS) -> Publisher:
        """A publisher of the probe node."""
        publisher = self.probe.create_publisher(kind, topic, qos)
        self._publishers.append(publisher)
        return publisher

    def collect(self, kind: type, topic: str, qos: QoSProfile = COMMAND_QOS) -> Inbox:
        """Subscribe; messages gather in the inbox returned while the test waits."""
        inbox = Inbox()
        self.probe.create_subscription(kind, topic, inbox.receive, qos)
        self._inboxes.append(topic)
        return inbox

    def every(self, period: float, callback: Callable[[], Any]) -> Any:
        """Call `callback` every `period` seconds while the test waits; returns the timer."""
        return self.probe.create_timer(period, callback)

    def connected(self) -> bool:
        """Whether the probe and the nodes hear each other; ask when the probe has its endpoints.

        That is: every publisher is heard, every inbox has a source, and every node says that it
        knows the probe.
        """
        if self._heard_by is None:
            self._heard_by = self._join_roll_call()
        said = {message.data for message in self._heard_by}
        alive = {process.name for process in self.processes if process.alive}
        return (
            alive & self._peers <= said
            and all(publisher.get_subscription_count() for publisher in self._publishers)
            and all(self.probe.count_publishers(topic) for topic in self._inboxes)
        )

    def _join_roll_call(self) -> Inbox:
        """Let the nodes know the probe; what is made after this they may know later."""
        inbox = Inbox()
        self.probe.create_publisher(String, RollCall.TOPIC, STATE_QOS)
        self.probe.create_subscription(
            String, RollCall.TOPIC, inbox.receive, RollCall.LISTENER_QOS
        )
        return inbox

    def wait_for(
        self, condition: Callable[[], Any], what: str, deadline: float = DEADLINE
    ) -> None:
        """Exchange messages until the condition holds.

        Raises:
            AssertionError: it did not within `deadline` seconds; names `what` was waited for and
                shows what the nodes printed.
        """
        end = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > end:
                printed = '\n'.join(f'--- {p.name}:\n{p.output()}' for p in self.processes)
                raise AssertionError(f'waited {deadline} s in vain for {what}\n{printed}')
            self._bystander.spin_once(0.01)

    def spin_for(self, duration: float) -> None:
        """Exchange messages for `duration` seconds (to show that something does not happen)."""
        end = time.monotonic() + duration
        while (left := end - time.monotonic()) > 0:
            self._bystander.spin_once(left)

    def call(self, kind: type, service: str, request: Any) -> Any:
        """Call a service and return its response."""
        client = self.probe.create_client(kind, service)
        self.wait_for(client.service_is_ready, f'service {service}')
        future = client.call_async(request)
        self.wait_for(future.done, f'an answer of {service}')
        self.probe.destroy_client(client)
        return future.result()

    def close(self) -> None:
        """End every process, then the probe."""
        for process in self.processes:
            process.ask_to_end()
        for process in self.processes:
            process.close()
        self._files.close()
        self._bystander.close()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a while: ROS reads them when a context or node is made."""
    saved = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
