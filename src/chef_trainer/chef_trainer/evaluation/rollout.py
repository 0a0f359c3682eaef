"""One episode of an actor in an environment."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import gymnasium
import numpy as np

from chef_trainer.evaluation.actors import Actor
from chef_trainer.task.rewards import REWARD_NAMES


@dataclasses.dataclass(frozen=True)
class Step:
    """What was seen before an action, the action, and what the environment said to it."""

    observation: dict[str, np.ndarray]
    info: dict[str, Any]
    action: np.ndarray
    reward: float
    after: dict[str, Any]  # info after the action
    following: dict[str, np.ndarray]  # what was seen after the action
    terminated: bool  # ended by itself, not by the clock


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one episode ended. `seed` is the environment's."""

    triplet: str
    seed: int
    success: bool  # reward above 0.5 at the last step
    sparse_stack: bool  # the benchmark's own success at the last step
    force_max: float  # N, largest wrist force of the episode
    steps: int
    # None in files from before they were kept:
    episode_return: float | None = None  # sum of rewards
    best: dict[str, float] | None = None  # largest reward of each sub-task at any step


def rollout(
    env: gymnasium.Env[dict[str, Any], Any], actor: Actor, seed: int, sampled: bool
) -> Iterator[Step]:
    """Yield the steps of one episode; `seed` fixes the scene and, if `sampled`, the noise."""
    random = np.random.default_rng(seed) if sampled else None
    observation, info = env.reset(seed=seed)
    ended = False
    while not ended:
        action = actor.act(observation, info, random)
        executed = np.clip(action, -1.0, 1.0)
        following, reward, terminated, truncated, after = env.step(executed)
        yield Step(observation, info, executed, float(reward), after, following, terminated)
        observation, info, ended = following, after, terminated or truncated


def outcome(triplet: str, seed: int, steps: Iterable[Step]) -> Outcome:
    """Judge an episode by its last step, and by the largest force of all.

    An environment without a wrist sensor, sub-tasks or the benchmark's own success has none.
    """
    force_max, count, total = 0.0, 0, 0.0
    best: dict[str, float] = {}
    for step in steps:
        force_max = max(force_max, float(step.after.get('force_max', 0.0)))
        count += 1
        total += step.reward
        for name in REWARD_NAMES:
            if name in step.after:
                best[name] = max(best.get(name, 0.0), float(step.after[name]))
    return Outcome(
        triplet=triplet,
        seed=seed,
        success=step.reward > 0.5,
        sparse_stack=bool(step.after.get('sparse_stack', False)),
        force_max=force_max,
        steps=count,
        episode_return=total,
        best=best,
    )
