"""Stitching: implicit Q-learning on a U-shaped maze finds what one-step evaluation cannot.

The check of Nair's thesis (2023), section 8.4.1, after Kostrikov et al. (2022): one optimal
trajectory among 99 random ones. A quarter of the moves slip. All is a table, so the optimum and
every policy's value are known exactly; losses and weights are those of the trainer. Largest error
of V: 5.8 (SARSA, tau 0.5) against 0.7 (tau 0.95); value of the extracted policy at the start: 0.2
against 1.9, optimal 2.2.
"""

import numpy as np
import pytest
import torch

from chef_trainer.losses import expectile, improvement, returns

#: S start, G goal, # wall.
MAZE = ('S###G', '.###.', '.###.', '.###.', '.....')
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
SLIP = 0.25
DISCOUNT = 0.9
REWARD = 10.0
HORIZON = 100


class Maze:
    """Cells as states; `model` (states, moves, states), the goal ends an episode."""

    def __init__(self) -> None:
        cells = [(r, c) for r, row in enumerate(MAZE) for c, cell in enumerate(row) if cell != '#']
        self.start, self.goal = cells.index((0, 0)), cells.index((0, 4))
        self.states = len(cells)
        steps = np.zeros((self.states, 4, self.states))
        for state, (r, c) in enumerate(cells):
            for move, (dr, dc) in enumerate(MOVES):
                after = (r + dr, c + dc)
                steps[state, move, cells.index(after) if after in cells else state] = 1
        self.model = (1 - SLIP) * steps + SLIP * steps.mean(1, keepdims=True)
        self.reward = REWARD * self.model[:, :, self.goal]
        self.model[:, :, self.goal] = 0  # nothing follows

    def value(self, policy: np.ndarray) -> np.ndarray:
        """Exact value (states,) of a policy (states, moves)."""
        follow = np.einsum('sm,smt->st', policy, self.model)
        earned = (policy * self.reward).sum(1)
        value = np.linalg.solve(np.eye(self.states) - DISCOUNT * follow, earned)
        return np.where(np.arange(self.states) == self.goal, 0, value)

    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Optimal value and policy, by value iteration."""
        value = np.zeros(self.states)
        for _ in range(300):
            q = self.reward + DISCOUNT * self.model @ value
            value = np.where(np.arange(self.states) == self.goal, 0, q.max(1))
        return value, np.eye(4)[q.argmax(1)]

    def trajectory(self, policy: np.ndarray, random: np.random.Generator) -> list[tuple]:
        state, steps = self.start, []
        for _ in range(HORIZON):
            move = random.choice(4, p=policy[state])
            chances = np.append(self.model[state, move], self.reward[state, move] / REWARD)
            after = random.choice(self.states + 1, p=chances / chances.sum())
            ended = after == self.states
            steps.append(
                (state, move, REWARD * ended, 0 if ended else DISCOUNT, after % self.states)
            )
            if ended:
                break
            state = after
        return steps


def fitted(data: np.ndarray, states: int, tau: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit tables V (states,) and Q (states, moves) with the trainer's losses."""
    state, move, after = (torch.tensor(data[:, column]).long() for column in (0, 1, 4))
    reward, discount = (torch.tensor(data[:, column]).float()[None] for column in (2, 3))
    value = torch.zeros(states, requires_grad=True)
    q = torch.zeros(states, 4, requires_grad=True)
    optimizer = torch.optim.Adam([value, q], lr=0.1)
    for step in range(600):
        optimizer.param_groups[0]['lr'] = 0.1 * (1 - step / 600)
        aim = returns.td_target(reward, discount, value[after][None])
        loss = returns.squared_error(q[state, move][None, None], aim)
        loss = loss + expectile.expectile(q[state, move][None], value[state][None], tau)
        optimizer.zero_grad()
        (len(data) * loss).backward()
        optimizer.step()
    return value.detach(), q.detach()


def extracted(data: np.ndarray, value: torch.Tensor, q: torch.Tensor) -> np.ndarray:
    """The policy that maximises the weighted likelihood: shares of weight, in closed form."""
    state, move = (torch.tensor(data[:, column]).long() for column in (0, 1))
    advantage = (q[state, move] - value[state])[None, None]
    weights = improvement.exponential(advantage, torch.tensor(0.1), cap=100.0)[0, 0]
    policy = torch.zeros_like(q).index_put_((state, move), weights, accumulate=True) + 1e-9
    return (policy / policy.sum(1, keepdim=True)).numpy()


@pytest.mark.parametrize('seed', [0, 1])
def test_iql_stitches_where_sarsa_only_evaluates(seed):
    maze = Maze()
    random = np.random.default_rng(seed)
    best_value, best_policy = maze.best()
    uniform = np.full((maze.states, 4), 0.25)
    policies = [best_policy] + [uniform] * 99
    data = np.array([step for one in policies for step in maze.trajectory(one, random)])
    visited = np.unique(data[:, 0].astype(int))
    error, reached = {}, {}
    for tau in (0.5, 0.95):
        value, q = fitted(data, maze.states, tau)
        error[tau] = np.abs(value.numpy() - best_value)[visited].max()
        reached[tau] = maze.value(extracted(data, value, q))[maze.start]
    assert error[0.95] < 0.5 * error[0.5]
    assert reached[0.95] > reached[0.5]
    assert reached[0.95] > 0.8 * best_value[maze.start]
