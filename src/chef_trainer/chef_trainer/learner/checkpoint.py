"""The state of a learner as a file: complete, or as it was before."""

from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor

from chef_trainer.learner.learner import Learner
from chef_trainer.policy_file import replacing


def save(learner: Learner, path: Path) -> None:
    """Write networks, targets, optimisers and update count to `path`, atomically.

    Raises:
        OSError: with the path, when the disk is full or cannot be written; an older file stays.
    """
    tensors = {name: value.contiguous().clone() for name, value in _tensors(learner).items()}
    content = safetensors.torch.save(tensors, {'step': str(learner.step)})
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise OSError(
            error.errno,
            f'{path}: checkpoint of update {learner.step} not written, the one '
            f'before is kept: {error.strerror}',
        ) from error


@torch.no_grad()
def load(learner: Learner, path: Path) -> None:
    """Go on from a file written by `save`.

    Raises:
        ValueError: the file is broken, or belongs to other networks.
    """
    own = _tensors(learner)
    try:
        with safe_open(path, 'pt') as file:
            names = set(file.keys())
            if names != set(own):
                raise ValueError(f'it has not {sorted(set(own) ^ names)[:3]} ...')
            for name, value in own.items():
                value.copy_(file.get_tensor(name))
            learner.step = int(file.metadata()['step'])
    except (OSError, KeyError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise ValueError(f'{path}: not a checkpoint of this run: {error}') from error


def _tensors(learner: Learner) -> dict[str, Tensor]:
    """All numbers that the next update depends on, by name, in place."""
    tensors = {f'networks.{name}': one for name, one in learner.networks.state_dict().items()}
    tensors |= {f'target.{name}': one for name, one in learner.target.state_dict().items()}
    for group, flat in learner.groups.items():
        tensors |= {f'adam.{group}.{name}': one for name, one in flat.tensors().items()}
    return tensors


@torch.no_grad()
def start_from(learner: Learner, path: Path) -> None:
    """Take the networks of another run, to be trained on; optimisers and count start anew.

    What the other run does not have (a critic after imitation) keeps its initial weights.

    Raises:
        ValueError: the file is broken, or its policy has another shape.
    """
    own = learner.networks.state_dict()
    try:
        with safe_open(path, 'pt') as file:
            known = set(file.keys())
            for name, value in own.items():
                if f'networks.{name}' in known:
                    value.copy_(file.get_tensor(f'networks.{name}'))
                elif name.startswith(('actor.', 'encoder.')):
                    raise ValueError(f'it has no {name}')
    except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise ValueError(f'{path}: nothing to start this run from: {error}') from error
    learner.target.load_state_dict(own)
