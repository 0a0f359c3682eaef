"""The 2F-85's registers, byte for byte as in the examples of its manual."""

import math

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import WriteMultipleRegistersRequest

from chef_cell.core.readings import Grasp
from chef_cell.drivers.robotiq import registers
from chef_cell.drivers.robotiq.registers import Activation, Detection, Request, Status


def on_the_line(request):
    message = WriteMultipleRegistersRequest(
        address=registers.REQUEST_ADDRESS,
        registers=request.registers(),
        dev_id=registers.SLAVE,
    )
    return FramerRTU(DecodePDU(False)).buildFrame(message).hex(' ')


def status(answer):
    """Read the status in an answer of the manual."""
    frame = bytes.fromhex(answer)
    _, message = FramerRTU(DecodePDU(False)).handleFrame(frame, registers.SLAVE, 0)
    return Status.from_registers(message.registers)


@pytest.mark.parametrize(
    ('request_', 'frame'),
    [
        (Request(), '09 10 03 e8 00 03 06 01 00 00 00 00 00 72 e1'),
        (Request(go=True, speed=255, force=255), '09 10 03 e8 00 03 06 09 00 00 00 ff ff 72 19'),
        (
            Request(go=True, position=255, speed=255, force=255),
            '09 10 03 e8 00 03 06 09 00 00 ff ff ff 42 29',
        ),
    ],
)
def test_requests_are_as_in_the_manual(request_, frame):
    assert on_the_line(request_) == frame


def test_a_grip_that_is_under_way():
    said = status('09 03 06 39 00 00 FF 0E 0A F7 8B')
    assert (said.activated, said.going, said.activation) == (True, True, Activation.COMPLETE)
    assert (said.detection, said.grasp) == (Detection.MOVING, Grasp.NONE)
    assert (said.requested, said.position, said.current) == (255, 14, 10)
    assert said.problem == ''


def test_a_grip_that_is_completed():
    said = status('09 03 06 B9 00 00 FF BD 00 1D 7C')
    assert (said.detection, said.grasp, said.position) == (
        Detection.OBJECT_CLOSING, Grasp.INWARD, 189
    )  # fmt: skip


def test_an_opening_that_is_completed():
    said = status('09 03 06 F9 00 00 00 0D 00 56 4C')
    assert (said.detection, said.grasp, said.position) == (Detection.ARRIVED, Grasp.NONE, 13)


def said(action, fault=0):
    return Status.from_registers([action << 8, fault << 8, 0])


@pytest.mark.parametrize(
    ('action', 'grasp'),
    [
        (0x39, Grasp.NONE),
        (0x79, Grasp.OUTWARD),
        (0xB9, Grasp.INWARD),
        (0xF9, Grasp.NONE),
        (0xB1, Grasp.NONE),  # told to stay: what is detected then means nothing
        (0x71, Grasp.NONE),
    ],
)
def test_what_is_held_is_said_as_the_benchmark_does(action, grasp):
    assert said(action).grasp is grasp


@pytest.mark.parametrize(
    ('action', 'fault', 'words'),
    [
        (0x31, 0x0, ''),
        (0x31, 0x9, ''),
        (0x00, 0x0, 'not activated'),
        (0x11, 0x0, 'not activated'),
        (0x11, 0x5, 'fault 0x05: activation must be completed first'),
        (0x31, 0x8, 'fault 0x08: too hot (85 C): let it cool down'),
        (0x31, 0xA, 'fault 0x0A: supply voltage too low'),
        (0x31, 0xE, 'fault 0x0E: overcurrent'),
        (0x31, 0x3, 'fault 0x03: not in the manual'),
    ],
)
def test_what_keeps_it_from_obeying_is_said_in_words(action, fault, words):
    assert said(action, fault).problem == words


def test_a_short_answer_is_refused():
    with pytest.raises(ValueError, match='2 status registers, expected 3'):
        Status.from_registers([0, 0])


@pytest.mark.parametrize(
    ('velocity', 'full_speed', 'go', 'position', 'speed'),
    [
        (1.0, 0.150, True, 255, 255),
        (-1.0, 0.150, True, 0, 255),
        (1.0, 0.085, True, 255, 128),  # as fast as in simulation
        (-0.5, 0.085, True, 0, 44),
        (0.01, 0.085, True, 255, 0),  # the slowest there is, 20 mm/s
        (0.0, 0.085, False, 0, 0),
    ],
)
def test_a_closing_speed_becomes_a_place_and_a_speed(velocity, full_speed, go, position, speed):
    request = registers.request_for(velocity, full_speed, 0.2)
    assert request == Request(go=go, position=position, speed=speed, force=51)


@pytest.mark.parametrize('velocity', [1.01, -2.0, math.nan, math.inf])
def test_a_closing_speed_out_of_range_is_refused(velocity):
    with pytest.raises(ValueError, match='allowed: -1 to 1'):
        registers.request_for(velocity, 0.085, 0.2)


@pytest.mark.parametrize(
    ('position', 'angle'), [(0, 0.0), (3, 0.0), (116.5, 127.5), (230, 255.0), (255, 255.0)]
)
def test_counts_become_the_scale_of_the_cell(position, angle):
    assert registers.angle(position, 3.0, 230.0) == angle


@pytest.mark.parametrize(
    ('lower', 'upper'), [(3, 3), (230, 3), (-1, 230), (3, 256), (0, math.nan)]
)
def test_a_scale_that_is_none_is_refused(lower, upper):
    with pytest.raises(ValueError, match='expected 0 <= open_counts < closed_counts <= 255'):
        registers.check_scale(lower, upper)
