"""The sensor streams of an episode: which topics, of which type, and the readings in them."""

import dataclasses
from collections.abc import Callable

import numpy as np

from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.reader import EpisodeReader
from chef_trainer.task.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ObjectReading,
    WrenchReading,
)

#: Stream -> topic and message type, as the cell records them.
TOPICS = {
    'arm': ('/robot/joint_states', 'sensor_msgs/msg/JointState'),
    'gripper': ('gripper/state', 'chef_interfaces/msg/GripperState'),
    'wrench': ('wrist/wrench', 'geometry_msgs/msg/WrenchStamped'),
    'objects': ('objects', 'chef_interfaces/msg/TrackedObjects'),
    'command': ('command', 'chef_interfaces/msg/TaskCommand'),
}
ARM_JOINTS = tuple(f'right_j{index}' for index in range(7))

Arrays = dict[str, np.ndarray]
RECORD_AGAIN = 'record it with this version of the cell'


@dataclasses.dataclass(frozen=True)
class Stream:
    """One stream in order of its stamps."""

    stamps: np.ndarray  # ns, (n,)
    arrays: Arrays  # field -> (n, ...)

    def newest(self, wanted: np.ndarray) -> np.ndarray:
        """Index of the newest sample not later than each wanted stamp; -1 before the first."""
        return np.searchsorted(self.stamps, wanted, side='right') - 1


def read_streams(reader: EpisodeReader) -> dict[str, Stream]:
    """Return the streams that were recorded; those without messages are left out.

    Raises:
        EpisodeFileError: a topic has another type, lacks a field, or cannot be decoded.
    """
    streams = {}
    for name, (topic, type_name) in TOPICS.items():
        found = reader.find(topic)
        if not found or not reader.topics[found[0]].count:
            continue
        if reader.topics[found[0]].type_name != type_name:
            problem = f'is of type {reader.topics[found[0]].type_name}, expected {type_name}'
            raise EpisodeFileError(reader.path, found[0], problem, RECORD_AGAIN)
        try:
            arrays = _READERS[name](reader.arrays(found[0]))
        except (KeyError, ValueError, IndexError, TypeError) as error:
            words = f'has no field {error}' if isinstance(error, KeyError) else str(error)
            raise EpisodeFileError(reader.path, found[0], words, RECORD_AGAIN) from error
        order = np.argsort(arrays['stamp'], kind='stable')
        streams[name] = Stream(
            arrays.pop('stamp')[order], {k: column[order] for k, column in arrays.items()}
        )
    return streams


def arm_reading(stream: Stream, row: int) -> ArmReading:
    """Return the joints of one sample."""
    values = (stream.arrays[name][row] for name in ('position', 'velocity', 'torque'))
    return ArmReading(stream.stamps[row] * 1e-9, *values)


def gripper_reading(stream: Stream, row: int) -> GripperReading:
    """Return the gripper of one sample; raises ValueError for an unknown grasp code."""
    position, velocity, grasp = (
        stream.arrays[name][row].item() for name in ('position', 'velocity', 'grasp')
    )
    return GripperReading(stream.stamps[row] * 1e-9, position, velocity, Grasp(grasp))


def wrench_reading(stream: Stream, row: int) -> WrenchReading:
    """Return the wrench of one sample."""
    force, torque = stream.arrays['force'][row], stream.arrays['torque'][row]
    return WrenchReading(stream.stamps[row] * 1e-9, force, torque)


def object_reading(stream: Stream, row: int) -> ObjectReading:
    """Return the object poses of one sample."""
    poses = {colour: stream.arrays[colour][row] for colour in COLOURS}
    valid = {colour: bool(stream.arrays[f'{colour}_valid'][row]) for colour in COLOURS}
    return ObjectReading(stream.stamps[row] * 1e-9, poses, valid)


def _arm(arrays: Arrays) -> Arrays:
    rows, columns = _joints(arrays['name'])

    def values(field: str) -> np.ndarray:
        column = arrays[field]
        if column.dtype == object:
            column = np.stack([column[row] for row in rows])
        else:
            column = column[rows]
        if column.shape[1] == 0:  # not every robot measures torque
            return np.full((len(rows), len(ARM_JOINTS)), np.nan)
        return column[:, columns]

    return {
        'stamp': arrays['header.stamp'][rows],
        'position': values('position'),
        'velocity': values('velocity'),
        'torque': values('effort'),
    }


def _joints(names: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return the messages that list the whole arm, and where its joints stand in them.

    Several devices may share the topic; each of them lists its own joints.
    """
    lists = [tuple(row) for row in names]
    whole = [row for row, listed in enumerate(lists) if set(ARM_JOINTS) <= set(listed)]
    if not whole or len({lists[row] for row in whole}) > 1:
        raise ValueError(f'does not list {list(ARM_JOINTS)} in one order: {lists[0]}')
    first = lists[whole[0]]
    return np.array(whole), [first.index(joint) for joint in ARM_JOINTS]


def _gripper(arrays: Arrays) -> Arrays:
    fields = {name: arrays[name] for name in ('position', 'velocity', 'grasp')}
    return {'stamp': arrays['header.stamp'], **fields}


def _wrench(arrays: Arrays) -> Arrays:
    force, torque = arrays['wrench.force'], arrays['wrench.torque']
    return {'stamp': arrays['header.stamp'], 'force': force, 'torque': torque}


def _objects(arrays: Arrays) -> Arrays:
    result = {'stamp': arrays['header.stamp']}
    rows = np.arange(len(result['stamp']))
    count = sum(field.endswith('].name') for field in arrays)
    names = np.stack([arrays[f'objects[{i}].name'] for i in range(count)], axis=1)
    position = np.stack([arrays[f'objects[{i}].pose.pose.position'] for i in range(count)], 1)
    turn = np.stack([arrays[f'objects[{i}].pose.pose.orientation'] for i in range(count)], 1)
    valid = np.stack([arrays[f'objects[{i}].valid'] for i in range(count)], axis=1)
    # Messages have quaternions as xyzw, readings as wxyz.
    poses = np.concatenate((position, turn[..., 3:], turn[..., :3]), axis=2)
    for colour in COLOURS:
        hits = names == colour
        if (hits.sum(axis=1) != 1).any():
            raise ValueError(f'does not hold {colour} once in every message')
        result[colour] = poses[rows, hits.argmax(axis=1)]
        result[f'{colour}_valid'] = valid[rows, hits.argmax(axis=1)]
    return result


def _command(arrays: Arrays) -> Arrays:
    parts = (arrays['linear'], arrays['yaw_rate'][:, None], arrays['gripper_velocity'][:, None])
    return {'stamp': arrays['header.stamp'], 'command': np.concatenate(parts, axis=1)}


_READERS: dict[str, Callable[[Arrays], Arrays]] = {
    'arm': _arm,
    'gripper': _gripper,
    'wrench': _wrench,
    'objects': _objects,
    'command': _command,
}
