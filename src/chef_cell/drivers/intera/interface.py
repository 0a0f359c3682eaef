"""The topics and services of a Sawyer that matter to a cell, each with its type and direction."""

import dataclasses
from typing import Any

_CORE = 'intera_core_msgs/'
_LIMB = '/robot/limb/right/'
_END_EFFECTOR = '/io/end_effector/'
_GRIPPER = _END_EFFECTOR + 'right_gripper/'


@dataclasses.dataclass(frozen=True)
class Topic:
    """One topic."""

    name: str
    kind: str  # package/Type
    latched: bool = False  # who connects later gets the last message
    queue: int = 1  # messages that may wait for a slow subscriber: of a state only the newest


JOINT_STATES = Topic('/robot/joint_states', 'sensor_msgs/JointState')
ROBOT_STATE = Topic('/robot/state', _CORE + 'RobotAssemblyState', latched=True)
JOINT_LIMITS = Topic('/robot/joint_limits', _CORE + 'JointLimits', latched=True)
JOINT_COMMAND = Topic(_LIMB + 'joint_command', _CORE + 'JointCommand')
COMMAND_TIMEOUT = Topic(_LIMB + 'joint_command_timeout', 'std_msgs/Float64', latched=True)
STATE_RATE = Topic('/robot/joint_state_publish_rate', 'std_msgs/UInt16')

#: What the robot says of its arm.
ARM_STATES = (
    JOINT_STATES,
    ROBOT_STATE,
    JOINT_LIMITS,
    Topic(_LIMB + 'endpoint_state', _CORE + 'EndpointState'),
    Topic(_LIMB + 'tip_states', _CORE + 'EndpointStates'),
    Topic(_LIMB + 'collision_detection_state', _CORE + 'CollisionDetectionState'),
)
#: What it says of the device at its wrist.
DEVICE_STATES = (
    Topic(_END_EFFECTOR + 'config', _CORE + 'IONodeConfiguration', latched=True),
    Topic(_END_EFFECTOR + 'state', _CORE + 'IONodeStatus', latched=True),
    Topic(_GRIPPER + 'config', _CORE + 'IODeviceConfiguration', latched=True),
    Topic(_GRIPPER + 'state', _CORE + 'IODeviceStatus', latched=True, queue=10),
)
#: What the arm obeys, beside STATE_RATE.
ARM_COMMANDS = (
    JOINT_COMMAND,
    COMMAND_TIMEOUT,
    Topic(_LIMB + 'set_speed_ratio', 'std_msgs/Float64', latched=True),
    Topic('/robot/set_super_enable', 'std_msgs/Bool', queue=10),
    Topic('/robot/set_super_stop', 'std_msgs/Empty', queue=10),
    Topic('/robot/set_super_reset', 'std_msgs/Empty', queue=10),
)
DEVICE_COMMAND = Topic(_GRIPPER + 'command', _CORE + 'IOComponentCommand', queue=10)
_KINEMATICS = '/ExternalTools/right/PositionKinematicsNode/'
#: Service -> type.
SERVICES = {
    _KINEMATICS + 'FKService': _CORE + 'SolvePositionFK',
    _KINEMATICS + 'IKService': _CORE + 'SolvePositionIK',
}
#: Parameters of a Sawyer that its clients read. The neutral pose is not the robot's own, which
#: would drive this cell's longer hand (sensor and 2F-85) into the basket: it is 0.3 m above.
PARAMETERS: dict[str, Any] = {
    '/robot_config/assembly_names': ['head', 'right', 'torso'],
    '/robot_config/right_config/joint_names': [f'right_j{index}' for index in range(7)],
    '/robot_config/head_config/joint_names': ['head_pan'],
    '/robot_config/camera_config': {},
    '/manifest/robot_class': 'sawyer',
    '/manifest/robot_software/version/HLR_VERSION_STRING': '5.3.0.0',
    '/named_poses/right/poses/neutral': [0.0, -1.26, 0.0, 1.4, 0.0, 1.43, 3.3161],
    '/named_poses/right/poses/shipping': [0.0, -1.57, 0.0, 2.79, 0.0, -2.79, 3.3161],
}
