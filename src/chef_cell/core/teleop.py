"""What a person's hand asks the arm to do: from keys, sticks and caps to task commands.

Whatever the device, the dead-man switch decides: while it is not held, the arm and the gripper
stand still where they are.
"""

import dataclasses
import math
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Protocol

import numpy as np

from chef_cell.core.readings import TaskCommand
from chef_trainer.spec import ActionSpec

#: Source of an episode that a person demonstrated, and the name of the "policy" that did it.
HUMAN = 'human'

#: What a person may drive the arm with.
DEVICES = ('keyboard', 'gamepad', 'spacemouse')

Motion = tuple[float, float, float, float]


class Verdict(Enum):
    """What a person says of the episode under way."""

    GO_ON = ''
    KEEP = 'keep'  # it is done: judge it as it stands
    DISCARD = 'discard'  # it went wrong


@dataclasses.dataclass(frozen=True)
class Hand:
    """What a hand asks for at one moment.

    `motion`: away from the person, to the left, up (shares of full speed, -1 .. 1) and counter-
    clockwise from above.
    """

    held: bool = False  # the dead-man switch
    motion: Motion = (0.0, 0.0, 0.0, 0.0)
    grip: float = 0.0  # 1: close, -1: open, 0: as last asked for
    verdict: Verdict = Verdict.GO_ON


class DeviceError(RuntimeError):
    """A device cannot be read; says which, why, and what to do about it."""


class HandSource(Protocol):
    """A device that a hand is on."""

    def read(self, now: float) -> Hand:
        """Return what it asks for at `now` (s), without waiting; raises DeviceError."""

    def close(self) -> None:
        """Release the device."""


@dataclasses.dataclass(frozen=True)
class TeleopSettings:
    """How the arm follows a hand."""

    speed: float = 1.0  # share of the policy's full speed at full deflection
    deadband: float = 0.1  # share of full deflection that still counts as rest
    operator_yaw: float = math.pi  # rad, where the person looks: 0 along x of the base, pi at it
    key_hold: float = 0.15  # s that one key press lasts; a key held down repeats faster

    def __post_init__(self) -> None:
        if not 0.0 < self.speed <= 1.0:
            raise ValueError(f'speed = {self.speed}, allowed: above 0, up to 1')
        if not 0.0 <= self.deadband < 1.0:
            raise ValueError(f'deadband = {self.deadband}, allowed: 0 up to below 1')
        if not math.isfinite(self.operator_yaw):
            raise ValueError(f'operator_yaw = {self.operator_yaw}, must be finite')
        if not 0.0 < self.key_hold <= 0.5:
            raise ValueError(f'key_hold = {self.key_hold} s, allowed: above 0, up to 0.5')


class Teleoperator:
    """Turns what a hand asks for into task commands; remembers what the gripper was told."""

    def __init__(self, settings: TeleopSettings) -> None:
        self._settings = settings
        self._scale = np.array(ActionSpec().scale)
        self._held = False
        self.start()

    def start(self) -> None:
        """Begin an episode: as for a policy, the gripper is asked to open.

        A dead-man switch held since before does not count: it must be pressed anew.
        """
        self._grip = -1.0
        self._released = not self._held

    def command(self, hand: Hand, stamp: float) -> TaskCommand:
        """Return the command for `hand`, issued at `stamp` (s).

        Ask between episodes too, so that it is known what was held when one begins.
        """
        self._grip = hand.grip or self._grip
        self._held = hand.held
        self._released |= not hand.held
        action = np.zeros(5)
        if hand.held and self._released:
            action[:4] = self._settings.speed * np.clip(hand.motion, -1.0, 1.0)
            action[:2] = _turn(action[:2], self._settings.operator_yaw)
            action[4] = self._grip
        # Turned into the base frame, a diagonal may point further along one axis than may be
        # asked for: it is shortened, and keeps its direction.
        action[:3] /= max(1.0, np.abs(action[:3]).max())
        scaled = action * self._scale
        return TaskCommand(stamp, scaled[:3], float(scaled[3]), float(scaled[4]))


def _turn(vector: np.ndarray, yaw: float) -> np.ndarray:
    cosine, sine = math.cos(yaw), math.sin(yaw)
    return np.array([[cosine, -sine], [sine, cosine]]) @ vector


