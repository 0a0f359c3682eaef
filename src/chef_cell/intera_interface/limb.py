"""The arm: its states, its motion, its kinematics."""

import collections
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sensor_msgs.msg import JointState
from std_msgs.msg import Float64

from chef_cell.drivers.intera import interface
from chef_cell.intera_interface import settings
from chef_cell.intera_interface.limb_kinematics import Angles, LimbKinematics
from chef_cell.intera_interface.robot_params import RobotParams
from chef_cell.intera_interface.session import init_node
from chef_cell.intera_interface.waiting import wait_for
from intera_core_msgs.msg import (
    CollisionDetectionState,
    EndpointState,
    EndpointStates,
    JointCommand,
)

_STATE_TIMEOUT = 5.0  # s


class Limb(LimbKinematics):
    """An arm of the robot.

    Args:
        limb: a Sawyer has `right` only.
        synchronous_pub: no effect; publishing never blocks.

    Raises:
        OSError: kinematics services or states of the robot did not come within 5 s each.
    """

    Point = collections.namedtuple('Point', ['x', 'y', 'z'])
    Quaternion = collections.namedtuple('Quaternion', ['x', 'y', 'z', 'w'])

    def __init__(self, limb: str = 'right', synchronous_pub: bool = False) -> None:
        self._session = init_node()
        self._log = self._session.node.get_logger()
        if limb not in RobotParams().get_limb_names():
            self._log.error(f'Cannot detect limb {limb} on this robot')
            return
        self.name = limb
        self._joint_names = RobotParams().get_joint_names(limb)
        self._joints: JointState | None = None
        self._by_name: dict[str, int] = {}
        self._endpoint: EndpointState | None = None
        self._tips: EndpointStates | None = None
        self._collision = False
        self._command = JointCommand()
        self._subscribe(f'/robot/limb/{limb}/')
        self._advertise(f'/robot/limb/{limb}/')
        super().__init__(self._session, limb)
        for what in ('_joints', '_endpoint', '_tips'):
            wait_for(
                lambda what=what: getattr(self, what) is not None,  # type: ignore[misc]
                timeout=_STATE_TIMEOUT,
                timeout_msg=f'{limb.capitalize()} limb init failed to get current {what[1:]}',
            )

    def _subscribe(self, space: str) -> None:
        listen = self._session.subscribe
        listen(JointState, interface.JOINT_STATES.name, self._on_joints)
        listen(EndpointState, space + 'endpoint_state', self._on_endpoint)
        listen(EndpointStates, space + 'tip_states', self._on_tips)
        listen(CollisionDetectionState, space + 'collision_detection_state', self._on_collision)

    def _advertise(self, space: str) -> None:
        publisher = self._session.publisher
        self._speed = publisher(Float64, space + 'set_speed_ratio', latch=True)
        self._timeout = publisher(Float64, space + 'joint_command_timeout', latch=True)
        self._commands = publisher(JointCommand, space + 'joint_command')

    # States.

    def joint_names(self) -> list[str]:
        """Return the names of the joints from shoulder to wrist."""
        return self._joint_names

    def joint_angle(self, joint: str) -> float:
        """Return a joint's angle (rad); KeyError for an unknown joint."""
        return self._value('position', joint)

    def joint_angles(self) -> Angles:
        """Return the angles (rad)."""
        return {name: self.joint_angle(name) for name in self._joint_names}

    def joint_ordered_angles(self) -> list[float]:
        """Return the angles (rad) from shoulder to wrist."""
        return list(self.joint_angles().values())

    def joint_velocity(self, joint: str) -> float:
        """Return a joint's velocity (rad/s); KeyError for an unknown joint."""
        return self._value('velocity', joint)

    def joint_velocities(self) -> Angles:
        """Return the velocities (rad/s)."""
        return {name: self.joint_velocity(name) for name in self._joint_names}

    def joint_effort(self, joint: str) -> float:
        """Return a joint's torque (N m); KeyError for an unknown joint."""
        return self._value('effort', joint)

    def joint_efforts(self) -> Angles:
        """Return the torques (N m)."""
        return {name: self.joint_effort(name) for name in self._joint_names}

    def endpoint_pose(self) -> dict[str, Any]:
        """Return `position` (m) and `orientation` (x, y, z, w) of the flange in base."""
        pose = self._endpoint.pose  # type: ignore[union-attr]
        return {
            'position': self._point(pose.position),
            'orientation': self.Quaternion(*(getattr(pose.orientation, key) for key in 'xyzw')),
        }

    def endpoint_velocity(self) -> dict[str, Any]:
        """Return `linear` (m/s) and `angular` (rad/s) velocity of the flange in base."""
        twist = self._endpoint.twist  # type: ignore[union-attr]
        return {'linear': self._point(twist.linear), 'angular': self._point(twist.angular)}

    def endpoint_effort(self) -> dict[str, Any]:
        """Return `force` (N) and `torque` (N m) at the flange, as the robot estimates them."""
        wrench = self._endpoint.wrench  # type: ignore[union-attr]
        return {'force': self._point(wrench.force), 'torque': self._point(wrench.torque)}

    def tip_state(self, tip_name: str) -> EndpointState | None:
        """Return the state of a tip such as right_gripper_tip; None for an unknown one."""
        tips = self._tips
        names = list(tips.names)  # type: ignore[union-attr]
        if tip_name not in names:
            return None
        return copy.deepcopy(tips.states[names.index(tip_name)])  # type: ignore[union-attr]

    def has_collided(self) -> bool:
        """Return whether the robot has noticed a collision."""
        return self._collision

    # Motion.

    def set_command_timeout(self, timeout: float) -> None:
        """Set the silence (s) after which velocity and torque mode end."""
        self._timeout.publish(Float64(data=float(timeout)))

    def set_joint_position_speed(self, speed: float = 0.3) -> None:
        """Set the share of full speed (0 .. 1) for position mode, until it is set again."""
        self._speed.publish(Float64(data=float(speed)))

    def exit_control_mode(self, timeout: float = 0.2) -> None:
        """Leave velocity or torque mode: hold the angles of now, with this timeout (s)."""
        self.set_command_timeout(timeout)
        self.set_joint_positions(self.joint_angles())

    def set_joint_positions(self, positions: Mapping[str, float]) -> None:
        """Command joint angles (rad)."""
        self._send(JointCommand.POSITION_MODE, positions, position=positions.values())

    def set_joint_velocities(self, velocities: Mapping[str, float]) -> None:
        """Command joint velocities (rad/s), to be repeated within the timeout."""
        self._send(JointCommand.VELOCITY_MODE, velocities, velocity=velocities.values())

    def set_joint_torques(self, torques: Mapping[str, float]) -> None:
        """Command joint torques (N m); a cell refuses them."""
        self._send(JointCommand.TORQUE_MODE, torques, effort=torques.values())

    def set_joint_trajectory(
        self,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        accelerations: Sequence[float],
    ) -> None:
        """Command a point of a trajectory (rad, rad/s, rad/s^2)."""
        self._send(
            JointCommand.TRAJECTORY_MODE,
            names,
            position=positions,
            velocity=velocities,
            acceleration=accelerations,
        )

    def move_to_neutral(self, timeout: float = 15.0, speed: float = 0.3) -> None:
        """Move to the neutral pose at a share of full speed; returns after `timeout` (s)."""
        pose = interface.PARAMETERS[f'/named_poses/{self.name}/poses/neutral']
        self.set_joint_position_speed(speed)
        self.move_to_joint_positions(dict(zip(self._joint_names, pose, strict=True)), timeout)

    def move_to_joint_positions(
        self,
        positions: Mapping[str, float],
        timeout: float = 15.0,
        threshold: float = settings.JOINT_ANGLE_TOLERANCE,
        test: Callable[[], object] | None = None,
    ) -> None:
        """Move until all joints named are within `threshold` (rad), `test` is true, or in vain.

        It never raises: a collision and the end of `timeout` (s) are logged, as on a Sawyer.
        """
        failed = f'{self.name.capitalize()} limb failed to reach commanded joint positions.'
        goals = {name: goal for name, goal in positions.items() if name in self._joint_names}

        def collided() -> bool:
            if self._collision:
                self._log.error(f'Collision detected. {failed}')
            return self._collision

        def arrived() -> bool:
            return all(
                abs(goal - self.joint_angle(name)) < threshold for name, goal in goals.items()
            )

        self.set_joint_positions(positions)
        wait_for(
            lambda: collided() or (callable(test) and test() is True) or arrived(),
            timeout=timeout,
            timeout_msg=failed,
            raise_on_error=False,
            body=lambda: self.set_joint_positions(positions),
        )

    def _send(self, mode: int, names: Any, **arrays: Any) -> None:
        """Publish the one message that all modes share, as programs for a Sawyer always did."""
        self._command.mode, self._command.names = mode, list(names)
        for field, values in arrays.items():
            setattr(self._command, field, [float(value) for value in values])
        self._command.header.stamp = self._session.node.get_clock().now().to_msg()
        self._commands.publish(self._command)

    def _value(self, field: str, joint: str) -> float:
        if joint not in self._joint_names:
            raise KeyError(joint)
        return float(getattr(self._joints, field)[self._by_name[joint]])

    def _point(self, message: Any) -> Any:
        return self.Point(message.x, message.y, message.z)

    def _on_joints(self, message: JointState) -> None:
        if set(self._joint_names) <= set(message.name):
            self._by_name = {name: index for index, name in enumerate(message.name)}
            self._joints = message

    def _on_endpoint(self, message: EndpointState) -> None:
        self._endpoint = message

    def _on_tips(self, message: EndpointStates) -> None:
        self._tips = message

    def _on_collision(self, message: CollisionDetectionState) -> None:
        self._collision = message.collision_state
