"""Episodes to a LeRobotDataset."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.steps import PERIOD_NS
from chef_trainer.exchange import lerobot_layout as layout
from chef_trainer.exchange.lerobot_writer import LeRobotWriter
from chef_trainer.exchange.trajectory import OBJECTS, Trajectory, read_trajectory, task_text
from chef_trainer.task.observe import KINDS
from chef_trainer.task.rewards import REWARD_NAMES

RATE = round(1e9 / PERIOD_NS)  # frames a second


def export(
    episodes: Iterable[Path],
    folder: Path,
    observations: tuple[str, ...],
    codec: str,
    refused: Callable[[EpisodeFileError], None],
) -> int:
    """Write all episodes that have these observations, and the cameras of the first of them.

    Args:
        episodes: episode files.
        folder: of the new data set; must not exist.
        observations: names of `KINDS`; poses of objects become the environment's state, the
            others the robot's.
        codec: see `LeRobotWriter`.
        refused: told of each episode that is left out.

    Returns:
        How many episodes were written.

    Raises:
        ValueError: an observation is unknown, or no episode is left.
        FileExistsError: something is at `folder`.
        MissingLibraryError: a library is not installed.
    """
    writer: LeRobotWriter | None = None
    vectors = _vectors(observations)
    cameras: dict[str, tuple[int, int, int]] = {}
    count = 0
    try:
        for path in episodes:
            try:
                trajectory = read_trajectory(path, observations)
                here = {name: trajectory.images.shape(name) for name in trajectory.images.cameras}
                if writer is None:
                    features = layout.numeric_features(
                        {
                            name: [(part, KINDS[part].shape[0]) for part in parts]
                            for name, parts in vectors.items()
                        }
                    )
                    cameras = here
                    writer = LeRobotWriter(folder, features, cameras, RATE, codec)
                _check_cameras(path, here, cameras)
                for name in cameras:
                    trajectory.images.check(name)
            except EpisodeFileError as error:
                refused(error)
                continue
            _add(writer, trajectory, vectors, cameras)
            count += 1
        if writer is None:
            raise ValueError('no episode to export')
        writer.finish()
    except BaseException:
        if writer is not None:
            writer.discard()
        raise
    return count


def _vectors(observations: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    robot = tuple(name for name in observations if name not in OBJECTS)
    objects = tuple(name for name in observations if name in OBJECTS)
    return {
        name: parts
        for name, parts in ((layout.STATE, robot), (layout.ENVIRONMENT, objects))
        if parts
    }


def _check_cameras(
    path: Path,
    here: Mapping[str, tuple[int, int, int]],
    wanted: Mapping[str, tuple[int, int, int]],
) -> None:
    """All episodes of a data set have the same features."""
    different = [name for name, shape in wanted.items() if here.get(name) != shape]
    if different:
        problem = f'{different} not as in the first episode: {here}, there {dict(wanted)}'
        raise EpisodeFileError(path, 'cameras', problem, 'export them to a set of their own')


def _add(
    writer: LeRobotWriter,
    trajectory: Trajectory,
    vectors: Mapping[str, tuple[str, ...]],
    cameras: Iterable[str],
) -> None:
    count = len(trajectory)
    columns = {
        name: np.hstack([trajectory.observations[part][:count] for part in parts])
        for name, parts in vectors.items()
    }
    last = np.arange(count) == count - 1
    success = bool(trajectory.metadata.get('success'))
    columns |= {
        'action': trajectory.action,
        layout.REWARD: trajectory.rewards[:, [REWARD_NAMES.index('stack_leave')]],
        layout.DONE: last[:, None],
        layout.SUCCESS: (last & success)[:, None],
        'chef.rewards': trajectory.rewards,
        'chef.force': trajectory.force[:, None],
        'chef.stamp': trajectory.stamps[:count, None],
        'chef.intention': trajectory.intention[:, None].astype(np.int64),
    }
    images = {name: trajectory.images.blocks(name, count) for name in cameras}
    writer.add(columns, images, task_text(trajectory.metadata), trajectory.metadata)
