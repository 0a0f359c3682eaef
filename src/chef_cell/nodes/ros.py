"""What every node shares: start and stop, settings from parameters, QoS by role, time stamps."""

import dataclasses
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import rclpy
from builtin_interfaces.msg import Time
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.timer import Timer
from std_msgs.msg import String

from chef_cell.core import settings as core_settings

Settings = TypeVar('Settings')

#: How long one wait for work may take: the bound on reacting to a signal (s).
SPIN_TIMEOUT = 0.05

# Publishers always offer reliable; a real-time subscriber of a sensor asks for best effort, so
# that a lost sample is dropped instead of delaying the next. In lockstep nothing may be lost.
STATE_QOS = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
# A reliable publisher drops what a slow subscriber has not taken once `depth` newer samples have
# followed; in lockstep, with thousands of samples a second, 10 of them are 10 ms.
COMMAND_QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
SENSOR_PUBLISHER_QOS = QoSProfile(depth=200, reliability=ReliabilityPolicy.RELIABLE)


def sensor_qos(lockstep: bool) -> QoSProfile:
    """QoS of a sensor subscription: reliable in lockstep, best effort in real time."""
    reliability = ReliabilityPolicy.RELIABLE if lockstep else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=10, reliability=reliability)


def nanoseconds(stamp: Time) -> int:
    """Return a message stamp as integer nanoseconds."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def seconds(stamp: Time) -> float:
    """Return a message stamp in seconds."""
    return nanoseconds(stamp) * 1e-9


def to_stamp(time_ns: int) -> Time:
    """Return integer nanoseconds as a message stamp."""
    return Time(sec=time_ns // 1_000_000_000, nanosec=time_ns % 1_000_000_000)


def every(node: Node, period: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` every `period` seconds of a clock that never jumps."""
    return node.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


