"""A small environment with the trainer's contract: reach a point, in two tasks.

The 292 numbers for the teachers are a fixed linear map of the state, so a teacher with random
weights is a smooth, bounded policy, and the student can imitate it exactly.
"""

from typing import Any

import gymnasium
import numpy as np

from chef_trainer.spec import ObservationSpec

STEPS = 20
OBSERVATIONS = (
    ObservationSpec('position', (5,), 'm', history=2),
    ObservationSpec('goal', (5,), 'm'),
    ObservationSpec('triplet', (2,), '1'),
)
_TRIPLETS = {'1': np.array([1.0, 0.0]), '2': np.array([0.0, 1.0])}
_MIX = np.random.default_rng(0).normal(size=(12, 292)) / np.sqrt(12)


class PointMass(gymnasium.Env):
    """Five numbers moved by five actions; solved within 4 m of the goal."""

    def __init__(
        self,
        triplet: str,
        observations: tuple[ObservationSpec, ...],
        force_limit: float | None,
        benchmark_observation: bool,
    ) -> None:
        assert force_limit is None
        self._specs = observations
        self._triplet = _TRIPLETS[triplet]
        self._benchmark_observation = benchmark_observation

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self._goal = self.np_random.normal(size=5)
        self._history = [self.np_random.normal(size=5)] * 2
        self._steps = 0
        return self._observation(), self._info()

    def step(self, action: np.ndarray):
        self._history = [self._history[0] + 0.2 * action, self._history[0]]
        self._steps += 1
        distance = np.linalg.norm(self._history[0] - self._goal)
        return self._observation(), float(distance < 4), False, self._steps == STEPS, self._info()

    def _observation(self) -> dict[str, np.ndarray]:
        values = {
            'position': np.array(self._history),
            'goal': self._goal,
            'triplet': self._triplet,
        }
        return {spec.name: values[spec.name].astype(np.float32) for spec in self._specs}

    def _info(self) -> dict[str, Any]:
        info = {'force_max': float(self._steps), 'sparse_stack': False}
        if self._benchmark_observation:
            state = np.concatenate([self._history[0], self._goal, self._triplet])
            info['benchmark_observation'] = (state @ _MIX).astype(np.float32)
        return info


def released_weights(seed: int, inputs: int = 292, units: int = 16) -> dict[str, np.ndarray]:
    """Return random arrays named as in a released .npz; only the hidden layers are smaller."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.normal(size=(rows, columns)) / np.sqrt(rows)).astype(np.float32)

    sizes = {
        'in': (inputs, units),
        'h0': (units, units),
        'h1': (units, units),
        'gauss': (units, 8),
        'disc': (units, 2),
        'q_in': (inputs, units),
        'q_h0': (units + 5, units),
        'q_h1': (units, units),
        'q_h2': (units, units),
        'q_h3': (units, 1),
    }
    arrays = {f'{name}_w': matrix(*size) for name, size in sizes.items()}
    arrays |= {f'{name}_b': matrix(1, size[1])[0] for name, size in sizes.items()}
    for prefix in ('', 'q_'):
        arrays[f'{prefix}ln_gamma'] = 1 + matrix(1, units)[0] / 4
        arrays[f'{prefix}ln_beta'] = matrix(1, units)[0]
    return arrays
