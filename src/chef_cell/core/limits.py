"""What the joints of an arm are allowed to do."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class JointLimits:
    """Limits of the seven joints."""

    lower: tuple[float, ...]  # rad
    upper: tuple[float, ...]  # rad
    velocity: tuple[float, ...]  # rad/s
    acceleration: tuple[float, ...]  # rad/s^2

    def __post_init__(self) -> None:
        if np.greater_equal(self.lower, self.upper).any():
            raise ValueError(f'lower {self.lower} must lie below upper {self.upper}')
        for name in ('velocity', 'acceleration'):
            if not np.greater(getattr(self, name), 0.0).all():
                raise ValueError(f'{name} {getattr(self, name)} must be positive')


#: Rethink Sawyer: positions and velocities from its URDF, accelerations from Intera's
#: joint_limits.
SAWYER = JointLimits(
    lower=(-3.0503, -3.8095, -3.0426, -3.0439, -2.9761, -2.9761, -4.7124),
    upper=(3.0503, 2.2736, 3.0426, 3.0439, 2.9761, 2.9761, 4.7124),
    velocity=(1.74, 1.328, 1.957, 1.957, 3.485, 3.485, 4.545),
    acceleration=(10.0, 8.0, 10.0, 10.0, 12.0, 12.0, 12.0),
)
