"""What the environments of others need to be environments of the trainer."""

import abc
from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np

from chef_trainer.spec import ObservationSpec

Values = Mapping[str, Any]


class Foreign(gymnasium.Env[dict[str, Any], Any], abc.ABC):
    """An environment that says everything it has to say by name, and is asked for some of it.

    Args:
        triplet: name of the scene.
        observations: those wanted.
        force_limit: there is no wrist sensor, so None.
        benchmark_observation: there is none, so False.
    """

    def __init__(
        self,
        triplet: str,
        observations: tuple[ObservationSpec, ...],
        force_limit: float | None = None,
        benchmark_observation: bool = False,
    ) -> None:
        self._observations = observations
        self._load(triplet)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        values, info = self._begin(seed)
        return readings(values, self._observations), info

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act once."""
        values, reward, ended, late = self._act(action)
        return readings(values, self._observations), reward, ended, late, {}

    @abc.abstractmethod
    def _load(self, scene: str) -> None:
        """Make the scene."""

    @abc.abstractmethod
    def _begin(self, seed: int | None) -> tuple[Values, dict[str, Any]]:
        """Begin an episode; return all that can be observed, and the info."""

    @abc.abstractmethod
    def _act(self, action: Any) -> tuple[Values, float, bool, bool]:
        """Return all that can be observed, the reward, whether it ended, whether time is over."""


def readings(values: Values, wanted: Iterable[ObservationSpec]) -> dict[str, np.ndarray]:
    """Return name -> float32 of the shape that each of `wanted` says.

    Raises:
        ValueError: there is no such observation, or it has another size.
    """
    found = {}
    for spec in wanted:
        if spec.name not in values:
            raise ValueError(f'no observation {spec.name!r}, allowed: {sorted(values)}')
        value = np.asarray(values[spec.name], np.float32)
        if value.size != np.prod(spec.stacked_shape, dtype=int):
            raise ValueError(f'{spec.name} has shape {value.shape}, not {spec.stacked_shape}')
        found[spec.name] = value.reshape(spec.stacked_shape)
    return found
