"""A USB-to-serial adapter on a pseudo-terminal, as the emulator of a device sees it.

The driver finds the terminal behind a symbolic link, as udev makes one for an adapter, and may
have it pulled out from under it.
"""

import contextlib
import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

_CHUNK = 4096  # bytes


class SerialLine:
    """The device's end of the line.

    Args:
        path: of the link under which the driver opens the port.
        on_bytes: takes what the driver has written, in the line's own thread.

    Attributes:
        tamper: what the line makes of the bytes that the device sends.
    """

    def __init__(self, path: Path, on_bytes: Callable[[bytes], None] = lambda _: None) -> None:
        self.path = path
        self.on_bytes = on_bytes
        self.tamper: Callable[[bytes], bytes] = bytes
        self._lock = threading.Lock()
        self._device = self._driver = -1
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        self._closed = False
        self.plug()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def speed(self) -> int:
        """Speed that the driver has set, as a constant of termios (such as B19200)."""
        return int(termios.tcgetattr(self._driver)[5])

    def plug(self) -> None:
        """Put the adapter in: a new terminal behind the old link."""
        device, driver = os.openpty()
        tty.setraw(driver)
        os.set_blocking(device, False)
        fresh = self.path.with_name(f'.{self.path.name}')
        fresh.symlink_to(os.ttyname(driver))
        with self._lock:
            self._device, self._driver = device, driver
        fresh.replace(self.path)
        self._notify()

    def unplug(self) -> None:
        """Pull the adapter out: the link is gone, and whoever has the port open gets errors."""
        self.path.unlink(missing_ok=True)
        with self._lock:
            for end in (self._device, self._driver):
                if end >= 0:
                    os.close(end)
            self._device = self._driver = -1
        self._notify()

    def send(self, data: bytes) -> None:
        """Send bytes to the driver; like on a wire, they are lost when nobody takes them."""
        with self._lock, contextlib.suppress(OSError):
            if self._device >= 0:
                os.write(self._device, self.tamper(data))

    def close(self) -> None:
        """Pull it out for good."""
        self._closed = True
        self.unplug()
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)

    def _notify(self) -> None:
        os.write(self._waker, b'.')

    def _listen(self) -> None:
        while not self._closed:
            with self._lock:
                ends = [self._wake] + [self._device] * (self._device >= 0)
            with contextlib.suppress(OSError):  # pulled out meanwhile
                select.select(ends, [], [])
            _read(self._wake)
            with self._lock:
                data = _read(self._device)
            if data:
                self.on_bytes(data)


def _read(end: int) -> bytes:
    try:
        return os.read(end, _CHUNK)
    except OSError:  # nothing there, or pulled out
        return b''
