"""chef-train evaluate: policies in a simulated cell, all on the same scenes."""

import argparse
import shlex
import sys
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.cli.arguments import add_environment, add_force_limit, show
from chef_trainer.evaluation.card import write_card
from chef_trainer.evaluation.evaluate import Verdict, evaluate, trials
from chef_trainer.evaluation.statistics import summarise
from chef_trainer.evaluation.table import subtasks, terminal, terminal_rows
from chef_trainer.progress import progress_bars


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'evaluate',
        help='measure policies in a simulated cell',
        description='Run policies, interleaved, on the same scenes, spread over processes. '
        'Finished episodes are kept in --results: the same command goes on after an '
        'interruption, and `chef-train compare` reads them.',
    )
    command.add_argument('policy', type=Path, nargs='+', help='policy files (.onnx)')
    add_environment(command)
    command.add_argument('--episodes', type=int, default=100, help='per triplet (%(default)s)')
    command.add_argument('--triplets', nargs='+', metavar='NAME', help="default: the policy's")
    command.add_argument(
        '--teachers', type=Path, help='folder with triplet<name>.npz, measured beside the policy'
    )
    command.add_argument(
        '--sampled', action='store_true', help='measure the policies with sampled actions as well'
    )
    add_force_limit(command)
    command.add_argument(
        '--results', type=Path, required=True, help='file of outcomes, JSON lines'
    )
    command.add_argument('--card', type=Path, help='model card of the first policy to write (.md)')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Run candidates on the same scenes and say what they reach."""
    first = arguments.policy[0]
    arguments.triplets = arguments.triplets or policy_file.read_spec(first).triplets
    jobs = trials(arguments.env, _candidates(arguments), arguments.episodes)
    verdicts: list[Verdict] = []
    with progress_bars() as progress:
        task = progress.add_task('evaluate', total=len(jobs), note='')
        for verdict in evaluate(jobs, arguments.workers, arguments.results):
            verdicts.append(verdict)
            solved = sum(one.outcome.success for one in verdicts)
            progress.update(task, advance=1, note=f'success {100 * solved / len(verdicts):.0f} %')
    summaries = summarise(verdicts, arguments.force_limit)
    show(terminal(summaries, arguments.force_limit))
    stages = subtasks(summaries)
    if stages:
        show(terminal_rows(stages, 'sub-tasks solved at some step, %'))
    if arguments.card:
        # The card leaves this machine: where its folders lie does not matter elsewhere.
        words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
        command = shlex.join(['chef-train', *words])
        write_card(arguments.card, first, summaries, arguments.force_limit, command)


def _candidates(arguments: argparse.Namespace) -> dict[str, tuple[dict[str, str], bool]]:
    names = [path.stem for path in arguments.policy]
    if len(set(names)) < len(names):
        raise ValueError(f'policies {names}: each needs a file name of its own')
    candidates = {}
    for name, path in zip(names, arguments.policy, strict=True):
        policy = dict.fromkeys(arguments.triplets, str(path))
        candidates[name] = (policy, False)
        if arguments.sampled:
            candidates[f'{name} (sampled)'] = (policy, True)
    if arguments.teachers:
        files = {t: str(arguments.teachers / f'triplet{t}.npz') for t in arguments.triplets}
        candidates['teachers (sampled)'] = (files, True)
    return candidates