#: Key -> direction of motion. A capital letter moves at `FINE` of the speed.
MOTION_KEYS: Mapping[str, Motion] = {
    'w': (1.0, 0.0, 0.0, 0.0), 's': (-1.0, 0.0, 0.0, 0.0),
    'a': (0.0, 1.0, 0.0, 0.0), 'd': (0.0, -1.0, 0.0, 0.0),
    'r': (0.0, 0.0, 1.0, 0.0), 'f': (0.0, 0.0, -1.0, 0.0),
    'q': (0.0, 0.0, 0.0, 1.0), 'e': (0.0, 0.0, 0.0, -1.0),
}  # fmt: skip
GRIP_KEYS: Mapping[str, float] = {'c': 1.0, 'o': -1.0}
VERDICT_KEYS: Mapping[str, Verdict] = {
    '\n': Verdict.KEEP, '\r': Verdict.KEEP, '\x7f': Verdict.DISCARD, '\b': Verdict.DISCARD,
}  # fmt: skip
FINE = 0.25
KEY_HELP = (
    'w/s away and towards you, a/d left and right, r/f up and down, q/e turn, capitals slowly; '
    'c close, o open; Enter: done, Backspace: discard. The arm moves while a key is down.'
)


class Keys:
    """A keyboard that tells of presses and repeats only, as terminals do, never of releases.

    The key itself is the dead-man switch: each press lasts `hold` (s), and whoever lets go stops
    the arm by that.
    """

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._pressed: dict[str, float] = {}
        self._verdict = Verdict.GO_ON

    def press(self, key: str, now: float) -> None:
        """Note a press, or a repetition, of one key at `now` (s)."""
        if key in VERDICT_KEYS:
            self._verdict = VERDICT_KEYS[key]
        elif key.lower() in {*MOTION_KEYS, *GRIP_KEYS}:
            self._pressed[key] = now

    def hand(self, now: float) -> Hand:
        """Return what is asked for at `now` (s); a verdict is told once."""
        down = [key for key, since in self._pressed.items() if now - since <= self._hold]
        motion = np.zeros(4)
        for key in down:
            share = FINE if key.isupper() else 1.0
            motion += share * np.array(MOTION_KEYS.get(key.lower(), (0.0,) * 4))
        # The last one pressed counts.
        grips = [key.lower() for key in sorted(down, key=self._pressed.__getitem__)]
        grip = next((GRIP_KEYS[key] for key in reversed(grips) if key in GRIP_KEYS), 0.0)
        verdict, self._verdict = self._verdict, Verdict.GO_ON
        x, y, z, yaw = motion.tolist()
        return Hand(bool(down), (x, y, z, yaw), grip, verdict)


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which axis and which button of a device does what."""

    axes: tuple[tuple[str, float], ...]  # of Hand.motion: name of the axis, sign
    dead_man: str
    close: str
    open: str = ''  # empty: `close` pressed again opens
    keep: str = ''
    discard: str = ''


#: The Linux kernel names the controls of all gamepads alike: BTN_TR is the right shoulder.
GAMEPAD = Layout(
    axes=(('ABS_Y', -1.0), ('ABS_X', -1.0), ('ABS_RY', -1.0), ('ABS_RX', -1.0)),
    dead_man='BTN_TR',
    close='BTN_SOUTH',
    open='BTN_EAST',
    keep='BTN_START',
    discard='BTN_SELECT',
)
#: A SpaceMouse counts right, towards the person and down as positive, and turns about down.
SPACEMOUSE = Layout(
    axes=(('y', -1.0), ('x', -1.0), ('z', -1.0), ('yaw', -1.0)),
    dead_man='left',
    close='right',
)


class Sticks:
    """A device with axes and buttons, read by its `layout`."""

    def __init__(self, layout: Layout, deadband: float) -> None:
        self._layout = layout
        self._deadband = deadband
        self._down: frozenset[str] = frozenset()
        self._closing = False

    def hand(self, axes: Mapping[str, float], buttons: Collection[str]) -> Hand:
        """Return what is asked for by deflections (-1 .. 1) and the buttons that are down."""
        layout = self._layout
        pressed = frozenset(buttons) - self._down
        self._down = frozenset(buttons)
        verdict = Verdict.GO_ON
        if pressed & {layout.keep, layout.discard}:
            verdict = Verdict.KEEP if layout.keep in pressed else Verdict.DISCARD
        x, y, z, yaw = (sign * self._shape(axes.get(name, 0.0)) for name, sign in layout.axes)
        return Hand(
            layout.dead_man in buttons,
            (x, y, z, yaw),
            self._grip(pressed),
            verdict,
        )

    def _shape(self, value: float) -> float:
        """Leave out the deadband, so that motion begins at zero speed."""
        excess = (min(abs(value), 1.0) - self._deadband) / (1.0 - self._deadband)
        return math.copysign(excess, value) if excess > 0.0 else 0.0

    def _grip(self, pressed: Collection[str]) -> float:
        if self._layout.close in pressed:
            self._closing = bool(self._layout.open) or not self._closing
            return 1.0 if self._closing else -1.0
        return -1.0 if self._layout.open in pressed else 0.0
