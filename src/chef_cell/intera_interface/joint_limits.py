"""Limits of the joints, as the robot tells them."""

from collections.abc import Sequence

from chef_cell.drivers.intera import interface
from chef_cell.intera_interface.session import init_node
from chef_cell.intera_interface.waiting import wait_for
from chef_cell.nodes.wire import STATE_QOS
from intera_core_msgs.msg import JointLimits as JointLimitsMessage

Limits = dict[str, float]


class JointLimits:
    """Limits by the name of the joint; a KeyError for one that is unknown.

    Raises:
        OSError: no robot told its limits within 5 s.
    """

    def __init__(self) -> None:
        self._limits: dict[str, Limits] = {}
        topic = interface.JOINT_LIMITS.name
        init_node().subscribe(JointLimitsMessage, topic, self._on_limits, STATE_QOS)
        wait_for(
            lambda: self._limits,
            timeout=5.0,
            timeout_msg=f'failed to get current joint_limits from {topic}',
        )

    def joint_position_lower_limits(self) -> Limits:
        """Return the lower ends of the ranges (rad)."""
        return dict(self._limits['position_lower'])

    def joint_position_upper_limits(self) -> Limits:
        """Return the upper ends of the ranges (rad)."""
        return dict(self._limits['position_upper'])

    def joint_velocity_limits(self) -> Limits:
        """Return the largest speeds (rad/s)."""
        return dict(self._limits['velocity'])

    def joint_acceleration_limits(self) -> Limits:
        """Return the largest accelerations (rad/s^2)."""
        return dict(self._limits['accel'])

    def joint_effort_limits(self) -> Limits:
        """Return the largest torques (N m)."""
        return dict(self._limits['effort'])

    def joint_lower_limit(self, joint: str) -> float:
        """Return the lower end of a joint's range (rad)."""
        return self._limits['position_lower'][joint]

    def joint_upper_limit(self, joint: str) -> float:
        """Return the upper end of a joint's range (rad)."""
        return self._limits['position_upper'][joint]

    def joint_velocity_limit(self, joint: str) -> float:
        """Return a joint's largest speed (rad/s)."""
        return self._limits['velocity'][joint]

    def joint_acceleration_limit(self, joint: str) -> float:
        """Return a joint's largest acceleration (rad/s^2)."""
        return self._limits['accel'][joint]

    def joint_effort_limit(self, joint: str) -> float:
        """Return a joint's largest torque (N m)."""
        return self._limits['effort'][joint]

    def get_joint_lower_limits(self, joint_names: Sequence[str]) -> list[float]:
        """Return the lower ends of the ranges (rad) in the order of the names."""
        return [self.joint_lower_limit(name) for name in joint_names]

    def get_joint_upper_limits(self, joint_names: Sequence[str]) -> list[float]:
        """Return the upper ends of the ranges (rad) in the order of the names."""
        return [self.joint_upper_limit(name) for name in joint_names]

    def get_joint_velocity_limits(self, joint_names: Sequence[str]) -> list[float]:
        """Return the largest speeds (rad/s) in the order of the names."""
        return [self.joint_velocity_limit(name) for name in joint_names]

    def get_joint_acceleration_limits(self, joint_names: Sequence[str]) -> list[float]:
        """Return the largest accelerations (rad/s^2) in the order of the names."""
        return [self.joint_acceleration_limit(name) for name in joint_names]

    def get_joint_effort_limits(self, joint_names: Sequence[str]) -> list[float]:
        """Return the largest torques (N m) in the order of the names."""
        return [self.joint_effort_limit(name) for name in joint_names]

    def _on_limits(self, message: JointLimitsMessage) -> None:
        self._limits = {
            field: dict(zip(message.joint_names, getattr(message, field), strict=False))
            for field in ('position_lower', 'position_upper', 'velocity', 'accel', 'effort')
        }
