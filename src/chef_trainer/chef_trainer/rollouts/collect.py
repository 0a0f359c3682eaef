"""Episodes of a policy in an environment, each into a file of its own."""

import dataclasses
from pathlib import Path

import numpy as np

from chef_trainer.evaluation.actors import load_actor
from chef_trainer.evaluation.environment import environment
from chef_trainer.evaluation.rollout import Outcome, Step, outcome, rollout
from chef_trainer.rollouts.episode import Episode, write_episode
from chef_trainer.spec import ObservationSpec, longest


@dataclasses.dataclass(frozen=True)
class Rollout:
    """One episode to run into `target`."""

    entry: str  # environment, module:attribute
    triplet: str
    seed: int
    policy: str  # .onnx or .npz of who acts
    sampled: bool  # draw actions, or take the likeliest
    observations: tuple[ObservationSpec, ...]  # to record, beside those that the policy needs
    tasks: tuple[str, ...]
    target: Path


def run_rollout(job: Rollout) -> Outcome:
    """Run one episode in this process, write its file, say how it ended."""
    actor = load_actor(job.policy)
    wanted = longest((*actor.observations, *job.observations))
    env = environment(job.entry, job.triplet, wanted, job.policy.endswith('.npz'))
    steps = list(rollout(env, actor, job.seed, job.sampled))
    ended = outcome(job.triplet, job.seed, steps)
    write_episode(job.target, recorded(steps, job.observations, job.tasks, ended.success))
    return ended


def recorded(
    steps: list[Step],
    observations: tuple[ObservationSpec, ...],
    tasks: tuple[str, ...],
    success: bool,
) -> Episode:
    """Return an episode from its steps.

    The reward of a task is what `info` says under its name; an environment with one reward and
    no such names has one task.

    Raises:
        ValueError: there are several tasks, and `info` does not name one of them.
    """
    missing = [task for task in tasks if task not in steps[0].after]
    if missing and len(tasks) > 1:
        raise ValueError(f'the environment has no rewards {missing}, only: {[*steps[0].after]}')
    seen = [step.observation for step in steps] + [steps[-1].following]
    return Episode(
        {
            spec.name: spec.newest(np.stack([one[spec.name] for one in seen]))
            for spec in observations
        },
        np.stack([step.action for step in steps]).astype(np.float32),
        np.array(
            [[step.after.get(task, step.reward) for task in tasks] for step in steps], np.float32
        ),
        tasks,
        steps[-1].terminated,
        success,
    )
