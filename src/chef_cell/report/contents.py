"""What the report shows of one episode file, as plain arrays."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.readings import COLOURS, Grasp
from chef_cell.core.rewards import REWARD_NAMES, TaskState, rewards
from chef_cell.sim.kinematics import ArmKinematics
from chef_trainer.episodes import EpisodeFileError, EpisodeReader, Frames

_SECOND = 1e9


@dataclasses.dataclass(frozen=True)
class Series:
    """Samples over time; empty when the topic was not recorded."""

    time: np.ndarray  # s since the start of the episode, (n,)
    values: np.ndarray  # (n,) or (n, k)

    def __bool__(self) -> bool:
        """Whether there is anything to draw."""
        return len(self.time) > 0


@dataclasses.dataclass(frozen=True)
class Camera:
    """Frames of one camera."""

    name: str
    time: np.ndarray  # s since the start of the episode, (n,)
    frames: Frames

    def at(self, time: float) -> np.ndarray:
        """The newest frame at `time`, (height, width, 3) uint8."""
        index = int(np.searchsorted(self.time, time, side='right')) - 1
        return self.frames[max(index, 0)]


@dataclasses.dataclass(frozen=True)
class Contents:
    """One episode, ready to be drawn."""

    metadata: dict[str, Any]
    force: Series  # N, (n,): norm of the wrist force
    velocity: Series  # commanded x, y, z in m/s and yaw in rad/s, (n, 4)
    gripper: Series  # commanded closing speed, -1 .. 1, (n,)
    rewards: Series  # the six sub-task rewards, (n, 6)
    period: np.ndarray  # ms of wall time, (n,): periods of the controller's joint loop
    cameras: tuple[Camera, ...]

    @property
    def duration(self) -> float:
        """Length of the episode (s)."""
        times = [s.time[-1] for s in (self.force, self.velocity, self.rewards) if s]
        return float(max([*times, *(camera.time[-1] for camera in self.cameras)], default=0.0))


def read(path: Path) -> Contents:
    """Read an episode file; raises EpisodeFileError when it is damaged."""
    episode = EpisodeReader(path)
    episode.verify()
    start = int(episode.metadata.get('start_ns') or 0)
    force = _series(episode, 'wrist/wrench', start, ('wrench.force',))
    return Contents(
        metadata=episode.metadata,
        force=Series(force.time, np.linalg.norm(force.values, axis=1)),
        velocity=_series(episode, 'command', start, ('linear', 'yaw_rate')),
        gripper=_series(episode, 'command', start, ('gripper_velocity',)),
        rewards=_rewards(episode, start),
        period=control_periods(episode),
        cameras=tuple(_cameras(episode, start)),
    )


def control_periods(episode: EpisodeReader) -> np.ndarray:
    """Return the periods of the controller's joint loop, (n,) in ms of wall time."""
    if not episode.find('controller/state'):
        return np.empty(0)
    periods = episode.arrays('controller/state').get('period_ms', ())
    return np.concatenate([np.ravel(p) for p in periods]) if len(periods) else np.empty(0)


def _series(episode: EpisodeReader, topic: str, start: int, fields: tuple[str, ...]) -> Series:
    arrays = episode.arrays(topic) if episode.find(topic) else {}
    if not len(arrays.get('log_time', ())):
        return Series(np.empty(0), np.empty((0, 1)))
    try:
        columns = [arrays[field].reshape(len(arrays['log_time']), -1) for field in fields]
        time = (arrays['header.stamp'] - start) / _SECOND
    except KeyError as error:
        raise EpisodeFileError(
            episode.path, topic, f'has no field {error}', 'record it with this software'
        ) from error
    return Series(time, np.hstack(columns))


def _cameras(episode: EpisodeReader, start: int) -> list[Camera]:
    cameras = []
    for topic in episode.find('camera/*/image_raw'):
        frames = episode.frames(topic)
        if len(frames):
            time = (frames.stamps - start) / _SECOND
            cameras.append(Camera(topic.split('/')[-2], time, frames))
    return cameras


def _rewards(episode: EpisodeReader, start: int) -> Series:
    """Recompute the sub-task rewards of every control step from what was recorded."""
    needed = ('objects', '/robot/joint_states', 'gripper/state')
    if not all(episode.find(topic) and len(episode.index(topic).offset) for topic in needed):
        return Series(np.empty(0), np.empty((0, len(REWARD_NAMES))))
    objects, arm, gripper = (episode.arrays(topic) for topic in needed)
    joints = [list(arm['name'][0]).index(joint) for joint in ARM_JOINTS]
    positions = np.stack(
        [objects[f'objects[{i}].pose.pose.position'] for i in range(len(COLOURS))]
    )
    order = [str(objects[f'objects[{i}].name'][0]) for i in range(len(COLOURS))]
    stamps = objects['header.stamp']
    at_arm = _newest(arm['header.stamp'], stamps)
    at_gripper = _newest(gripper['header.stamp'], stamps)
    values = []
    for step in range(len(stamps)):
        # Rewards look at positions only.
        poses = {colour: positions[i, step] for i, colour in enumerate(order)}
        values.append(
            rewards(
                TaskState(
                    **poses,
                    tool=_kinematics().tool_pose(arm['position'][at_arm[step]][joints]),
                    gripper_position=float(gripper['position'][at_gripper[step]]),
                    grasp=Grasp(int(gripper['grasp'][at_gripper[step]])),
                )
            )
        )
    table = np.array([[value[name] for name in REWARD_NAMES] for value in values])
    return Series((stamps - start) / _SECOND, table)


def _newest(available: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Index of the newest sample not later than each wanted stamp; the first one before all."""
    return np.maximum(np.searchsorted(available, wanted, side='right') - 1, 0)


@functools.cache
def _kinematics() -> ArmKinematics:
    return ArmKinematics()
