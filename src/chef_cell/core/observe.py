"""The cell's `Observer`; defined in the trainer, which observes episode files with the same."""

from chef_trainer.task.observe import (
    GRIPPER_COUNTS,
    IMAGE_PREFIX,
    IMAGE_SHAPE,
    KINDS,
    STATE_NAMES,
    TRIPLETS,
    Frame,
    Kind,
    ObservationError,
    Observer,
    check_specs,
    needed_readings,
    observation_specs,
)

__all__ = [
    'GRIPPER_COUNTS',
    'IMAGE_PREFIX',
    'IMAGE_SHAPE',
    'KINDS',
    'STATE_NAMES',
    'TRIPLETS',
    'Frame',
    'Kind',
    'ObservationError',
    'Observer',
    'check_specs',
    'needed_readings',
    'observation_specs',
]
