"""A 2F-85 that speaks Modbus RTU on a pseudo-terminal, through the server of pymodbus."""

import asyncio
import threading
import time
from pathlib import Path

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from chef_cell.drivers.robotiq import registers
from chef_cell.drivers.robotiq.registers import Activation, Detection
from chef_cell.testing.serial_line import SerialLine

#: Counts at which free fingers stop, and of one metre of their 85 mm.
OPEN, CLOSED = 3.0, 230.0
_COUNTS_PER_METRE = (CLOSED - OPEN) / 0.085
#: s; a real one takes a few.
ACTIVATION_TIME = 0.2
#: s without a word, then the gripper says so (gFLT 9).
_SILENCE = 1.0


class Fingers:
    """The gripper's mechanics and its mind.

    Attributes:
        position: counts.
        object_at: counts at which closing fingers meet an object; None: nothing is there.
        jam_at: counts at which opening fingers meet one, which they hold from inside.
        fault: gFLT; a major one stays until the gripper is reset.
    """

    def __init__(self) -> None:
        self.position = OPEN
        self.object_at: float | None = None
        self.jam_at: float | None = None
        self.fault = 0
        self._reset()

    def _reset(self) -> None:
        self._active = self._going = False
        self._since = time.monotonic()
        self._target, self._speed = OPEN, 0.0
        self._detection = Detection.MOVING

    def lose_power(self) -> None:
        """Forget everything but where the fingers are."""
        self.fault = 0
        self._reset()

    def activate_at_once(self) -> None:
        """Be as after an activation by somebody else."""
        self._active, self._since = True, -ACTIVATION_TIME

    @property
    def activation(self) -> Activation:
        """State of the activation."""
        if not self._active:
            return Activation.RESET
        done = time.monotonic() - self._since >= ACTIVATION_TIME
        return Activation.COMPLETE if done else Activation.IN_PROGRESS

    def take(self, words: list[int]) -> None:
        """Obey a request."""
        action = words[0] >> 8
        self.advance(0.0)
        if not action & 1:
            self.fault = 0
            self._reset()
            return
        if not self._active:
            self._active, self._since = True, time.monotonic()
        going = bool(action >> 3 & 1)
        if going and self.activation is not Activation.COMPLETE:
            self.fault = self.fault or 0x05
            return
        slowest, fastest = registers.SPEEDS
        share = (words[2] >> 8) / 255
        self._speed = (slowest + share * (fastest - slowest)) * _COUNTS_PER_METRE
        target = float(words[1] & 0xFF)
        if going and (target, True) != (self._target, self._going):
            self._detection = Detection.MOVING
        self._going, self._target = going, target

    def advance(self, seconds: float) -> None:
        """Let the fingers move."""
        if not self._going or self.fault or self.activation is not Activation.COMPLETE:
            return
        step = self._speed * seconds
        closing = self._target > self.position
        end = min(max(self._target, OPEN), CLOSED)
        obstacle = self.object_at if closing else self.jam_at
        meets = obstacle is not None and (obstacle < end if closing else obstacle > end)
        goal = obstacle if meets and obstacle is not None else end
        left = goal - self.position
        self.position += min(max(left, -step), step)
        if self.position != goal:
            self._detection = Detection.MOVING
        elif meets:
            self._detection = Detection.OBJECT_CLOSING if closing else Detection.OBJECT_OPENING
        else:
            self._detection = Detection.ARRIVED

    def words(self) -> list[int]:
        """Return the status registers."""
        status = self._active | self._going << 3 | self.activation << 4 | self._detection << 6
        requested = int(self._target)
        return [status << 8, self.fault << 8 | requested, round(self.position) << 8]


class Emulated2F85:
    """The gripper at the end of a line.

    Args:
        path: of the port.

    Attributes:
        fingers: what the gripper does.
        line: between the gripper and its driver.
        powered: whether it has its 24 V.
        requests: action bytes of the requests it has got.
        asked: how often it was asked for its status.
    """

    def __init__(self, path: Path) -> None:
        self.fingers = Fingers()
        self.powered = True
        self.requests: list[int] = []
        self.asked = 0
        self._lock = threading.Lock()
        self._moved = time.monotonic()
        # The server opens a port by its name, so it has a line of its own, joined to the driver's.
        self._far = SerialLine(path.with_name(f'{path.name}.device'))
        self.line = SerialLine(path, self._to_device)
        self._far.on_bytes = self._to_driver
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()

    def lose_power(self) -> None:
        """Switch it off."""
        with self._lock:
            self.powered = False
            self.fingers.lose_power()

    def close(self) -> None:
        """Take it off the line."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self.line.close()
        self._far.close()

    def _to_device(self, data: bytes) -> None:
        if self.powered:
            self._far.send(data)

    def _to_driver(self, data: bytes) -> None:
        if self.powered:
            self.line.send(data)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        blocks = [
            SimData(address, count=registers.COUNT, datatype=DataType.REGISTERS)
            for address in (registers.REQUEST_ADDRESS, registers.STATUS_ADDRESS)
        ]
        device = SimDevice(registers.SLAVE, simdata=blocks, action=self._on_access)
        server = ModbusSerialServer(device, port=str(self._far.path), baudrate=registers.BAUD_RATE)
        await server.serve_forever(background=True)
        self._ready.set()
        await self._over.wait()
        await server.shutdown()

    async def _on_access(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        with self._lock:
            if self.powered:
                self._live()
                if written is not None:
                    self._obey([int(word) for word in written])
                elif address == registers.STATUS_ADDRESS:
                    offset = address - start
                    current[offset : offset + count] = self._report()[:count]
        return None

    def _live(self) -> None:
        """Let the time since the last word pass."""
        now = time.monotonic()
        if now - self._moved > _SILENCE:
            self.fingers.fault = self.fingers.fault or 0x09
        self.fingers.advance(now - self._moved)
        self._moved = now

    def _obey(self, words: list[int]) -> None:
        self.requests.append(words[0] >> 8)
        self.fingers.take(words)

    def _report(self) -> list[int]:
        self.asked += 1
        words = self.fingers.words()
        if self.fingers.fault == 0x09:
            self.fingers.fault = 0
        return words
