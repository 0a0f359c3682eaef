"""The released RGB-stacking policies and critics (Lee et al., 2021), in our own networks.

One .npz per triplet holds the weights of google-deepmind/rgb_stacking's state specialists. Their
input is the benchmark's 292 numbers without normalisation, so they are a torso and a head.
"""

import zipfile
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from chef_trainer.networks.critic import Critic
from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.heads import MixedHead
from chef_trainer.networks.torso import LayerNormMLP

Module = TypeVar('Module', bound=nn.Module)

# Our parameter -> the array's name; matrices are stored (inputs, outputs).
_ARRAYS = {
    'torso.input': ('in_w', 'in_b'),
    'torso.norm': ('ln_gamma', 'ln_beta'),
    'torso.layers.0': ('h0_w', 'h0_b'),
    'torso.layers.1': ('h1_w', 'h1_b'),
    'head.gaussian': ('gauss_w', 'gauss_b'),
    'head.discrete': ('disc_w', 'disc_b'),
}
# The same of the critic; the first hidden layer is split between action and state.
_CRITIC_ARRAYS = {
    'torso.input.weight': 'q_in_w',
    'torso.input.bias': 'q_in_b',
    'torso.gain': 'q_ln_gamma',
    'torso.offset': 'q_ln_beta',
    'join_state.bias': 'q_h0_b',
    'heads.layers.0.weight': 'q_h1_w',
    'heads.layers.0.bias': 'q_h1_b',
    'heads.layers.1.weight': 'q_h2_w',
    'heads.layers.1.bias': 'q_h2_b',
    'heads.output.weight': 'q_h3_w',
    'heads.output.bias': 'q_h3_b',
}
ACTIONS = 5

# Where the benchmark's observation holds an object: three frames of its pose (x, y, z, w, x, y,
# z), and three of its pose minus the tool's, number by number.
POSES = {'blue_pose': (25, 46), 'green_pose': (67, 88), 'red_pose': (109, 130)}
TOOL_POSE = 214
HISTORY = 3
POSE = 7


class ReleasedPolicy(nn.Module):
    """Actor of one released policy: benchmark observation (B, 292) to a mixed distribution."""

    def __init__(self, input_size: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.hidden = hidden
        self.torso = LayerNormMLP(input_size, hidden)
        self.head = MixedHead(self.torso.output_size)

    def forward(self, observation: Tensor) -> MixedDistribution:
        """Map (B, input_size) to the distribution of B actions."""
        return self.traced(observation)[0]

    def traced(self, observation: Tensor) -> tuple[MixedDistribution, tuple[Tensor, ...]]:
        """Return the distribution and what enters every non-linearity, (B, units) per layer."""
        h, before = self.torso.traced(observation)
        return self.head(h), before


def load_released(path: str | Path) -> ReleasedPolicy:
    """Load the actor from an .npz of released weights.

    Raises:
        ValueError: the file cannot be read, lacks an array, or its arrays do not fit.
    """
    arrays = _read(path, [array for pair in _ARRAYS.values() for array in pair])
    weights = {
        f'{name}.{kind}': arrays[array].permute(*range(arrays[array].dim())[::-1]).contiguous()
        for name, pair in _ARRAYS.items()
        for kind, array in zip(('weight', 'bias'), pair, strict=True)
    }
    hidden, input_size = weights['torso.input.weight'].shape
    return _filled(ReleasedPolicy(input_size, (hidden, hidden, hidden)), weights, path)


def load_released_critic(path: str | Path) -> Critic:
    """Load the critic Q(s, a) from an .npz of released weights: one member, one task.

    Raises:
        ValueError: the file cannot be read, lacks an array, or its arrays do not fit.
    """
    arrays = _read(path, [*_CRITIC_ARRAYS.values(), 'q_h0_w'])
    weights = {name: arrays[array] for name, array in _CRITIC_ARRAYS.items()}
    weights['join_action.weight'], weights['join_state.weight'] = arrays['q_h0_w'].split(
        [ACTIONS, len(arrays['q_h0_w']) - ACTIONS]
    )
    input_size, hidden = weights['torso.input.weight'].shape
    critic = Critic(input_size, (hidden, hidden, hidden, hidden), 1, 1, ACTIONS)
    one = {name: value[(None,) * (4 - value.dim())] for name, value in weights.items()}
    return _filled(critic, one, path)


def _read(path: str | Path, names: list[str]) -> dict[str, Tensor]:
    try:
        with open(path, 'rb') as file, np.load(file) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in names}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f'{path}: not the weights of a released policy: {error}') from error


def _filled(module: Module, weights: dict[str, Tensor], path: str | Path) -> Module:
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f'{path}: weights do not fit: {error}') from error
    return module.eval()
