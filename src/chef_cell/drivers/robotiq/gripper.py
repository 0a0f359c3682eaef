"""A Robotiq 2F-85 on a serial port."""

import collections
import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from chef_cell.core.readings import GripperReading
from chef_cell.drivers.robotiq import registers
from chef_cell.drivers.robotiq.registers import Activation, Request, Status
from chef_cell.drivers.serial_link import SerialLink, SilentDeviceError, check_port

_PERIOD = 0.02  # s, of asking for the status
_ANSWER = 0.1  # s, in which an answer must come
_RETRIES = 2
#: The velocity is the change of position over this long (s): 5 counts at full speed are one
#: period's worth, too few for a number.
_WINDOW = 0.06
#: How long an activation may take (s): the fingers open and close once.
_ACTIVATION = 10.0
#: No command: closing speed, and since when (s, steady clock).
_NONE = (0.0, -math.inf)


@dataclasses.dataclass(frozen=True)
class RobotiqSettings:
    """Where the gripper is, and how it moves."""

    port: str = '/dev/robotiq'
    full_speed: float = 0.085  # m/s of the fingers at command 1; the simulated ones have this
    force: float = 0.2  # 0 .. 1, share of its 20 to 235 N
    open_counts: float = 3.0  # gPO when open
    closed_counts: float = 230.0  # gPO when the fingers touch each other
    command_timeout: float = 0.25  # s without a command, then the fingers stay where they are
    activate: bool = True  # at the start, if need be: the fingers open and close once

    def __post_init__(self) -> None:
        registers.check_scale(self.open_counts, self.closed_counts)
        slowest, fastest = registers.SPEEDS
        for name, lower, upper in (
            ('full_speed', slowest, fastest),
            ('force', 0.0, 1.0),
            ('command_timeout', 2 * _PERIOD, 10.0),
        ):
            if not lower <= getattr(self, name) <= upper:
                raise ValueError(f'{name} {getattr(self, name)}, allowed: {lower} to {upper}')


class Robotiq2F85:
    """The gripper over Modbus RTU; implements `core.ports.Gripper`.

    It is asked for its status 50 times a second in a thread of its own, and told something where
    that differs from what it was told last. Readings come only from a gripper that would obey:
    whoever needs them notices that one is in a fault or not activated.

    It is activated at the start, and never again by itself: the fingers move by it, and drop what
    they hold. `activate` does that after a fault or a loss of power.

    Args:
        settings: where it is, and how it moves.
        on_reading: takes each reading.
        now: our clock (s), the one that stamps are told by.
    """

    def __init__(
        self,
        settings: RobotiqSettings,
        on_reading: Callable[[GripperReading], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._on_reading = on_reading
        self._now = now
        # It says as errors what it also raises.
        logging.getLogger('pymodbus.logging').setLevel(logging.CRITICAL)
        self._strength = settings.full_speed, settings.force
        self._command = _NONE
        self._told: Request | None = None
        self._activate = threading.Event()
        if settings.activate:
            self._activate.set()
        self._trail: collections.deque[tuple[float, float]] = collections.deque()
        self._reading: GripperReading | None = None
        self.status: Status | None = None
        self.count = 0
        self.link = SerialLink('2F-85', self._talk)
        self.link.start()

    @property
    def problem(self) -> str:
        """Why the gripper does not obey; empty when it does."""
        status = self.status
        return self.link.problem or ('' if status is None else status.problem)

    def read(self) -> GripperReading:
        """Return the newest state; raises SilentDeviceError before the first."""
        if self._reading is None:
            raise SilentDeviceError(self.problem)
        return self._reading

    def command_velocity(self, velocity: float) -> None:
        """Command the closing speed, -1 .. 1, for `command_timeout`; raises ValueError."""
        registers.request_for(velocity, *self._strength)
        self._command = velocity, time.monotonic()

    def activate(self) -> None:
        """Reset faults and activate, soon: the fingers open and close, what they hold drops."""
        self._activate.set()

    def close(self) -> None:
        """Stop the fingers and release the port."""
        self.link.close()

    def _talk(self, link: SerialLink) -> None:
        check_port(self._settings.port)
        client = ModbusSerialClient(
            self._settings.port, baudrate=registers.BAUD_RATE, timeout=_ANSWER, retries=_RETRIES
        )
        try:
            if not client.connect():
                raise OSError(f'{self._settings.port} cannot be opened: does another program?')
            self._told = None
            self._command = _NONE  # what was commanded before is over
            while not link.stopping:
                began = time.monotonic()
                self._exchange(client)
                link.connected()
                link.wait(max(0.0, _PERIOD - (time.monotonic() - began)))
            self._stop(client)
        finally:
            client.close()

    def _exchange(self, client: ModbusSerialClient) -> None:
        """Ask for the status, tell what is new."""
        status = self._ask(client)
        if self._activate.is_set():
            self._activate.clear()
            if status.problem:
                status = self._reactivate(client)
        self._take(status)
        if not status.problem:  # any request would activate a gripper that is not
            self._tell(client, self._request())

    def _stop(self, client: ModbusSerialClient) -> None:
        if not self.problem:
            self._tell(client, registers.request_for(0.0, *self._strength))

    def _request(self) -> Request:
        velocity, since = self._command
        if time.monotonic() - since > self._settings.command_timeout:
            velocity = 0.0
        return registers.request_for(velocity, *self._strength)

    def _reactivate(self, client: ModbusSerialClient) -> Status:
        """Reset and activate; returns the status when that is over, or has taken too long."""
        self._tell(client, Request(activate=False))
        self._tell(client, Request())
        end = time.monotonic() + _ACTIVATION
        while True:
            status = self._ask(client)
            over = status.activation is Activation.COMPLETE or self.link.stopping
            if over or time.monotonic() > end:
                return status
            self.status = status
            self.link.wait(_PERIOD)

    def _take(self, status: Status) -> None:
        self.status = status
        if status.problem:
            self._trail.clear()
            return
        settings, stamp = self._settings, self._now()
        position = registers.angle(status.position, settings.open_counts, settings.closed_counts)
        self._trail.append((stamp, position))
        while len(self._trail) > 2 and self._trail[1][0] <= stamp - _WINDOW:
            self._trail.popleft()
        before, there = self._trail[0]
        velocity = (position - there) / (stamp - before) if stamp > before else 0.0
        self._reading = GripperReading(stamp, position, velocity, status.grasp)
        self.count += 1
        self._on_reading(self._reading)

    def _ask(self, client: ModbusSerialClient) -> Status:
        answer = self._call(
            client.read_holding_registers, registers.STATUS_ADDRESS, count=registers.COUNT
        )
        return Status.from_registers(answer.registers)

    def _tell(self, client: ModbusSerialClient, request: Request) -> None:
        if request != self._told:
            self._call(client.write_registers, registers.REQUEST_ADDRESS, request.registers())
            self._told = request

    def _call(self, function: Callable[..., ModbusPDU], *arguments: Any, **named: Any) -> Any:
        try:
            answer = function(*arguments, device_id=registers.SLAVE, **named)
        except ModbusException as error:
            raise SilentDeviceError(
                f'no answer: is the gripper powered (24 V), is {self._settings.port} its port?'
            ) from error
        if answer.isError():
            raise SilentDeviceError(f'the gripper refuses: {answer}')
        return answer
