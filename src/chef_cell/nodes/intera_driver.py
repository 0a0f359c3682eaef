"""Intera driver node: a real Sawyer behind the cell's own topics.

It speaks the robot's ROS 1 interface directly; no ROS 1 installation is needed on either side.
The topics are those of mujoco_bridge, so that the rest of the cell can't tell the difference. The
gripper, the wrist sensor and the cameras of a real cell have drivers of their own.
"""

import dataclasses
import os
import sys
import time

from chef_cell.core.intera import CommandError, JointCommand
from chef_cell.core.limits import JointLimits
from chef_cell.core.robot_clock import RobotClock
from chef_cell.drivers.intera import interface
from chef_cell.drivers.intera.arm import ArmSettings, SawyerArm, SilentRobotError
from chef_cell.drivers.intera.joint_bytes import JointReader
from chef_cell.drivers.ros1.node import Node
from chef_cell.nodes import intera_messages, ros, ros1_relay
from chef_cell.nodes.diagnostics import Health
from intera_core_msgs.msg import JointLimits as JointLimitsMessage


@dataclasses.dataclass(frozen=True)
class DriverSettings:
    """Where the robot is."""

    lockstep: bool = False  # must stay so: a robot does not wait
    master_uri: str = ''  # such as http://ROBOT.local:11311; empty: $ROS_MASTER_URI
    host: str = ''  # address under which the robot reaches us; empty: $ROS_IP, or found out

    def __post_init__(self) -> None:
        if self.lockstep:
            raise ValueError('lockstep: a real robot does not wait; start the cell without it')


class InteraDriver(ros.CellNode):
    """Carries the arm's states to the cell, and the cell's commands to the arm."""

    urgent = True
    hardware = 'Sawyer'

    def __init__(self) -> None:
        super().__init__('intera_driver')
        settings = ros.declare_settings(self, DriverSettings)
        uri = settings.master_uri or os.environ.get('ROS_MASTER_URI', '')
        self._robot = Node(
            f'chef_driver_{os.getpid()}', uri, ros1_relay.ros2_codec(), settings.host or None
        )
        self._relay = ros1_relay.Relay(self, self._robot)
        self._limits = self.create_publisher(
            JointLimitsMessage, interface.JOINT_LIMITS.name, ros.STATE_QOS
        )
        self._arm = SawyerArm(
            self._robot,
            ros.declare_settings(self, ArmSettings),
            self._relay.publisher(interface.JOINT_STATES),
            self._publish_limits,
        )
        self._carry_the_rest()
        # The arrays of a command: position, velocity, acceleration, effort.
        self._commands = JointReader(arrays=4, has_mode=True)
        self._relay.listen(interface.JOINT_COMMAND, ros.COMMAND_QOS, self._on_joint_command)

    def _carry_the_rest(self) -> None:
        own = (interface.JOINT_STATES, interface.JOINT_LIMITS, interface.JOINT_COMMAND)
        for topic in interface.ARM_STATES:
            if topic not in own:
                stamped = topic != interface.ROBOT_STATE
                self._relay.to_ros2(topic, self._clocked() if stamped else None)
        for topic in interface.ARM_COMMANDS:
            if topic == interface.COMMAND_TIMEOUT:
                self.create_subscription(
                    ros1_relay.ros2_class(topic.kind),
                    topic.name,
                    lambda message: self._arm.set_timeout(message.data),
                    ros.COMMAND_QOS,
                )
            elif topic not in own:
                self._relay.to_ros1(topic, ros.COMMAND_QOS)

    def _clocked(self) -> ros1_relay.Restamp:
        """Return what tells a topic's stamps by our clock."""
        clock = RobotClock()
        return lambda stamp: clock.local(stamp, time.time())

    def _on_joint_command(self, data: bytearray) -> None:
        message = self._commands.read(data)
        try:
            self._arm.command(JointCommand(message.mode, message.names, *message.arrays[:3]))
        except (CommandError, SilentRobotError) as error:
            self.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)

    def _publish_limits(self, limits: JointLimits) -> None:
        self._limits.publish(intera_messages.limits_to_message(limits))

    def diagnose(self) -> dict[str, Health]:
        """Return how the link to the robot is, and the fate of the commands."""
        guard, age = self._arm.guard, self._arm.age
        problem = self._robot.problem
        if not problem and age > 1.0:
            problem = f'no joint states for {age:.1f} s' if age < 1e9 else 'no joint states yet'
        fate = {'accepted': guard.accepted, 'refused': guard.rejected}
        refused = f'{guard.rejected} commands refused' if guard.rejected else ''
        return {
            'robot': Health(problem, self._robot.counts(), stops=True),
            'commands': Health(refused, fate),
        }

    def stop(self) -> None:
        """Leave the robot; it holds its position when the commands stay away."""
        self._relay.close()


def main() -> int:
    """Run the node."""
    return ros.run(InteraDriver)


if __name__ == '__main__':
    sys.exit(main())
