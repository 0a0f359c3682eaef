"""The same steps in other stores, each read as its own documentation says.

Each function converts `Steps` into one store below `folder` and returns how to draw from it.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from chef_trainer.replay import Dataset

#: Draws one batch of a size; its content is not used.
Draw = Callable[[int, np.random.Generator], object]
CAMERAS_SHAPE = (3, 128, 128, 3)


@dataclasses.dataclass(frozen=True)
class Contender:
    """One store and what can be drawn from it; None where it offers no such thing."""

    name: str
    bytes_per_step: float
    states: Draw | None  # B observations of every state
    images: Draw | None  # B observations of three images
    windows: Draw | None  # B pairs of consecutive observations of three images
    batch: int | None = None  # B, where samples are drawn one by one and take long


@dataclasses.dataclass(frozen=True)
class Steps:
    """All steps of a set, for conversion."""

    dataset: Dataset
    images: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.dataset)

    def states(self) -> np.ndarray:
        """Return every state of every step in one row, (N, W) float32."""
        batch = self.dataset.gather(self.rows(), images=(), next_observation=False)
        parts = [batch.observation[name] for name in sorted(batch.observation)]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    def blocks(self, size: int = 200) -> Iterator[np.ndarray]:
        """Yield images of consecutive steps, (n, 3, 128, 128, 3) uint8."""
        rows = self.rows()
        for start in range(0, len(rows), size):
            batch = self.dataset.gather(rows[start : start + size], next_observation=False)
            yield np.stack([batch.observation[name] for name in self.images], axis=1)

    def rows(self) -> np.ndarray:
        """Return the row of every step, in order."""
        return np.concatenate([episode.starts for episode in self.dataset.episodes])


def episode_files(name: str, folder: Path, dataset: Dataset) -> Contender:
    """Our own: the recorded files, in place."""
    size = sum(file.stat().st_size for file in folder.rglob('*') if file.is_file())
    return Contender(
        name,
        size / len(dataset),
        states=lambda n, rng: dataset.sample(n, rng, images=(), next_observation=False),
        images=lambda n, rng: dataset.sample(n, rng, next_observation=False),
        windows=lambda n, rng: dataset.windows(n, rng, 2),
    )


def plain_memmap(folder: Path, steps: Steps) -> Contender:
    """The floor: one np.memmap of images and one array of states, nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(steps), *CAMERAS_SHAPE)
    file = np.memmap(folder / 'images', np.uint8, 'w+', shape=shape)
    at = 0
    for block in steps.blocks():
        file[at : at + len(block)] = block
        at += len(block)
    file.flush()
    images, states = np.memmap(folder / 'images', np.uint8, 'r', shape=shape), steps.states()
    last = len(steps) - 1
    return Contender(
        'np.memmap',
        float(np.prod(CAMERAS_SHAPE)) + states.itemsize * states.shape[1],
        states=lambda n, rng: np.take(states, rng.integers(last, size=n), axis=0),
        images=lambda n, rng: np.take(images, rng.integers(last, size=n), axis=0),
        windows=lambda n, rng: np.take(
            images, rng.integers(last, size=n)[:, None] + np.arange(2), axis=0
        ),
    )


def hdf5(folder: Path, steps: Steps) -> Contender:
    """One contiguous data set of images and one of states in an HDF5 file."""
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / 'all.h5', 'w') as file:
        images = file.create_dataset('images', (len(steps), *CAMERAS_SHAPE), np.uint8)
        at = 0
        for block in steps.blocks():
            images[at : at + len(block)] = block
            at += len(block)
        file['states'] = steps.states()
    file = h5py.File(folder / 'all.h5', 'r')
    images, states = file['images'], file['states']
    last = len(steps) - 1

    def pairs(count: int, rng: np.random.Generator) -> object:
        return [images[row : row + 2] for row in rng.integers(last, size=count)]

    return Contender(
        f'h5py {h5py.__version__}, contiguous',
        (folder / 'all.h5').stat().st_size / len(steps),
        states=lambda n, rng: [states[row] for row in rng.integers(last, size=n)],
        images=lambda n, rng: [images[row] for row in rng.integers(last, size=n)],
        windows=pairs,
    )


