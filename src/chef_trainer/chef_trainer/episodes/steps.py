"""One episode on the grid of its control steps: what a policy saw and did, and what it earned."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from chef_trainer.episodes.cameras import Camera, Images, read_cameras
from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.reader import EpisodeReader
from chef_trainer.episodes.streams import (
    RECORD_AGAIN,
    Stream,
    arm_reading,
    gripper_reading,
    object_reading,
    read_streams,
    wrench_reading,
)
from chef_trainer.spec import ActionSpec, ObservationSpec
from chef_trainer.task.act import INITIAL_ACTION, clip_action
from chef_trainer.task.kinematics import SawyerKinematics
from chef_trainer.task.observe import IMAGE_PREFIX, KINDS, ObservationError, Observer
from chef_trainer.task.rewards import REWARD_NAMES, TaskState, rewards

PERIOD_NS = 50_000_000  # of control steps
#: Longest time between two steps that follow each other.
MAX_GAP_NS = PERIOD_NS * 3 // 2
#: A reading this old is not what the policy saw: the cell's policy node stops there, too.
MAX_AGE_NS = 200_000_000
#: Every observation that is not an image, one reading each.
STATES = tuple(ObservationSpec(name, kind.shape, kind.unit) for name, kind in KINDS.items())
#: Task of an episode whose policy does not say what it was for.
TASK = 'stack_leave'

_READINGS = {
    'arm': arm_reading,
    'gripper': gripper_reading,
    'wrench': wrench_reading,
    'objects': object_reading,
}


@dataclasses.dataclass(frozen=True)
class Steps:
    """An aligned episode of T control steps: T + 1 rows, the last one without an action.

    `table` is a structured array. Row k holds, at time `stamp` (ns): every observation by name
    (float32, without history); `action` (5,), executed from this row to the next, in [-1, 1];
    `rewards` (6,) of this row's state, in the order of `REWARD_NAMES`; `force` (N), the largest
    wrist force since the row before; `intention`, index of the task that the policy was
    following; and for each camera image/<name>: offset and bytes of its pixels in the file.
    Numbers that were not recorded, or were marked invalid, are nan; a missing image has offset -1.
    """

    metadata: Mapping[str, Any]
    table: np.ndarray
    cameras: tuple[Camera, ...]

    def __len__(self) -> int:
        """Return T."""
        return len(self.table) - 1


def table_dtype(cameras: tuple[Camera, ...]) -> np.dtype[Any]:
    """Return the type of a row."""
    return np.dtype(
        [
            ('stamp', '<i8'),
            *((spec.name, '<f4', spec.shape) for spec in STATES),
            ('action', '<f4', (5,)),
            ('rewards', '<f4', (len(REWARD_NAMES),)),
            ('force', '<f4'),
            ('intention', 'i1'),
            *((IMAGE_PREFIX + camera.name, '<i8', (2,)) for camera in cameras),
        ]
    )


def align(reader: EpisodeReader) -> Steps:
    """Align an episode's topics; readings of a row are the newest at its stamp.

    In lockstep that is exactly what the policy saw. In real time a message that was still under
    way to the policy may count as seen.

    Raises:
        EpisodeFileError: topic, type or field is not as the cell records it; no joint states or
            no commands; stamps that contradict the episode's own.
    """
    streams = read_streams(reader)
    for name in ('arm', 'command'):
        if name not in streams:
            problem = 'not one message was recorded'
            raise EpisodeFileError(reader.path, name, problem, 'record its topic')
    images = read_cameras(reader)
    stamps, commands = _grid(reader, streams)
    table = np.zeros(len(stamps), table_dtype(tuple(item.camera for item in images)))
    table['stamp'] = stamps
    table['action'][:-1] = _actions(reader, streams['command'].arrays['command'][commands])
    table['intention'] = _intentions(reader, len(stamps))
    with np.errstate(over='ignore'):  # a force beyond all numbers is infinite
        table['force'] = _forces(streams.get('wrench'), stamps)
    for item in images:
        table[IMAGE_PREFIX + item.camera.name] = _places(item, stamps)
    _observe(reader.metadata, streams, table)
    return Steps(reader.metadata, table, tuple(item.camera for item in images))


def _grid(reader: EpisodeReader, streams: Mapping[str, Stream]) -> tuple[np.ndarray, np.ndarray]:
    """Return the stamps of all rows, and which commands belong to all but the last of them."""
    commands, arm = streams['command'].stamps, streams['arm'].stamps
    start = int(reader.metadata.get('start_ns') or commands[0])
    end = int(reader.metadata.get('end_ns') or arm[-1])
    chosen = np.flatnonzero((commands >= start) & (commands < end))
    if not len(chosen):
        problem = f'stamps {commands[0]} .. {commands[-1]} ns, the episode {start} .. {end} ns'
        remedy = 'synchronise the clocks of all machines (chrony) and record again'
        raise EpisodeFileError(reader.path, 'command', problem, remedy)
    # Without a sample after it, nobody knows what the last command led to.
    last = min(int(commands[chosen[-1]]) + PERIOD_NS, end, int(arm[-1]))
    chosen = chosen[commands[chosen] < last]
    repeated = np.flatnonzero(np.diff(commands[chosen]) == 0)
    if len(repeated) or not len(chosen):
        at = commands[chosen[repeated[0]]] if len(repeated) else commands[0]
        problem = f'two commands at {at} ns' if len(repeated) else 'no joint state after it'
        raise EpisodeFileError(reader.path, 'command', problem, 'let one node command only')
    return np.append(commands[chosen], last), chosen


def _actions(reader: EpisodeReader, commands: np.ndarray) -> np.ndarray:
    """Return what the policy said, (n, 5) in [-1, 1], from the commands it was scaled to."""
    action = _policy(reader).get('action') or {}
    scale = action.get('scale') or ActionSpec().scale
    try:
        actions = commands / np.asarray(scale, np.float64).reshape(5)
    except ValueError as error:
        remedy = 'export the policy again'
        raise EpisodeFileError(reader.path, 'spec.action.scale', str(scale), remedy) from error
    if reader.metadata.get('source') == 'human':
        actions[:, 4] = _meant(actions[:, 4])
    return actions


def _meant(gripper: np.ndarray) -> np.ndarray:
    """A person who lets go of the dead-man switch commands 0: the gripper stays as it was told.

    To a policy, which can only close or open, that is what was asked for last.
    """
    told = np.maximum.accumulate(np.where(gripper != 0, np.arange(len(gripper)), -1))
    return np.where(told < 0, INITIAL_ACTION[4], gripper[told])


def _policy(reader: EpisodeReader) -> dict[str, Any]:
    """Return the spec of the policy that was running, as far as it is known."""
    spec = reader.metadata.get('spec')
    return spec if isinstance(spec, dict) else {}


def _intentions(reader: EpisodeReader, count: int) -> np.ndarray:
    """Return the task in force at each row: metadata `intentions` lists [step, task] changes."""
    tasks = _policy(reader).get('tasks') or (TASK,)
    changes = reader.metadata.get('intentions') or [(0, tasks[0])]
    result = np.full(count, -1, np.int8)
    try:
        for step, task in changes:
            result[step:] = REWARD_NAMES.index(task) if task in REWARD_NAMES else -1
    except (TypeError, ValueError) as error:
        problem = f'{changes!r}, expected [step, task] pairs'
        raise EpisodeFileError(reader.path, 'intentions', problem, RECORD_AGAIN) from error
    return result


def _forces(wrench: Stream | None, stamps: np.ndarray) -> np.ndarray:
    """Return the largest force (N) in (row before, row]; in the first row, the newest."""
    result = np.full(len(stamps), np.nan)
    if wrench is None:
        return result
    force = np.linalg.norm(wrench.arrays['force'], axis=1)
    ends = wrench.newest(stamps) + 1
    begins = np.append(max(ends[0] - 1, 0), ends[:-1])
    for row, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        if end > begin:
            result[row] = force[begin:end].max()
    return result


def _places(images: Images, stamps: np.ndarray) -> np.ndarray:
    rows = np.searchsorted(images.stamps, stamps, side='right') - 1
    places = images.places[np.maximum(rows, 0)]
    missing = (rows < 0) | (stamps - images.stamps[rows] > MAX_AGE_NS)
    places[missing] = (-1, 0)
    return places


def _observe(
    metadata: Mapping[str, Any], streams: Mapping[str, Stream], table: np.ndarray
) -> None:
    """Fill in states and rewards, row by row, by the cell's own `Observer`."""
    kinematics, triplet = SawyerKinematics(), str(metadata.get('triplet', ''))
    observer = Observer(STATES, kinematics, triplet)
    single = {spec.name: Observer((spec,), kinematics, triplet) for spec in STATES}
    newest = {name: streams[name].newest(table['stamp']) for name in _READINGS & streams.keys()}
    previous = INITIAL_ACTION
    for row in range(len(table)):
        readings: dict[str, Any] = dict.fromkeys(_READINGS)
        for name, rows in newest.items():
            stream, at = streams[name], int(rows[row])
            if at >= 0 and table['stamp'][row] - stream.stamps[at] <= MAX_AGE_NS:
                readings[name] = _reading(name, stream, at)
        for name, value in _values(observer, single, readings, previous).items():
            table[name][row] = value
        table['rewards'][row] = _rewards(kinematics, readings)
        previous = _executed(table['action'][row])


