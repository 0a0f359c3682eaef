"""All steps of all episodes in a few long arrays, which grow while they are read."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.cameras import Camera
from chef_trainer.episodes.steps import MAX_GAP_NS, Steps
from chef_trainer.replay.files import SHARE, EpisodeFiles
from chef_trainer.replay.images import IN_PLACE, read_images
from chef_trainer.spec import ObservationSpec
from chef_trainer.task.observe import IMAGE_PREFIX
from chef_trainer.task.rewards import REWARD_NAMES

#: Outcomes after which nothing more could be earned; all others only end the recording.
TERMINAL = ('force',)

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Episode:
    """One episode of a store: rows `first` .. `first + steps`, the last one without an action."""

    path: Path
    metadata: Mapping[str, Any]
    first: int
    steps: int
    starts: np.ndarray  # rows that a transition can start from, (n,) int64


class Store:
    """Append-only columns, one row per observed instant.

    Readers in other threads are safe: a row is complete before anybody is told of it, and when a
    column is moved to a larger place, the old one stays valid for who holds it.
    """

    def __init__(self, observations: tuple[ObservationSpec, ...], share: float = SHARE) -> None:
        self.observations = observations
        self.states = tuple(s for s in observations if not s.name.startswith(IMAGE_PREFIX))
        self.images = tuple(s for s in observations if s.name.startswith(IMAGE_PREFIX))
        self.files = EpisodeFiles(share)
        self.episodes: list[Episode] = []
        self.rows = 0
        ends = np.cumsum([0, *(int(np.prod(spec.shape)) for spec in self.states)]).tolist()
        self._blocks = tuple(zip(self.states, ends[:-1], ends[1:], strict=True))
        self._cameras: list[tuple[Camera, ...]] = []  # of each file
        self._in_place = True  # no image of any file has to be changed on its way
        self.columns: Arrays = {
            'state': np.empty((0, ends[-1]), np.float32),
            'action': np.empty((0, 5), np.float32),
            'rewards': np.empty((0, len(REWARD_NAMES)), np.float32),
            'force': np.empty(0, np.float32),
            'intention': np.empty(0, np.int8),
            'terminal': np.empty(0, np.bool_),
            'begin': np.empty(0, np.int64),  # first row of the unbroken run a row is in
            'end': np.empty(0, np.int64),  # last row of it
            'file': np.empty(0, np.int32),
            'image': np.empty((0, len(self.images), 2), np.int64),
        }

    def append(self, path: Path, steps: Steps) -> Episode:
        """Add an episode; raises EpisodeFileError when it lacks an observation altogether."""
        cameras = self._check(path, steps)
        table, first, count = steps.table, self.rows, len(steps.table)
        columns = {
            name: np.zeros((count, *column.shape[1:]), column.dtype)
            for name, column in self.columns.items()
        }
        for spec, start, stop in self._blocks:
            columns['state'][:, start:stop] = table[spec.name].reshape(count, -1)
        for name in ('action', 'rewards', 'force', 'intention'):
            columns[name][:] = table[name]
        for index, spec in enumerate(self.images):
            columns['image'][:, index] = table[spec.name]
        columns['terminal'][-1] = steps.metadata.get('outcome') in TERMINAL
        numbers = np.hstack((columns['state'], columns['rewards']))
        there = columns['image'][:, :, 0] >= 0
        good = np.asarray(np.isfinite(numbers).all(axis=1) & there.all(axis=1))
        begin, end = _runs(table['stamp'], good)
        columns['begin'], columns['end'] = first + begin, first + end
        starts = np.flatnonzero(end > np.arange(count))
        starts = starts[np.isfinite(columns['action'][starts]).all(axis=1)]
        if self.images:
            columns['file'][:] = self.files.add(path)
            self._cameras.append(cameras)
            self._in_place &= all(camera.encoding in IN_PLACE for camera in cameras)
        self._grow(columns)
        episode = Episode(path, steps.metadata, first, count - 1, first + starts)
        self.episodes.append(episode)
        return episode

    def observe(self, rows: np.ndarray, images: tuple[ObservationSpec, ...]) -> Arrays:
        """Return name -> (*rows.shape, *stacked_shape) for rows of any shape."""
        columns, flat = self.columns, rows.reshape(-1)
        result = {}
        depth = max((spec.history for spec in self.states), default=1)
        if depth > 1:
            state = columns['state'][_history(columns, flat, depth)]
        else:
            state = np.take(columns['state'], flat, axis=0)[:, None]
        for spec, start, stop in self._blocks:
            block = state[:, : spec.history, start:stop]
            result[spec.name] = block.reshape(*rows.shape, *spec.stacked_shape)
        for history in sorted({spec.history for spec in images}):
            alike = [spec for spec in images if spec.history == history]
            for spec, pixels in zip(alike, self._pixels(alike, flat, history), strict=True):
                result[spec.name] = pixels.reshape(*rows.shape, *spec.stacked_shape)
        return result

    def _pixels(
        self, specs: list[ObservationSpec], rows: np.ndarray, history: int
    ) -> list[np.ndarray]:
        """Return the images of each of `specs`, (B * history, *shape)."""
        columns = self.columns
        if history > 1:
            rows = _history(columns, rows, history).reshape(-1)
        chosen = [self.images.index(spec) for spec in specs]
        places, numbers = columns['image'][rows][:, chosen], columns['file'][rows]
        encodings: dict[int, list[str]] = {}
        if not self._in_place:
            names = set(numbers.tolist())
            encodings = {n: [self._cameras[n][i].encoding for i in chosen] for n in names}
        shapes = [spec.shape for spec in specs]
        return read_images(self.files, numbers, places, shapes, encodings)

    def _check(self, path: Path, steps: Steps) -> tuple[Camera, ...]:
        """Return the cameras of `images`, in their order."""
        by_name = {IMAGE_PREFIX + camera.name: camera for camera in steps.cameras}
        for spec in self.images:
            camera = by_name.get(spec.name)
            if camera is None:
                problem = f'was not recorded, only {sorted(by_name)}'
                raise EpisodeFileError(path, spec.name, problem, 'leave this observation out')
            if camera.encoding != 'jpeg' and camera.shape != spec.shape:
                problem = f'has shape {camera.shape}, expected {spec.shape}'
                raise EpisodeFileError(path, spec.name, problem, 'record it in this size')
        for spec, _, _ in self._blocks:
            if not np.isfinite(steps.table[spec.name]).reshape(len(steps.table), -1).all(1).any():
                problem = 'cannot be observed: not recorded, or nan in every step'
                raise EpisodeFileError(path, spec.name, problem, 'leave this observation out')
        return tuple(by_name[spec.name] for spec in self.images)

    def _grow(self, added: Arrays) -> None:
        count = len(added['file'])
        rows, capacity = self.rows + count, len(self.columns['file'])
        if rows > capacity:
            size = max(rows, capacity * 3 // 2)
            larger = {n: np.empty((size, *c.shape[1:]), c.dtype) for n, c in self.columns.items()}
            for name, column in self.columns.items():
                larger[name][: self.rows] = column[: self.rows]
            self.columns = larger
        for name, values in added.items():
            self.columns[name][self.rows : rows] = values
        self.rows = rows


def _history(columns: Arrays, rows: np.ndarray, depth: int) -> np.ndarray:
    """Return rows (B, depth), newest first; the first one of a run stands in for older ones."""
    return np.maximum(rows[:, None] - np.arange(depth), columns['begin'][rows][:, None])


def _runs(stamps: np.ndarray, good: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last row of the unbroken run that each row is in.

    A run is broken by a row that is not good, and by more than `MAX_GAP_NS` without a step.
    """
    joined = good[:-1] & good[1:] & (np.diff(stamps) <= MAX_GAP_NS)
    edges = np.flatnonzero(~joined)
    begins = np.concatenate(([0], edges + 1))
    ends = np.concatenate((edges, [len(stamps) - 1]))
    lengths = ends - begins + 1
    return np.repeat(begins, lengths), np.repeat(ends, lengths)
