"""A point on a line with a script that walks it to the end, or stops half-way."""

from typing import Any

import gymnasium
import numpy as np

from chef_trainer.spec import ObservationSpec

STEPS = 12


class Line(gymnasium.Env):
    """Two numbers moved by two actions; solved, and over, when both are above 1."""

    def __init__(
        self,
        triplet: str,
        observations: tuple[ObservationSpec, ...],
        force_limit: float | None,
        benchmark_observation: bool,
    ) -> None:
        assert triplet == 'line'

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self._place = self.np_random.uniform(-0.2, 0.2, size=2)
        self._steps = 0
        return self._seen(), {}

    def step(self, action: np.ndarray):
        self._place = self._place + 0.2 * action
        self._steps += 1
        solved = bool(np.all(self._place > 1))
        return self._seen(), float(solved), solved, self._steps == STEPS, {}

    def _seen(self) -> dict[str, np.ndarray]:
        return {'place': self._place.astype(np.float32)}


class Script:
    """Goes forward; with odd seeds it stops after `patience` steps."""

    observations: tuple[ObservationSpec, ...] = ()

    def __init__(self, scene: str, seed: int, patience: int) -> None:
        self._left = patience if seed % 2 else STEPS

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        self._left -= 1
        return np.full(2, 0.9 if self._left >= 0 else 0.0)
