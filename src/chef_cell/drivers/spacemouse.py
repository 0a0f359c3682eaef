"""A 3Dconnexion SpaceMouse, read as the USB device it is (HID reports)."""

import struct
from collections.abc import Sequence
from typing import Any

from chef_cell.core.teleop import SPACEMOUSE, DeviceError, Hand, Sticks, TeleopSettings

#: USB vendors: 3Dconnexion's own, and Logitech's for older models.
VENDORS = {0x256F: None, 0x046D: (0xC625, 0xC626, 0xC627, 0xC628, 0xC629, 0xC62B, 0xC640)}
#: Counts at full deflection.
FULL = 350.0
_AXES = ('x', 'y', 'z', 'pitch', 'roll', 'yaw')
_BUTTONS = ('left', 'right')
#: Reports: translation (newer models: all six axes), rotation, buttons.
_TRANSLATION, _ROTATION, _PRESSED = 1, 2, 3


class SpaceMouse:
    """Reads the first SpaceMouse, or `device`: a hid.device or what reads like one."""

    def __init__(self, settings: TeleopSettings, device: Any = None) -> None:
        self._device = device if device is not None else _open()
        self._device.set_nonblocking(1)
        self._sticks = Sticks(SPACEMOUSE, settings.deadband)
        self._axes = dict.fromkeys(_AXES, 0.0)
        self._down: set[str] = set()

    def read(self, now: float) -> Hand:
        """Return what the cap asks for.

        Raises:
            DeviceError: the SpaceMouse is gone.
        """
        try:
            while report := self._device.read(32):
                self._take(report)
        except OSError as error:
            raise DeviceError(f'spacemouse: {error}') from error
        return self._sticks.hand(self._axes, self._down)

    def close(self) -> None:
        """Release the device."""
        self._device.close()

    def _take(self, report: Sequence[int]) -> None:
        number, content = report[0], bytes(report[1:])
        if number in (_TRANSLATION, _ROTATION):
            first = 0 if number == _TRANSLATION else 3
            count = min(len(content) // 2, len(_AXES) - first)
            values = struct.unpack(f'<{count}h', content[: 2 * count])
            for name, value in zip(_AXES[first:], values, strict=False):
                self._axes[name] = max(-1.0, min(value / FULL, 1.0))
        elif number == _PRESSED and content:
            self._down = {name for bit, name in enumerate(_BUTTONS) if content[0] >> bit & 1}


def _open() -> Any:
    try:
        import hid
    except ImportError as error:
        raise DeviceError('a SpaceMouse needs hidapi: pip install hidapi') from error
    for vendor, products in VENDORS.items():
        for found in hid.enumerate(vendor):
            if products is None or found['product_id'] in products:
                device = hid.device()
                try:
                    device.open_path(found['path'])
                except OSError as error:
                    raise DeviceError(
                        f'{found["product_string"]} is there, but may not be read: allow it with '
                        'a udev rule for hidraw devices of this vendor, then plug it in again'
                    ) from error
                return device
    raise DeviceError('no SpaceMouse found: plug one in')
