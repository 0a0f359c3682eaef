"""A node's health on /diagnostics, once a second, in the standard messages (REP 107).

Every node says without being asked: for each topic it hears, the rate, the ages and the samples
left out; its parameters in force. What else there is to say of it comes from `diagnose`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.subscription import Subscription

from chef_cell.core.timing import StreamStatistics, StreamSummary
from chef_cell.nodes.wire import COMMAND_QOS, every, seconds

PERIOD = 1.0  # s


@dataclasses.dataclass(frozen=True)
class Health:
    """How one part of a node is."""

    problem: str = ''  # empty when all is well
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)
    stops: bool = False  # whether the problem stops the cell: an error, not a warning

    @classmethod
    def of(cls, state: Any, problem: str, stops: bool = False) -> 'Health':
        """Return it with the plain fields of a state message as values."""
        values = {name: getattr(state, name) for name in state.get_fields_and_field_types()}
        plain = {k: v for k, v in values.items() if isinstance(v, str | bool | int | float)}
        return cls(problem, plain, stops)

    @property
    def level(self) -> bytes:
        """Severity, as DiagnosticStatus has it."""
        if not self.problem:
            return DiagnosticStatus.OK
        return DiagnosticStatus.ERROR if self.stops else DiagnosticStatus.WARN


class MonitoredNode(Node):
    """A node that keeps account of what it hears.

    Attributes:
        streams: topic -> what it is like; of messages with a header.
        hardware: the device behind the node, if there is one.
        images: whether images pass through it, which takes shared memory.
        urgent: whether the arm's stop waits for it, which takes real-time priority.
    """

    hardware = ''
    images = False
    urgent = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.streams: dict[str, StreamStatistics] = {}
        super().__init__(*arguments, **options)

    def diagnose(self) -> Mapping[str, Health]:
        """Return how each part of the node is."""
        return {}

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., None],
        qos_profile: Any,
        **options: Any,
    ) -> Subscription:
        """Subscribe, and count what is received."""
        if not options.get('raw') and 'header' in msg_type.get_fields_and_field_types():
            callback = self._counted(topic, callback)
        return super().create_subscription(msg_type, topic, callback, qos_profile, **options)

    def _counted(self, topic: str, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        statistics = self.streams.setdefault(topic, StreamStatistics())

        def receive(message: Any) -> None:
            now = self.get_clock().now().nanoseconds * 1e-9
            statistics.add(seconds(message.header.stamp), now)
            callback(message)

        return receive


class Diagnostics:
    """Publishes the health of a node."""

    def __init__(self, node: MonitoredNode) -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', COMMAND_QOS)
        every(node, PERIOD, self.publish)

    def publish(self) -> None:
        """Publish the state of now."""
        node, settings = self._node, _in_force(self._node)
        # In lockstep samples are stamped with simulated time, and have no age.
        lockstep = settings.get('lockstep') is True
        parts = {
            **node.diagnose(),
            **{
                topic: _stream(statistics.take(PERIOD), lockstep)
                for topic, statistics in node.streams.items()
            },
            'settings': Health(values=settings),
        }
        array = DiagnosticArray(
            status=[
                DiagnosticStatus(
                    name=f'{node.get_name()}: {part}',
                    hardware_id=node.hardware,
                    level=health.level,
                    message=health.problem or 'OK',
                    values=[
                        KeyValue(key=key, value=str(value)) for key, value in health.values.items()
                    ],
                )
                for part, health in parts.items()
            ]
        )
        array.header.stamp = node.get_clock().now().to_msg()
        self._publisher.publish(array)


def _stream(summary: StreamSummary, lockstep: bool) -> Health:
    values: dict[str, object] = {'rate (Hz)': summary.rate, 'dropped': summary.dropped}
    if not lockstep:
        for share in ('p50', 'p99', 'max'):
            values[f'age {share} (ms)'] = round(1e3 * getattr(summary, share), 3)
    new = summary.dropped_now
    return Health(f'{new} samples left out' if new else '', values)


def _in_force(node: Node) -> dict[str, object]:
    parameters = node.get_parameters_by_prefix('')
    return {name: parameters[name].value for name in sorted(parameters)}
