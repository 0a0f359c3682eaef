"""Measure the methods on tasks that others wrote: success or return, intervals, curves, time.

    python -m chef_trainer.bench.tasks STUDY.yaml --out DIR [--tasks NAME ...]

The study says which environments, whose episodes are the data, what is trained, and how long.
Everything is kept in DIR, and the same command goes on after a kill. Start it several times in one
DIR to use more cores: each process takes what nobody else works on. The table and the plot are
written at the end, on Ctrl-C, and by --report, which works on nothing. Packages that have the
environments are installed by hand; the message about an absent one says how.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from chef_trainer.bench.grid.times import seconds
from chef_trainer.bench.tasks.plot import draw_curves
from chef_trainer.bench.tasks.report import curves, markdown, results
from chef_trainer.bench.tasks.study import cells, check_installed, load_study
from chef_trainer.bench.tasks.work import Workplace
from chef_trainer.export.onnx import ExportError
from chef_trainer.interrupt import INTERRUPTED, interrupt_on_sigterm
from chef_trainer.learner.settings import parse_flag
from chef_trainer.policy_file import replacing
from chef_trainer.progress import progress_bars


def main() -> None:
    """Carry out a study, then write what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('study', type=Path, help='YAML file')
    parser.add_argument('--out', type=Path, required=True, help='folder of the study')
    parser.add_argument('--tasks', nargs='+', default=[], metavar='NAME', help='only these')
    parser.add_argument(
        '--set',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='a smaller study: seeds=[0] episodes=20',
    )
    parser.add_argument('--workers', type=int, default=1, help='processes (%(default)s)')
    parser.add_argument('--report', action='store_true', help='only write table and plot')
    arguments = parser.parse_args()
    workplace = None
    interrupt_on_sigterm()
    try:
        flags = dict(map(parse_flag, arguments.set))
        study = load_study(arguments.study, flags, arguments.tasks)
        workplace = Workplace(study, arguments.out, arguments.workers)
        if not arguments.report:
            check_installed(study)
            with progress_bars() as progress:
                workplace.carry_out(progress)
        report(workplace)
    except (ValueError, OSError, ExportError) as error:
        sys.exit(f'tasks: {error}')
    except KeyboardInterrupt:
        if workplace is not None:
            report(workplace)
        sys.exit(INTERRUPTED)


def report(workplace: Workplace) -> None:
    """Write table, plot and hours of what is done so far."""
    everything = list(cells(workplace.study))
    verdicts = {cell: workplace.verdicts(cell) for cell in everything}
    points = {cell: workplace.points(cell) for cell in everything}
    console = Console()
    if not any(verdicts.values()):
        console.print('nothing is measured yet', markup=False)
        return
    last = {cell: updates[-1] for cell, updates in points.items()}
    experts = {task: workplace.expert_successes(task) for task in workplace.study.tasks}
    found = results(workplace.study, verdicts, last, experts, seconds(workplace.times))
    text = f'{markdown(found)}\n' + workplace.progress_report(everything, 'runs')
    with replacing(workplace.directory / 'tasks.md') as temporary:
        temporary.write_text(text)
    lines = curves(workplace.study, verdicts, points)
    if lines:
        draw_curves(lines, found, workplace.directory / 'tasks.png')
    console.print(text, markup=False, soft_wrap=True)


if __name__ == '__main__':
    main()
