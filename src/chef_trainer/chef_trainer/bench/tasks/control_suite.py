"""The DeepMind Control Suite (Tassa et al., 2018): learning from nothing but own episodes."""

import warnings
from typing import Any

from chef_trainer.bench.tasks.foreign import Foreign, Values

with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # without a display it cannot draw, and need not
    from dm_control import suite

REPEAT = 4  # steps of the suite per action


class ControlSuite(Foreign):
    """One task, a thousand steps of the suite; the return is the suite's, 0 .. 1000.

    A scene is a domain and a task, such as `cartpole-swingup`. Observations have the suite's
    names. An action, scaled from [-1, 1] to the suite's range, lasts `REPEAT` steps.
    """

    def _load(self, scene: str) -> None:
        domain, _, task = scene.partition('-')
        self._scene = suite.load(domain, task)
        limits = self._scene.action_spec()
        self._middle = (limits.maximum + limits.minimum) / 2
        self._half = (limits.maximum - limits.minimum) / 2

    def _begin(self, seed: int | None) -> tuple[Values, dict[str, Any]]:
        if seed is not None:
            self._scene.task.random.seed(seed % 2**32)
        return self._scene.reset().observation, {}

    def _act(self, action: Any) -> tuple[Values, float, bool, bool]:
        reward = 0.0
        for _ in range(REPEAT):
            found = self._scene.step(self._middle + self._half * action)
            reward += found.reward
            if found.last():
                break
        return found.observation, reward, found.last() and found.discount == 0, found.last()
