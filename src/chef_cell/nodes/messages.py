"""Exact translations between ROS messages and the cell's readings.

Every float64 crosses bit for bit, so that a policy sees the same numbers over ROS as in process.
Quaternions are x, y, z, w in messages and w, x, y, z in readings; their sign is never touched.
`*_from_message` raise ValueError on a malformed message and pass values that are not finite: what
to do about those is for the node to decide.
"""

import array
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, Vector3, WrenchStamped
from sensor_msgs.msg import Image, JointState

from chef_cell.core.actor import Actor
from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ImageReading,
    ObjectReading,
    TaskCommand,
    WrenchReading,
)
from chef_cell.core.velocity import ControlOutput
from chef_cell.nodes import ros
from chef_interfaces.msg import (
    ControllerState,
    GripperCommand,
    GripperState,
    PolicyState,
    TrackedObject,
    TrackedObjects,
)
from chef_interfaces.msg import TaskCommand as TaskCommandMessage
from intera_core_msgs.msg import JointCommand

#: What a Sawyer lists in /robot/joint_states; its head and torso do not move in this cell.
SAWYER_JOINTS = ('head_pan', *ARM_JOINTS, 'torso_t0')


def arm_from_message(message: JointState) -> ArmReading:
    """Select the seven arm joints by name; raises ValueError when one is missing."""
    indices = _arm_indices(tuple(message.name))
    count = len(message.name)
    return ArmReading(
        ros.seconds(message.header.stamp),
        _floats('position', message.position, count)[indices],
        _floats('velocity', message.velocity, count)[indices],
        _floats('effort', message.effort, count)[indices],
    )


def arm_to_message(reading: ArmReading, stamp: Time) -> JointState:
    """Return the joint states of a whole Sawyer, with head and torso at rest."""
    message = JointState(name=list(SAWYER_JOINTS))
    message.header.stamp = stamp
    message.position = _at_rest_but_arm(reading.position)
    message.velocity = _at_rest_but_arm(reading.velocity)
    message.effort = _at_rest_but_arm(reading.torque)
    return message


def velocity_to_message(velocity: np.ndarray, stamp: Time) -> JointCommand:
    """Return a velocity-mode command for the seven arm joints (rad/s, (7,))."""
    message = JointCommand(mode=JointCommand.VELOCITY_MODE, names=list(ARM_JOINTS))
    message.header.stamp = stamp
    message.velocity = float64_array(velocity)
    return message


def wrench_from_message(message: WrenchStamped) -> WrenchReading:
    """Return force (N) and torque (N m) in the frame of the message's header."""
    wrench = message.wrench
    return WrenchReading(
        ros.seconds(message.header.stamp), vector(wrench.force), vector(wrench.torque)
    )


def wrench_to_message(reading: WrenchReading, stamp: Time, frame_id: str) -> WrenchStamped:
    """Return the wrench, expressed in `frame_id`."""
    message = WrenchStamped()
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    message.wrench.force = vector_message(reading.force)
    message.wrench.torque = vector_message(reading.torque)
    return message


def gripper_from_message(message: GripperState) -> GripperReading:
    """Return the gripper's state; raises ValueError on an unknown grasp code."""
    return GripperReading(
        ros.seconds(message.header.stamp),
        message.position,
        message.velocity,
        Grasp(message.grasp),
    )


def gripper_to_message(reading: GripperReading, stamp: Time) -> GripperState:
    """Return the gripper's state."""
    message = GripperState(
        position=float(reading.position),
        velocity=float(reading.velocity),
        grasp=int(reading.grasp),
    )
    message.header.stamp = stamp
    return message


def objects_from_message(message: TrackedObjects) -> ObjectReading:
    """Return the poses by colour; raises ValueError unless each colour comes exactly once."""
    names = [item.name for item in message.objects]
    if sorted(names) != sorted(COLOURS):
        raise ValueError(f'objects {names}, expected each of {list(COLOURS)} once')
    return ObjectReading(
        ros.seconds(message.header.stamp),
        {item.name: pose(item.pose.pose) for item in message.objects},
        {item.name: item.valid for item in message.objects},
        {item.name: np.array(item.pose.covariance).reshape(6, 6) for item in message.objects},
        {item.name: ros.seconds(item.stamp) for item in message.objects},
    )


def objects_to_message(reading: ObjectReading, stamp: Time) -> TrackedObjects:
    """Return the poses in the base frame, measured at `stamp`, in the order of `COLOURS`."""
    message = TrackedObjects()
    message.header.stamp = stamp
    message.header.frame_id = 'base'
    for colour in COLOURS:
        item = TrackedObject(name=colour, valid=bool(reading.valid[colour]), stamp=stamp)
        item.pose.pose = pose_message(reading.poses[colour])
        if colour in reading.covariances:
            item.pose.covariance = reading.covariances[colour].ravel()
        if reading.stamps.get(colour, reading.stamp) != reading.stamp:
            item.stamp = ros.to_stamp(round(reading.stamps[colour] * 1e9))
        message.objects.append(item)
    return message


def image_from_message(message: Image) -> ImageReading:
    """Return a view of the pixels; raises ValueError unless the image is a whole rgb8 one."""
    height, width, step = message.height, message.width, message.step
    if message.encoding != 'rgb8':
        raise ValueError(f'image encoding {message.encoding!r}, expected rgb8')
    if step < 3 * width or len(message.data) != height * step:
        raise ValueError(
            f'image of {len(message.data)} bytes in rows of {step} is not {width}x{height} rgb8'
        )
    rows = np.frombuffer(message.data, np.uint8).reshape(height, step)
    return ImageReading(
        ros.seconds(message.header.stamp), rows[:, : 3 * width].reshape(height, width, 3)
    )


