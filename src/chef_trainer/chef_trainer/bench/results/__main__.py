"""Measure a results table: teacher, offline and online methods, budgets, seeds, intervals.

    python -m chef_trainer.bench.results STUDY.yaml --env MODULE:ATTRIBUTE --out DIR

The study says who teaches, what is compared, and how much of it. Everything is kept in DIR, and
the same command goes on after a kill. Start it several times in one DIR to use more cores: each
process takes what nobody else works on. The table (results.md), the plot (results.png) and what
came of every scene (results.csv) are written at the end, on Ctrl-C, and by --report, which works
on nothing. With --published FILE, such a results.csv, its cells need not be measured again.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from chef_trainer.bench.results.outcomes import read_outcomes, write_outcomes
from chef_trainer.bench.results.plot import draw_results
from chef_trainer.bench.results.report import markdown, results
from chef_trainer.bench.results.study import cells, load_study
from chef_trainer.bench.results.work import Workplace
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
    parser.add_argument(
        '--env', required=True, metavar='MODULE:ATTRIBUTE', help='simulated cell to run in'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder of the study')
    parser.add_argument(
        '--set',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='a smaller study: budgets=[200] seeds=[0] episodes=50',
    )
    parser.add_argument('--workers', type=int, default=1, help='processes (%(default)s)')
    parser.add_argument(
        '--published',
        type=Path,
        metavar='FILE',
        help='results.csv of another folder; cells that other settings decided do not count',
    )
    parser.add_argument('--report', action='store_true', help='only write what is done')
    arguments = parser.parse_args()
    workplace = None
    interrupt_on_sigterm()
    try:
        study = load_study(arguments.study, dict(map(parse_flag, arguments.set)))
        published = read_outcomes(arguments.published, study) if arguments.published else {}
        workplace = Workplace(study, arguments.out, arguments.env, arguments.workers, published)
        if not arguments.report:
            with progress_bars() as progress:
                workplace.carry_out(progress)
        _report(workplace)
    except (ValueError, OSError, ExportError) as error:
        sys.exit(f'results: {error}')
    except KeyboardInterrupt:
        if workplace is not None:
            _report(workplace)
        sys.exit(INTERRUPTED)


def _report(workplace: Workplace) -> None:
    """Write table, plot, outcomes and hours of what is done so far."""
    everything = list(cells(workplace.study))
    solved = {cell: workplace.solved(cell) for cell in everything}
    console = Console()
    if not any(solved.values()):
        console.print('nothing is measured yet', markup=False)
        return
    found = results(solved)
    text = f'{markdown(found)}\n' + workplace.progress_report(everything, 'cells')
    if workplace.published:
        text += f'{len(workplace.published)} cells are measured elsewhere.\n'
    with replacing(workplace.directory / 'results.md') as temporary:
        temporary.write_text(text)
    write_outcomes(workplace.directory / 'results.csv', workplace.study, solved)
    draw_results(found, workplace.directory / 'results.png')
    console.print(text, markup=False, soft_wrap=True)


if __name__ == '__main__':
    main()
