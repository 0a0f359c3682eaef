"""Does a long session grow, slow down or lose anything?

    python -m chef_cell.bench.soak [--episodes 500] [--steps 40] [--out DIR]

One session in lockstep. At the end of each episode the memory of every process is read, and the
wall time of a control step is taken over the episode. Straight lines are fitted to what came after
the first fifth, in which caches fill. At the end every episode file is opened.
"""

import argparse
import dataclasses
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import matplotlib
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chef_cell.cli.arguments import add_overrides, by_node, read_cameras
from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.paths import config_folder, default_policy
from chef_cell.cli.processes import CellProcesses
from chef_cell.cli.progress import Follower
from chef_cell.cli.session import cell_environment
from chef_cell.core.results import SessionResult
from chef_cell.graph import CAMERAS, NAMESPACE, CellSettings, nodes
from chef_interfaces.msg import EpisodeState
from chef_trainer.episodes import EpisodeFileError, EpisodeReader

matplotlib.use('Agg')
from matplotlib import pyplot as plt

SESSION = 'soak'
MEGABYTE = 1e6
#: Share of the episodes that is left out of the fits.
WARM_UP = 0.2
#: Growth over the whole soak that is called steady, whatever its sign: of memory (MB) and of
#: the period (share of it).
MEMORY_NOISE, PERIOD_NOISE = 2.0, 0.05


@dataclasses.dataclass
class Record:
    """What was measured at the end of each episode."""

    memory: dict[str, list[float]] = dataclasses.field(default_factory=dict)  # node -> MB
    period: list[float] = dataclasses.field(default_factory=list)  # ms, wall time of a step


@dataclasses.dataclass(frozen=True)
class Trend:
    """A straight line through measurements, one per episode, after the warm-up."""

    first: float
    last: float
    growth: float  # over all episodes
    error: float  # of the growth: half of its 95 % interval, as if the errors were independent

    @classmethod
    def of(cls, values: list[float]) -> 'Trend':
        """Fit a line; at least 5 values are needed."""
        kept = np.array(values[int(WARM_UP * len(values)) :])
        x = np.arange(len(kept)) - (len(kept) - 1) / 2
        slope = float(x @ kept / (x @ x))
        residuals = kept - kept.mean() - slope * x
        deviation = np.sqrt(residuals @ residuals / (len(kept) - 2) / (x @ x))
        count = len(values)
        return cls(values[0], values[-1], slope * count, 1.96 * float(deviation) * count)

    def verdict(self, noise: float) -> str:
        """Say whether it grows by more than `noise`, as far as one can tell."""
        return 'steady' if self.growth - self.error <= noise else 'grows'


