"""The DeepMind Control Suite (Tassa et al., 2018): learning from nothing but own episodes."""

import warnings
from typing import Any

import gymnasium

from chef_trainer.bench.tasks.readings import readings
from chef_trainer.spec import ObservationSpec

with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # without a display it cannot draw, and need not
    from dm_control import suite

REPEAT = 4  # steps of the suite per action


class ControlSuite(gymnasium.Env[dict[str, Any], Any]):
    """One task, a thousand steps of the suite; the return is the suite's, 0 .. 1000.

    Observations have the suite's names. Actions are scaled from [-1, 1] to the suite's range.

    Args:
        triplet: domain and task, such as `cartpole-swingup`.
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
        domain, _, task = triplet.partition('-')
        self._scene = suite.load(domain, task)
        self._observations = observations
        limits = self._scene.action_spec()
        self._middle = (limits.maximum + limits.minimum) / 2
        self._half = (limits.maximum - limits.minimum) / 2

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode."""
        if seed is not None:
            self._scene.task.random.seed(seed % 2**32)
        return self._seen(self._scene.reset()), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act for `REPEAT` steps; the reward is their sum."""
        reward = 0.0
        for _ in range(REPEAT):
            found = self._scene.step(self._middle + self._half * action)
            reward += found.reward
            if found.last():
                break
        ended = found.last() and found.discount == 0
        return self._seen(found), reward, ended, found.last(), {}

    def _seen(self, found: Any) -> dict[str, Any]:
        return readings(found.observation, self._observations)
