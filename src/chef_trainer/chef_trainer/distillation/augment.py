"""States nobody visited: the same robot, the objects elsewhere.

A teacher is a function and answers about any state, so an object may be moved in what student and
teacher see, without physics. A small move is what the next steps need: it is the offset between
tool and object that a drifting student meets. What a few hundred episodes show of the objects'
places would otherwise be too little, and the student would fit the places it saw.
"""

import torch
from torch import Tensor

from chef_trainer.distillation.aggregate import States
from chef_trainer.distillation.recipe import Jitter
from chef_trainer.networks import released


def move_objects(states: States, jitter: tuple[Jitter, ...], generator: torch.Generator) -> States:
    """Return `states` with every object of `jitter` moved, all its frames alike.

    Each state draws its own size of move, uniform from none to all, so that small ones are
    frequent.
    """
    observations, benchmark = dict(states.observations), states.benchmark.clone()
    for settings in jitter:
        poses = observations[settings.name]  # (B, history, 7), newest first
        size = torch.rand(len(poses), 1, generator=generator)
        limits = torch.tensor(
            [settings.position, settings.position, settings.height, settings.yaw]
        )
        draw = size * limits * (2 * torch.rand(len(poses), 4, generator=generator) - 1)
        observations[settings.name] = moved(poses, draw)
        begin, relative = released.POSES[settings.name]
        length = released.HISTORY * released.POSE
        seen = benchmark[:, begin : begin + length].reshape(-1, released.HISTORY, released.POSE)
        after = moved(seen, draw).flatten(1)
        tool = benchmark[:, released.TOOL_POSE : released.TOOL_POSE + length]
        benchmark[:, begin : begin + length] = after
        benchmark[:, relative : relative + length] = after - tool
    return states._replace(observations=observations, benchmark=benchmark)


def mix_states(states: States, share: float, generator: torch.Generator) -> States:
    """Return `states`, a `share` of them moved up to half-way to another state of their task.

    Teachers are functions of numbers and answer between two states too. That is no state of the
    world, but a student that agrees there has learned the function instead of the examples
    (mixup, Zhang et al., 2018, with the teacher's answer instead of a mean of labels).
    """
    count = len(states.task)
    other = torch.arange(count)
    for task in states.task.unique():
        rows = (states.task == task).nonzero()[:, 0]
        other[rows] = rows[torch.randperm(len(rows), generator=generator)]
    mixed = torch.rand(count, generator=generator) < share
    weight = torch.where(mixed, 0.5 * torch.rand(count, generator=generator), torch.zeros(count))

    def blend(x: Tensor) -> Tensor:
        return torch.lerp(x, x[other], weight.reshape(-1, *[1] * (x.dim() - 1)))

    observations = {name: blend(x) for name, x in states.observations.items()}
    return states._replace(observations=observations, benchmark=blend(states.benchmark))


def moved(poses: Tensor, draw: Tensor) -> Tensor:
    """Shift poses (B, n, 7) by draw[:, :3] (m) and turn them by draw[:, 3] (rad) about z.

    Quaternions (w, x, y, z) keep their sign convention: the first non-zero number is positive.
    """
    position = poses[..., :3] + draw[:, None, :3]
    half = draw[:, None, 3] / 2
    cosine, sine = half.cos(), half.sin()
    w, x, y, z = poses[..., 3:].unbind(-1)
    turned = torch.stack(
        [
            cosine * w - sine * z,
            cosine * x - sine * y,
            cosine * y + sine * x,
            cosine * z + sine * w,
        ],
        dim=-1,
    )
    return torch.cat([position, positive(turned)], dim=-1)


def positive(quaternions: Tensor) -> Tensor:
    """Return quaternions (..., 4) or their negatives: the first non-zero number is positive."""
    first = (quaternions.abs() > 1e-12).long().argmax(-1, keepdim=True)
    return torch.where(quaternions.gather(-1, first) < 0, -quaternions, quaternions)
