"""chef-train collect: episodes of a policy in a simulated cell, as data for training."""

import argparse
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.cli.arguments import add_environment, show
from chef_trainer.evaluation.pool import run_jobs
from chef_trainer.evaluation.statistics import rate
from chef_trainer.progress import progress_bars
from chef_trainer.rollouts.collect import Rollout, run_rollout
from chef_trainer.spec import ObservationSpec
from chef_trainer.task.observe import IMAGE_PREFIX, STATE_NAMES, observation_specs
from chef_trainer.task.rewards import REWARD_NAMES


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'collect',
        help='run a policy in a simulated cell and keep the episodes as training data',
        description='Run a policy in a simulated cell, many times faster than a session, and '
        'keep every episode (.npz). The folder is a data set for `chef-train train`. Episodes '
        'that are there already are kept: the same command goes on after an interruption.',
    )
    command.add_argument('policy', type=Path, help='policy file (.onnx) or released one (.npz)')
    add_environment(command)
    command.add_argument('--out', type=Path, required=True, help='folder of the data set')
    command.add_argument('--episodes', type=int, default=100, help='per triplet (%(default)s)')
    command.add_argument('--triplets', nargs='+', metavar='NAME', required=True)
    command.add_argument('--seed', type=int, default=0, help='of the first scene (%(default)s)')
    command.add_argument(
        '--mode', action='store_true', help='take the likeliest actions instead of drawing them'
    )
    command.add_argument('--tasks', nargs='+', default=list(REWARD_NAMES), metavar='REWARD')
    command.add_argument(
        '--observations',
        nargs='+',
        metavar='NAME',
        help="default: the policy file's, or the states",
    )
    command.add_argument('--history', type=int, default=1, help='readings each (%(default)s)')
    command.add_argument(
        '--cameras', nargs='+', default=[], metavar='NAME', help='kept as images beside them'
    )
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Carry out the command."""
    observations = _observations(arguments)
    jobs = [
        Rollout(
            entry=arguments.env,
            triplet=triplet,
            seed=arguments.seed + index,
            policy=str(arguments.policy),
            sampled=not arguments.mode,
            observations=observations,
            tasks=tuple(arguments.tasks),
            target=arguments.out / f'{triplet}_{arguments.seed + index:06d}.npz',
        )
        for index in range(arguments.episodes)
        for triplet in arguments.triplets
    ]
    missing = [job for job in jobs if not job.target.exists()]
    outcomes = []
    with progress_bars() as progress:
        task = progress.add_task(
            'collect', total=len(jobs), completed=len(jobs) - len(missing), note=''
        )
        for ended in run_jobs(run_rollout, missing, arguments.workers):
            outcomes.append(ended)
            solved = rate(one.success for one in outcomes)
            progress.update(task, advance=1, note=f'success {solved} %')
    show(f'{arguments.out}: {len(jobs)} episodes, {len(missing)} of them new')


def _observations(arguments: argparse.Namespace) -> tuple[ObservationSpec, ...]:
    images = observation_specs(IMAGE_PREFIX + camera for camera in arguments.cameras)
    if arguments.observations is None and arguments.policy.suffix == '.onnx':
        return *policy_file.read_spec(arguments.policy).observations, *images
    states = observation_specs(arguments.observations or STATE_NAMES, arguments.history)
    return *states, *images
