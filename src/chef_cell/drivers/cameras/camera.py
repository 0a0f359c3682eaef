"""A device in a thread of its own, behind the port of a cell."""

import logging
import threading
import time
from collections.abc import Callable

from chef_cell.core.camera_account import BackOff, CameraAccount
from chef_cell.core.readings import ImageReading
from chef_cell.core.robot_clock import RobotClock
from chef_cell.drivers.cameras.source import CameraError, DamagedImageError, Frame, Source

LOG = logging.getLogger('chef_cell.cameras')
#: So many damaged images in a row, and the camera is opened anew.
_DAMAGED_LIMIT = 20
#: How long closing waits for a device that is stuck (s).
_GRACE = 3.0


class SilentCameraError(RuntimeError):
    """No image has come yet."""


class GrabbedCamera:
    """The newest image of a device; implements `core.ports.Camera`.

    Nobody waits for the device but its thread. It is opened again, ever more patiently, when it
    is gone. Stamps of a device with a clock are told by ours; they are late by the quickest way
    from the sensor to here, which is exposure and transfer. Stamps never go back.

    Args:
        name: of the camera in the cell.
        source: the device.
        on_image: takes each image, in the device's thread; images that come meanwhile are left
            out but for the newest.
        back_off: how long to wait between attempts to open the device.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        on_image: Callable[[ImageReading], None] = lambda _: None,
        back_off: BackOff | None = None,
    ) -> None:
        self.name = name
        self._source = source
        self._on_image = on_image
        self._back_off = back_off or BackOff()
        self._account = CameraAccount()
        self._news = threading.Condition()
        self._newest: ImageReading | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f'camera {name}', daemon=True)
        self._thread.start()

    def read(self) -> ImageReading:
        """Return the newest image; raises SilentCameraError before the first."""
        if self._newest is None:
            raise SilentCameraError(f'no image of {self.name}: {self._account.problem}')
        return self._newest

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until a condition holds that news of this camera may bring; whether it does."""
        with self._news:
            return self._news.wait_for(condition, timeout)

    @property
    def problem(self) -> str:
        """Why no images come; empty when they do."""
        return self._account.problem

    def take(self, duration: float) -> dict[str, object]:
        """Return counts, rate and ages; see `CameraAccount.take`."""
        with self._news:
            return self._account.take(duration)

    def close(self) -> None:
        """Stop grabbing and release the device."""
        self._closing.set()
        self._thread.join(_GRACE)
        if self._thread.is_alive():
            LOG.warning('%s: the device did not answer within %g s', self.name, _GRACE)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._note(self._account.open, self._source.open())
                LOG.info('%s: %s', self.name, self._account.description)
                self._grab()
            except CameraError as error:
                self._give_up(str(error))
            except Exception as error:  # whatever a maker's library may raise
                self._give_up(f'{type(error).__name__}: {error}')
            finally:
                self._source.close()
            if not self._closing.is_set():
                self._closing.wait(self._back_off.next())

    def _grab(self) -> None:
        clock, damaged = RobotClock(), 0
        while not self._closing.is_set():
            try:
                frame = self._source.grab()
            except DamagedImageError as error:
                damaged += 1
                self._note(self._account.damage)
                if damaged >= _DAMAGED_LIMIT:
                    raise CameraError(f'{damaged} damaged images in a row: {error}') from error
                continue
            damaged = 0
            self._back_off.reset()
            self._take(frame, clock)

    def _take(self, frame: Frame, clock: RobotClock) -> None:
        stamp = frame.received
        if frame.stamp is not None:
            stamp = clock.local(frame.stamp, frame.received)
        if self._newest is not None:
            stamp = max(stamp, self._newest.stamp)
        reading = ImageReading(stamp, frame.pixels)
        with self._news:
            self._newest = reading
            self._account.receive(stamp, time.time(), frame.number)
            self._news.notify_all()
        self._on_image(reading)

    def _note(self, note: Callable[..., None], *what: str) -> None:
        with self._news:
            note(*what)
            self._news.notify_all()

    def _give_up(self, problem: str) -> None:
        if problem != self._account.problem:
            LOG.error('%s: %s', self.name, problem)
        self._note(self._account.lose, problem)
