"""PointMaze (Fu et al., 2020; Gymnasium-Robotics): a way that no episode in the data goes.

A ball is pushed through the medium maze, 20 times a second. The data are short walks between
places that are at most `REACH` cells apart; from start to goal it is twice as far.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

import gymnasium
import gymnasium_robotics
import numpy as np

from chef_trainer.bench.tasks.foreign import Foreign, Values
from chef_trainer.spec import ObservationSpec

START, GOAL = (1, 1), (6, 6)  # cells, row and column
REPEAT = 5  # steps of 10 ms per action
STEPS = 300  # at most, of actions
REACH = 5  # cells, of a walk
ARRIVED = 0.3  # m, from a corner of the way
GAIN, DAMPING = 4.0, 2.0  # of a walk, 1/m and s/m

Place = tuple[int, int]


class PointMaze(Foreign):
    """Reward 1 at the goal, which ends the episode.

    Scenes: `across` begins at the start; `walks` somewhere else, says in its info by which `way`
    (N, 2) m to go, and is over at its end. Observations: `position`, `velocity`, `goal` (2,) m and
    m/s. Two actions: forces, for 50 ms.
    """

    def _load(self, scene: str) -> None:
        if scene not in ('across', 'walks'):
            raise ValueError(f'scene {scene!r}, allowed: across, walks')
        gymnasium.register_envs(gymnasium_robotics)
        self._scene = gymnasium.make(
            'PointMaze_Medium-v3', continuing_task=False, max_episode_steps=REPEAT * STEPS
        )
        self._maze = self._scene.unwrapped.maze
        self._walks = scene == 'walks'
        self._way = np.empty((0, 2))

    def _begin(self, seed: int | None) -> tuple[Values, dict[str, Any]]:
        way = self._walk() if self._walks else [START]
        cells = {'goal_cell': np.array(GOAL), 'reset_cell': np.array(way[0])}
        state, _ = self._scene.reset(seed=seed, options=cells)
        self._way = np.array([self._maze.cell_rowcol_to_xy(np.array(cell)) for cell in way])
        return named(state), {'way': self._way}

    def _act(self, action: Any) -> tuple[Values, float, bool, bool]:
        for _ in range(REPEAT):
            state, reward, ended, late, _ = self._scene.step(action)
            if ended or late:
                break
        late |= self._walks and distance(state['achieved_goal'], self._way[-1]) < ARRIVED
        return named(state), float(reward), bool(ended), bool(late)

    def _walk(self) -> list[Place]:
        """Draw a place to begin and one within reach; return the cells of the shortest way."""
        free = [(int(r), int(c)) for r, c in np.argwhere(np.array(self._maze.maze_map) != 1)]
        ways = shortest_ways(free, free[self.np_random.integers(len(free))])
        near = [way for way in ways.values() if 1 < len(way) <= REACH + 1]
        return near[self.np_random.integers(len(near))]


def named(state: Mapping[str, np.ndarray]) -> Values:
    """Return what the maze says, by the names of `PointMaze`."""
    position, velocity = state['observation'][:2], state['observation'][2:]
    return {'position': position, 'velocity': velocity, 'goal': state['desired_goal']}


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Between two places, m."""
    return float(np.linalg.norm(one - other))


def shortest_ways(free: list[Place], start: Place) -> dict[Place, list[Place]]:
    """Return the shortest way from `start` to every cell that can be reached, both ends in it."""
    ways, waiting = {start: [start]}, deque([start])
    while waiting:
        row, column = here = waiting.popleft()
        for cell in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if cell in free and cell not in ways:
                ways[cell] = [*ways[here], cell]
                waiting.append(cell)
    return ways


class Walker:
    """Follows the way from corner to corner.

    Args:
        scene: only `walks` have a way.
        seed: not needed, the way is the environment's.
        noise: deviation of what is added to every action, drawn at each step.
    """

    observations: tuple[ObservationSpec, ...] = ()

    def __init__(self, scene: str, seed: int, noise: float) -> None:
        self._way: list[np.ndarray] = []
        self._noise = noise

    def act(
        self,
        observation: dict[str, np.ndarray],
        info: dict[str, Any],
        random: np.random.Generator | None,
    ) -> np.ndarray:
        """Return the action (2,)."""
        self._way = self._way or list(info['way'])
        position, velocity = observation['position'], observation['velocity']
        if len(self._way) > 1 and distance(position, self._way[0]) < ARRIVED:
            del self._way[0]
        action = np.clip(GAIN * (self._way[0] - position) - DAMPING * velocity, -1, 1)
        return action if random is None else action + self._noise * random.normal(size=2)
