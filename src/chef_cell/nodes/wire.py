"""QoS by role, stamps, and timers on a clock that never jumps."""

from collections.abc import Callable

from builtin_interfaces.msg import Time
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.timer import Timer

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
# Of who commands the arm: when he is dead, others learn it two seconds later (`commanders`).
COMMANDER_QOS = QoSProfile(
    depth=100,
    reliability=ReliabilityPolicy.RELIABLE,
    liveliness=LivelinessPolicy.AUTOMATIC,
    liveliness_lease_duration=Duration(seconds=2),
)
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
