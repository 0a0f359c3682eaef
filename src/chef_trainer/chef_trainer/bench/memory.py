"""How much memory does a set of episodes take, opened and sampled?

    python -m chef_trainer.bench.memory EPISODES [--states 2000] [--vision 200] [--work DIR]

EPISODES are recorded episodes; for the vision set those with three cameras count (`chef session
--cameras all`). The sets are made of hard links to them, each with a step index and an id of its
own, so they take no disk, but every link is mapped and paged in as a file of its own. A process
for each set opens it, draws batches and says what it holds: in all at the peak, and how much of
that is its own memory and how much pages of files, which the system takes back when it needs them.
"""

import argparse
import dataclasses
import multiprocessing
import os
import resource
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chef_trainer.bench.loading import BATCHES, IMAGES
from chef_trainer.episodes import step_index
from chef_trainer.episodes.discovery import find_episodes
from chef_trainer.replay import Dataset
from chef_trainer.task.observe import STATE_NAMES, observation_specs

MB = 1e6


@dataclasses.dataclass(frozen=True)
class Usage:
    """Of one process, in bytes."""

    episodes: int
    steps: int
    before: int  # with everything imported, and no set
    peak: int
    own: int  # anonymous, at the end
    files: int  # pages of mapped files, at the end


def main() -> None:
    """Make the sets, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('episodes', type=Path, nargs='+')
    parser.add_argument('--states', type=int, default=2000, help='episodes (%(default)s)')
    parser.add_argument('--vision', type=int, default=200, help='episodes (%(default)s)')
    parser.add_argument('--batches', type=int, default=500, help='to draw (%(default)s)')
    parser.add_argument(
        '--work', type=Path, help='folder for the links; default: beside the first'
    )
    arguments = parser.parse_args()
    sources = list(find_episodes(arguments.episodes))
    eyes = [one for one in sources if sees(one)]
    sets = {
        'states': (sources, arguments.states, ()),
        'states and three cameras': (eyes, arguments.vision, IMAGES),
    }
    table = Table('set', 'episodes', 'steps', 'peak MB', 'own MB', 'of files MB', 'own bytes/step')
    with tempfile.TemporaryDirectory(dir=arguments.work or sources[0].parent) as work:
        for name, (of, count, images) in sets.items():
            if not of:
                table.add_row(name, 'absent: no episode with three cameras')
                continue
            folder = linked(of, Path(work) / name, count)
            with multiprocessing.get_context('spawn').Pool(1) as pool:
                used = pool.apply(use, (folder, images, arguments.batches))
            numbers = (used.peak - used.before, used.own - used.before, used.files)
            table.add_row(
                name, f'{used.episodes:,}', f'{used.steps:,}',
                *(f'{number / MB:,.0f}' for number in numbers),
                f'{(used.own - used.before) / used.steps:,.0f}',
            )  # fmt: skip
    Console().print(table, '(beyond what the program takes without a set)')


def sees(path: Path) -> bool:
    """Say whether an episode was recorded with the three cameras."""
    names = step_index.load_steps(path).table.dtype.names or ()
    return set(IMAGES) <= set(names)


def linked(sources: list[Path], folder: Path, count: int) -> Path:
    """Make a set of `count` episodes of links to `sources`."""
    indices = [step_index.load_steps(source) for source in sources]
    for number in track(range(count), folder.name, transient=True):
        which = number % len(sources)
        name = f'{number:06d}'
        place = folder / name
        place.mkdir(parents=True)
        file = place / f'{name}.mcap'
        os.link(sources[which], file)
        steps = indices[which]
        metadata = {**steps.metadata, 'episode_id': name}
        step_index.keep_steps(file, dataclasses.replace(steps, metadata=metadata))
    return folder


def use(folder: Path, images: tuple[str, ...], batches: int) -> Usage:
    """Open a set, draw from it, and tell what this process holds."""
    before = held('RssAnon')
    dataset = Dataset.open(folder, observation_specs((*STATE_NAMES, *images)))
    random = np.random.default_rng(0)
    for _ in range(batches):
        dataset.sample(BATCHES['images' if images else 'states'], random)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    own, files = held('RssAnon'), held('RssFile')
    return Usage(len(dataset.episodes), len(dataset), before, peak, own, files)


def held(kind: str) -> int:
    """Return what the kernel says this process holds of one kind (bytes)."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{kind}:'):
            return int(line.split()[1]) * 1024
    raise OSError(f'/proc/self/status has no {kind}')


if __name__ == '__main__':
    main()
