"""A point on a line with a script that walks it to the end, or stops half-way."""

from typing import Any

import numpy as np

from chef_trainer.bench.tasks.foreign import Foreign, Values
from chef_trainer.spec import ObservationSpec

STEPS = 12


class Line(Foreign):
    """Two numbers moved by two actions; solved, and over, when both are above 1."""

    def _load(self, scene: str) -> None:
        assert scene == 'line'

    def _begin(self, seed: int | None) -> tuple[Values, dict[str, Any]]:
        self._place = self.np_random.uniform(-0.2, 0.2, size=2)
        self._steps = 0
        return {'place': self._place}, {}

    def _act(self, action: np.ndarray) -> tuple[Values, float, bool, bool]:
        self._place = self._place + 0.2 * action
        self._steps += 1
        solved = bool(np.all(self._place > 1))
        return {'place': self._place}, float(solved), solved, self._steps == STEPS


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
