"""An episode in Rerun, the viewer for data over time."""

from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeReader
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.exchange.trajectory import EpisodeImages, MissingLibraryError
from chef_trainer.spec import ACTION_NAMES
from chef_trainer.task.observe import IMAGE_PREFIX, KINDS
from chef_trainer.task.rewards import REWARD_NAMES
from chef_trainer.view.moments import moments

TIMELINE = 'episode'  # s since the episode's start
_AXES = ('x', 'y', 'z')


def show(path: Path, target: Path | None = None) -> None:
    """Open the viewer with an episode, or write it to the file `target` (.rrd) instead.

    Raises:
        EpisodeFileError: the file is broken.
        MissingLibraryError: rerun is not installed.
    """
    try:
        import rerun
    except ImportError as error:
        raise MissingLibraryError('rerun-sdk', 'opening an episode in Rerun') from error
    reader, steps = EpisodeReader(path), load_steps(path)
    name = str(steps.metadata.get('episode_id', path.stem))
    stream = rerun.RecordingStream('chef', recording_id=name)
    if target is None:
        stream.spawn()
    else:
        stream.save(str(target))
    table, start = steps.table, int(steps.table['stamp'][0])
    time = (table['stamp'] - start) * 1e-9

    def send(entity: str, values: np.ndarray, names: tuple[str, ...]) -> None:
        columns = rerun.Scalars.columns(scalars=values.reshape(len(values), -1))
        index = rerun.TimeColumn(TIMELINE, duration=time[: len(values)])
        stream.log(entity, rerun.SeriesLines(names=list(names)), static=True)
        stream.send_columns(entity, indexes=[index], columns=columns)

    send('action', table['action'][:-1], ACTION_NAMES)
    send('rewards', table['rewards'], REWARD_NAMES)
    send('wrench/force', table['wrench'][:, :3], _AXES)
    send('wrench/torque', table['wrench'][:, 3:], _AXES)
    send('wrench/largest', table['force'], ('largest',))
    for observation in ('joint_position', 'joint_velocity', 'gripper_position', 'tool_pose'):
        names = tuple(str(index) for index in range(KINDS[observation].shape[0]))
        send(f'robot/{observation}', table[observation], names)
    _send_images(rerun, stream, EpisodeImages(path, steps), table, time)
    for moment in moments(reader, start):
        stream.set_time(TIMELINE, duration=moment.time)
        stream.log('events', rerun.TextLog(f'{moment.kind}: {moment.text}'))
    stream.flush()
    stream.disconnect()


def _send_images(
    rerun: Any, stream: Any, images: EpisodeImages, table: np.ndarray, time: np.ndarray
) -> None:
    for camera in images.cameras:
        for row in np.flatnonzero(table[IMAGE_PREFIX + camera][:, 0] >= 0):
            stream.set_time(TIMELINE, duration=float(time[row]))
            frame = images.read(camera, np.array([row]))[0]
            stream.log(f'camera/{camera}', rerun.Image(frame).compress(jpeg_quality=95))
