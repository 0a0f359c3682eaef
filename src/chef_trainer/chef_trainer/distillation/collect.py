"""Episodes with the teacher's answer at every state, each in a file of its own."""

import dataclasses
from pathlib import Path

import numpy as np

from chef_trainer.evaluation.actors import ReleasedActor, load_actor
from chef_trainer.evaluation.environment import environment
from chef_trainer.evaluation.rollout import Outcome, Step, outcome, rollout
from chef_trainer.policy_file import replacing
from chef_trainer.spec import ObservationSpec


@dataclasses.dataclass(frozen=True)
class Collection:
    """One episode to collect into `target`."""

    entry: str  # environment, module:attribute
    triplet: str
    seed: int
    driver: str  # file of who acts
    teacher: str  # .npz of who answers
    sampled: bool  # whether the driver draws its actions
    observations: tuple[ObservationSpec, ...]
    target: Path


def collect(job: Collection) -> Outcome:
    """Run one episode, ask the teacher about every state, write the file, say how it ended.

    The file is complete or absent: a process killed half-way leaves nothing behind.
    """
    driver, teacher = load_actor(job.driver), load_actor(job.teacher)
    assert isinstance(teacher, ReleasedActor)
    env = environment(job.entry, job.triplet, job.observations, True)
    steps = list(rollout(env, driver, job.seed, job.sampled))
    ended = outcome(job.triplet, job.seed, steps)
    labels = teacher.answer(np.stack([step.info['benchmark_observation'] for step in steps]))
    with replacing(job.target) as temporary, open(temporary, 'wb') as file:
        np.savez(
            file,
            frames=np.stack([newest_frame(step, job.observations) for step in steps]),
            actions=np.stack([step.action for step in steps]).astype(np.float32),
            mean=labels.mean,
            stddev=labels.stddev,
            logits=labels.logits,
            outcome=np.array([ended.success, ended.sparse_stack, ended.force_max]),
        )
    return ended


def newest_frame(step: Step, observations: tuple[ObservationSpec, ...]) -> np.ndarray:
    """Return the newest reading of every observation, flat, float32.

    The older ones are the frames before it: they are stacked again when a batch is drawn.
    """
    newest = [
        step.observation[spec.name][0] if spec.history > 1 else step.observation[spec.name]
        for spec in observations
    ]
    return np.concatenate([np.ravel(value) for value in newest]).astype(np.float32)
