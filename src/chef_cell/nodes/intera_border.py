"""The robot's side of the Intera topics, for an arm that is read and driven by someone else.

Names, fields and semantics are those of a Sawyer's own software, so that a client of the robot
can't tell the difference. What to obey is decided in `core.intera`; this carries messages.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty, Float64

from chef_cell.core import intera
from chef_cell.core.limits import SAWYER
from chef_cell.core.ports import Kinematics
from chef_cell.core.readings import ArmReading
from chef_cell.nodes import intera_messages, messages, ros
from intera_core_msgs.msg import (
    EndpointState,
    EndpointStates,
    JointCommand,
    JointLimits,
    RobotAssemblyState,
)

LIMB = '/robot/limb/right/'


class InteraBorder:
    """Publishes the state of the robot and takes its commands.

    `on_joint_command` is called with each joint command: pass it to `obey` when its time has come.
    """

    def __init__(
        self,
        node: Node,
        kinematics: Kinematics,
        on_joint_command: Callable[[JointCommand], None],
        enabled: bool,
    ) -> None:
        self.robot = intera.RobotAssembly(enabled)
        self.arbiter = intera.JointCommandArbiter(SAWYER)
        self._kinematics = kinematics
        self._log = node.get_logger()

        sensor, state = ros.SENSOR_PUBLISHER_QOS, ros.STATE_QOS
        publisher = node.create_publisher
        self._joint_states = publisher(JointState, '/robot/joint_states', sensor)
        self._endpoint = publisher(EndpointState, LIMB + 'endpoint_state', sensor)
        self._tips = publisher(EndpointStates, LIMB + 'tip_states', sensor)
        self._state = publisher(RobotAssemblyState, '/robot/state', state)
        self._limits = publisher(JointLimits, '/robot/joint_limits', state)

        def listen(kind: type, topic: str, callback: Callable[[Any], None]) -> None:
            node.create_subscription(kind, topic, callback, ros.COMMAND_QOS)

        listen(JointCommand, LIMB + 'joint_command', on_joint_command)
        listen(Float64, LIMB + 'joint_command_timeout', self._on_timeout)
        listen(Float64, LIMB + 'set_speed_ratio', self._on_speed_ratio)
        listen(Bool, '/robot/set_super_enable', self._on_enable)
        listen(Empty, '/robot/set_super_stop', lambda _: self.change(self.robot.stop))
        listen(Empty, '/robot/set_super_reset', lambda _: self.change(self.robot.reset))
        self._limits.publish(intera_messages.limits_to_message(SAWYER))
        self.publish_state()

    def obey(self, message: JointCommand, now: float) -> bool:
        """Take a joint command received at `now` (s); return whether it was accepted."""
        command = intera_messages.joint_command_from_message(message)
        return self._accepted(lambda: self.arbiter.accept(command, now))

    def joint_velocity(self, now: float, position: np.ndarray) -> np.ndarray:
        """Joint velocity (rad/s, (7,)) the arm must be driven with from `now` (s) on."""
        return self.arbiter.joint_velocity(now, position, self.robot.state.enabled)

    def change(self, request: Callable[[], None]) -> None:
        """Let a request act on the robot's state, and publish the state if it changed."""
        before = self.robot.state
        request()
        if self.robot.state != before:
            self._log.info(f'robot: {self.robot.state}')
            self.publish_state()

    def publish_state(self) -> None:
        """Publish the state of the robot as a whole."""
        state = self.robot.state
        message = RobotAssemblyState(homed=True, ready=state.ready)
        message.enabled, message.stopped = state.enabled, state.stopped
        message.estop_button = int(state.estop_button)
        message.estop_source = int(state.estop_source)
        self._state.publish(message)

    def publish_joints(self, arm: ArmReading, stamp: Time) -> None:
        """Publish the joint states."""
        self._joint_states.publish(messages.arm_to_message(arm, stamp))

    def publish_endpoints(self, arm: ArmReading, stamp: Time) -> None:
        """Publish pose and twist of the flange and of the point between the finger tips.

        The wrench stays zero, as in the vendor's simulation: the wrist sensor measures it.
        """
        wrist = self._kinematics.wrist_pose(arm.position)
        tool = self._kinematics.tool_pose(arm.position)
        twist = self._kinematics.wrist_jacobian(arm.position) @ arm.velocity
        tool_twist = twist.copy()
        tool_twist[:3] += np.cross(twist[3:], tool[:3] - wrist[:3])
        tips = EndpointStates(names=['right_hand', 'right_gripper_tip'])
        tips.header.stamp = stamp
        tips.states = [_endpoint(wrist, twist, stamp), _endpoint(tool, tool_twist, stamp)]
        self._endpoint.publish(tips.states[0])
        self._tips.publish(tips)

    def _on_enable(self, message: Bool) -> None:
        self.change(lambda: self.robot.enable(message.data))

    def _on_timeout(self, message: Float64) -> None:
        self._accepted(lambda: self.arbiter.set_timeout(message.data))

    def _on_speed_ratio(self, message: Float64) -> None:
        self._accepted(lambda: self.arbiter.set_speed_ratio(message.data))

    def _accepted(self, request: Callable[[], None]) -> bool:
        try:
            request()
        except intera.CommandError as error:
            self._log.error(f'refused: {error}', throttle_duration_sec=1.0)
            return False
        return True


def _endpoint(pose: np.ndarray, twist: np.ndarray, stamp: Time) -> EndpointState:
    message = EndpointState(pose=messages.pose_message(pose), valid=True)
    message.header.stamp = stamp
    message.header.frame_id = 'base'
    message.twist = Twist(
        linear=messages.vector_message(twist[:3]), angular=messages.vector_message(twist[3:])
    )
    return message
