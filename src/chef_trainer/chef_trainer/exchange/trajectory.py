"""An episode as other frameworks hold it: one array per quantity, one row per control step."""

import dataclasses
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.episodes.steps import Steps
from chef_trainer.task.observe import IMAGE_PREFIX, KINDS

#: What a policy that sees a robot's own senses is fed; the poses of objects go apart from it.
PROPRIOCEPTION = (
    'joint_position', 'joint_velocity', 'gripper_position', 'grasp', 'tool_pose', 'wrench',
)  # fmt: skip
OBJECTS = ('red_pose', 'green_pose', 'blue_pose')
#: Images that are in memory at a time.
BLOCK = 64


class MissingLibraryError(ImportError):
    """A library that only this needs is not installed; says how to get it."""

    def __init__(self, library: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs {library}: pip install {library}')


class EpisodeImages:
    """The images of an aligned episode, by camera and row."""

    def __init__(self, path: Path, steps: Steps) -> None:
        self._path, self._steps = path, steps
        self._file = np.memmap(path, np.uint8, mode='r')
        self._cameras = {camera.name: camera for camera in steps.cameras}

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return tuple(self._cameras)

    def shape(self, camera: str) -> tuple[int, int, int]:
        """Height, width, and 3."""
        height, width, _ = self._cameras[camera].shape
        if not height:
            height, width, _ = self.read(camera, np.arange(1)).shape[1:]
        return height, width, 3

    def read(self, camera: str, rows: np.ndarray) -> np.ndarray:
        """Return the images of `rows` (n,), (n, height, width, 3) uint8, RGB.

        Raises:
            EpisodeFileError: a row has none, or not one that can be decoded.
        """
        how = self._cameras[camera]
        frames = []
        for offset, size in self._places(camera, rows).tolist():
            data = self._file[offset : offset + size]
            jpeg = how.encoding == 'jpeg'
            frame = self._decoded(camera, data) if jpeg else data.reshape(how.shape)
            frame = frame[..., ::-1] if how.encoding == 'bgr8' else frame
            frames.append(np.broadcast_to(frame, (*frame.shape[:2], 3)))
        return np.stack(frames)

    def _decoded(self, camera: str, data: np.ndarray) -> np.ndarray:
        from PIL import Image

        try:
            with Image.open(io.BytesIO(data.tobytes())) as image:
                return np.asarray(image.convert('RGB'))
        except OSError as error:
            raise EpisodeFileError(
                self._path, camera, f'an image cannot be decoded: {error}', 'leave it out'
            ) from error

    def check(self, camera: str) -> None:
        """Raise EpisodeFileError if a row has no image."""
        self._places(camera, np.arange(len(self._steps.table)))

    def blocks(self, camera: str, count: int) -> Iterator[np.ndarray]:
        """Yield the images of the first `count` rows, a few at a time."""
        for start in range(0, count, BLOCK):
            yield self.read(camera, np.arange(start, min(start + BLOCK, count)))

    def _places(self, camera: str, rows: np.ndarray) -> np.ndarray:
        places = self._steps.table[IMAGE_PREFIX + camera][rows]
        missing = np.flatnonzero(places[:, 0] < 0)
        if len(missing):
            problem = f'has no image at step {rows[missing[0]]}'
            raise EpisodeFileError(self._path, camera, problem, 'leave the episode out')
        return places


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """T steps: T + 1 observations, T actions and what each led to."""

    metadata: Mapping[str, Any]
    stamps: np.ndarray  # ns, (T + 1,)
    observations: Mapping[str, np.ndarray]  # name -> (T + 1, n) float32
    action: np.ndarray  # (T, 5) in [-1, 1]
    rewards: np.ndarray  # (T, 6), in the order of REWARD_NAMES
    force: np.ndarray  # (T,), N, the largest wrist force of the step
    intention: np.ndarray  # (T,), index of the task
    images: EpisodeImages

    def __len__(self) -> int:
        """Return T."""
        return len(self.action)


def read_trajectory(path: Path, observations: Iterable[str]) -> Trajectory:
    """Return an episode with these observations (names of `KINDS`).

    Raises:
        EpisodeFileError: the file is broken, or lacks an observation at some step.
        ValueError: an observation is unknown.
    """
    names = tuple(observations)
    if unknown := sorted(set(names) - KINDS.keys()):
        raise ValueError(f'unknown observations {unknown}, allowed: {sorted(KINDS)}')
    steps = load_steps(path)
    table = steps.table
    for name in (*names, 'rewards', 'force'):
        rows = table[name].reshape(len(table), -1)
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            problem = f'is not known at step {bad[0]} ({len(bad)} of {len(table)})'
            raise EpisodeFileError(path, name, problem, 'leave it, or the episode, out')
    return Trajectory(
        steps.metadata,
        table['stamp'],
        {name: table[name].reshape(len(table), -1) for name in names},
        table['action'][:-1],
        table['rewards'][1:],
        table['force'][1:],
        table['intention'][:-1],
        EpisodeImages(path, steps),
    )


def task_text(metadata: Mapping[str, Any]) -> str:
    """Return in words what the episode was for."""
    return f'stack the red object on the blue one and let go, triplet {metadata.get("triplet")}'
