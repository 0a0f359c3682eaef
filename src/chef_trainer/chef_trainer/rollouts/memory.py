"""A data set of rollouts in memory, with the same `sample` as `replay.Dataset`."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from chef_trainer.replay.batch import Batch
from chef_trainer.rollouts.episode import Episode, find_rollouts, read_episode


class Memory:
    """Transitions of the episodes that were added; all must have the same arrays.

    Episodes lie behind one another, T + 1 rows each; the last row of an episode has no action.
    Images stay where they are: in memory, or mapped from their files.
    """

    def __init__(self, episodes: Iterable[Episode] = ()) -> None:
        self.tasks: tuple[str, ...] = ()
        self.count = 0
        self.successes = 0
        self._columns: dict[str, np.ndarray] = {}
        self._images: dict[str, list[np.ndarray]] = {}  # an array per episode
        self._firsts = np.empty(0, np.int64)  # row of each episode's first observation
        self._starts = np.empty(0, np.int64)
        self.extend(episodes)

    @classmethod
    def open(
        cls,
        folders: Iterable[Path],
        successes_only: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> 'Memory':
        """Read all .npz episodes under `folders`, in the order of their names.

        Raises:
            ValueError: a file is broken, or unlike the others.
        """
        paths = find_rollouts(folders)
        episodes = []
        for number, path in enumerate(paths):
            episodes.append(read_episode(path))
            progress(number + 1, len(paths))
        return cls(one for one in episodes if one.success or not successes_only)

    @property
    def sha256(self) -> str:
        """Digest of all numbers in the set."""
        value = hashlib.sha256()
        parts = self._images | {name: [column] for name, column in self._columns.items()}
        for name in sorted(parts):
            value.update(name.encode())
            for part in parts[name]:
                value.update(np.ascontiguousarray(part).data)
        return value.hexdigest()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of an observation, with its history."""
        first = {name: images[0] for name, images in self._images.items()} | self._columns
        return {
            name.removeprefix('o/'): value.shape[1:]
            for name, value in first.items()
            if name.startswith('o/')
        }

    def __len__(self) -> int:
        """Return the number of transitions."""
        return len(self._starts)

    def extend(self, episodes: Iterable[Episode]) -> None:
        """Add episodes; raises ValueError if one has other arrays or tasks than those before."""
        parts: dict[str, list[np.ndarray]] = {n: [v] for n, v in self._columns.items()}
        parts |= {name: [*images] for name, images in self._images.items()}
        starts, row = [self._starts], len(self._columns.get('action', ()))
        firsts = [*self._firsts.tolist()]
        for episode in episodes:
            columns = _columns(episode, row)
            self.tasks = self.tasks or episode.tasks
            if parts:
                known = {name: part[0] for name, part in parts.items()}
                _refuse_others(_layout(columns, episode.tasks), _layout(known, self.tasks))
            for name, value in columns.items():
                parts.setdefault(name, []).append(value)
            starts.append(row + np.arange(len(episode.actions)))
            firsts.append(row)
            row += len(episode.actions) + 1
            self.count += 1
            self.successes += episode.success
        self._images = {name: part for name, part in parts.items() if part[0].dtype == np.uint8}
        self._columns = {
            name: np.concatenate(part) for name, part in parts.items() if name not in self._images
        }
        self._firsts = np.array(firsts, np.int64)
        self._starts = np.concatenate(starts)

    def sample(
        self,
        batch: int,
        rng: np.random.Generator,
        n_step: int = 1,
        discount: float = 0.99,
        next_observation: bool = True,
    ) -> Batch:
        """Draw transitions over up to `n_step` steps, each with the same probability.

        Raises:
            ValueError: the set is empty.
        """
        if not len(self):
            raise ValueError('no transitions to draw from')
        rows = self._starts[rng.integers(len(self), size=batch)]
        columns = self._columns
        steps = np.minimum(columns['end'][rows] - rows, n_step)
        ahead = np.arange(n_step)
        weights = discount**ahead * (ahead < steps[:, None])
        led_to = np.minimum(rows[:, None] + 1 + ahead, columns['end'][rows][:, None])
        rewards = np.einsum('bn,bnr->br', weights, columns['rewards'][led_to])
        last = rows + steps
        return Batch(
            observation=self._observe(rows),
            action=columns['action'][rows],
            reward=rewards[:, 0].astype(np.float32),
            rewards=rewards.astype(np.float32),
            discount=(discount**steps * ~columns['terminal'][last]).astype(np.float32),
            next_observation=self._observe(last) if next_observation else {},
            intention=np.zeros(batch, np.int8),
            force=np.zeros(batch, np.float32),
            row=rows,
            source=np.zeros(batch, np.int64),
        )

    def _observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        found = {
            name: value[rows] for name, value in self._columns.items() if name.startswith('o/')
        }
        episodes = np.searchsorted(self._firsts, rows, side='right') - 1
        places = list(
            zip(episodes.tolist(), (rows - self._firsts[episodes]).tolist(), strict=True)
        )
        found |= {
            name: np.stack([images[episode][step] for episode, step in places])
            for name, images in self._images.items()
        }
        return {name.removeprefix('o/'): value for name, value in found.items()}


def _columns(episode: Episode, first: int) -> dict[str, np.ndarray]:
    """One row per observation; a reward stands in the row that the action led to."""
    steps = len(episode.actions)
    terminal = np.zeros(steps + 1, bool)
    terminal[-1] = episode.terminal
    pad = ((0, 1), (0, 0))
    columns = {
        'action': np.pad(episode.actions, pad).astype(np.float32),
        'rewards': np.pad(episode.rewards, ((1, 0), (0, 0))).astype(np.float32),
        'terminal': terminal,
        'end': np.full(steps + 1, first + steps),
    }
    return columns | {f'o/{name}': value for name, value in episode.observations.items()}


def _layout(columns: dict[str, np.ndarray], tasks: tuple[str, ...]) -> dict[str, object]:
    shapes = {name.removeprefix('o/'): value.shape[1:] for name, value in columns.items()}
    return {**shapes, 'tasks': tasks}


def _refuse_others(layout: dict[str, object], before: dict[str, object]) -> None:
    """Raise ValueError with what differs."""
    differences = [
        f'{name} {layout.get(name, "missing")}, those before {before.get(name, "missing")}'
        for name in (layout | before)
        if layout.get(name) != before.get(name)
    ]
    if differences:
        raise ValueError(f'an episode has {"; ".join(differences)}')
