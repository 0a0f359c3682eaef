"""Episodes with what student and teacher see at every state, each in a file of its own."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.evaluation.actors import Actor, load_actor
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
    teacher: str  # .npz
    student: str  # .onnx, not needed while the teacher drives alone
    teacher_share: float  # of the time that the teacher drives, 0 .. 1
    segment: float  # control steps until it is drawn again who drives, mean
    sampled: bool  # whether actions are drawn
    observations: tuple[ObservationSpec, ...]
    target: Path


class Relay:
    """Teacher and student drive in turn, for segments of random length.

    The student meets its own mistakes, the teacher brings the episode back to where the task
    goes on: the states stay those that matter.
    """

    def __init__(self, job: Collection) -> None:
        self.observations = job.observations
        self._job = job
        self._random = np.random.default_rng(job.seed)
        self._driver: Actor | None = None

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        """Return the action (5,) of who drives now."""
        if self._driver is None or self._random.random() < 1 / self._job.segment:
            taught = self._random.random() < self._job.teacher_share
            self._driver = load_actor(self._job.teacher if taught else self._job.student)
        return self._driver.act(observation, info, random)


def collect(job: Collection) -> Outcome:
    """Run one episode, write the file, say how it ended.

    The file is complete or absent: a process killed half-way leaves nothing behind.
    """
    env = environment(job.entry, job.triplet, job.observations, True)
    steps = list(rollout(env, Relay(job), job.seed, job.sampled))
    ended = outcome(job.triplet, job.seed, steps)
    with replacing(job.target) as temporary, open(temporary, 'wb') as file:
        np.savez(
            file,
            frames=np.stack([newest_frame(step, job.observations) for step in steps]),
            benchmark=np.stack([step.info['benchmark_observation'] for step in steps]),
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