def declare_settings(node: Node, kind: type[Settings]) -> Settings:
    """Declare one read-only parameter per field of the frozen dataclass `kind`, and fill it.

    The field's `metadata['doc']`, if any, becomes the parameter's description. Effective values
    are logged, because a safety limit nobody can see is a limit nobody can trust.

    Raises:
        SettingsError: a value is missing, of the wrong type or out of range.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        # Dynamic typing, because YAML readers give 3 where a limit of 3.0 is meant; the type is
        # checked below.
        descriptor = ParameterDescriptor(
            description=field.metadata.get('doc', ''), read_only=True, dynamic_typing=True
        )
        default = None if field.default is dataclasses.MISSING else field.default
        value = node.declare_parameter(field.name, _parameter_default(default), descriptor).value
        value = default if value is None else value
        if value is None:
            raise core_settings.SettingsError(f'parameter {field.name} is not set')
        values[field.name] = value
    settings = core_settings.from_dict(kind, values)
    node.get_logger().info(f'settings: {settings}')
    return settings


def _parameter_default(default: Any) -> Any:
    """An empty list has no ROS type: leave such a parameter unset."""
    if isinstance(default, tuple):
        return list(default) or None
    return default


class RollCall:
    """Says on the latched topic `connected` when this node and all of its `peers` are connected.

    Until then a message may be published before a subscriber is known, and is lost to it: in
    lockstep everybody would wait for ever. Publisher and subscription of `connected` are made
    last; DDS announces the endpoints of a process in the order in which they were made, so who
    knows those two of a peer knows all of its endpoints.
    """

    TOPIC = 'connected'
    _PERIOD = 0.05  # s

    def __init__(self, node: Node) -> None:
        descriptor = ParameterDescriptor(
            description='nodes that must be connected to this one', dynamic_typing=True
        )
        self._node = node
        self._peers = set(node.declare_parameter('peers', None, descriptor).value or ())
        self._publisher = node.create_publisher(String, self.TOPIC, STATE_QOS)
        node.create_subscription(String, self.TOPIC, lambda _: None, STATE_QOS)
        self._timer = every(node, self._PERIOD, self._look)

    def _look(self) -> None:
        topic = self._publisher.topic_name
        here = self._node.get_namespace()
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        known = [
            {end.node_name for end in ends if end.node_namespace == here}
            for ends in (publishers, subscriptions)
        ]
        if self._peers <= known[0] & known[1]:
            self._publisher.publish(String(data=self._node.get_name()))
            self._timer.cancel()


class CellNode(Node):
    """A node that works from its first to its last breath (safety, controller, wrist).

    Set `finished` to leave the process with `exit_code`.
    """

    finished = False
    exit_code = 0

    def stop(self) -> None:
        """Last words before the process ends: publish a stop, close files. May be called twice."""


class ManagedNode(LifecycleNode):
    """A lifecycle node whose hooks may raise: errors are logged and answered with ERROR.

    rclpy swallows exceptions raised in transition callbacks. Subclasses override the hooks
    `setup`, `start`, `pause` and `teardown`, never the `on_*` callbacks. With the parameter
    `autostart` (default true) the node configures and activates itself, so that it comes up the
    same way under `ros2 launch` and under our own runner; an operator may still deactivate it.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._autostart = self.declare_parameter(
            'autostart', True, ParameterDescriptor(description='configure and activate at start')
        ).value
        self.active = False
        self.finished = False
        self.exit_code = 0
        if self._autostart:
            self._timer = self.create_timer(0.0, self._bring_up)

    def setup(self) -> None:
        """Configure: read settings, make publishers and subscriptions."""

    def start(self) -> None:
        """Activate."""

    def pause(self) -> None:
        """Deactivate."""

    def teardown(self) -> None:
        """Release everything; must be safe to call twice."""

    def stop(self) -> None:
        """Last words before the process ends."""
        if self.active:
            self.pause()
        self.teardown()

    def _bring_up(self) -> None:
        self._timer.cancel()
        success = TransitionCallbackReturn.SUCCESS
        if self.trigger_configure() != success or self.trigger_activate() != success:
            # Started by a supervisor and unable to work: say so by the exit code.
            self.finished, self.exit_code = True, 1
        else:
            RollCall(self)

    def _attempt(self, hook: Callable[[], None], name: str) -> TransitionCallbackReturn:
        try:
            hook()
        except Exception as error:
            self.get_logger().error(f'{name} failed: {error}\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `setup`; see the class."""
        return self._attempt(self.setup, 'configure')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `start`; see the class."""
        result = self._attempt(self.start, 'activate')
        if result == TransitionCallbackReturn.SUCCESS:
            result = super().on_activate(state)
            self.active = True
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `pause`; see the class."""
        self.active = False
        result = self._attempt(self.pause, 'deactivate')
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `teardown`; see the class."""
        return self._attempt(self.teardown, 'cleanup')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `stop`; see the class."""
        return self._attempt(self.stop, 'shutdown')

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything and go back to unconfigured."""
        self.active = False
        return self._attempt(self.teardown, 'error handling')


def run(
    make_node: Callable[[], CellNode | ManagedNode],
    make_executor: Callable[[], Executor] = EventsExecutor,
) -> int:
    """Run one node in this process until SIGINT or SIGTERM; return the exit code.

    Signals are handled here, not by rclpy: with rclpy's handlers a node can no longer publish
    its stop command once the signal has arrived. Exit codes: 0 asked to stop, 1 could not start
    or failed.
    """
    stop_requested = False

    def request_stop(*_: object) -> None:
        nonlocal stop_requested
        stop_requested = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    node = None
    try:
        node = make_node()
        if isinstance(node, CellNode):
            RollCall(node)
        # The events executor waits in C++ instead of building a wait set in Python for every
        # message: less than half the processor time. Its own `spin` hangs in some releases, so
        # it is never used.
        executor = make_executor()
        executor.add_node(node)
        while not stop_requested and not node.finished:
            executor.spin_once(timeout_sec=SPIN_TIMEOUT)
        return node.exit_code
    except ExternalShutdownException:
        return 0
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        if node is not None:
            node.stop()
            node.destroy_node()
        rclpy.try_shutdown()
