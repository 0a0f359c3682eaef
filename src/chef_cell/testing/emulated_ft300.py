"""An FT 300 that speaks its own protocol on a pseudo-terminal."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import (
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
)

from chef_cell.drivers.ft300 import frames
from chef_cell.testing.serial_line import SerialLine


class EmulatedFt300:
    """The sensor at the end of a line; it streams once it is asked to.

    Args:
        path: of the port.
        wrench: returns force (N) and torque (N m), (6,), at each frame.
        rate: frames per second.

    Attributes:
        line: between the sensor and its driver.
        streaming: whether it was asked to stream.
    """

    def __init__(
        self,
        path: Path,
        wrench: Callable[[], np.ndarray] = lambda: np.zeros(6),
        rate: float = 100.0,
    ) -> None:
        self.wrench = wrench
        self.rate = rate
        self.streaming = threading.Event()
        self._powered = True
        self._received = b''
        self._closed = threading.Event()
        self._framer = FramerRTU(DecodePDU(True))
        self.line = SerialLine(path, self._take)
        self._thread = threading.Thread(target=self._stream, daemon=True)
        self._thread.start()

    @property
    def powered(self) -> bool:
        """Whether it has its 24 V; without, it says nothing, and forgets that it streamed."""
        return self._powered

    @powered.setter
    def powered(self, on: bool) -> None:
        self._powered = on
        self.streaming.clear()

    def close(self) -> None:
        """Take it off the line."""
        self._closed.set()
        self._thread.join()
        self.line.close()

    def _take(self, data: bytes) -> None:
        if not self._powered:
            return
        self._received += data
        if frames.STOP in self._received:
            self.streaming.clear()
            self._received = self._received.rpartition(frames.STOP)[2]
        used, request = self._framer.handleFrame(self._received, frames.SLAVE, 0)
        self._received = self._received[used:]
        if isinstance(request, WriteMultipleRegistersRequest):
            self._write(request)

    def _write(self, request: WriteMultipleRegistersRequest) -> None:
        response = WriteMultipleRegistersResponse(
            address=request.address, count=len(request.registers), dev_id=frames.SLAVE
        )
        self.line.send(self._framer.buildFrame(response))
        if (request.address, request.registers) == (frames.OUTPUT_REGISTER, [frames.STREAM]):
            self.streaming.set()

    def _stream(self) -> None:
        due = time.monotonic()
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            due = max(due, time.monotonic() - 0.1) + 1.0 / self.rate
            if self.streaming.is_set():
                self.line.send(frames.encode(self.wrench()))
