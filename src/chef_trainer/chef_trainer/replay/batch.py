"""What is drawn from a data set, as numpy arrays; B is the batch, L the length of a window."""

from typing import NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class Batch(NamedTuple):
    """B transitions (o, a, r, o') over up to n steps each.

    The target of a value is `reward + discount * value(next_observation)`: `discount` is gamma to
    the power of the steps taken, and 0 where the episode really ended there. A window that meets
    the end of the recording is shorter than n and goes on from the last observation.
    """

    observation: Arrays  # name -> (B, *stacked_shape), float32 or uint8
    action: np.ndarray  # (B, 5) float32 in [-1, 1]
    reward: np.ndarray  # (B,) float32, discounted sum over the steps, of the task asked for
    rewards: np.ndarray  # (B, 6) float32, the same for all tasks, in the order of REWARD_NAMES
    discount: np.ndarray  # (B,) float32
    next_observation: Arrays  # name -> (B, *stacked_shape); empty when not asked for
    intention: np.ndarray  # (B,) int8, the task that was being followed; -1 unknown
    force: np.ndarray  # (B,) float32, N, largest wrist force of the (first) step
    row: np.ndarray  # (B,) int64, of the data set: says where it came from
    source: np.ndarray  # (B,) int64, which set of a mixture; 0 for a single set


class Window(NamedTuple):
    """B pieces of episodes, L consecutive steps each."""

    observation: Arrays  # name -> (B, L, *stacked_shape)
    action: np.ndarray  # (B, L, 5) float32
    rewards: np.ndarray  # (B, L, 6) float32, of the state each action led to
    discount: np.ndarray  # (B, L) float32: 0 where the episode really ended, else 1
    intention: np.ndarray  # (B, L) int8
    force: np.ndarray  # (B, L) float32, N, largest wrist force of each step
    row: np.ndarray  # (B,) int64, of the first step
