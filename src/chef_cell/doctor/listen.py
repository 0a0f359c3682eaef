"""Listen to a running cell from outside, without a word that it would obey."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from rclpy.parameter import parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient

from chef_cell.doctor.streams import Stream, StreamReading
from chef_cell.nodes.bystander import Bystander
from chef_cell.nodes.ros import COMMAND_QOS, STATE_QOS, sensor_qos
from chef_interfaces.msg import EpisodeState

#: How long other participants may take to be discovered (s).
_DISCOVERY = 2.0
_DURATION = 3.0  # s, of listening
_PATIENCE = 3.0  # s, for an answer about parameters


class Listener:
    """A node beside the cell.

    Attributes:
        wrenches: compensated wrenches heard while listening, 6 numbers each (N, N m).
        running: whether an episode is.
        health: newest status of each part of each node that was heard, by name.
    """

    def __init__(self, domain: int, namespace: str) -> None:
        self._bystander = Bystander('chef_doctor', domain, namespace)
        self._node = self._bystander.node
        self._node.create_subscription(EpisodeState, 'episode', self._on_episode, STATE_QOS)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, COMMAND_QOS
        )
        self.health: dict[str, DiagnosticStatus] = {}
        self.wrenches: list[np.ndarray] = []
        self.running = False
        self._spin(lambda: False, _DISCOVERY)

    def nodes(self) -> tuple[str, ...]:
        """Return the nodes in the cell's namespace."""
        return tuple(self._bystander.others())

    def lockstep(self) -> bool:
        """Return whether simulated time waits for the nodes: only then there are ticks."""
        return bool(self._node.count_publishers(self._node.resolve_topic_name('tick')))

    def cameras(self) -> list[str]:
        """Return the names of the cameras whose images are published."""
        begin, end = f'{self._node.get_namespace()}/camera/', '/image_raw'
        topics = (name for name, _ in self._node.get_topic_names_and_types())
        return [
            camera
            for name in topics
            if name.startswith(begin)
            and name.endswith(end)
            and '/' not in (camera := name.removeprefix(begin).removesuffix(end))
        ]

    def listen(self, streams: Iterable[Stream]) -> dict[str, StreamReading]:
        """Count the messages of each stream; keep the wrenches."""
        counts: Counter[str] = Counter()
        publishers = {}
        for stream in streams:
            name = self._node.resolve_topic_name(stream.topic)
            publishers[stream.topic] = self._node.count_publishers(name)
            self._count(stream.topic, stream.kind, counts)
        self._node.create_subscription(
            WrenchStamped, 'wrist/wrench', self._on_wrench, sensor_qos(lockstep=False)
        )
        self._spin(lambda: bool(counts), _DISCOVERY)
        counts.clear()
        begin = time.monotonic()
        self._spin(lambda: False, _DURATION)
        duration = time.monotonic() - begin
        return {
            topic: StreamReading(number, counts[topic], duration)
            for topic, number in publishers.items()
        }

    def parameters(self, node: str, names: list[str]) -> dict[str, Any]:
        """Return parameters of a node of the cell; empty when it does not answer."""
        full_name = f'{self._node.get_namespace()}/{node}'
        client = AsyncParameterClient(self._node, full_name)
        if not client.wait_for_services(_PATIENCE):
            return {}
        future = client.get_parameters(names)
        self._spin(future.done, _PATIENCE)
        if not future.done():
            return {}
        values = map(parameter_value_to_python, future.result().values)
        return dict(zip(names, values, strict=True))

    def close(self) -> None:
        """Leave the domain."""
        self._bystander.close()

    def _count(self, topic: str, kind: type, counts: Counter[str]) -> None:
        def on_message(_: bytes) -> None:
            counts[topic] += 1

        # As bytes: reading every image would make the doctor part of the load.
        self._node.create_subscription(kind, topic, on_message, sensor_qos(False), raw=True)

    def _on_wrench(self, message: WrenchStamped) -> None:
        force, torque = message.wrench.force, message.wrench.torque
        self.wrenches.append(np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z]))

    def _on_episode(self, message: EpisodeState) -> None:
        self.running = message.phase == EpisodeState.RUNNING

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.health |= {status.name: status for status in message.status}

    def _spin(self, done: Callable[[], bool], patience: float) -> None:
        end = time.monotonic() + patience
        while not done() and (left := end - time.monotonic()) > 0:
            self._bystander.spin_once(min(left, 0.1))
