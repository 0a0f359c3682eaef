"""Rotations in batches, of tensors that leave in a policy file."""

import math

import torch
from torch import Tensor


def body_axes(quaternion: Tensor) -> Tensor:
    """Map unit quaternions wxyz (B, 4) to matrices (B, 3, 3) whose columns are the body's axes."""
    w, x, y, z = quaternion.unbind(1)
    rows = (
        torch.stack((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)), 1),
        torch.stack((2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)), 1),
        torch.stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), 1),
    )
    return torch.stack(rows, 1)


def turn_between_lines(start: Tensor, end: Tensor) -> Tensor:
    """Angle (B,) rad from one horizontal line to another, both (B, 2), in [-pi/2, pi/2).

    Lines, not arrows: fingers may close from either side.
    """
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    angle = torch.atan2(cross, (start * end).sum(1))
    return torch.remainder(angle + math.pi / 2, math.pi) - math.pi / 2
