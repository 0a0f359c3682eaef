"""What a scripted reset aims at, and how carefully it moves."""

import dataclasses
import math

from chef_cell.core.rewards import FLOOR

#: Who puts the objects where an episode begins: a new scene, or the arm itself.
RESETS = ('scene', 'scripted')


@dataclasses.dataclass(frozen=True)
class ResetSettings:
    """Goals, speeds and patience of the scripted reset.

    Places and tool poses are those from which the benchmark's episodes begin
    (`chef_cell.sim.reset`), as far as the controller's workspace holds them.
    """

    time_budget: float = 120.0  # s of the samples' time, after which the reset gives up
    tries: int = 6  # per object, to pick or nudge it
    rounds: int = 3  # through all objects, when the result is not fair
    place_lower: tuple[float, ...] = (0.5, -0.1)  # m, where an object's centre is put
    place_upper: tuple[float, ...] = (0.7, 0.1)  # m
    separation: float = 0.012  # m, smallest gap between two objects, seen from above
    tool_lower: tuple[float, ...] = (0.5, -0.12, 0.22)  # m, of the last tool pose
    tool_upper: tuple[float, ...] = (0.7, 0.12, 0.265)  # m
    tool_yaw: float = math.pi / 4  # rad, either way
    workspace_lower: tuple[float, ...] = (0.477, -0.123, FLOOR + 0.0205)  # m, the tool stays in
    workspace_upper: tuple[float, ...] = (0.723, 0.123, 0.268)  # m
    wrist_range: float = 1.5  # rad, the last joint stays within +- this
    linear_speed: float = 0.07  # m/s, norm
    yaw_rate: float = 1.0  # rad/s
    slow_speed: float = 0.03  # m/s, where something may be touched
    contact_force: float = 6.0  # N, above which the tool stops and backs off
    pull_force: float = 12.0  # N, same while it pulls something up
    press_force: float = 9.0  # N, above which the hand gives way to closing fingers
    lost_timeout: float = 3.0  # s, for an object that is not seen to be seen again
    settle_timeout: float = 4.0  # s, for the objects to come to rest

    def __post_init__(self) -> None:
        for name in ('time_budget', 'tries', 'rounds', 'linear_speed', 'yaw_rate', 'slow_speed',
                     'contact_force', 'press_force', 'pull_force', 'lost_timeout',
                     'settle_timeout'):  # fmt: skip
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f'{name} = {value}, must be positive and finite')
        for name, size in (('place', 2), ('tool', 3), ('workspace', 3)):
            lower, upper = getattr(self, f'{name}_lower'), getattr(self, f'{name}_upper')
            if not (len(lower) == len(upper) == size and all(map(float.__lt__, lower, upper))):
                raise ValueError(f'{name}_lower {lower} must lie below {name}_upper {upper}')