def torchrl_storage(folder: Path, steps: Steps) -> Contender:
    """LazyMemmapStorage with RandomSampler, and with SliceSampler for windows."""
    import torch
    import torchrl
    from tensordict import TensorDict
    from torchrl.data import LazyMemmapStorage, ReplayBuffer, TensorDictReplayBuffer
    from torchrl.data.replay_buffers.samplers import RandomSampler, SliceSampler

    ends = np.cumsum([episode.steps for episode in steps.dataset.episodes])
    episodes = torch.from_numpy(np.searchsorted(ends, np.arange(len(steps)), side='right'))

    def filled(name: str, sampler: object, fields: list[dict[str, np.ndarray]]) -> ReplayBuffer:
        storage = LazyMemmapStorage(len(steps), scratch_dir=str(folder / name))
        buffer = TensorDictReplayBuffer(storage=storage, sampler=sampler)
        at = 0
        for block in fields:
            count = len(next(iter(block.values())))
            data = {key: torch.from_numpy(value) for key, value in block.items()}
            data['episode'] = episodes[at : at + count]
            buffer.extend(TensorDict(data, [count]))
            at += count
        return buffer

    images = [{'images': block} for block in steps.blocks()]
    single = filled('images', RandomSampler(), images)
    slices = SliceSampler(slice_len=2, traj_key='episode', cache_values=True)
    pairs = filled('pairs', slices, images)
    states = filled('states', RandomSampler(), [{'states': steps.states()}])
    size = sum(f.stat().st_size for f in (folder / 'images').rglob('*') if f.is_file())
    return Contender(
        f'torchrl {torchrl.__version__}, LazyMemmapStorage',
        size / len(steps) + 4 * steps.states().shape[1],
        states=lambda n, rng: states.sample(n),
        images=lambda n, rng: single.sample(n),
        windows=lambda n, rng: pairs.sample(2 * n),
    )


def lerobot(folder: Path, steps: Steps, videos: bool) -> Contender:
    """LeRobotDataset v3 with default settings, read through its torch interface.

    One episode is enough: a sample costs the same in a large set.
    """
    import lerobot as package
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    kind, form = ('video', 'AV1 video') if videos else ('image', 'PNG images')
    cameras = {
        f'observation.{name.replace("/", ".")}': {
            'dtype': kind,
            'shape': CAMERAS_SHAPE[1:],
            'names': ['height', 'width', 'channel'],
        }
        for name in steps.images
    }
    states = steps.states()[: steps.dataset.episodes[0].steps]
    state = {'dtype': 'float32', 'shape': (states.shape[1],), 'names': None}
    dataset = LeRobotDataset.create(
        'local/bench', 20, {'observation.state': state, **cameras}, root=folder, use_videos=videos
    )
    images = np.concatenate(list(steps.blocks()))[: len(states)]
    for row, values in enumerate(states):
        pixels = dict(zip(cameras, images[row], strict=True))
        dataset.add_frame({'observation.state': values, **pixels, 'task': 'stack'})
    dataset.save_episode(parallel_encoding=False)  # no pool of processes for one episode
    dataset.finalize()
    size = sum(file.stat().st_size for file in folder.rglob('*') if file.is_file())
    single = LeRobotDataset('local/bench', root=folder)
    deltas = {name: [0.0, 0.05] for name in cameras}
    pairs = LeRobotDataset('local/bench', root=folder, delta_timestamps=deltas)
    last = len(states) - 1
    return Contender(
        f'LeRobotDataset {package.__version__}, {form}',
        size / len(states),
        states=None,
        images=lambda n, rng: [single[int(row)] for row in rng.integers(last, size=n)],
        windows=lambda n, rng: [pairs[int(row)] for row in rng.integers(last, size=n)],
        batch=8,
    )
