"""What the cell's sensors say; defined in the trainer, which reads the same from episode files."""

from chef_trainer.task.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ImageReading,
    ObjectReading,
    RobotReading,
    TaskCommand,
    WrenchReading,
)

__all__ = [
    'COLOURS',
    'ArmReading',
    'Grasp',
    'GripperReading',
    'ImageReading',
    'ObjectReading',
    'RobotReading',
    'TaskCommand',
    'WrenchReading',
]
