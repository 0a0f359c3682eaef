"""Does the cell behave as the benchmark? Its released policies should succeed as published.

python -m chef_cell.bench.fidelity --teachers DIR --episodes 100 --processes 2
"""

import argparse
import dataclasses
import functools
import multiprocessing
import pathlib
import statistics
import sys
from collections.abc import Iterable

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chef_cell.core.results import wilson_interval
from chef_cell.sim.environment import MAX_STEPS, StackingEnv
from chef_cell.sim.objects import TRIPLETS
from chef_cell.sim.released_policy import ReleasedPolicy
from chef_cell.sim.scene import SimSettings

#: Success of the released policies in percent, from the README of google-deepmind/rgb_stacking.
PUBLISHED = {'1': 77.7, '2': 47.4, '3': 83.5, '4': 79.9, '5': 89.5}
FORCE_LIMIT = 20.0  # N


@dataclasses.dataclass(frozen=True)
class Task:
    """One episode to run."""

    teachers: pathlib.Path
    triplet: str
    seed: int
    settings: SimSettings


@dataclasses.dataclass(frozen=True)
class Episode:
    """What came out of one episode of 400 steps."""

    triplet: str
    sparse_stack: bool  # at the last step
    stack_leave: bool  # at the last step, above 0.5
    force_peak: float  # N, largest of the whole episode, sampled at the joint loop


def run_episode(task: Task) -> Episode:
    """Drive one episode with the released policy of its triplet, actions sampled."""
    policy, environment = _prepared(task.teachers, task.triplet, task.settings)
    rng = np.random.default_rng([task.seed, int(task.triplet)])
    _, info = environment.reset(seed=task.seed)
    force_peak = 0.0
    for _ in range(MAX_STEPS):
        action = policy.sample(info['benchmark_observation'], rng)
        _, _, _, _, info = environment.step(action)
        force_peak = max(force_peak, info['force_max'])
    return Episode(task.triplet, info['sparse_stack'], info['success'], force_peak)


@functools.lru_cache(maxsize=1)
def _prepared(
    teachers: pathlib.Path, triplet: str, settings: SimSettings
) -> tuple[ReleasedPolicy, StackingEnv]:
    policy = ReleasedPolicy(teachers / f'triplet{triplet}.npz')
    return policy, StackingEnv(
        triplet, settings=settings, force_limit=None, benchmark_observation=True
    )


def run(tasks: list[Task], processes: int, console: Console) -> list[Episode]:
    """Run all tasks, with a progress bar."""
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    episodes: list[Episode] = []
    with (
        multiprocessing.get_context('spawn').Pool(processes) as pool,
        Progress(*columns, console=console) as progress,
    ):
        bar = progress.add_task('released policies', total=len(tasks))
        for episode in pool.imap(run_episode, tasks, chunksize=5):
            episodes.append(episode)
            rate = 100 * statistics.mean(e.sparse_stack for e in episodes)
            progress.update(bar, advance=1, description=f'success so far {rate:.0f} %')
    return episodes


def tabulate(episodes: list[Episode]) -> Table:
    """Return the table of success per triplet, with 95 % Wilson intervals."""
    table = Table(title='Success of the released policies at the last step, % [95 % interval]')
    headings = ('triplet', 'episodes', 'published', 'sparse stack', 'stack-leave')
    ruled = (f'sparse, {FORCE_LIMIT:.0f} N rule', f'leave, {FORCE_LIMIT:.0f} N rule')
    for heading in (*headings, *ruled, f'above {FORCE_LIMIT:.0f} N', 'median peak N'):
        table.add_column(heading, justify='right')
    means: list[list[float]] = []
    for triplet in sorted({episode.triplet for episode in episodes}):
        group = [episode for episode in episodes if episode.triplet == triplet]
        calm = [e.force_peak <= FORCE_LIMIT for e in group]
        outcomes = [
            [e.sparse_stack for e in group],
            [e.stack_leave for e in group],
            [e.sparse_stack and c for e, c in zip(group, calm, strict=True)],
            [e.stack_leave and c for e, c in zip(group, calm, strict=True)],
        ]
        means.append([PUBLISHED[triplet], *(100 * statistics.mean(o) for o in outcomes)])
        table.add_row(
            triplet,
            str(len(group)),
            f'{PUBLISHED[triplet]:.1f}',
            *(_rate(outcome) for outcome in outcomes),
            f'{100 * (1 - statistics.mean(calm)):.0f}',
            f'{statistics.median(e.force_peak for e in group):.1f}',
        )
    averages = [f'{statistics.mean(column):.1f}' for column in zip(*means, strict=True)]
    table.add_row('mean', str(len(episodes)), *averages, '', '', style='bold')
    return table


def _rate(outcomes: Iterable[bool]) -> str:
    values = list(outcomes)
    low, high = wilson_interval(sum(values), len(values))
    return f'{100 * statistics.mean(values):.0f} [{100 * low:.0f}, {100 * high:.0f}]'


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument(
        '--teachers', type=pathlib.Path, required=True, help='folder with triplet1.npz .. 5.npz'
    )
    parser.add_argument('--episodes', type=int, default=100, help='per triplet')
    parser.add_argument('--triplets', nargs='+', choices=TRIPLETS, default=list(TRIPLETS))
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--seed', type=int, default=0, help='of the first episode')
    default = SimSettings()
    parser.add_argument(
        '--joint-period',
        type=float,
        default=default.joint_period,
        help='s, of the joint loop; 0.05 as in the benchmark',
    )
    parser.add_argument('--impratio', type=float, default=default.impratio)
    return parser.parse_args()


def main() -> int:
    """Run the bench; returns the exit code."""
    arguments = _arguments()
    # A file has no width of its own; a narrow table would be hard to read.
    console = Console(width=None if sys.stdout.isatty() else 120)
    missing = [
        str(path)
        for path in (arguments.teachers / f'triplet{t}.npz' for t in arguments.triplets)
        if not path.is_file()
    ]
    if missing:
        console.print(f'released policies not found: {", ".join(missing)}')
        return 2
    settings = SimSettings(joint_period=arguments.joint_period, impratio=arguments.impratio)
    tasks = [
        Task(arguments.teachers, triplet, seed, settings)
        for triplet in arguments.triplets
        for seed in range(arguments.seed, arguments.seed + arguments.episodes)
    ]
    try:
        episodes = run(tasks, arguments.processes, console)
    except KeyboardInterrupt:
        return 130
    console.print(tabulate(episodes))
    return 0


if __name__ == '__main__':
    sys.exit(main())
