"""Shapes are checked at the door of every loss: broadcasting hides what is wrong."""

from torch import Tensor


def same_shape(**tensors: Tensor) -> None:
    """Raise ValueError with all shapes unless they are equal."""
    if len({tuple(tensor.shape) for tensor in tensors.values()}) > 1:
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        raise ValueError(f'shapes differ, must be equal: {shapes}')