def image_to_message(reading: ImageReading, stamp: Time, frame_id: str) -> Image:
    """Return an rgb8 image; raises ValueError unless pixels are uint8 (height, width, 3)."""
    pixels = reading.pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f'pixels are {pixels.dtype} {pixels.shape}, expected uint8 (h, w, 3)')
    height, width, _ = pixels.shape
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    # Never assign the array itself: the setter would then check every byte in Python (6.6 ms for
    # 128x128 instead of 1 us).
    message.data = array.array('B', pixels.tobytes())
    return message


def task_command_from_message(message: TaskCommandMessage) -> TaskCommand:
    """Return the task-space velocity command."""
    return TaskCommand(
        ros.seconds(message.header.stamp),
        vector(message.linear),
        message.yaw_rate,
        message.gripper_velocity,
    )


def task_command_to_message(command: TaskCommand, stamp: Time) -> TaskCommandMessage:
    """Return the command as a message in the base frame."""
    message = TaskCommandMessage(
        linear=vector_message(command.linear),
        yaw_rate=float(command.yaw_rate),
        gripper_velocity=float(command.gripper),
    )
    message.header.stamp = stamp
    message.header.frame_id = 'base'
    return message


def gripper_command(command: TaskCommand | None, stamp: Time) -> GripperCommand:
    """Return the gripper's part of a task command; without a command the gripper holds."""
    message = GripperCommand(velocity=0.0 if command is None else float(command.gripper))
    message.header.stamp = stamp
    return message


def policy_state(actor: Actor, stamp: Time) -> PolicyState:
    """Return what there is to say about the policy in force and the one that waits."""
    current, pending = actor.slot.current, actor.slot.pending
    state = PolicyState(
        last_error=actor.slot.last_error, commands=actor.commands, fault=actor.fault
    )
    state.header.stamp = stamp
    if current is not None:
        state.ready = True
        state.name, state.path, state.sha256 = current.spec.name, current.path, current.sha256
    if pending is not None:
        state.pending = pending.path
    return state


def controller_state(reason: str, output: ControlOutput, stamp: Time) -> ControllerState:
    """Return what the controller did; it stopped when there is a reason."""
    message = ControllerState(stopped=bool(reason), stop_reason=reason)
    message.header.stamp = stamp
    message.joint_velocity = output.joint_velocity
    message.twist = output.twist
    message.limited_by = list(output.limited_by)
    message.manipulability = output.manipulability
    return message


def pose(message: Pose) -> np.ndarray:
    """Return position and quaternion wxyz as one array (7,)."""
    p, q = message.position, message.orientation
    return np.array([p.x, p.y, p.z, q.w, q.x, q.y, q.z])


def pose_message(values: np.ndarray) -> Pose:
    """Return a pose (7,): position and quaternion wxyz, as a message."""
    message = Pose()
    position, orientation = message.position, message.orientation
    position.x, position.y, position.z = values[:3].tolist()
    orientation.w, orientation.x, orientation.y, orientation.z = values[3:].tolist()
    return message


def vector(message: Vector3) -> np.ndarray:
    """Return x, y, z as an array (3,)."""
    return np.array([message.x, message.y, message.z])


def vector_message(values: np.ndarray) -> Vector3:
    """Return an array (3,) as a message."""
    x, y, z = values.tolist()
    return Vector3(x=x, y=y, z=z)


def float64_array(values: np.ndarray) -> array.array:
    """Return the values for a `float64[]` field, by the setter's path without per-item checks."""
    return array.array('d', np.asarray(values, np.float64).tobytes())


def _at_rest_but_arm(values: np.ndarray) -> array.array:
    whole = np.zeros(len(SAWYER_JOINTS))
    whole[1:8] = values
    return float64_array(whole)


@functools.lru_cache(maxsize=16)
def _arm_indices(names: tuple[str, ...]) -> list[int]:
    missing = [joint for joint in ARM_JOINTS if joint not in names]
    if missing:
        raise ValueError(f'joint states of {list(names)} lack {missing}')
    return [names.index(joint) for joint in ARM_JOINTS]


def _floats(field: str, values: Sequence[float], count: int) -> np.ndarray:
    if len(values) != count:
        raise ValueError(f'joint states have {len(values)} {field} values for {count} names')
    return np.array(values)


#: Reading -> message type, topic, translation: what a policy observes and a session judges.
READINGS: dict[str, tuple[type, str, Callable[[Any], Any]]] = {
    'arm': (JointState, '/robot/joint_states', arm_from_message),
    'gripper': (GripperState, 'gripper/state', gripper_from_message),
    'wrench': (WrenchStamped, 'wrist/wrench', wrench_from_message),
    'objects': (TrackedObjects, 'objects', objects_from_message),
}


def camera_readings(cameras: Iterable[str]) -> dict[str, tuple[type, str, Callable[[Any], Any]]]:
    """Return the same for cameras: image/<camera> -> message type, topic, translation."""
    return {
        f'image/{camera}': (Image, f'camera/{camera}/image_raw', image_from_message)
        for camera in cameras
    }
