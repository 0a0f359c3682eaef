"""Parameters that lie side by side in one vector, so that an optimiser step is one operation."""

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Flat:
    """Parameters moved into one vector, with Adam's moments beside it.

    The parameters stay where they are used, as views. Layouts (channels-last) are kept.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.vector = torch.cat([_in_memory_order(p.detach(), p) for p in parameters])
        begin = 0
        for parameter in parameters:
            parameter.data = self.vector.as_strided(parameter.shape, parameter.stride(), begin)
            begin += parameter.numel()
        self.mean = torch.zeros_like(self.vector)
        self.square = torch.zeros_like(self.vector)
        self.count = torch.zeros((), device=self.vector.device)

    def gradient(self, loss: Tensor) -> Tensor:
        """Return the gradient of `loss` in the vector's order."""
        found = torch.autograd.grad(
            loss, self.parameters, retain_graph=True, materialize_grads=True
        )
        pairs = zip(found, self.parameters, strict=True)
        return torch.cat([_in_memory_order(one, parameter) for one, parameter in pairs])

    @torch.no_grad()
    def step(self, gradient: Tensor, rate: Tensor, max_norm: float, weight_decay: float) -> Tensor:
        """Make an Adam step with a gradient cut to `max_norm`; return its norm before that."""
        norm = gradient.norm()
        compiled = torch.compiler.is_compiling()
        adam(
            [self.vector],
            [gradient * (max_norm / (norm + 1e-6)).clamp(max=1)],
            [self.mean],
            [self.square],
            [],
            [self.count],
            foreach=False,
            capturable=compiled,
            fused=not compiled,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=rate,
            weight_decay=weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        return norm

    def tensors(self) -> dict[str, Tensor]:
        """Return the optimiser's state, to be saved or filled."""
        return {'mean': self.mean, 'square': self.square, 'count': self.count}


def _in_memory_order(tensor: Tensor, like: Tensor) -> Tensor:
    """Flatten `tensor` as `like` lies in memory."""
    order = sorted(range(like.dim()), key=lambda axis: (-like.stride(axis), axis))
    return tensor.permute(order).reshape(-1)
