"""What is written to and read from a 2F-85: six bytes each way, in Modbus registers.

Source: Robotiq's instruction manual of the 2F-85 (register mapping; names such as rACT and gOBJ
are the manual's).
"""

import dataclasses
import math
from collections.abc import Sequence
from enum import IntEnum

from chef_cell.core.readings import Grasp

BAUD_RATE = 115200  # 8 data bits, no parity, 1 stop bit
SLAVE = 9
REQUEST_ADDRESS, STATUS_ADDRESS = 0x03E8, 0x07D0
COUNT = 3  # registers, of each

OPEN, CLOSED = 0, 255  # counts, requested position
#: Slowest and fastest speed of the fingers towards each other (m/s): rSP = 0 and 255.
SPEEDS = (0.020, 0.150)

#: gFLT in words.
FAULTS = {
    0x00: '',
    0x05: 'activation must be completed first',
    0x07: 'not activated',
    0x08: 'too hot (85 C): let it cool down',
    0x09: 'nobody spoke to it for a second',
    0x0A: 'supply voltage too low',
    0x0B: 'automatic release in progress',
    0x0C: 'internal fault',
    0x0D: 'activation failed: is something between the fingers?',
    0x0E: 'overcurrent',
    0x0F: 'automatic release completed',
}
#: Faults with which it obeys: the one of silence ends with the silence.
_HARMLESS = (0x00, 0x09)


class Activation(IntEnum):
    """State of the activation (gSTA)."""

    RESET = 0
    IN_PROGRESS = 1
    UNUSED = 2
    COMPLETE = 3


class Detection(IntEnum):
    """What the fingers have met (gOBJ); says something only while they are told to go."""

    MOVING = 0
    OBJECT_OPENING = 1
    OBJECT_CLOSING = 2
    ARRIVED = 3


_GRASPS = {Detection.OBJECT_CLOSING: Grasp.INWARD, Detection.OBJECT_OPENING: Grasp.OUTWARD}


@dataclasses.dataclass(frozen=True)
class Request:
    """What the gripper is told; by default to stay where it is."""

    activate: bool = True  # rACT
    go: bool = False  # rGTO
    position: int = OPEN  # rPR, counts
    speed: int = 0  # rSP, 0 .. 255
    force: int = 0  # rFR, 0 .. 255

    def registers(self) -> list[int]:
        """Return the registers, (3,)."""
        action = self.activate | self.go << 3
        return [action << 8, self.position, self.speed << 8 | self.force]


@dataclasses.dataclass(frozen=True)
class Status:
    """What the gripper says."""

    activated: bool  # gACT
    going: bool  # gGTO
    activation: Activation  # gSTA
    detection: Detection  # gOBJ
    fault: int  # gFLT
    requested: int  # gPR, counts
    position: int  # gPO, counts
    current: int  # gCU, in 10 mA

    @classmethod
    def from_registers(cls, registers: Sequence[int]) -> 'Status':
        """Read the registers, (3,); raises ValueError unless there are three."""
        if len(registers) != COUNT:
            raise ValueError(f'{len(registers)} status registers, expected {COUNT}')
        status, fault, requested = registers[0] >> 8, registers[1] >> 8, registers[1] & 0xFF
        return cls(
            activated=bool(status & 1),
            going=bool(status >> 3 & 1),
            activation=Activation(status >> 4 & 3),
            detection=Detection(status >> 6 & 3),
            fault=fault & 0xF,
            requested=requested,
            position=registers[2] >> 8,
            current=registers[2] & 0xFF,
        )

    @property
    def grasp(self) -> Grasp:
        """What is held, as the benchmark says it: none while the fingers are told to stay."""
        return _GRASPS.get(self.detection, Grasp.NONE) if self.going else Grasp.NONE

    @property
    def problem(self) -> str:
        """Why it does not obey; empty when it does."""
        if self.fault not in _HARMLESS:
            words = FAULTS.get(self.fault, 'not in the manual')
            return f'fault 0x{self.fault:02X}: {words}'
        return '' if self.activation is Activation.COMPLETE else 'not activated'


def request_for(velocity: float, full_speed: float, force: float) -> Request:
    """Return the request for a closing speed.

    The sign says whereto: towards closed or open, as far as it goes. The size says how fast; the
    gripper can't go slower than 20 mm/s, so smaller speeds but zero are that. Zero stays.

    Args:
        velocity: -1 (open) .. 1 (close), share of `full_speed`.
        full_speed: of the fingers towards each other, m/s.
        force: 0 .. 1, share of what the gripper can do.

    Raises:
        ValueError: the velocity is out of range or not finite.
    """
    if not -1.0 <= velocity <= 1.0:
        raise ValueError(f'gripper velocity {velocity}, allowed: -1 to 1')
    if velocity == 0.0:
        return Request(force=round(255 * force))
    slowest, fastest = SPEEDS
    share = (abs(velocity) * full_speed - slowest) / (fastest - slowest)
    return Request(
        go=True,
        position=CLOSED if velocity > 0.0 else OPEN,
        speed=round(255 * min(max(share, 0.0), 1.0)),
        force=round(255 * force),
    )


def angle(position: int, open_counts: float, closed_counts: float) -> float:
    """Return where the fingers are on the cell's scale, 0 open .. 255 closed.

    A 2F-85 does not use its whole range of counts: its fingers stop at about 3 and 230.

    Args:
        position: gPO.
        open_counts: gPO of open fingers.
        closed_counts: gPO of fingers that touch each other.
    """
    share = (position - open_counts) / (closed_counts - open_counts)
    return 255.0 * min(max(share, 0.0), 1.0)


def check_scale(open_counts: float, closed_counts: float) -> None:
    """Raise ValueError unless the counts are a scale."""
    if not 0.0 <= open_counts < closed_counts <= 255.0 or math.isnan(open_counts + closed_counts):
        raise ValueError(
            f'open_counts {open_counts}, closed_counts {closed_counts}: '
            'expected 0 <= open_counts < closed_counts <= 255'
        )