def resident(pid: int) -> float:
    """Return the resident memory of a process (MB)."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / MEGABYTE


def watch(cell: CellProcesses, follower: Follower, episodes: int) -> Record:
    """Follow the session to its end; its exit code does not matter, its files are looked at."""
    record, begun, ended = Record(), 0.0, ''
    with Progress(transient=True) as progress:
        bar = progress.add_task('soak', total=episodes)
        while cell.exit_code('session') is None and cell.dead() is None:
            for state in follower.wait(0.1):
                now = time.monotonic()
                if state.phase == EpisodeState.RUNNING and not begun:
                    begun = now
                elif state.phase == EpisodeState.ENDED and state.episode_id != ended:
                    ended = state.episode_id
                    if begun and state.steps:
                        record.period.append(1e3 * (now - begun) / state.steps)
                    begun = 0.0
                    for name in sorted(cell.names):
                        memory = resident(cell.pid(name))
                        record.memory.setdefault(name, []).append(memory)
                    progress.advance(bar)
    return record


@contextmanager
def session(options: argparse.Namespace, folder: Path) -> Iterator[tuple[CellProcesses, Follower]]:
    """A cell that plays one session, and who follows it."""
    plan = {
        'session_id': SESSION,
        'triplets': ['3'],
        'policies': [str(options.policy.resolve())],
        'episodes': options.episodes,
        'seed': 0,
    }
    overrides: dict[str, dict[str, object]] = by_node(options.overrides)
    overrides['session'] = {'max_steps': options.steps, **overrides.get('session', {})}
    config = config_folder()
    settings = CellSettings(lockstep=True, cameras=options.cameras, directory=str(folder))
    specs = nodes(settings, config, plan, overrides)
    with ExitStack() as stack:
        domain = stack.enter_context(reserved_domain())
        environment = cell_environment(config, domain)
        os.environ.update(environment)
        follower = Follower(domain, NAMESPACE)
        stack.callback(follower.close)
        cell = stack.enter_context(CellProcesses(specs, folder / 'log', environment))
        yield cell, follower


def lost(folder: Path, episodes: int) -> dict[str, int]:
    """Count what is missing from the record of a session and from its files."""
    result = SessionResult.from_json((folder / 'session.json').read_text())
    unreadable = messages = 0
    for episode in result.episodes:
        try:
            metadata = EpisodeReader(folder / episode.file).metadata
        except EpisodeFileError:
            unreadable += 1
            continue
        unreadable += metadata['outcome'] != episode.outcome
        messages += sum(topic['missed'] for topic in metadata['topics'].values())
    return {
        'episodes missing': episodes - len(result.episodes),
        'episode files missing, broken or of another outcome': unreadable,
        'messages missing from files': messages,
    }


def tabulate(record: Record, missing: Mapping[str, int]) -> Table:
    """Return the table of growth and loss."""
    table = Table(title=f'{len(record.period)} episodes of one session in lockstep')
    table.add_column('what')
    for heading in ('first', 'last', 'growth in all', '95 %', ''):
        table.add_column(heading, justify='right')
    rows = [
        (f'memory of {node}, MB', values, MEMORY_NOISE) for node, values in record.memory.items()
    ]
    noise = PERIOD_NOISE * float(np.median(record.period))
    rows.append(('wall time of a control step, ms', record.period, noise))
    for name, values, limit in rows:
        trend = Trend.of(values)
        numbers = (trend.first, trend.last, trend.growth)
        cells = [f'{number:.1f}' for number in numbers]
        table.add_row(name, *cells, f'+- {trend.error:.1f}', trend.verdict(limit))
    table.add_section()
    for name, count in missing.items():
        table.add_row(name, '', str(count), '', '', 'none' if not count else 'lost')
    return table


def plot(record: Record, path: Path) -> None:
    """Draw memory and period over the episodes."""
    figure, (memory, period) = plt.subplots(
        2, 1, figsize=(8, 7), sharex=True, layout='constrained'
    )
    for node, values in record.memory.items():
        memory.plot(values, label=node)
    memory.set(ylabel='resident memory, MB', ylim=(0, None))
    memory.legend(ncols=2, fontsize='small')
    period.plot(record.period, '.', markersize=3)
    period.set(xlabel='episode', ylabel='wall time of a control step, ms', ylim=(0, None))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--episodes', type=int, default=500, help='at least 10')
    parser.add_argument('--steps', type=int, default=40, help='control steps an episode')
    parser.add_argument('--cameras', type=read_cameras, default=CAMERAS[:1], metavar='NAMES')
    parser.add_argument('--policy', type=Path, default=default_policy(), help='policy file')
    parser.add_argument('--out', type=Path, help='where to keep the session; default: nowhere')
    parser.add_argument('--plot', type=Path, default=Path('soak.png'), help='picture to draw')
    add_overrides(parser, 'set a parameter of a node, in YAML')
    options = parser.parse_args()
    if options.episodes < 10:
        parser.error(f'{options.episodes} episodes, at least 10')
    return options


def main() -> int:
    """Run the bench; returns the exit code."""
    options = _arguments()
    # A file has no width of its own; a narrow table would be hard to read.
    console = Console(width=None if sys.stdout.isatty() else 120)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.out or Path(temporary)
            with session(options, folder.resolve()) as (cell, follower):
                record = watch(cell, follower, options.episodes)
            missing = lost(folder / SESSION, options.episodes)
    except KeyboardInterrupt:
        return 130
    if len(record.period) < options.episodes:
        console.print(f'only {len(record.period)} of {options.episodes} episodes were played')
        return 1
    console.print(tabulate(record, missing))
    plot(record, options.plot)
    console.print(f'picture: {options.plot}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
