"""Whole episodes of a cell without ROS: every topic that replay needs, with known content."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from chef_trainer.episodes import Channel, EpisodeWriter
from chef_trainer.episodes.streams import ARM_JOINTS
from chef_trainer.task.readings import COLOURS

STORE = get_typestore(Stores.ROS2_JAZZY)
INTERFACES = Path(__file__).parents[2] / 'chef_interfaces' / 'msg'
for _name in ('TaskCommand', 'GripperState', 'TrackedObject', 'TrackedObjects'):
    STORE.register(
        get_types_from_msg(
            (INTERFACES / f'{_name}.msg').read_text(), f'chef_interfaces/msg/{_name}'
        )
    )

STEP_NS = 50_000_000
START_NS = 1_000_000_000
SIZE = 128
JOINTS = ('head_pan', *ARM_JOINTS, 'torso_t0')
TOPICS = {
    '/robot/joint_states': 'sensor_msgs/msg/JointState',
    '/cell/gripper/state': 'chef_interfaces/msg/GripperState',
    '/cell/wrist/wrench': 'geometry_msgs/msg/WrenchStamped',
    '/cell/objects': 'chef_interfaces/msg/TrackedObjects',
    '/cell/command': 'chef_interfaces/msg/TaskCommand',
}
SCALE = np.array([0.07, 0.07, 0.07, 1.0, 1.0])

#: Topic, fields of the message, stamp -> fields to write instead; None leaves the message out.
Change = Callable[[str, dict[str, Any], int], dict[str, Any] | None]


@dataclasses.dataclass(frozen=True)
class Script:
    """What shall be in an episode."""

    index: int = 0
    steps: int = 12
    cameras: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    types: Mapping[str, str] = dataclasses.field(default_factory=dict)  # topic -> another type
    change: Change = lambda topic, fields, stamp: fields
    compressed: Callable[[np.ndarray], bytes] | None = None  # pixels -> JPEG

    @property
    def actions(self) -> np.ndarray:
        """What the policy said, (steps, 5)."""
        rng = np.random.default_rng(self.index)
        actions = rng.uniform(-1, 1, (self.steps, 5))
        actions[:, 4] = np.sign(actions[:, 4])
        return actions


def make(kind: str, **fields: Any) -> Any:
    """Return a message."""
    return STORE.types[kind](**fields)


def header(stamp: int, frame: str = 'base') -> Any:
    """Return a header."""
    time = make('builtin_interfaces/msg/Time', sec=stamp // 10**9, nanosec=stamp % 10**9)
    return make('std_msgs/msg/Header', stamp=time, frame_id=frame)


def vector(values: np.ndarray) -> Any:
    """Return x, y, z."""
    return make('geometry_msgs/msg/Vector3', **dict(zip('xyz', map(float, values), strict=True)))


def record(directory: Path, script: Script = Script()) -> Path:
    """Write one episode below `directory`; return its file."""
    name = f'episode{script.index}'
    end = START_NS + script.steps * STEP_NS
    metadata = {
        'episode_id': name, 'index': script.index, 'namespace': '/cell', 'triplet': '3',
        'start_ns': START_NS, 'end_ns': end, 'steps': script.steps, 'clock': 'lockstep',
        'outcome': 'timeout', 'success': False, 'policy': 'tiny', **script.metadata,
    }  # fmt: skip
    writer = EpisodeWriter(directory, f'{script.index:04d}_{name}', metadata)
    known: set[str] = set()
    for topic, stamp, fields in _messages(script):
        fields = script.change(topic, dict(fields), stamp)
        if fields is None:
            continue
        kind = script.types.get(topic) or TOPICS.get(topic) or _image_kind(topic)
        if topic not in known:
            known.add(topic)
            text, _ = STORE.generate_msgdef(kind, ros_version=2)
            writer.add_channel(Channel(topic, kind, text, type_hash=STORE.hash_rihs01(kind)))
        log_time = fields.pop('log_time', stamp)
        if kind in script.types.values():
            fields = {key: fields[key] for key, _ in STORE.fielddefs[kind][1]}
        data = bytes(STORE.serialize_cdr(make(kind, **fields), kind))
        writer.write(topic, log_time, stamp, data)
    return writer.finish({})


def pixels(script: Script, step: int, camera: int) -> np.ndarray:
    """Return the image of one camera, (128, 128, 3)."""
    image = np.full((SIZE, SIZE, 3), 16 * camera + script.index, np.uint8)
    image[step % SIZE] = 200
    image[:, :, 2] = step
    return image


def joints(script: Script, tick: int) -> np.ndarray:
    """Return the position of the arm, (7,)."""
    start = np.array([0.2, -0.6, 0.1, 1.4, 0.0, 0.8, 0.5]) + 0.01 * script.index
    return start + 0.002 * tick


def force(script: Script, tick: int) -> np.ndarray:
    """Return the force at the wrist (N), (3,)."""
    return np.array([0.1 * tick, 0.0, -float(script.index)])


def poses(script: Script, step: int) -> dict[str, np.ndarray]:
    """Return the pose of each object: m, quaternion wxyz."""
    return {
        colour: np.array([0.55 + 0.05 * i, 0.02 * i, 0.06 + 0.001 * step, 0.8, 0.0, 0.6, 0.0])
        for i, colour in enumerate(COLOURS)
    }


def _messages(script: Script) -> Any:
    for tick in range(script.steps * 5 + 1):
        stamp, step = START_NS + tick * STEP_NS // 5, tick // 5
        whole = np.zeros(len(JOINTS))
        whole[1:8] = joints(script, tick)
        yield '/robot/joint_states', stamp, {
            'header': header(stamp), 'name': list(JOINTS), 'position': whole,
            'velocity': 0.1 * whole, 'effort': 2.0 * whole,
        }  # fmt: skip
        wrench = make(
            'geometry_msgs/msg/Wrench',
            force=vector(force(script, tick)),
            torque=vector(np.ones(3)),
        )
        yield '/cell/wrist/wrench', stamp, {'header': header(stamp, 'tool'), 'wrench': wrench}
        if tick % 5 == 0:
            yield from _step(script, step, stamp)


def _step(script: Script, step: int, stamp: int) -> Any:
    state = {'position': 10.0 * step, 'velocity': 0.0, 'grasp': 2 if step > 5 else 1}
    yield '/cell/gripper/state', stamp, {'header': header(stamp), **state}
    objects = [_object(name, pose, stamp) for name, pose in poses(script, step).items()]
    yield '/cell/objects', stamp, {'header': header(stamp), 'objects': objects}
    for number, camera in enumerate(script.cameras):
        yield _image(script, camera, pixels(script, step, number), stamp)
    if step < script.steps:
        command = script.actions[step] * SCALE
        yield '/cell/command', stamp, {
            'header': header(stamp), 'linear': vector(command[:3]),
            'yaw_rate': command[3], 'gripper_velocity': command[4],
        }  # fmt: skip


def _object(name: str, pose: np.ndarray, stamp: int) -> Any:
    w, x, y, z = map(float, pose[3:])
    position = dict(zip('xyz', map(float, pose[:3]), strict=True))
    whole = make(
        'geometry_msgs/msg/Pose',
        position=make('geometry_msgs/msg/Point', **position),
        orientation=make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w),
    )
    kind = 'geometry_msgs/msg/PoseWithCovariance'
    return make(
        'chef_interfaces/msg/TrackedObject',
        name=name,
        pose=make(kind, pose=whole, covariance=np.zeros(36)),
        valid=True,
        stamp=header(stamp).stamp,
    )


def _image(script: Script, camera: str, image: np.ndarray, stamp: int) -> Any:
    topic = f'/cell/camera/{camera}/image_raw'
    if script.compressed:
        data = np.frombuffer(script.compressed(image), np.uint8)
        fields = {'header': header(stamp, camera), 'format': 'rgb8; jpeg compressed rgb8'}
        return f'{topic}/compressed', stamp, {**fields, 'data': data}
    height, width = image.shape[:2]
    return topic, stamp, {
        'header': header(stamp, camera), 'height': height, 'width': width, 'encoding': 'rgb8',
        'is_bigendian': 0, 'step': width * 3, 'data': image.reshape(-1),
    }  # fmt: skip


def _image_kind(topic: str) -> str:
    return f'sensor_msgs/msg/{"CompressedImage" if topic.endswith("compressed") else "Image"}'
