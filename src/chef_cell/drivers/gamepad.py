"""A gamepad through the Linux kernel's input layer, which names the controls of all alike."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from chef_cell.core.teleop import GAMEPAD, DeviceError, Hand, Sticks, TeleopSettings

_BUTTONS = tuple(name for name in dataclasses.astuple(GAMEPAD) if isinstance(name, str) and name)


class Gamepad:
    """Reads the first gamepad, or `device`: an evdev.InputDevice or what reads like one."""

    def __init__(self, settings: TeleopSettings, device: Any = None) -> None:
        try:
            from evdev import ecodes
        except ImportError as error:
            raise DeviceError('a gamepad needs python-evdev: pip install evdev') from error
        self._codes = ecodes
        self._device = device if device is not None else _first_gamepad()
        self._sticks = Sticks(GAMEPAD, settings.deadband)
        self._buttons = {ecodes.ecodes[name]: name for name in _BUTTONS}
        self._axes = {ecodes.ecodes[name]: name for name, _ in GAMEPAD.axes}
        self._ranges = {code: self._device.absinfo(code) for code in self._axes}
        self._values: dict[str, float] = {}
        self._down: set[str] = set()
        for code, name in self._axes.items():
            self._values[name] = _share(self._ranges[code].value, self._ranges[code])

    def read(self, now: float) -> Hand:
        """Return what the sticks ask for.

        Raises:
            DeviceError: the gamepad is gone.
        """
        try:
            for event in self._device.read():
                self._take(event)
        except BlockingIOError:
            pass  # nothing has changed
        except OSError as error:
            raise DeviceError(f'gamepad: {error.strerror}') from error
        return self._sticks.hand(self._values, self._down)

    def close(self) -> None:
        """Release the device."""
        self._device.close()

    def _take(self, event: Any) -> None:
        if event.type == self._codes.EV_ABS and event.code in self._axes:
            name = self._axes[event.code]
            self._values[name] = _share(event.value, self._ranges[event.code])
        elif event.type == self._codes.EV_KEY and event.code in self._buttons:
            change = self._down.add if event.value else self._down.discard
            change(self._buttons[event.code])
        elif event.type == self._codes.EV_SYN and event.code == self._codes.SYN_DROPPED:
            # Events were lost, a release perhaps among them.
            self._down.clear()


def _share(value: int, limits: Any) -> float:
    """Deflection -1 .. 1 of an axis that counts from `limits.min` to `limits.max`."""
    return 2.0 * (value - limits.min) / (limits.max - limits.min) - 1.0


def _first_gamepad() -> Any:
    from evdev import InputDevice, ecodes, list_devices

    for path in sorted(list_devices()):
        device = InputDevice(path)
        if is_gamepad(device.capabilities(absinfo=False), ecodes.ecodes):
            return device
        device.close()
    raise DeviceError(
        'no gamepad found that this user may read: plug one in, or join the group that owns '
        '/dev/input/event*: sudo usermod -aG input $USER, then log in anew'
    )


def is_gamepad(capabilities: Mapping[int, Iterable[int]], codes: Mapping[str, int]) -> bool:
    """Whether a device with these event types and codes has all that is asked of a gamepad."""
    keys, axes = (set(capabilities.get(codes[kind], ())) for kind in ('EV_KEY', 'EV_ABS'))
    return keys >= {codes[name] for name in _BUTTONS} and axes >= {
        codes[name] for name, _ in GAMEPAD.axes
    }
