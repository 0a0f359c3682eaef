"""The multi-layer perceptron of DeepMind's continuous-control agents."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class LayerNormMLP(nn.Module):
    """linear -> layer norm -> tanh, then (linear -> ELU) for every further hidden size.

    The tanh after the first norm bounds what an outlier in the input can do (Acme,
    Hoffman et al., 2020). `output_size` is the last hidden size.
    """

    def __init__(self, input_size: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.input = nn.Linear(input_size, hidden[0])
        self.norm = nn.LayerNorm(hidden[0], eps=1e-5)
        self.layers = nn.ModuleList(nn.Linear(size, after) for size, after in pairwise(hidden))
        self.output_size = hidden[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, input_size) to (B, output_size)."""
        return self.traced(x)[0]

    def traced(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the output and what enters every non-linearity, (B, units) per layer."""
        before = [self.norm(self.input(x))]
        h = torch.tanh(before[0])
        for layer in self.layers:
            before.append(layer(h))
            h = nn.functional.elu(before[-1])
        return h, tuple(before)
