"""The command line: chef-train distill | evaluate | export."""

import argparse
import os
import shlex
import sys
from pathlib import Path

import rich.console

from chef_trainer import policy_file
from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.dagger import distill
from chef_trainer.distillation.learner import Learner
from chef_trainer.distillation.recipe import load_recipe
from chef_trainer.distillation.run import Run, open_run
from chef_trainer.errors import DivergedError
from chef_trainer.evaluation.card import write_card
from chef_trainer.evaluation.evaluate import Verdict, evaluate, trials
from chef_trainer.evaluation.statistics import summarise
from chef_trainer.evaluation.table import terminal
from chef_trainer.export.onnx import ExportError, export_policy
from chef_trainer.progress import progress_bars

INTERRUPTED = 130


def main() -> None:
    """Run one command; exit with 1 and one line on an error that the user can mend."""
    arguments = parser().parse_args()
    try:
        arguments.command(arguments)
    except (ValueError, OSError, DivergedError, ExportError) as error:
        sys.exit(f'chef-train: {error}')
    except KeyboardInterrupt:
        print('chef-train: interrupted; the same command goes on from here', file=sys.stderr)
        sys.exit(INTERRUPTED)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog='chef-train', description='Offline trainer of the CHEF cell.'
    )
    commands = top.add_subparsers(required=True, metavar='COMMAND')
    _add_distill(commands)
    _add_evaluate(commands)
    _add_export(commands)
    return top


def run_distill(arguments: argparse.Namespace) -> None:
    """Carry out a recipe and put the final policy where it was asked for."""
    run = Run(
        recipe=load_recipe(arguments.recipe),
        directory=arguments.run,
        entry=arguments.env,
        teachers=arguments.teachers,
    )
    with progress_bars() as progress:
        student = distill(run, progress, arguments.workers)
    with policy_file.replacing(arguments.out) as temporary:
        temporary.write_bytes(student.read_bytes())
    print(f'{arguments.out}: sha256 {policy_file.sha256(arguments.out)}')


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Run candidates on the same scenes and say what they reach."""
    arguments.triplets = arguments.triplets or policy_file.read_spec(arguments.policy).triplets
    jobs = trials(arguments.env, _candidates(arguments), arguments.episodes)
    verdicts: list[Verdict] = []
    with progress_bars() as progress:
        task = progress.add_task('evaluate', total=len(jobs), note='')
        for verdict in evaluate(jobs, arguments.workers, arguments.results):
            verdicts.append(verdict)
            solved = sum(one.outcome.success for one in verdicts)
            progress.update(task, advance=1, note=f'success {100 * solved / len(verdicts):.0f} %')
    summaries = summarise(verdicts, arguments.force_limit)
    rich.console.Console().print(terminal(summaries, arguments.force_limit))
    if arguments.card:
        command = shlex.join(['chef-train', *sys.argv[1:]])
        write_card(arguments.card, arguments.policy, summaries, arguments.force_limit, command)


def run_export(arguments: argparse.Namespace) -> None:
    """Export the newest checkpoint of a run."""
    run = open_run(arguments.run)
    learner = Learner(run.recipe, run.load_teachers())
    learner.load(run.checkpoint)
    aggregate, updates, iteration = Aggregate(run.recipe.observations), 0, -1
    while updates < learner.step:
        iteration += 1
        updates += run.recipe.iterations[iteration].updates
        aggregate.add(run.episodes(iteration))
    spec = run.spec(iteration, aggregate.sha256)
    difference = export_policy(learner.policy, spec, arguments.out)
    print(f'{arguments.out}: ONNX Runtime is {difference:.1e} off torch')


def _candidates(arguments: argparse.Namespace) -> dict[str, tuple[dict[str, str], bool]]:
    policy = dict.fromkeys(arguments.triplets, str(arguments.policy))
    candidates = {arguments.policy.stem: (policy, False)}
    if arguments.sampled:
        candidates[f'{arguments.policy.stem} (sampled)'] = (policy, True)
    if arguments.teachers:
        files = {t: str(arguments.teachers / f'triplet{t}.npz') for t in arguments.triplets}
        candidates['teachers (sampled)'] = (files, True)
    return candidates


def _add_distill(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        'distill',
        help='imitate released policies by DAgger',
        description='Train one policy to imitate the released ones, by DAgger in a simulated '
        'cell. A killed run goes on where it was when started again by the same command.',
    )
    command.add_argument('recipe', type=Path, help='YAML file with all settings')
    _add_environment(command)
    command.add_argument(
        '--teachers', type=Path, required=True, help='folder with triplet<name>.npz'
    )
    command.add_argument(
        '--run', type=Path, required=True, help='folder for episodes, checkpoints and curves'
    )
    command.add_argument('--out', type=Path, required=True, help='policy file to write (.onnx)')
    command.set_defaults(command=run_distill)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        'evaluate',
        help='measure a policy in a simulated cell',
        description='Run a policy, and those it is compared with, on the same scenes. Finished '
        'episodes are kept in --results: the same command goes on after an interruption.',
    )
    command.add_argument('policy', type=Path, help='policy file (.onnx)')
    _add_environment(command)
    command.add_argument('--episodes', type=int, default=100, help='per triplet (%(default)s)')
    command.add_argument('--triplets', nargs='+', metavar='NAME', help="default: the policy's")
    command.add_argument(
        '--teachers', type=Path, help='folder with triplet<name>.npz, measured beside the policy'
    )
    command.add_argument(
        '--sampled', action='store_true', help='measure the policy with sampled actions as well'
    )
    command.add_argument(
        '--force-limit', type=float, default=20.0, metavar='N', help='of the wrist (%(default)s)'
    )
    command.add_argument(
        '--results', type=Path, required=True, help='file of outcomes, JSON lines'
    )
    command.add_argument('--card', type=Path, help='model card to write (.md)')
    command.set_defaults(command=run_evaluate)


def _add_export(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        'export',
        help='turn the newest checkpoint of a run into a policy file',
        description='Export the newest checkpoint of a run, checked against torch.',
    )
    command.add_argument('run', type=Path, help='folder given to distill as --run')
    command.add_argument('--out', type=Path, required=True, help='policy file to write (.onnx)')
    command.set_defaults(command=run_export)


def _add_environment(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        '--env', required=True, metavar='MODULE:ATTRIBUTE', help='simulated cell to run in'
    )
    command.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='processes (%(default)s)'
    )


if __name__ == '__main__':
    main()
