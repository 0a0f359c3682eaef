"""Write an episode file from one array per quantity: how foreign data becomes ours."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeWriter
from chef_trainer.exchange import messages
from chef_trainer.exchange.trajectory import OBJECTS
from chef_trainer.spec import ActionSpec
from chef_trainer.task.observe import GRIPPER_COUNTS
from chef_trainer.task.readings import Grasp

NAMESPACE = '/cell'
Message = tuple[str, str, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Recording:
    """T frames of a demonstration, each with what was sensed and what was then commanded.

    `states` holds at least joint_position (T, 7); of the other observations what is known. The
    last frame's action leads nowhere that is known: T frames are T - 1 steps.
    """

    metadata: Mapping[str, Any]
    stamps: np.ndarray  # ns, (T,)
    states: Mapping[str, np.ndarray]  # observation -> (T, n)
    action: np.ndarray  # (T, 5) in [-1, 1]
    images: Mapping[str, Iterable[np.ndarray]]  # camera -> T times (height, width, 3) uint8


def write_episode(directory: Path, name: str, recording: Recording) -> Path:
    """Write one episode file below `directory`; return it.

    Raises:
        EpisodeFileError: an episode of that name is there.
        MissingLibraryError: rosbags is not installed.
    """
    stamps = recording.stamps
    metadata = {
        **recording.metadata,
        'namespace': NAMESPACE,
        'start_ns': int(stamps[0]),
        'end_ns': int(stamps[-1]),
        'steps': len(stamps) - 1,
    }
    writer = EpisodeWriter(directory, name, metadata)
    try:
        known: set[str] = set()
        cameras = {camera: iter(frames) for camera, frames in recording.images.items()}
        for row, stamp in enumerate(stamps.tolist()):
            for topic, kind, fields in _frame(recording, cameras, row, stamp):
                if topic not in known:
                    known.add(topic)
                    writer.add_channel(messages.channel(topic, kind))
                writer.write(topic, stamp, stamp, messages.serialise(kind, fields))
        return writer.finish({})
    except BaseException:
        writer.discard()
        raise


def _frame(
    recording: Recording, cameras: Mapping[str, Iterator[np.ndarray]], row: int, stamp: int
) -> Iterator[Message]:
    state = {name: values[row] for name, values in recording.states.items()}
    yield '/robot/joint_states', 'sensor_msgs/msg/JointState', messages.joint_state(stamp, state)
    if 'gripper_position' in state:
        counts = float(state['gripper_position'][0]) * GRIPPER_COUNTS
        grasp = list(Grasp)[int(np.argmax(state['grasp']))] if 'grasp' in state else Grasp.NONE
        fields = messages.gripper_state(stamp, counts, int(grasp))
        yield f'{NAMESPACE}/gripper/state', 'chef_interfaces/msg/GripperState', fields
    if 'wrench' in state:
        fields = messages.wrench(stamp, state['wrench'])
        yield f'{NAMESPACE}/wrist/wrench', 'geometry_msgs/msg/WrenchStamped', fields
    if state.keys() >= set(OBJECTS):
        poses = {name.removesuffix('_pose'): state[name] for name in OBJECTS}
        fields = messages.objects(stamp, poses)
        yield f'{NAMESPACE}/objects', 'chef_interfaces/msg/TrackedObjects', fields
    for camera, frames in cameras.items():
        fields = messages.image(stamp, camera, np.ascontiguousarray(next(frames)))
        yield f'{NAMESPACE}/camera/{camera}/image_raw', 'sensor_msgs/msg/Image', fields
    fields = messages.command(stamp, recording.action[row] * np.array(ActionSpec().scale))
    yield f'{NAMESPACE}/command', 'chef_interfaces/msg/TaskCommand', fields
