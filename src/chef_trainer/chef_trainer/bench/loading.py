"""How fast do recorded episodes become batches, beside the stores that others convert to?

    python -m chef_trainer.bench.loading EPISODES [--copies 16] [--work DIR] [--json FILE]

EPISODES are recorded with three cameras of 128x128 (`chef session --cameras all`). They are
written again `--copies` times, and converted for every peer that is installed; the others are
listed as absent. Blocks of all contenders alternate; the best block of each counts, by the clock
on the wall, and how many cores it kept busy meanwhile. Files are in the page cache, but for the
last column: there they are dropped from it before every block.
"""

import argparse
import ctypes
import dataclasses
import json
import mmap
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chef_trainer.bench import contenders
from chef_trainer.bench.contenders import Contender, Draw, Steps
from chef_trainer.bench.sets import multiply
from chef_trainer.episodes.discovery import find_episodes
from chef_trainer.replay import Dataset
from chef_trainer.task.observe import STATE_NAMES, observation_specs

IMAGES = ('image/basket_front_left', 'image/basket_front_right', 'image/basket_back_left')
#: What is drawn -> batch size.
BATCHES = {'states': 256, 'images': 128, 'windows': 64}
#: A block lasts this long (s), or one batch.
BLOCK = 0.5


@dataclasses.dataclass
class Rate:
    """The best block so far."""

    samples_per_second: float = 0.0
    cores: float = 0.0

    def take(self, samples: int, wall: float, cpu: float) -> None:
        """Note a block."""
        if samples / wall > self.samples_per_second:
            self.samples_per_second, self.cores = samples / wall, cpu / wall


def main() -> int:
    """Prepare the stores, measure, print the table."""
    arguments = parser().parse_args()
    console = Console(stderr=True)
    sources = list(find_episodes(arguments.episodes))
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        entrants, absent, index_rate = prepare(sources, Path(folder), arguments.copies)
        rates = measure(entrants, arguments.rounds)
        cold = {e.name: coldly(e, Path(folder), arguments.rounds) for e in entrants}
        latency = streaming_latency(sources[0], Path(folder) / 'streaming')
    show(entrants, rates, cold)
    for name, why in absent.items():
        console.print(f'absent: {name}: {why}')
    console.print(f'index: {index_rate:.0f} steps/s are aligned, once per episode')
    console.print(f'end of a recording to its first batch: {latency * 1e3:.0f} ms')
    if arguments.json:
        arguments.json.write_text(json.dumps(record(entrants, rates, cold, index_rate, latency)))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    command = argparse.ArgumentParser(prog='python -m chef_trainer.bench.loading')
    command.add_argument('episodes', type=Path, nargs='+', help='recorded with three cameras')
    command.add_argument('--copies', type=int, default=16, help='(%(default)s)')
    command.add_argument('--rounds', type=int, default=5, help='blocks of each (%(default)s)')
    command.add_argument('--work', type=Path, help='folder for the stores; default: temporary')
    command.add_argument('--json', type=Path, help='write the numbers, too')
    return command


