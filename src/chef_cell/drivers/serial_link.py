"""What the drivers of serial devices share: keeping a connection, and the adapter's delay."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

#: Where Linux tells the settings of USB-to-serial adapters.
ADAPTERS = Path('/sys/bus/usb-serial/devices')
#: Longest latency timer that does not gather bytes of several frames (ms). FTDI's default is 16.
LATENCY_LIMIT = 2


class SilentDeviceError(RuntimeError):
    """The device says nothing, or nothing that can be understood."""


class SerialLink:
    """A thread that talks to a device, and begins anew when it cannot go on.

    Between two attempts it waits, each time twice as long; a device that has answered starts the
    count afresh.

    Args:
        name: of the device, in words.
        talk: opens the port and talks until `stopping`; calls `connected` once the device has
            answered. Raises whatever keeps it from going on.
    """

    _PAUSE = (0.1, 2.0)  # s, shortest and longest

    def __init__(self, name: str, talk: Callable[['SerialLink'], None]) -> None:
        self.problem = f'{name} has not answered yet'
        self.connections = 0
        self._talk = talk
        self._pause = self._PAUSE[0]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Whether the conversation is to end."""
        return self._stop.is_set()

    def connected(self) -> None:
        """The device has answered."""
        if self.problem:
            self.connections += 1
            self.problem = ''
            self._pause = self._PAUSE[0]

    def wait(self, seconds: float) -> None:
        """Let time pass (s), less when asked to stop."""
        self._stop.wait(seconds)

    def close(self) -> None:
        """End the conversation, and wait for its end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.stopping:
            try:
                self._talk(self)
            except Exception as error:
                # Libraries for serial ports raise more than they document when one is pulled out.
                self.problem = str(error) or type(error).__name__
            if not self.stopping:
                self.wait(self._pause)
                self._pause = min(2.0 * self._pause, self._PAUSE[1])


def check_port(port: str) -> None:
    """Raise OSError, with what to do about it, unless a serial port may be opened."""
    if not os.path.exists(port):
        raise FileNotFoundError(f'{port} is not there: is its adapter plugged in?')
    if not os.access(port, os.R_OK | os.W_OK):
        raise PermissionError(f'{port} may not be opened: join the group dialout, log in again')


def latency_timer(port: str, adapters: Path = ADAPTERS) -> int | None:
    """Return how long (ms) a port's adapter gathers bytes; None where it does not say."""
    try:
        return int((adapters / Path(port).resolve().name / 'latency_timer').read_text())
    except (OSError, ValueError):
        return None


def latency_advice(port: str, latency: int | None) -> str:
    """Return what is wrong with a latency timer (ms) and what to do; empty when all is well."""
    if latency is None or latency <= LATENCY_LIMIT:
        return ''
    place = ADAPTERS / Path(port).resolve().name / 'latency_timer'
    return f'latency timer {latency} ms, at most {LATENCY_LIMIT}: echo 1 | sudo tee {place}'
