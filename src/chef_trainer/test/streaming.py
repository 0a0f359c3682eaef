"""The processes of the streaming tests: one that records, and those that sample meanwhile."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
from recorded_cell import Script, pixels, record

from chef_trainer.replay import Dataset
from chef_trainer.task.observe import observation_specs

EPISODES, STEPS = 6, 4
SPECS = observation_specs(('wrench', 'image/front'))
DEADLINE = 150.0  # s


def script(index: int) -> Script:
    """Return what shall be in an episode."""
    return Script(index, STEPS, ('front',))


def write_all(folder: str) -> None:
    for index in range(EPISODES):
        record(Path(folder), script(index))


def read_until_all(folder: str, seed: int, done: multiprocessing.Queue) -> None:
    """Sample and refresh until every episode was seen; check every image of every batch."""
    dataset, rng = Dataset.open(folder, SPECS), np.random.default_rng(seed)
    end, seen = time.monotonic() + DEADLINE, set()
    while len(seen) < EPISODES and time.monotonic() < end:
        dataset.refresh()
        if not len(dataset):
            continue
        batch = dataset.sample(8, rng)
        for row, image in zip(batch.row, batch.observation['image/front'], strict=True):
            episode = next(e for e in dataset.episodes if e.first <= row <= e.first + e.steps)
            index = int(episode.metadata['index'])
            assert np.array_equal(image, pixels(script(index), int(row) - episode.first, 0))
            seen.add(index)
    done.put((len(seen), [str(error) for error in dataset.refused]))