def prepare(
    sources: list[Path], folder: Path, copies: int
) -> tuple[list[Contender], dict[str, str], float]:
    """Return the contenders, why others are absent, and steps aligned per second."""
    specs = observation_specs((*STATE_NAMES, *IMAGES))
    raw = multiply(sources, folder / 'raw', copies)
    packed = multiply(sources, folder / 'jpeg', max(copies // 8, 1), jpeg=True)
    begin = time.perf_counter()
    dataset = Dataset.open(raw, specs)
    index_rate = len(dataset) / (time.perf_counter() - begin)
    steps = Steps(dataset, IMAGES)
    entrants = [
        contenders.episode_files('episode files, raw images', raw, dataset),
        contenders.episode_files(
            'the same, read from the disk', raw, Dataset.open(raw, specs, memory=0.0)
        ),
        contenders.episode_files(
            'episode files, JPEG 90 4:4:4', packed, Dataset.open(packed, specs)
        ),
        contenders.plain_memmap(folder / 'memmap', steps),
    ]
    peers: dict[str, Callable[[], Contender]] = {
        'h5py': lambda: contenders.hdf5(folder / 'hdf5', steps),
        'torchrl': lambda: contenders.torchrl_storage(folder / 'torchrl', steps),
        'LeRobotDataset, video': lambda: contenders.lerobot(folder / 'video', steps, True),
        'LeRobotDataset, images': lambda: contenders.lerobot(folder / 'png', steps, False),
    }
    absent = {}
    for name, enter in track(peers.items(), 'converting', transient=True):
        try:
            entrants.append(tried(enter()))
        # Peers are many and break in many ways; each way makes one line, and the rest goes on.
        except Exception as error:
            absent[name] = f'{type(error).__name__}: {error}'.strip().splitlines()[0]
    return entrants, absent, index_rate


def tried(entrant: Contender) -> Contender:
    """Return a contender that has drawn one sample of everything it offers."""
    for what in BATCHES:
        draw = getattr(entrant, what)
        if draw is not None:
            draw(1, np.random.default_rng(0))
    return entrant


def measure(entrants: list[Contender], rounds: int) -> dict[tuple[str, str], Rate]:
    """Return (contender, what) -> rate, from alternating blocks."""
    rng = np.random.default_rng(0)
    rates = {(e.name, what): Rate() for e in entrants for what in BATCHES}
    for _ in track(range(rounds), 'measuring', transient=True):
        for entrant in entrants:
            for what, size in BATCHES.items():
                draw = getattr(entrant, what)
                if draw is not None:
                    rates[entrant.name, what].take(*block(draw, entrant.batch or size, rng))
    return rates


def block(draw: Draw, size: int, rng: np.random.Generator) -> tuple[int, float, float]:
    """Draw for `BLOCK` seconds; return samples, wall time and CPU time (s)."""
    begin, cpu, samples = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < BLOCK or not samples:
        draw(size, rng)
        samples += size
    return samples, time.perf_counter() - begin, time.process_time() - cpu


def coldly(entrant: Contender, folder: Path, rounds: int) -> float:
    """Return images per second, best of blocks of one batch each, with nothing in the cache."""
    rng, best = np.random.default_rng(1), 0.0
    size = entrant.batch or BATCHES['images']
    for _ in range(rounds if entrant.images else 0):
        forget(folder)
        begin = time.perf_counter()
        entrant.images(size, rng)  # type: ignore[misc]
        best = max(best, size / (time.perf_counter() - begin))
    return best


def forget(folder: Path) -> None:
    """Drop all files below `folder` from the page cache, whoever of us has mapped them."""
    libc = ctypes.CDLL(None, use_errno=True)
    for line in Path('/proc/self/maps').read_text().splitlines():
        span, *_, path = line.split(maxsplit=5)
        if path.startswith(f'{folder.resolve()}/'):
            start, end = (int(edge, 16) for edge in span.split('-'))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
    for file in (item for item in folder.rglob('*') if item.is_file()):
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def streaming_latency(source: Path, folder: Path) -> float:
    """Return the time (s) from the end of a recording to the first batch with it."""
    folder.mkdir(parents=True)
    dataset = Dataset.open(folder, observation_specs((*STATE_NAMES, *IMAGES)))
    multiply([source], folder, 1)  # its end is the rename, just now
    begin = time.perf_counter()
    dataset.refresh()
    dataset.sample(1, np.random.default_rng(0))
    return time.perf_counter() - begin


def show(
    entrants: list[Contender], rates: dict[tuple[str, str], Rate], cold: dict[str, float]
) -> None:
    """Print the table."""
    heads = [f'{what}/s, batch {size}' for what, size in BATCHES.items()]
    table = Table('store', 'bytes/step', *heads, 'images/s, cold', title='samples per second')
    for entrant in entrants:
        cells = []
        for what in BATCHES:
            rate = rates[entrant.name, what]
            known = rate.samples_per_second > 0
            cells.append(f'{rate.samples_per_second:,.0f} ({rate.cores:.1f})' if known else '-')
        table.add_row(
            entrant.name, f'{entrant.bytes_per_step:,.0f}', *cells, f'{cold[entrant.name]:,.0f}'
        )
    Console().print(table, '(in brackets: cores busy)')


def record(
    entrants: list[Contender],
    rates: dict[tuple[str, str], Rate],
    cold: dict[str, float],
    index_rate: float,
    latency: float,
) -> dict[str, object]:
    """Return the numbers as JSON takes them."""
    stores = {
        entrant.name: {
            'bytes_per_step': entrant.bytes_per_step,
            'images_cold': cold[entrant.name],
            **{what: dataclasses.asdict(rates[entrant.name, what]) for what in BATCHES},
        }
        for entrant in entrants
    }
    return {'stores': stores, 'index_steps_per_second': index_rate, 'latency_s': latency}


if __name__ == '__main__':
    sys.exit(main())