def _reading(name: str, stream: Stream, at: int) -> Any:
    try:
        return _READINGS[name](stream, at)
    except ValueError:  # a grasp code that no gripper sends
        return None


def _values(
    observer: Observer,
    single: Mapping[str, Observer],
    readings: Mapping[str, Any],
    previous: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return one row's observations; those that cannot be made are nan."""
    try:
        return observer.observe(**readings, images={}, previous_action=previous)
    except ValueError:
        values: dict[str, np.ndarray] = {}
    for name, alone in single.items():
        try:
            values |= alone.observe(**readings, images={}, previous_action=previous)
        except (ObservationError, ValueError):
            values[name] = np.full(KINDS[name].shape, np.nan, np.float32)
    return values


def _rewards(kinematics: SawyerKinematics, readings: Mapping[str, Any]) -> list[float]:
    arm, gripper, objects = (readings[name] for name in ('arm', 'gripper', 'objects'))
    unknown = arm is None or gripper is None or objects is None
    if unknown or not all(np.isfinite(pose).all() for pose in objects.poses.values()):
        return [np.nan] * len(REWARD_NAMES)
    if not np.isfinite(arm.position).all() or not np.isfinite(gripper.position):
        return [np.nan] * len(REWARD_NAMES)
    tool = kinematics.tool_pose(arm.position)
    state = TaskState(
        **objects.poses, tool=tool, gripper_position=gripper.position, grasp=gripper.grasp
    )
    return list(rewards(state).values())


def _executed(action: np.ndarray) -> np.ndarray:
    return clip_action(action) if np.isfinite(action).all() else np.full(5, np.nan)
