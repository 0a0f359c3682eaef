"""The session's side of the graph: what it hears from the other nodes, and asks of them."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chef_cell.core.schedule import PlannedEpisode
from chef_cell.core.steps import StepAssembler
from chef_cell.nodes import messages, ros
from chef_cell.nodes.service_call import ServiceCall
from chef_interfaces.msg import PolicyState, RecorderState, ResetState, SafetyState
from chef_interfaces.srv import LoadPolicy, ResetScene

SECOND = 1_000_000_000  # ns
# In lockstep the cell does not wait for the session, and no sample may be lost.
_LOSSLESS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)


class Listener(Protocol):
    """Who is told about the samples."""

    def on_step(self, stamp_ns: int, samples: dict[str, Any]) -> None:
        """All samples of a control step are there: arm, gripper, objects, wrench."""

    def on_force(self, stamp_ns: int, force: float) -> None:
        """A wrench has arrived; `force` is its norm (N)."""

    def on_problem(self, words: str) -> None:
        """A sample cannot be read."""


class CellClient:
    """Gathers the samples of each control step; keeps the newest state of each node.

    Args:
        node: the session node.
        lockstep: whether samples of one instant carry one stamp.
        period_ns: control period.

    Attributes:
        listener: told about samples; in lockstep about a step only when the safety latch has
            judged it.
        policy, recorder, safety, reset: newest state of that node.
        newest_ns: stream -> newest stamp, since `start`.
        verdict_heard: when the latch spoke last (s, steady clock); in real time it does at 50 Hz.
    """

    def __init__(self, node: Node, lockstep: bool, period_ns: int) -> None:
        self._node = node
        self._lockstep = lockstep
        self.listener: Listener | None = None
        self._steps = StepAssembler(tuple(messages.READINGS), 'objects', period_ns, lockstep)
        self._complete: deque[tuple[int, dict[str, Any]]] = deque()
        self.newest_ns: dict[str, int] = {}
        self.policy = PolicyState()
        self.recorder = RecorderState()
        self.safety = SafetyState()
        self.reset = ResetState()
        self.verdict_heard = time.monotonic()
        self._load = node.create_client(LoadPolicy, 'policy/load_policy')
        self._reset = node.create_client(ResetScene, 'sim/reset_scene')
        self._zero = node.create_client(Trigger, 'wrist/zero')
        qos = _LOSSLESS if lockstep else ros.sensor_qos(lockstep)
        for name, (kind, topic, translate) in messages.READINGS.items():
            callback = partial(self._on_reading, name, translate)
            node.create_subscription(kind, topic, callback, qos)
        for kind, topic in (
            (PolicyState, 'policy'),
            (RecorderState, 'recorder'),
            (SafetyState, 'safety'),
            (ResetState, 'reset'),
        ):
            node.create_subscription(kind, topic, partial(self._on_state, topic), ros.STATE_QOS)
        self._connected: set[str] = set()
        node.create_subscription(
            String,
            ros.RollCall.TOPIC,
            lambda message: self._connected.add(message.data),
            ros.RollCall.LISTENER_QOS,
        )

    def absent(self, required: Iterable[str]) -> list[str]:
        """Return those of the `required` nodes, and of this one, that are not connected yet.

        What the others say shows that they hear this node, not that it is heard.
        """
        return [name for name in (*required, self._node.get_name()) if name not in self._connected]

    def load_policy(self, path: str) -> ServiceCall:
        """Ask for a policy; the answer is a LoadPolicy response."""
        return ServiceCall(self._load, LoadPolicy.Request(path=path))

    def reset_scene(self, planned: PlannedEpisode, episode_id: str) -> ServiceCall:
        """Ask for a new scene; the answer is a ResetScene response."""
        request = ResetScene.Request(
            episode_id=episode_id, triplet=planned.triplet, seed=planned.seed
        )
        return ServiceCall(self._reset, request)

    def next_start(self) -> int:
        """Stamp (ns) of an episode that begins after a scripted reset.

        In lockstep the next whole second, as after a new scene.
        """
        if self._lockstep:
            return (self.newest_ns['reset'] // SECOND + 1) * SECOND
        return int(self._node.get_clock().now().nanoseconds)

    def zero_wrist(self) -> ServiceCall:
        """Ask for a new zero of the wrist sensor; the answer is a Trigger response."""
        return ServiceCall(self._zero, Trigger.Request())

    def now(self) -> Time:
        """Return the time of now on the clock that samples are stamped with in real time."""
        return self._node.get_clock().now().to_msg()

    def start(self, stamp_ns: int) -> None:
        """Gather the steps of an episode whose first observation has this stamp."""
        self._steps.start(stamp_ns)
        self._complete.clear()
        self.newest_ns.clear()

    def _on_reading(self, name: str, translate: Callable[[Any], Any], message: Any) -> None:
        stamp_ns = ros.nanoseconds(message.header.stamp)
        self.newest_ns[name] = stamp_ns
        if self.listener is None:
            return
        try:
            if name == 'wrench':
                force = messages.vector(message.wrench.force)
                self.listener.on_force(stamp_ns, float(np.linalg.norm(force)))
            if not self._steps.wants(stamp_ns):
                return
            step = self._steps.put(name, stamp_ns, translate(message))
        except ValueError as error:
            self.listener.on_problem(f'{name}: {error}')
            return
        if step is not None:
            self._complete.append((stamp_ns, step))
            self._judge()

    def _on_state(self, name: str, message: Any) -> None:
        setattr(self, name, message)
        self.newest_ns[name] = ros.nanoseconds(message.header.stamp)
        if name == 'safety':
            self.verdict_heard = time.monotonic()
            self._judge()

    def _judge(self) -> None:
        """Hand over complete steps; in lockstep not before the safety latch has seen them."""
        while self._complete and self.listener is not None:
            stamp_ns, step = self._complete[0]
            if self._lockstep and self.newest_ns.get('safety', 0) < stamp_ns:
                return
            self._complete.popleft()
            self.listener.on_step(stamp_ns, step)
