"""Translations between the robot's own messages and the cell's terms."""

from chef_cell.core import intera
from chef_cell.core.limits import JointLimits
from intera_core_msgs.msg import JointCommand
from intera_core_msgs.msg import JointLimits as JointLimitsMessage


def joint_command_from_message(message: JointCommand) -> intera.JointCommand:
    """Return a joint command of any mode, not yet judged."""
    return intera.JointCommand(
        message.mode, message.names, message.position, message.velocity, message.acceleration
    )


def limits_to_message(limits: JointLimits) -> JointLimitsMessage:
    """Return the limits of the arm's joints."""
    return JointLimitsMessage(
        joint_names=list(intera.ARM_JOINTS),
        position_lower=list(limits.lower),
        position_upper=list(limits.upper),
        velocity=list(limits.velocity),
        accel=list(limits.acceleration),
        effort=list(intera.EFFORT_LIMITS),
    )
