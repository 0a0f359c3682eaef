"""The data stream of an FT 300: 16 bytes a frame, found again wherever some get lost.

    0x20 0x4E   6 x int16, little endian: force in 0.01 N, torque in 0.001 N m   CRC-16 (Modbus)

Source: the data stream of Robotiq's instruction manual and of its own driver. The stream is begun
by a Modbus write, and ended by a row of 0xFF.
"""

import dataclasses
import struct

import numpy as np
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import WriteMultipleRegistersRequest

BAUD_RATE = 19200  # 8 data bits, no parity, 1 stop bit
HEADER = b'\x20\x4e'
FRAME_LENGTH = 16  # bytes
#: Time that a byte takes on the line: 8 bits between a start and a stop bit (s).
BYTE_TIME = 10.0 / BAUD_RATE
SLAVE = 9
#: Register that selects what the sensor does, and the value for streaming.
OUTPUT_REGISTER, STREAM = 410, 0x0200
#: Ends the stream.
STOP = b'\xff' * 50
#: Measuring range of each axis (N, N m); beyond it the numbers mean nothing.
FORCE_RANGE, TORQUE_RANGE = 300.0, 30.0

_UNITS = np.array([0.01] * 3 + [0.001] * 3)
_LIMITS = np.array([FORCE_RANGE] * 3 + [TORQUE_RANGE] * 3)
_NUMBERS = struct.Struct('<6h')


@dataclasses.dataclass(frozen=True)
class Frame:
    """One measurement.

    Attributes:
        wrench: force (N) and torque (N m) in the sensor's axes, (6,).
        behind: bytes that had come after the frame's last one when it was found.
    """

    wrench: np.ndarray
    behind: int

    @property
    def saturated(self) -> bool:
        """Whether an axis is at the end of its range."""
        return bool((np.abs(self.wrench) >= _LIMITS).any())


def start_request() -> bytes:
    """Return the Modbus frame that asks for the stream."""
    request = WriteMultipleRegistersRequest(
        address=OUTPUT_REGISTER, registers=[STREAM], dev_id=SLAVE
    )
    return FramerRTU(DecodePDU(False)).buildFrame(request)


def encode(wrench: np.ndarray) -> bytes:
    """Return the frame for force (N) and torque (N m), (6,), clipped to what int16 can say."""
    counts = np.clip(np.rint(wrench / _UNITS), -32768, 32767).astype(int)
    body = HEADER + _NUMBERS.pack(*counts.tolist())
    return body + _crc(body)


class FrameDecoder:
    """Finds frames in bytes that come in pieces of any length, with gaps and rubbish between.

    Attributes:
        crc_errors: frames with a wrong check sum, where one was expected.
        resyncs: times that bytes had to be left out after a frame, to find the next one.
        skipped: bytes left out, those before the first frame included.
    """

    def __init__(self) -> None:
        self.crc_errors = 0
        self.resyncs = 0
        self.skipped = 0
        self.restart()

    def restart(self) -> None:
        """Forget what came before: the port was opened anew."""
        self._buffer = b''
        self._in_step = False  # the last bytes were those of a frame

    @property
    def missing(self) -> int:
        """Bytes until the next frame can be complete, at least 1."""
        return FRAME_LENGTH - len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames that they complete, oldest first."""
        self._buffer += data
        frames = []
        while self._skip_to_header() and len(self._buffer) >= FRAME_LENGTH:
            body, rest = self._buffer[: FRAME_LENGTH - 2], self._buffer[FRAME_LENGTH:]
            if _crc(body) == self._buffer[FRAME_LENGTH - 2 : FRAME_LENGTH]:
                wrench = np.array(_NUMBERS.unpack(body[len(HEADER) :])) * _UNITS
                frames.append(Frame(wrench, len(rest)))
                self._buffer = rest
                self._in_step = True
            else:
                self.crc_errors += self._in_step
                self._skip(1)  # a frame may begin inside what only looked like one
        return frames

    def _skip_to_header(self) -> bool:
        """Leave out what comes before a header; return whether one is there."""
        place = self._buffer.find(HEADER)
        if place < 0:
            # Its first byte may be there already.
            place = len(self._buffer) - self._buffer.endswith(HEADER[:1])
            self._skip(place)
            return False
        self._skip(place)
        return True

    def _skip(self, count: int) -> None:
        if count:
            self._buffer = self._buffer[count:]
            self.skipped += count
            self.resyncs += self._in_step
            self._in_step = False


def _crc(body: bytes) -> bytes:
    return FramerRTU.compute_CRC(body).to_bytes(2, 'big')
