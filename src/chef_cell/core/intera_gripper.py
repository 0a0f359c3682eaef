"""The gripper behind the Intera IO protocol: signals set by commands that carry a sequence time.

A client sends the same command every 0.1 s until the device lists the command's time among those
it has seen; so the device acts once per distinct time, also on a command it refuses.
"""

import collections
import dataclasses
import json
import math
from typing import Any

from chef_cell.core.readings import Grasp, GripperReading

DEVICE_NAME = 'right_gripper'
DEVICE_TYPE = 'ElectricParallelGripper'
#: Opening of a Robotiq 2F-85 (m), and the counts that span it.
STROKE = 0.085
FULL_COUNTS = 255.0
#: Closing speed of the gripper at full speed (m/s).
FULL_SPEED = 0.085
#: Speed per distance to the goal (1/s).
POSITION_GAIN = 8.0
#: Seen command times a device keeps.
COMMAND_HISTORY = 100
#: Slower than this the fingers count as still (counts/s).
MOVING_SPEED = 2.0


@dataclasses.dataclass(frozen=True)
class Signal:
    """One named value of a device, as the protocol spells it."""

    name: str
    format: str  # JSON
    data: str  # JSON array


@dataclasses.dataclass(frozen=True)
class Settable:
    """A signal that clients may set, and its range."""

    kind: str  # float or bool
    initial: float | bool
    lower: float = -math.inf
    upper: float = math.inf


#: Ranges are those of the vendor's gripper where ours can serve them.
SETTABLE = {
    'position_m': Settable('float', STROKE, 0.0, STROKE),
    'speed_mps': Settable('float', 1.5, 0.0, 3.0),
    'dead_zone_m': Settable('float', 0.002, 0.0, STROKE),
    'go': Settable('bool', True),
    'calibrate': Settable('bool', False),
    'reboot': Settable('bool', False),
    'cmd_grip': Settable('bool', False),
    'right_gripper_tip_object_kg': Settable('float', 0.0, 0.0, 5.0),
}


class GripperDevice:
    """State of the device, without the fingers themselves, which are read and driven elsewhere.

    The device starts calibrated: a simulated gripper needs no activation, and a real one has it
    before it is offered here.

    Attributes:
        rejected: commands refused so far.
        has_error: whether the fingers do not obey.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self.has_error = False
        self._seen: collections.deque[tuple[int, str]] = collections.deque(maxlen=COMMAND_HISTORY)
        self._values = {name: signal.initial for name, signal in SETTABLE.items()}
        self._calibrated = True
        self._driven = False

    @property
    def seen(self) -> tuple[tuple[int, str], ...]:
        """Times (ns) of the commands seen and the responses to them, newest first."""
        return tuple(self._seen)

    def handle(self, time_ns: int, op: str, args: str) -> bool:
        """Act on a command; return False for a repeated one, which has no effect.

        A refused command is answered with the reason and changes nothing.
        """
        if any(time_ns == seen for seen, _ in self._seen):
            return False
        try:
            if op != 'set':
                raise ValueError(f'op {op!r}, allowed: set')
            self._apply(_parse(args))
            response = ''
        except ValueError as error:
            self.rejected += 1
            response = str(error)
        self._seen.appendleft((time_ns, response))
        return True

    def release(self) -> None:
        """Give up driving the fingers: someone else commands them."""
        self._driven = False

    def closing_speed(self, reading: GripperReading) -> float | None:
        """Speed, -1 .. 1, that brings the fingers to the position set; None if none was set."""
        if not self._driven:
            return None
        error = opening(reading) - float(self._values['position_m'])
        if (
            not (self._values['go'] and self._calibrated)
            or abs(error) <= self._values['dead_zone_m']
        ):
            return 0.0
        # Slower near the goal: the fingers follow with a lag, and would swing about it.
        speed = min(POSITION_GAIN * abs(error), float(self._values['speed_mps']))
        return math.copysign(min(1.0, speed / FULL_SPEED), error)

    def signals(self, reading: GripperReading) -> tuple[Signal, ...]:
        """Return every signal of the device for the state of the fingers."""
        measured = {
            'position_response_m': opening(reading),
            'force_response_n': 0.0,
            'is_gripping': reading.grasp is not Grasp.NONE,
            'is_moving': abs(reading.velocity) > MOVING_SPEED,
            'is_calibrated': self._calibrated,
            'has_error': self.has_error,
        }
        return tuple(
            Signal(name, _format(value, role), json.dumps([value]))
            for role, values in (('output', self._values), ('input', measured))
            for name, value in values.items()
        )

    def configuration(self) -> str:
        """Return the device's description, JSON."""
        return json.dumps({'props': {'name': DEVICE_NAME, 'type': DEVICE_TYPE}})

    def _apply(self, values: dict[str, float | bool]) -> None:
        self._values.update(values)
        if values.get('reboot'):
            self._calibrated = False
        if values.get('calibrate'):
            self._calibrated = True
        if 'position_m' in values:
            self._driven = True


def opening(reading: GripperReading) -> float:
    """Distance between the fingers (m)."""
    return STROKE * (1.0 - reading.position / FULL_COUNTS)


def _format(value: float | bool, role: str) -> str:
    return json.dumps({'type': 'bool' if isinstance(value, bool) else 'float', 'role': role})


def _parse(args: str) -> dict[str, float | bool]:
    """Return the signals of a set command; raises ValueError saying what is wrong."""
    try:
        content = json.loads(args)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f'args are not JSON: {error}') from error
    signals = content.get('signals') if isinstance(content, dict) else None
    if not isinstance(signals, dict) or not signals:
        raise ValueError('args carry no "signals"')
    return {name: _value(name, signal) for name, signal in signals.items()}


def _value(name: str, signal: Any) -> float | bool:
    if name not in SETTABLE:
        raise ValueError(f'signal {name!r} cannot be set, allowed: {sorted(SETTABLE)}')
    kind = SETTABLE[name]
    data = signal.get('data') if isinstance(signal, dict) else None
    if not isinstance(data, list) or len(data) != 1:
        raise ValueError(f'signal {name!r}: data {data!r}, expected a list of one value')
    value = data[0]
    if kind.kind == 'bool':
        if not isinstance(value, bool | int):
            raise ValueError(f'signal {name!r}: {value!r}, expected a bool')
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, float | int) or math.isnan(value):
        raise ValueError(f'signal {name!r}: {value!r}, expected a number')
    return float(min(max(value, kind.lower), kind.upper))
