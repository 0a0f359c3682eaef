"""Who acts in an episode: a policy file, or a released policy."""

import functools
from typing import Any, Protocol

import numpy as np
import torch

from chef_trainer import policy_file
from chef_trainer.networks.released import load_released
from chef_trainer.spec import ObservationSpec


class Actor(Protocol):
    """Chooses actions; with a random generator it samples, without it takes the likeliest."""

    observations: tuple[ObservationSpec, ...]

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        """Return the action (A,) for one observation; it may lie outside [-1, 1]."""


class PolicyFileActor:
    """A policy file run as the cell runs it, by ONNX Runtime on one thread."""

    def __init__(self, path: str) -> None:
        self._session = policy_file.open_session(path)
        self.observations = policy_file.session_spec(self._session, path).observations

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        """Return the action (A,) for one observation."""
        inputs = {
            spec.name: spec.newest(observation[spec.name][None]) for spec in self.observations
        }
        action, mean, stddev, logits = self._session.run(list(policy_file.OUTPUTS), inputs)
        return action[0] if random is None else sample(mean[0], stddev[0], logits[0], random)


class ReleasedActor:
    """A released policy; reads `info['benchmark_observation']`."""

    observations: tuple[ObservationSpec, ...] = ()

    def __init__(self, path: str) -> None:
        self._policy = load_released(path)

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        """Return the action (5,) for one observation."""
        inputs = torch.from_numpy(info['benchmark_observation'][None])
        with torch.inference_mode():
            answer = self._policy(inputs)
        if random is None:
            return answer.mode()[0].numpy()
        mean, stddev, logits = (part[0].numpy() for part in answer)
        return sample(mean, stddev, logits, random)


def sample(
    mean: np.ndarray, stddev: np.ndarray, logits: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Draw one action (A,) from a mixed distribution; the velocities are not clipped.

    Without logits there is no gripper.
    """
    if not len(logits):
        return random.normal(mean, stddev)
    closes = random.random() < 1 / (1 + np.exp(float(logits[0] - logits[1])))
    return np.append(random.normal(mean, stddev), 1.0 if closes else -1.0)


@functools.lru_cache(maxsize=8)
def load_actor(path: str) -> PolicyFileActor | ReleasedActor:
    """Return the actor of an .onnx policy file or an .npz of released weights, loaded once."""
    return ReleasedActor(path) if path.endswith('.npz') else PolicyFileActor(path)
