"""A data set: all episodes at some paths, sampled in place, growing while they are recorded."""

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.discovery import find_episodes
from chef_trainer.episodes.step_index import fingerprint, load_steps
from chef_trainer.replay.batch import Batch, Window
from chef_trainer.replay.files import SHARE
from chef_trainer.replay.store import Episode, Store
from chef_trainer.spec import ObservationSpec
from chef_trainer.task.observe import STATE_NAMES, check_specs, observation_specs
from chef_trainer.task.rewards import REWARD_NAMES

Metadata = Mapping[str, Any]


class Dataset:
    """Transitions of the episodes that were found, in memory but for the images."""

    def __init__(
        self,
        paths: Iterable[Path | str],
        observations: Iterable[ObservationSpec],
        select: Callable[[Metadata], bool],
        marked: bool,
        memory: float,
    ) -> None:
        self._paths = tuple(paths)
        self._store = Store(tuple(observations), memory)
        self._select, self._marked = select, marked
        self._known: set[Path] = set()
        self._ids: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._starts = np.empty(0, np.int64)
        self._refused: dict[Path, tuple[dict[str, Any], EpisodeFileError]] = {}

    @classmethod
    def open(
        cls,
        paths: Path | str | Iterable[Path | str],
        observations: Iterable[ObservationSpec] | None = None,
        select: Callable[[Metadata], bool] = lambda metadata: True,
        marked: bool = False,
        memory: float = SHARE,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> 'Dataset':
        """Open episode files, bags, or folders that hold any number of them.

        Args:
            paths: one or many.
            observations: what batches shall hold, with history; default: the states of
                `STATE_NAMES`. Images are named image/<camera>.
            select: which episodes, by their metadata.
            marked: take episodes, too, that the recorder or a person marked as doubtful.
            memory: share of the machine's memory that files with images may take; a larger set
                is read from the disk, not mapped.
            progress: called with files done and files found.

        Raises:
            EpisodeFileError: a path does not exist. Broken files are `refused` instead.
            ObservationError: an observation is unknown, or not as the cell offers it.
        """
        paths = (paths,) if isinstance(paths, Path | str) else paths
        specs = observation_specs(STATE_NAMES) if observations is None else tuple(observations)
        check_specs(specs)
        dataset = cls(paths, specs, select, marked, memory)
        dataset.refresh(progress)
        return dataset

    def refresh(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Take in episodes that were finished meanwhile; return how many.

        Any thread may do so while others sample. A refused file is tried again when it or its
        labels have changed.
        """
        with self._lock:
            new = [path for path in find_episodes(self._paths) if self._is_news(path)]
            added = []
            for number, path in enumerate(new):
                self._known.add(path)
                self._refused.pop(path, None)
                try:
                    added += self._take(path)
                except EpisodeFileError as error:
                    self._refused[path] = fingerprint(path), error
                progress(number + 1, len(new))
            if added:
                self._starts = np.concatenate((self._starts, *(e.starts for e in added)))
            return len(added)

    @property
    def refused(self) -> tuple[EpisodeFileError, ...]:
        """Why files that were found are not in the set, one error each."""
        return tuple(error for _, error in self._refused.values())

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The episodes in the set."""
        return tuple(self._store.episodes)

    @property
    def observations(self) -> tuple[ObservationSpec, ...]:
        """What batches hold."""
        return self._store.observations

    def __len__(self) -> int:
        """Return the number of transitions."""
        return len(self._starts)

    def sample(
        self,
        batch: int,
        rng: np.random.Generator,
        n_step: int = 1,
        discount: float = 0.99,
        reward: str = 'stack_leave',
        images: Iterable[str] | None = None,
        next_observation: bool = True,
    ) -> Batch:
        """Draw transitions, each with the same probability, with replacement.

        Args:
            batch: how many, B.
            rng: source of chance; the same state draws the same from the same set.
            n_step: how many steps a transition spans, at most.
            discount: gamma, per step.
            reward: one of `REWARD_NAMES`, for `Batch.reward`.
            images: names of the image observations to read; default: all.
            next_observation: whether o' is wanted; without, images cost half.

        Raises:
            ValueError: the set is empty, or an argument is out of range.
        """
        rows = self._draw(batch, rng)
        return self.gather(rows, n_step, discount, reward, images, next_observation)

    def gather(
        self,
        rows: np.ndarray,
        n_step: int = 1,
        discount: float = 0.99,
        reward: str = 'stack_leave',
        images: Iterable[str] | None = None,
        next_observation: bool = True,
    ) -> Batch:
        """Return the transitions that start at `rows` (B,); see `sample`."""
        if n_step < 1 or not 0.0 <= discount <= 1.0:
            raise ValueError(
                f'n_step {n_step}, discount {discount}: at least 1, and within 0 .. 1'
            )
        if reward not in REWARD_NAMES:
            raise ValueError(f'reward {reward!r}, allowed: {REWARD_NAMES}')
        columns, wanted = self._store.columns, self._images(images)
        steps = np.minimum(columns['end'][rows] - rows, n_step)
        last = rows + steps
        ahead = np.arange(n_step)
        weights = discount**ahead * (ahead < steps[:, None])
        led_to = np.minimum(rows[:, None] + 1 + ahead, last[:, None])
        rewards = np.einsum('bn,bnr->br', weights, columns['rewards'][led_to], dtype=np.float64)
        return Batch(
            observation=self._store.observe(rows, wanted),
            action=columns['action'][rows],
            reward=rewards[:, REWARD_NAMES.index(reward)].astype(np.float32),
            rewards=rewards.astype(np.float32),
            discount=(discount**steps * ~columns['terminal'][last]).astype(np.float32),
            next_observation=self._store.observe(last, wanted) if next_observation else {},
            intention=columns['intention'][rows],
            force=columns['force'][rows + 1],
            row=rows,
            source=np.zeros(len(rows), np.int64),
        )

    def windows(
        self,
        batch: int,
        rng: np.random.Generator,
        length: int,
        images: Iterable[str] | None = None,
    ) -> Window:
        """Draw pieces of `length` consecutive steps, each piece with the same probability.

        Raises:
            ValueError: no episode has that many steps without a gap.
        """
        columns, starts = self._store.columns, self._starts
        fit = starts[columns['end'][starts] - starts >= length]
        if not len(fit) or length < 1:
            raise ValueError(f'no {length} consecutive steps in {len(starts)} transitions')
        first = fit[rng.integers(len(fit), size=batch)]
        rows = first[:, None] + np.arange(length)
        return Window(
            observation=self._store.observe(rows, self._images(images)),
            action=columns['action'][rows],
            rewards=columns['rewards'][rows + 1],
            discount=(~columns['terminal'][rows + 1]).astype(np.float32),
            intention=columns['intention'][rows],
            force=columns['force'][rows + 1],
            row=first,
        )

    def _is_news(self, path: Path) -> bool:
        return path not in self._known or (
            path in self._refused and self._refused[path][0] != fingerprint(path)
        )

    def _draw(self, batch: int, rng: np.random.Generator) -> np.ndarray:
        starts = self._starts
        if not len(starts):
            refused = [f'{len(self.refused)} refused: {error}' for error in self.refused[:1]]
            where = [str(path) for path in self._paths]
            raise ValueError('; '.join((f'no transitions in {where}', *refused)))
        return starts[rng.integers(len(starts), size=batch)]

    def _images(self, names: Iterable[str] | None) -> tuple[ObservationSpec, ...]:
        if names is None:
            return self._store.images
        known = {spec.name: spec for spec in self._store.images}
        unknown = sorted(set(names) - known.keys())
        if unknown:
            raise ValueError(f'images {unknown} were not opened, only {sorted(known)}')
        return tuple(known[name] for name in names)

    def _take(self, path: Path) -> list[Episode]:
        """Add one file to the store, unless it is not asked for."""
        steps = load_steps(path)
        metadata = steps.metadata
        if not self._select(metadata):
            return []
        marks = metadata.get('marks')
        if marks and not self._marked:
            remedy = 'look at it and clear the marks (chef-data relabel), or ask for marked ones'
            raise EpisodeFileError(path, 'marks', f'{list(marks)}', remedy)
        name = str(metadata.get('episode_id', path))
        first = self._ids.setdefault(name, path)
        if first != path:
            problem = f'{name} is that of {first}, too'
            raise EpisodeFileError(path, 'episode_id', problem, 'delete the copy')
        return [self._store.append(path, steps)]
