"""Keys typed into a terminal, or forwarded through a pipe by whoever owns the terminal.

A terminal works everywhere, over ssh too. Libraries that hook the keyboard itself would tell of
releases, but they need an X server or the rights of root, and hear every key on the machine.
"""

import contextlib
import os
import re
import select
import termios
import tty
from typing import Any

from chef_cell.core.teleop import DeviceError, Hand, Keys, TeleopSettings

#: One key: an escape sequence (arrows and the like, of no meaning here), or one character.
_KEY = re.compile(r'\x1b[\[O][0-9;]*[A-Za-z~]|.', re.DOTALL)


class Keyboard:
    """Reads keys from the file descriptor `fd`: a terminal is read key by key, without echo."""

    def __init__(self, settings: TeleopSettings, fd: int = 0) -> None:
        self._fd = fd
        self._keys = Keys(settings.key_hold)
        self._saved: list[Any] | None = None
        if os.isatty(fd):
            self._saved = termios.tcgetattr(fd)
            # Ctrl-C stays a signal.
            tty.setcbreak(fd, termios.TCSANOW)

    def read(self, now: float) -> Hand:
        """Return what the keys ask for at `now` (s).

        Raises:
            DeviceError: nobody can type any more.
        """
        while select.select([self._fd], [], [], 0)[0]:
            try:
                typed = os.read(self._fd, 1024)
            except OSError as error:
                raise DeviceError(f'keyboard: {error.strerror}') from error
            if not typed:
                raise DeviceError('keyboard: the terminal is gone')
            for key in _KEY.findall(typed.decode(errors='replace')):
                self._keys.press(key, now)
        return self._keys.hand(now)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._saved is not None:
            # It may be gone.
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)
            self._saved = None
