"""Episodes of a scripted expert, each into a file of its own."""

import dataclasses
from pathlib import Path
from typing import Any

from chef_trainer.evaluation.environment import environment, imported
from chef_trainer.evaluation.rollout import outcome, rollout
from chef_trainer.rollouts.collect import recorded
from chef_trainer.rollouts.episode import write_episode
from chef_trainer.spec import ObservationSpec


@dataclasses.dataclass(frozen=True)
class Demonstration:
    """One episode to run into `target`."""

    environment: str  # module:attribute
    actor: str  # module:attribute
    scene: str
    seed: int
    arguments: dict[str, Any]
    observations: tuple[ObservationSpec, ...]
    tasks: tuple[str, ...]
    target: Path


def run_demonstration(job: Demonstration) -> bool:
    """Run one episode in this process, write its file, say whether the expert succeeded."""
    env = environment(job.environment, job.scene, job.observations, False)
    actor = imported(job.actor)(scene=job.scene, seed=job.seed, **job.arguments)
    steps = list(rollout(env, actor, job.seed, sampled=True))
    success = outcome(job.scene, job.seed, steps).success
    write_episode(job.target, recorded(steps, job.observations, job.tasks, success))
    return success
