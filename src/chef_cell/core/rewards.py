"""The six sub-task rewards; defined in the trainer, which computes the same in hindsight."""

from chef_trainer.task.rewards import (
    FLOOR,
    REWARD_NAMES,
    WORKSPACE_CENTRE,
    WORKSPACE_SIZE,
    TaskState,
    rewards,
    staged,
    success,
)

__all__ = [
    'FLOOR',
    'REWARD_NAMES',
    'WORKSPACE_CENTRE',
    'WORKSPACE_SIZE',
    'TaskState',
    'rewards',
    'staged',
    'success',
]
