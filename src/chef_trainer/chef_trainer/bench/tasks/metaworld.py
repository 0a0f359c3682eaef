"""Meta-World (Yu et al., 2020): a Sawyer arm opens a drawer or plugs a peg, 80 times a second.

Its scripts solve nearly every scene. What makes them imperfect is what makes people so: they see
the object where it is not, and their hand shakes.
"""

import warnings
from typing import Any

import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE
from metaworld.policies import ENV_POLICY_MAP

from chef_trainer.bench.tasks.foreign import Foreign, Values
from chef_trainer.spec import ObservationSpec

STEPS = 300  # at most; the scripts need about 100
OBJECT = slice(4, 7)  # of the state: where the object is, (3,) m


class MetaWorld(Foreign):
    """One scene with the goal in sight; reward 1 when it is solved, which ends the episode.

    A scene is called as there, `drawer-open-v3`. Observation `state` (39,): hand, gripper, object,
    the same one step earlier, goal. Four actions, for 12.5 ms: hand x, y, z (1: 1 cm of the mocap
    body) and gripper (1 closes).
    """

    def _load(self, scene: str) -> None:
        self._scene = ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE[f'{scene}-goal-observable'](seed=0)
        self._scene.seeded_rand_vec = True  # a scene follows from its seed
        self._scene._freeze_rand_vec = False  # and each reset makes another
        self._steps = 0

    def _begin(self, seed: int | None) -> tuple[Values, dict[str, Any]]:
        if seed is not None:
            self._scene.seed(seed)
        state, _ = self._scene.reset()
        self._steps = 0
        return {'state': state}, {}

    def _act(self, action: Any) -> tuple[Values, float, bool, bool]:
        state, _, _, _, info = self._scene.step(np.asarray(action, np.float32))
        self._steps += 1
        solved = bool(info['success'])
        return {'state': state}, float(solved), solved, self._steps >= STEPS


class MisledExpert:
    """The script of a scene, misled.

    Args:
        scene: as above.
        seed: of what misleads it.
        displaced: deviation of where it sees the object from where it is, m per horizontal axis,
            drawn once an episode.
        noise: deviation of what is added to every action, drawn at each step.
    """

    observations: tuple[ObservationSpec, ...] = ()

    def __init__(self, scene: str, seed: int, displaced: float, noise: float) -> None:
        warnings.filterwarnings('ignore', message=r'Constant\(s\) may be too high')
        self._script = ENV_POLICY_MAP[scene]()
        offset = np.random.default_rng(seed).normal(size=3) * displaced
        self._offset, self._noise = offset * (1, 1, 0), noise

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        """Return the action (4,)."""
        state = observation['state'].astype(np.float64)
        state[OBJECT] += self._offset
        action = np.clip(self._script.get_action(state), -1, 1)
        return action if random is None else action + self._noise * random.normal(size=4)
