"""One episode of an environment as arrays, and as a file.

The trainer's own form for simulated episodes of any task: what an environment said, without the
messages of a cell. Episodes of the cell are read by `replay` from the recorder's files.
"""

import dataclasses
import os
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes.step_index import SUFFIX
from chef_trainer.policy_file import replacing

OBSERVATION = 'observation/'


@dataclasses.dataclass(frozen=True)
class Episode:
    """T steps, T + 1 observations."""

    observations: dict[str, np.ndarray]  # name -> (T + 1, *stacked_shape)
    actions: np.ndarray  # (T, A) float32, executed, in [-1, 1]
    rewards: np.ndarray  # (T, R) float32, of the state that each action led to
    tasks: tuple[str, ...]  # names of the R rewards
    terminal: bool  # ended by itself, not by the clock
    success: bool

    def __post_init__(self) -> None:
        """Refuse lengths that do not fit, and numbers that are not finite."""
        steps = len(self.actions)
        lengths = {name: len(value) - 1 for name, value in self.observations.items()}
        lengths['rewards'] = len(self.rewards)
        wrong = {name: length for name, length in lengths.items() if length != steps}
        if steps < 1 or wrong or self.rewards.shape[1:] != (len(self.tasks),):
            raise ValueError(
                f'{steps} actions, rewards {self.rewards.shape} of {self.tasks}, steps of '
                f'others: {wrong or "the same"}'
            )
        arrays = {**self.observations, 'actions': self.actions, 'rewards': self.rewards}
        for name, value in arrays.items():
            if value.dtype == np.uint8:  # images, which may be mapped: every number of them is one
                continue
            bad = np.argwhere(~np.isfinite(value))
            if len(bad):
                raise ValueError(f'{name} is not finite at {tuple(map(int, bad[0]))}')


def find_rollouts(folders: Iterable[Path]) -> list[Path]:
    """Return all rollouts below `folders`, in the order of their names.

    The step index beside a recorded episode is an .npz too, and none of them.
    """
    return [
        path
        for folder in folders
        for path in sorted(folder.rglob('*.npz'))
        if not path.name.endswith(SUFFIX)
    ]


def write_episode(path: Path, episode: Episode) -> None:
    """Write `episode` to `path` (.npz): complete, or not at all."""
    arrays: dict[str, Any] = {
        'actions': episode.actions,
        'rewards': episode.rewards,
        'tasks': np.array(episode.tasks),
        'terminal': episode.terminal,
        'success': episode.success,
    }
    arrays |= {OBSERVATION + name: value for name, value in episode.observations.items()}
    with replacing(path) as temporary, open(temporary, 'wb') as file:
        np.savez(file, **arrays)


def read_episode(path: Path) -> Episode:
    """Read what `write_episode` wrote; images stay in the file, mapped.

    Raises:
        ValueError: naming the file and what is wrong.
    """
    try:
        with open(path, 'rb') as file, np.load(file) as arrays:
            return Episode(
                {
                    name.removeprefix(OBSERVATION): _array(path, arrays, name)
                    for name in arrays.files
                    if name.startswith(OBSERVATION)
                },
                arrays['actions'],
                arrays['rewards'],
                tuple(arrays['tasks'].tolist()),
                bool(arrays['terminal']),
                bool(arrays['success']),
            )
    except (OSError, KeyError, ValueError, EOFError, struct.error, zipfile.BadZipFile) as error:
        raise ValueError(f'{path}: broken episode: {error}; delete it to go on') from error


def _array(path: Path, arrays: Any, name: str) -> np.ndarray:
    """Return an array of an open .npz; one of bytes is mapped from where it lies in the file."""
    member = arrays.zip.getinfo(f'{name}.npy')
    with open(path, 'rb') as file:
        file.seek(member.header_offset + 26)  # lengths of what stands before the array
        file.seek(sum(struct.unpack('<HH', file.read(4))), os.SEEK_CUR)
        plain = np.lib.format.read_magic(file) == (1, 0)
        if plain and member.compress_type == zipfile.ZIP_STORED:
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if dtype == np.uint8:
                return np.memmap(file, dtype, 'r', file.tell(), shape)
    return arrays[name]
