"""The Python interface that programs for a Sawyer are written against, on ROS 2.

Names, arguments, units and errors are those of the vendor's package of the same name, so that a
program is ported by its imports:

    from chef_cell import intera_interface

    intera_interface.init_node('my_program')
    limb = intera_interface.Limb('right')
    limb.move_to_neutral()

What differs: messages are ROS 2 messages (`low_voltage` for `lowVoltage`), and there is no
parameter server, so the robot's constants come with this package. Of the vendor's classes the
ones for arm and hand are here; head, display, cuff, navigator, lights and cameras are not.
"""

from chef_cell.intera_interface.gripper import Gripper, get_current_gripper_interface
from chef_cell.intera_interface.joint_limits import JointLimits
from chef_cell.intera_interface.limb import Limb
from chef_cell.intera_interface.robot_enable import RobotEnable
from chef_cell.intera_interface.robot_params import RobotParams
from chef_cell.intera_interface.session import init_node, shutdown
from chef_cell.intera_interface.settings import (
    CHECK_VERSION,
    HEAD_PAN_ANGLE_TOLERANCE,
    JOINT_ANGLE_TOLERANCE,
    SDK_VERSION,
    VERSIONS_SDK2ROBOT,
)
from chef_cell.intera_interface.waiting import wait_for

__all__ = [
    'CHECK_VERSION',
    'HEAD_PAN_ANGLE_TOLERANCE',
    'JOINT_ANGLE_TOLERANCE',
    'SDK_VERSION',
    'VERSIONS_SDK2ROBOT',
    'Gripper',
    'JointLimits',
    'Limb',
    'RobotEnable',
    'RobotParams',
    'get_current_gripper_interface',
    'init_node',
    'shutdown',
    'wait_for',
]
