"""The released RGB-stacking policies (Lee et al., 2021), loaded into our own networks.

One .npz per triplet holds the weights of google-deepmind/rgb_stacking's state specialists. Their
input is the benchmark's 292 numbers without normalisation, so they are a torso and a head.
"""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.heads import MixedHead
from chef_trainer.networks.torso import LayerNormMLP

# Our parameter -> the array's name; matrices are stored (inputs, outputs).
_ARRAYS = {
    'torso.input': ('in_w', 'in_b'),
    'torso.norm': ('ln_gamma', 'ln_beta'),
    'torso.layers.0': ('h0_w', 'h0_b'),
    'torso.layers.1': ('h1_w', 'h1_b'),
    'head.gaussian': ('gauss_w', 'gauss_b'),
    'head.discrete': ('disc_w', 'disc_b'),
}


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
        self.torso = LayerNormMLP(input_size, hidden)
        self.head = MixedHead(self.torso.output_size)

    def forward(self, observation: Tensor) -> MixedDistribution:
        """Map (B, input_size) to the distribution of B actions."""
        return self.head(self.torso(observation))


def load_released(path: str | Path) -> ReleasedPolicy:
    """Load the actor from an .npz of released weights.

    Raises:
        ValueError: the file cannot be read, lacks an array, or its arrays do not fit.
    """
    try:
        with open(path, 'rb') as file, np.load(file) as arrays:
            weights = {
                f'{name}.{kind}': torch.from_numpy(np.ascontiguousarray(arrays[array].T))
                for name, pair in _ARRAYS.items()
                for kind, array in zip(('weight', 'bias'), pair, strict=True)
            }
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f'{path}: not the weights of a released policy: {error}') from error
    hidden, input_size = weights['torso.input.weight'].shape
    policy = ReleasedPolicy(input_size, (hidden, hidden, hidden))
    try:
        policy.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f'{path}: weights do not fit: {error}') from error
    return policy.eval()
