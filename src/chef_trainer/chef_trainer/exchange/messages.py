"""The cell's messages without ROS: what an imported episode file is made of."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from chef_trainer.episodes import Channel
from chef_trainer.episodes.streams import ARM_JOINTS
from chef_trainer.exchange.trajectory import MissingLibraryError

#: The definitions of chef_interfaces that an episode needs.
INTERFACES = {
    'TaskCommand': 'std_msgs/Header header\ngeometry_msgs/Vector3 linear\nfloat64 yaw_rate\n'
    'float64 gripper_velocity\n',
    'GripperState': 'uint8 NO_OBJECT=1\nuint8 GRASP_INWARD=2\nuint8 GRASP_OUTWARD=3\n'
    'std_msgs/Header header\nfloat64 position\nfloat64 velocity\nuint8 grasp\n',
    'TrackedObject': 'string name\ngeometry_msgs/PoseWithCovariance pose\nbool valid\n'
    'builtin_interfaces/Time stamp\n',
    'TrackedObjects': 'std_msgs/Header header\nTrackedObject[] objects\n',
}


@functools.cache
def typestore() -> Any:
    """Return the types of ROS 2 Jazzy and ours; raises MissingLibraryError."""
    try:
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore
    except ImportError as error:
        raise MissingLibraryError('rosbags', 'writing episode files without ROS') from error
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in INTERFACES.items():
        store.register(get_types_from_msg(text, f'chef_interfaces/msg/{name}'))
    return store


def channel(topic: str, kind: str) -> Channel:
    """Return a topic of messages of this type."""
    store = typestore()
    text, _ = store.generate_msgdef(kind, ros_version=2)
    return Channel(topic, kind, text, type_hash=store.hash_rihs01(kind))


def serialise(kind: str, fields: Mapping[str, Any]) -> bytes:
    """Return a message as CDR."""
    return bytes(typestore().serialize_cdr(_make(kind, **fields), kind))


def joint_state(stamp: int, state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return sensor_msgs/JointState of the arm; what was not measured is empty."""
    fields = {'position': 'joint_position', 'velocity': 'joint_velocity', 'effort': 'joint_torque'}
    values = {
        field: np.ascontiguousarray(state.get(name, ()), np.float64)
        for field, name in fields.items()
    }
    return {'header': _header(stamp, 'base'), 'name': list(ARM_JOINTS), **values}


def gripper_state(stamp: int, position: float, grasp: int) -> dict[str, Any]:
    """Return chef_interfaces/GripperState; `position` in counts."""
    return {
        'header': _header(stamp, 'base'), 'position': position, 'velocity': 0.0, 'grasp': grasp,
    }  # fmt: skip


def wrench(stamp: int, values: np.ndarray) -> dict[str, Any]:
    """Return geometry_msgs/WrenchStamped in the tool frame from force and torque (6,)."""
    content = _make(
        'geometry_msgs/msg/Wrench', force=_vector(values[:3]), torque=_vector(values[3:])
    )
    return {'header': _header(stamp, 'tool'), 'wrench': content}


def objects(stamp: int, poses: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return chef_interfaces/TrackedObjects from colour -> pose (7,)."""
    found = [_tracked(name, pose.tolist(), stamp) for name, pose in poses.items()]
    return {'header': _header(stamp, 'base'), 'objects': found}


def command(stamp: int, values: np.ndarray) -> dict[str, Any]:
    """Return chef_interfaces/TaskCommand from m/s, rad/s and a share of full speed (5,)."""
    return {
        'header': _header(stamp, 'base'), 'linear': _vector(values[:3]),
        'yaw_rate': float(values[3]), 'gripper_velocity': float(values[4]),
    }  # fmt: skip


def image(stamp: int, camera: str, pixels: np.ndarray) -> dict[str, Any]:
    """Return sensor_msgs/Image from pixels (height, width, 3) uint8, RGB."""
    height, width = pixels.shape[:2]
    return {
        'header': _header(stamp, f'{camera}_optical_frame'), 'height': height, 'width': width,
        'encoding': 'rgb8', 'is_bigendian': 0, 'step': 3 * width, 'data': pixels.reshape(-1),
    }  # fmt: skip


def _make(kind: str, **fields: Any) -> Any:
    return typestore().types[kind](**fields)


def _header(stamp: int, frame: str) -> Any:
    return _make('std_msgs/msg/Header', stamp=_time(stamp), frame_id=frame)


def _time(stamp: int) -> Any:
    return _make('builtin_interfaces/msg/Time', sec=stamp // 10**9, nanosec=stamp % 10**9)


def _vector(values: np.ndarray) -> Any:
    x, y, z = map(float, values)
    return _make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)


def _tracked(name: str, pose: list[float], stamp: int) -> Any:
    x, y, z, qw, qx, qy, qz = pose
    whole = _make(
        'geometry_msgs/msg/Pose',
        position=_make('geometry_msgs/msg/Point', x=x, y=y, z=z),
        orientation=_make('geometry_msgs/msg/Quaternion', x=qx, y=qy, z=qz, w=qw),
    )
    return _make(
        'chef_interfaces/msg/TrackedObject',
        name=name,
        pose=_make('geometry_msgs/msg/PoseWithCovariance', pose=whole, covariance=np.zeros(36)),
        valid=True,
        stamp=_time(stamp),
    )
