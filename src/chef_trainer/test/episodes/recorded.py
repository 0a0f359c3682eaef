"""Real ROS 2 messages without ROS: rosbags brings the types and an independent serialiser."""

import numpy as np
from rosbags.typesys import Stores, get_typestore

from chef_trainer.episodes import Channel, EpisodeWriter

STORE = get_typestore(Stores.ROS2_JAZZY)

QOS = (
    {
        'history': 'keep_last',
        'depth': 10,
        'reliability': 'reliable',
        'durability': 'volatile',
        'deadline': {'sec': 9223372036, 'nsec': 854775807},
        'lifespan': {'sec': 9223372036, 'nsec': 854775807},
        'liveliness': 'automatic',
        'liveliness_lease_duration': {'sec': 9223372036, 'nsec': 854775807},
        'avoid_ros_namespace_conventions': False,
    },
)

WRENCH = '/cell/wrist/wrench'
CAMERA = '/cell/camera/basket_front_left/image_raw'
JOINTS = '/robot/joint_states'
TYPES = {
    WRENCH: 'geometry_msgs/msg/WrenchStamped',
    CAMERA: 'sensor_msgs/msg/Image',
    JOINTS: 'sensor_msgs/msg/JointState',
}


def message(type_name: str, **fields: object) -> object:
    return STORE.types[type_name](**fields)


def header(stamp_ns: int, frame: str = 'tool') -> object:
    stamp = message(
        'builtin_interfaces/msg/Time',
        sec=stamp_ns // 1_000_000_000,
        nanosec=stamp_ns % 1_000_000_000,
    )
    return message('std_msgs/msg/Header', stamp=stamp, frame_id=frame)


def vector(values: np.ndarray) -> object:
    return message(
        'geometry_msgs/msg/Vector3', **dict(zip('xyz', map(float, values), strict=True))
    )


def wrench(stamp_ns: int, values: np.ndarray, frame: str = 'tool') -> bytes:
    content = message(
        'geometry_msgs/msg/Wrench', force=vector(values[:3]), torque=vector(values[3:])
    )
    return serialise(TYPES[WRENCH], header=header(stamp_ns, frame), wrench=content)


def image(stamp_ns: int, pixels: np.ndarray, encoding: str = 'rgb8') -> bytes:
    height, width = pixels.shape[:2]
    return serialise(
        TYPES[CAMERA],
        header=header(stamp_ns, 'camera'),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=pixels[0].size,
        data=np.ascontiguousarray(pixels).reshape(-1),
    )


def joints(stamp_ns: int, names: list[str], position: np.ndarray) -> bytes:
    empty = np.empty(0)
    return serialise(
        TYPES[JOINTS],
        header=header(stamp_ns, ''),
        name=names,
        position=position,
        velocity=-position,
        effort=empty,
    )


def serialise(type_name: str, **fields: object) -> bytes:
    return bytes(STORE.serialize_cdr(message(type_name, **fields), type_name))


def channel(topic: str) -> Channel:
    type_name = TYPES[topic]
    text, _ = STORE.generate_msgdef(type_name, ros_version=2)
    return Channel(topic, type_name, text, QOS, STORE.hash_rihs01(type_name))


def fill(writer: EpisodeWriter, steps: int, size: int = 16) -> None:
    """Write `steps` control steps of 50 ms: 5 wrenches, one joint state and one image each."""
    for topic in TYPES:
        writer.add_channel(channel(topic))
    for step in range(steps):
        now = step * 50_000_000
        for tick in range(5):
            stamp = now + tick * 10_000_000
            writer.write(WRENCH, stamp, stamp, wrench(stamp, np.arange(6) + step))
        writer.write(JOINTS, now, now, joints(now, ['a', 'bc'], np.full(2, float(step))))
        pixels = np.full((size, size, 3), step % 256, np.uint8)
        writer.write(CAMERA, now, now, image(now, pixels))
