"""Rotations in batches of tensors, with operators that a policy file can have."""

import math

import torch
from torch import Tensor


def body_axes(quaternion: Tensor) -> Tensor:
    """Map unit quaternions wxyz (..., 4) to matrices (..., 3, 3); columns are the body's axes."""
    w, x, y, z = quaternion.unbind(-1)
    rows = (
        torch.stack((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)), -1),
        torch.stack((2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)), -1),
        torch.stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), -1),
    )
    return torch.stack(rows, -2)


def pose_in_frame(pose: Tensor, frame: Tensor) -> Tensor:
    """Return poses as seen from others: position (m), then the rotation matrix, row by row.

    Args:
        pose: (..., 7) position and unit quaternion wxyz.
        frame: (..., 7), in the same base as `pose`.

    Returns:
        (..., 12). Unlike quaternions, a matrix has no two faces for one rotation (Zhou et al.,
        "On the Continuity of Rotation Representations", 2019).
    """
    axes = body_axes(frame[..., 3:]).mT
    position = axes @ (pose[..., :3] - frame[..., :3])[..., None]
    return torch.cat((position.flatten(-2), (axes @ body_axes(pose[..., 3:])).flatten(-2)), -1)


def lines_in_frame(pose: Tensor, frame: Tensor) -> Tensor:
    """Return how the body axes of poses lie across others, as lines and as crosses.

    Args:
        pose: (..., 7) position and unit quaternion wxyz.
        frame: (..., 7), in the same base as `pose`.

    Returns:
        (..., 12): of each axis r (cos a, sin a) in the frame's xy plane r^2 cos 2a, r^2 sin 2a,
        r^4 cos 4a and r^4 sin 4a, which half a turn and a quarter of one leave as they are.
    """
    x, y, _ = (body_axes(frame[..., 3:]).mT @ body_axes(pose[..., 3:])).unbind(-2)
    cosine, sine = x * x - y * y, 2 * x * y
    crosses = (cosine * cosine - sine * sine, 2 * cosine * sine)
    return torch.cat((cosine, sine, *crosses), -1)


def turn_between_lines(start: Tensor, end: Tensor) -> Tensor:
    """Angle (B,) rad from one horizontal line to another, both (B, 2), in [-pi/2, pi/2).

    Lines, not arrows: fingers may close from either side.
    """
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    angle = torch.atan2(cross, (start * end).sum(1))
    return torch.remainder(angle + math.pi / 2, math.pi) - math.pi / 2
