"""chef-train ingest: read episodes once, build their indices, say what is there."""

import argparse
from collections import Counter
from pathlib import Path

import rich.table

from chef_trainer.cli.arguments import show
from chef_trainer.evaluation.statistics import Rate
from chef_trainer.progress import progress_bars
from chef_trainer.replay.dataset import Dataset
from chef_trainer.task.observe import STATE_NAMES, observation_specs


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'ingest',
        help='read recorded episodes and say what there is to learn from',
        description='Read episode files (or folders of them), align them to control steps, keep '
        'the index beside them so that training starts at once, and say what is there and which '
        'files are refused, and why.',
    )
    command.add_argument('data', nargs='+', type=Path, help='.mcap files, bags or folders')
    command.add_argument(
        '--observations',
        nargs='+',
        metavar='NAME',
        default=list(STATE_NAMES),
        help='what a policy is to see, images as image/<camera> (default: the states)',
    )
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Carry out the command; raises ValueError when nothing can be used."""
    with progress_bars() as progress:
        task = progress.add_task('ingest', total=None, note='')
        dataset = Dataset.open(
            arguments.data,
            observation_specs(arguments.observations),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if dataset.episodes:
        show(_table(dataset))
    for error in dataset.refused:
        show(f'refused: {error}')
    show(
        f'{len(dataset.episodes)} episodes, {len(dataset)} transitions; '
        f'{len(dataset.refused)} files refused'
    )
    if not len(dataset):
        raise ValueError(f'{[str(path) for path in arguments.data]}: nothing to learn from')


def _table(dataset: Dataset) -> rich.table.Table:
    table = rich.table.Table('triplet', 'policy', 'episodes', 'transitions', 'success %')
    counts: Counter[tuple[str, str]] = Counter()
    steps: Counter[tuple[str, str]] = Counter()
    solved: Counter[tuple[str, str]] = Counter()
    for episode in dataset.episodes:
        kind = (
            str(episode.metadata.get('triplet', '')),
            str(episode.metadata.get('policy_sha256', ''))[:8],
        )
        counts[kind] += 1
        steps[kind] += len(episode.starts)
        solved[kind] += bool(episode.metadata.get('success'))
    for kind, count in sorted(counts.items()):
        table.add_row(*kind, str(count), str(steps[kind]), str(Rate(solved[kind], count)))
    return table
