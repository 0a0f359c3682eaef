"""What the drivers of real devices have in common."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class RealTime:
    """A device does not wait for anybody."""

    lockstep: bool = False  # must stay so

    def __post_init__(self) -> None:
        if self.lockstep:
            raise ValueError('lockstep: a real device does not wait; start the cell without it')
