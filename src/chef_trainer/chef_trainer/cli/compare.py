"""chef-train compare: what candidates reached, side by side."""

import argparse
from pathlib import Path

from chef_trainer.cli.arguments import add_force_limit, show
from chef_trainer.evaluation.evaluate import read_verdicts
from chef_trainer.evaluation.paired import compare, named
from chef_trainer.evaluation.plot import draw_success
from chef_trainer.evaluation.statistics import summarise
from chef_trainer.evaluation.table import paired, terminal


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'compare',
        help='compare evaluated policies: table, paired test, plot',
        description='Read files of outcomes that `chef-train evaluate` wrote; print success with '
        '95 %% Wilson intervals, and an exact paired test (McNemar) of every candidate against '
        'the baseline over the scenes that both met.',
    )
    command.add_argument('results', type=Path, nargs='+', help='files of outcomes, JSON lines')
    command.add_argument('--baseline', metavar='NAME', help='default: the first candidate')
    command.add_argument(
        '--plot', type=Path, help='image to draw (.png); default: beside the first file'
    )
    add_force_limit(command)
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Carry out the command.

    Raises:
        ValueError: there is nothing to compare.
        OSError: the plot can't be written.
    """
    for path in arguments.results:
        if not path.is_file():
            raise ValueError(f'{path}: no such file of results')
    verdicts = named([one for path in arguments.results for one in read_verdicts(path)])
    if not verdicts:
        raise ValueError(f'{[str(path) for path in arguments.results]}: no outcomes')
    summaries = summarise(verdicts, arguments.force_limit)
    show(terminal(summaries, arguments.force_limit))
    comparisons = compare(verdicts, arguments.baseline or verdicts[0].candidate)
    if comparisons:
        show(paired(comparisons))
    plot = arguments.plot or arguments.results[0].with_suffix('.png')
    draw_success(summaries, plot)
    show(f'plot: {plot}')
