"""A Robotiq FT 300 on a serial port."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import serial

from chef_cell.core.readings import WrenchReading
from chef_cell.drivers.ft300 import frames
from chef_cell.drivers.serial_link import SerialLink, SilentDeviceError, check_port

#: What the sensor needs to leave the stream after it was told to stop (s).
_SETTLING = 0.1
#: Longest wait for bytes, and so for noticing that the driver is to end (s).
_PATIENCE = 0.1
#: A stamp that would go back by less than this (s) does not: bytes came late, then all at once.
_JITTER, _STEP = 0.2, 1e-4


@dataclasses.dataclass(frozen=True)
class Ft300Settings:
    """Where the sensor is, and how it tells forces."""

    port: str = '/dev/ft300'
    inverted: bool = False  # whether all signs are the cell's reversed: chef calibrate wrist says
    silence: float = 0.5  # s without a frame, then the port is opened anew

    def __post_init__(self) -> None:
        if not 0.05 <= self.silence <= 10.0:
            raise ValueError(f'silence {self.silence} s, allowed: 0.05 to 10 s')


class Ft300:
    """The sensor's data stream; implements `core.ports.Wrist`.

    Frames come in a thread of its own, and are passed on there. A reading is stamped with the
    time at which its first byte left the sensor: when the last one was read, less what the
    frame and the bytes behind it took on the line (8.3 ms a frame). What remains is the delay of
    the USB adapter, up to its latency timer, and of the sensor's own filter.

    Args:
        settings: where it is.
        on_reading: takes each reading.
        now: our clock (s), the one that stamps are told by.

    Attributes:
        count: readings so far.
        saturated: those among them with an axis at the end of its range.
    """

    def __init__(
        self,
        settings: Ft300Settings,
        on_reading: Callable[[WrenchReading], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._on_reading = on_reading
        self._now = now
        self._sign = -1.0 if settings.inverted else 1.0
        self._decoder = frames.FrameDecoder()
        self._reading: WrenchReading | None = None
        self.count = self.saturated = 0
        self.link = SerialLink('FT 300', self._talk)
        self.link.start()

    def read(self) -> WrenchReading:
        """Return the newest raw wrench; raises SilentDeviceError before the first."""
        if self._reading is None:
            raise SilentDeviceError(self.link.problem)
        return self._reading

    def counts(self) -> dict[str, int]:
        """Return what came, and what went wrong on its way."""
        decoder = self._decoder
        return {
            'frames': self.count,
            'saturated': self.saturated,
            'CRC errors': decoder.crc_errors,
            'resyncs': decoder.resyncs,
            'bytes skipped': decoder.skipped,
            'reconnects': max(0, self.link.connections - 1),
        }

    def close(self) -> None:
        """End the stream and release the port."""
        self.link.close()

    def _talk(self, link: SerialLink) -> None:
        check_port(self._settings.port)
        with serial.Serial(
            self._settings.port, frames.BAUD_RATE, timeout=_PATIENCE, exclusive=True
        ) as port:
            self._begin(port, link)
            heard = time.monotonic()
            while not link.stopping:
                data = port.read(self._decoder.missing)
                data += port.read(port.in_waiting)
                arrival = self._now()
                for frame in self._decoder.feed(data):
                    link.connected()
                    heard = time.monotonic()
                    self._take(frame, arrival)
                if (silence := time.monotonic() - heard) > self._settings.silence:
                    raise SilentDeviceError(
                        f'no frame for {silence:.1f} s: is it powered (24 V), '
                        f'is {self._settings.port} its port?'
                    )
            port.write(frames.STOP)
            port.flush()

    def _begin(self, port: serial.Serial, link: SerialLink) -> None:
        """Ask for the stream, whatever the sensor was doing before."""
        port.write(frames.STOP)
        link.wait(_SETTLING)
        port.reset_input_buffer()
        port.write(frames.start_request())
        self._decoder.restart()

    def _take(self, frame: frames.Frame, arrival: float) -> None:
        on_the_line = (frames.FRAME_LENGTH + frame.behind) * frames.BYTE_TIME
        stamp = arrival - on_the_line
        if self._reading is not None and 0.0 <= self._reading.stamp - stamp < _JITTER:
            stamp = self._reading.stamp + _STEP
        force, torque = np.split(self._sign * frame.wrench, 2)
        self._reading = WrenchReading(stamp, force, torque)
        self.count += 1
        self.saturated += frame.saturated
        self._on_reading(self._reading)
