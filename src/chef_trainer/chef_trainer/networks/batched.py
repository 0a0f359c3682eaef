"""Many small networks computed at once: members of an ensemble, heads of tasks.

Leading axes of the parameters are those networks; inputs are (*lead, B, inputs) or broadcast to
it. One batched matrix product is several times faster than a loop over modules.

Under `torch.autocast` the products of all layers but the last are of bfloat16 numbers; biases,
norms, activations and what leaves the network stay float32.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import elu


class BatchedLinear(nn.Module):
    """A linear layer for each of `lead` networks, initialised as `nn.Linear`."""

    def __init__(
        self, lead: tuple[int, ...], inputs: int, outputs: int, bias: bool = True
    ) -> None:
        super().__init__()
        bound = inputs**-0.5
        weight = torch.empty(*lead, inputs, outputs).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = None
        if bias:
            self.bias = nn.Parameter(torch.empty(*lead, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., B, inputs) to (*lead, B, outputs)."""
        # Of equal rank, or matmul folds the networks into one product and must transpose it back.
        x = x.expand(*self.weight.shape[:-2], *x.shape[-2:])
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


class BatchedTanhTorso(nn.Module):
    """linear -> layer norm -> tanh, the first layer of DeepMind's agents, for each network.

    What follows sees numbers in [-1, 1] whatever an outlier in the input does.
    """

    def __init__(self, lead: tuple[int, ...], inputs: int, units: int) -> None:
        super().__init__()
        self.input = BatchedLinear(lead, inputs, units)
        self.gain = nn.Parameter(torch.ones(*lead, 1, units))
        self.offset = nn.Parameter(torch.zeros(*lead, 1, units))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs) to (*lead, B, units)."""
        h = self.input(x)
        normal = nn.functional.layer_norm(h, h.shape[-1:], eps=1e-5)
        return torch.tanh(normal * self.gain + self.offset)


class BatchedMLP(nn.Module):
    """(linear -> ELU) for every hidden size, then a linear layer, for each network."""

    def __init__(
        self, lead: tuple[int, ...], inputs: int, hidden: tuple[int, ...], outputs: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            BatchedLinear(lead, size, after) for size, after in pairwise((inputs, *hidden))
        )
        self.output = BatchedLinear(lead, (inputs, *hidden)[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., B, inputs) to (*lead, B, outputs)."""
        for layer in self.layers:
            x = elu(layer(x))
        with torch.autocast(x.device.type, enabled=False):  # a value of 50 would be rounded by 0.1
            return self.output(x)
