"""How a Sawyer answers the Intera interface: enabling, stopping, and obeying joint commands.

The same behaviour stands in front of the simulated arm that the robot's own controller shows, so
that whatever drives one drives the other. Where the vendor's simulation is laxer than the robot
(it lets `enable` clear a stop), the robot's way is taken.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from chef_cell.core.limits import SAWYER, JointLimits

ARM_JOINTS = tuple(f'right_j{index}' for index in range(7))
#: What the joints can bear (N m).
EFFORT_LIMITS = (80.0, 80.0, 40.0, 40.0, 9.0, 9.0, 9.0)
#: Without a velocity command for this long the arm holds its position (s).
DEFAULT_COMMAND_TIMEOUT = 0.2
#: Largest timeout a client may ask for (s).
MAX_COMMAND_TIMEOUT = 1.0
#: Share of each joint's speed limit used in position mode.
DEFAULT_SPEED_RATIO = 0.3
#: Position mode approaches its goal with this gain (1/s): critical damping for joints that follow
#: a velocity command with a lag of 0.1 s.
POSITION_GAIN = 2.5


class EstopButton(IntEnum):
    """The red button."""

    UNPRESSED = 0
    PRESSED = 1
    UNKNOWN = 2
    RELEASED = 3


class EstopSource(IntEnum):
    """Who stopped the robot."""

    NONE = 0
    USER = 1
    UNKNOWN = 2
    FAULT = 3
    ENGINE = 4


@dataclasses.dataclass(frozen=True)
class AssemblyState:
    """The robot as a whole."""

    enabled: bool = False
    stopped: bool = False
    estop_button: EstopButton = EstopButton.UNPRESSED
    estop_source: EstopSource = EstopSource.NONE

    @property
    def ready(self) -> bool:
        """Whether the robot may be enabled."""
        return not self.stopped


class RobotAssembly:
    """Which requests to enable, stop and reset the robot follows, and what it then reports."""

    def __init__(self, enabled: bool = False) -> None:
        self.state = AssemblyState(enabled=enabled)

    def enable(self, on: bool) -> None:
        """Switch the joints on or off. A stopped robot must be reset first."""
        if not self.state.stopped:
            self.state = AssemblyState(enabled=on)

    def stop(self) -> None:
        """Software emergency stop. A button that is pressed stays the reported cause."""
        if self.state.estop_source is not EstopSource.USER:
            self.state = AssemblyState(
                stopped=True,
                estop_button=EstopButton.UNKNOWN,
                estop_source=EstopSource.UNKNOWN,
            )

    def press_button(self, pressed: bool) -> None:
        """Push the red button in, or let it out, which alone does not free the robot."""
        if pressed:
            button = EstopButton.PRESSED
        elif self.state.estop_button is EstopButton.PRESSED:
            button = EstopButton.RELEASED
        else:
            return
        self.state = AssemblyState(
            stopped=True, estop_button=button, estop_source=EstopSource.USER
        )

    def reset(self) -> None:
        """Clear a stop and leave the robot disabled; in vain while the button is pressed."""
        if self.state.stopped and self.state.estop_button is not EstopButton.PRESSED:
            self.state = AssemblyState()


class Mode(IntEnum):
    """How the arrays of a joint command are read."""

    POSITION = 1
    VELOCITY = 2
    TORQUE = 3
    TRAJECTORY = 4


class CommandError(ValueError):
    """A command was refused and has no effect; the text says why."""


@dataclasses.dataclass(frozen=True)
class JointCommand:
    """A joint command as received: arrays run along `names`."""

    mode: int
    names: Sequence[str]
    position: Sequence[float] = ()  # rad
    velocity: Sequence[float] = ()  # rad/s
    acceleration: Sequence[float] = ()  # rad/s^2


def read_joints(field: str, names: Sequence[str], values: Sequence[float]) -> list[float]:
    """Return the values in the arm's order, 7; NaN for joints the command leaves out.

    Raises:
        CommandError: no joint, an unknown or repeated one, not as many values as joints, or one
            that is not finite.
    """
    check_names(tuple(names))
    if len(values) != len(names):
        raise CommandError(f'{len(values)} {field} values for {len(names)} joints')
    if not all(map(math.isfinite, values)):
        raise CommandError(f'{field} {list(values)} is not finite')
    given = dict(zip(names, values, strict=True))
    return [given.get(joint, math.nan) for joint in ARM_JOINTS]


# Hundreds of commands a second have the same few names.
@functools.lru_cache(16)
def check_names(names: tuple[str, ...]) -> None:
    """Raise CommandError unless these are joints of the arm, at least one, and none twice."""
    unknown = sorted(set(names) - set(ARM_JOINTS))
    if unknown or not names:
        raise CommandError(f'joints {list(names)}, allowed: some of {list(ARM_JOINTS)}')
    if len(set(names)) != len(names):
        raise CommandError(f'joints {list(names)}: a name repeats')


class JointCommandArbiter:
    """Turn joint commands into the velocity each joint is driven with.

    A client sends all its modes over one topic and one reused message, so only the array named by
    the mode is read, and the mode changes with the first message of another one. In velocity mode
    silence means hold; a position goal is pursued without further messages, and so is the last
    point of a trajectory, whose velocity counts until the timeout. Joints that a command leaves
    out stand still, or keep the position goal they have.
    """

    def __init__(self, limits: JointLimits = SAWYER) -> None:
        self.accepted = 0
        self.rejected = 0
        self.speed_ratio = DEFAULT_SPEED_RATIO
        self.timeout = DEFAULT_COMMAND_TIMEOUT
        self._limits = limits
        self._max_velocity = np.array(limits.velocity)
        self._goal: np.ndarray | None = None
        self._velocity: np.ndarray | None = None
        self._feed: np.ndarray | None = None  # velocity at the goal, in trajectory mode
        self._received = 0.0

    @property
    def mode(self) -> Mode:
        """The mode in force; position with no goal means hold."""
        if self._velocity is not None:
            return Mode.VELOCITY
        return Mode.POSITION if self._feed is None else Mode.TRAJECTORY

    def set_timeout(self, timeout: float) -> None:
        """Set the silence after which velocity mode ends (s), clamped to [0, 1]."""
        self.timeout = self._clamped('command timeout', timeout, MAX_COMMAND_TIMEOUT)

    def set_speed_ratio(self, ratio: float) -> None:
        """Set the share of full speed used in position mode, clamped to [0, 1]."""
        self.speed_ratio = self._clamped('speed ratio', ratio, 1.0)

    def accept(self, command: JointCommand, now: float) -> None:
        """Take a command received at time `now` (s).

        Raises:
            CommandError: a mode not offered, no joint, an unknown or repeated one, an array of
                the wrong length, or a value that is not finite.
        """
        try:
            if command.mode == Mode.VELOCITY:
                velocity = self._read_velocity(command)
                self.hold()
                self._velocity = velocity
            elif command.mode == Mode.POSITION:
                goal = self._read_goal(command)
                self.hold()
                self._goal = goal
            elif command.mode == Mode.TRAJECTORY:
                goal, feed = self._read_goal(command), self._read_velocity(command)
                read_joints('acceleration', command.names, command.acceleration)
                self.hold()
                self._goal, self._feed = goal, feed
            else:
                raise CommandError(
                    f'joint command mode {command.mode}, allowed: 1 position, 2 velocity, '
                    '4 trajectory'
                )
        except CommandError:
            self.rejected += 1
            raise
        self._received = now
        self.accepted += 1

    def hold(self) -> None:
        """Forget every command: the arm stands until the next one."""
        self._goal = self._velocity = self._feed = None

    def joint_velocity(self, now: float, position: np.ndarray, enabled: bool) -> np.ndarray:
        """Return the joint velocity (rad/s, (7,)) to drive with from time `now` (s) on.

        `position` (rad, (7,)) is the measured one. A robot that is not enabled forgets what it was
        told, so that enabling it never sets it in motion.
        """
        timed_out = self._velocity is not None and now - self._received > self.timeout
        if timed_out or not enabled:
            self.hold()
        if self._velocity is not None:
            return self._velocity.copy()
        if self._goal is not None and self._feed is not None:
            return self._along(self._goal, self._feed, now - self._received, position)
        if self._goal is not None:
            return self._toward(self._goal, position)
        return np.zeros(len(ARM_JOINTS))

    def _toward(self, goal: np.ndarray, position: np.ndarray) -> np.ndarray:
        """All joints slowed by one factor: a straight line in joint space, arriving together."""
        if self.speed_ratio == 0.0:
            return np.zeros_like(goal)
        velocity = POSITION_GAIN * np.nan_to_num(goal - position)
        share = float(np.max(np.abs(velocity) / (self.speed_ratio * self._max_velocity)))
        scaled: np.ndarray = velocity / max(1.0, share)
        return scaled

    def _along(
        self, goal: np.ndarray, feed: np.ndarray, age: float, position: np.ndarray
    ) -> np.ndarray:
        """Follow the point that left `goal` with velocity `feed` so long ago (s)."""
        point = goal + feed * min(age, self.timeout)
        fresh = feed if age <= self.timeout else np.zeros_like(feed)
        velocity = fresh + POSITION_GAIN * np.nan_to_num(point - position)
        return np.clip(velocity, -self._max_velocity, self._max_velocity)

    def _read_velocity(self, command: JointCommand) -> np.ndarray:
        velocity = np.nan_to_num(read_joints('velocity', command.names, command.velocity))
        return np.clip(velocity, -self._max_velocity, self._max_velocity)

    def _read_goal(self, command: JointCommand) -> np.ndarray:
        goal = np.array(read_joints('position', command.names, command.position))
        kept = self._goal if self._goal is not None else goal
        limited = np.clip(goal, self._limits.lower, self._limits.upper)
        return np.where(np.isnan(goal), kept, limited)

    def _clamped(self, what: str, value: float, upper: float) -> float:
        if not np.isfinite(value):
            self.rejected += 1
            raise CommandError(f'{what} {value} is not finite')
        return min(max(value, 0.0), upper)
