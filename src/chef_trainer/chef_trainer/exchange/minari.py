"""Episodes to a Minari data set (Farama's format for offline reinforcement learning).

States only: Minari writes the limits of every pixel into JSON, and images as lossy JPEG.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.exchange.trajectory import MissingLibraryError, Trajectory, read_trajectory
from chef_trainer.spec import ACTION_NAMES
from chef_trainer.task.observe import KINDS
from chef_trainer.task.rewards import REWARD_NAMES

#: What of an episode's metadata goes along.
KEPT = ('episode_id', 'triplet', 'success', 'outcome', 'source', 'policy', 'policy_sha256')
_ID = re.compile(r'[A-Za-z0-9_.-]+-v\d+')


def export(
    episodes: Iterable[Path],
    folder: Path,
    observations: tuple[str, ...],
    refused: Callable[[EpisodeFileError], None],
) -> int:
    """Write all episodes that have these observations; return how many.

    `minari.load_dataset(folder.name)` finds the data set once MINARI_DATASETS_PATH is the folder
    around it. Rewards are those of the whole task. Only an end by force is a termination.

    Raises:
        ValueError: the folder's name is no Minari id, an observation is unknown, or no episode
            is left.
        FileExistsError: something is at `folder`.
        MissingLibraryError: minari is not installed.
    """
    if not _ID.fullmatch(folder.name):
        raise ValueError(f'{folder.name!r} is no Minari id, expected a name like stacking-v0')
    if folder.exists():
        raise FileExistsError(f'{folder} exists already; choose another folder')
    part = folder.with_name(f'.{folder.name}.part')
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        count = _write(part / 'data', folder.name, _read(episodes, observations, refused))
        if not count:
            raise ValueError('no episode to export')
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count


def _read(
    episodes: Iterable[Path],
    observations: tuple[str, ...],
    refused: Callable[[EpisodeFileError], None],
) -> Iterator[Trajectory]:
    for path in episodes:
        try:
            yield read_trajectory(path, observations)
        except EpisodeFileError as error:
            refused(error)


def _write(folder: Path, name: str, trajectories: Iterator[Trajectory]) -> int:
    try:
        import minari
        from minari.data_collector.episode_buffer import EpisodeBuffer
        from minari.dataset.minari_storage import MinariStorage
    except ImportError as error:
        raise MissingLibraryError('"minari[hdf5]"', 'a Minari data set') from error
    storage: Any = None
    count = 0
    for trajectory in trajectories:
        if storage is None:
            storage = MinariStorage.new(folder, *_spaces(trajectory), data_format='hdf5')
            about = {
                'dataset_id': name,
                'minari_version': minari.__version__,
                'description': 'Stacking with a Sawyer arm, control steps of 50 ms',
            }
            storage.update_metadata(about)
        storage.update_episodes([EpisodeBuffer(**_fields(trajectory, count))])
        metadata = {key: trajectory.metadata[key] for key in KEPT if key in trajectory.metadata}
        storage.update_episode_metadata([metadata], [count])
        count += 1
    return count


def _spaces(trajectory: Trajectory) -> tuple[Any, Any]:
    from gymnasium.spaces import Box, Dict

    observation = {
        name: Box(-np.inf, np.inf, KINDS[name].shape, np.float32)
        for name in trajectory.observations
    }
    return Dict(observation), Box(-1.0, 1.0, (len(ACTION_NAMES),), np.float32)


def _fields(trajectory: Trajectory, index: int) -> dict[str, Any]:
    count = len(trajectory)
    by_force = trajectory.metadata.get('outcome') == 'force'
    last = np.arange(count) == count - 1
    return {
        'id': index,
        'seed': trajectory.metadata.get('seed'),
        'observations': dict(trajectory.observations),
        'actions': trajectory.action,
        'rewards': trajectory.rewards[:, REWARD_NAMES.index('stack_leave')],
        'terminations': last & by_force,
        'truncations': last & (not by_force),
    }
