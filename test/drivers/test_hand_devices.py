"""Devices a hand is on: a real terminal, the kernel's own event records, real HID reports."""

import os
import pty
import struct
import termios
from types import SimpleNamespace

import pytest

from chef_cell.core.teleop import DEVICES, DeviceError, Hand, TeleopSettings, Verdict
from chef_cell.drivers.keyboard import Keyboard
from chef_cell.drivers.spacemouse import SpaceMouse

SETTINGS = TeleopSettings(deadband=0.0)


@pytest.fixture
def terminal():
    """Both ends of a terminal: that of the person, that of the program."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_keys_arrive_one_by_one_without_echo(terminal):
    person, program = terminal
    keyboard = Keyboard(SETTINGS, program)
    os.write(person, b'wa')

    assert keyboard.read(1.0) == Hand(True, (1.0, 1.0, 0.0, 0.0))
    assert keyboard.read(2.0) == Hand()
    os.write(person, b'\n')
    assert keyboard.read(2.0).verdict == Verdict.KEEP
    assert not termios.tcgetattr(program)[3] & (termios.ICANON | termios.ECHO)
    keyboard.close()


def test_the_terminal_is_left_as_it_was(terminal):
    _, program = terminal
    before = termios.tcgetattr(program)
    keyboard = Keyboard(SETTINGS, program)
    assert termios.tcgetattr(program) != before

    keyboard.close()
    assert termios.tcgetattr(program) == before


@pytest.mark.parametrize('typed', [b'\x1b[A', b'\x1b[1;5D', b'\x1bOA', b'\x1b[5~'])
def test_the_letters_of_an_arrow_key_are_no_keys(terminal, typed):
    person, program = terminal
    keyboard = Keyboard(SETTINGS, program)
    os.write(person, typed)

    assert keyboard.read(0.0) == Hand()


def test_a_closed_terminal_is_an_error():
    reading, writing = os.pipe()
    keyboard = Keyboard(SETTINGS, reading)
    os.write(writing, b'w')
    assert keyboard.read(0.0).held

    os.close(writing)
    with pytest.raises(DeviceError, match='the terminal is gone'):
        keyboard.read(0.0)
    os.close(reading)


@pytest.fixture
def gamepad():
    """A gamepad over a pipe, into which a test writes what the kernel would."""
    evdev = pytest.importorskip('evdev', reason='python-evdev is not installed')
    from chef_cell.drivers.gamepad import Gamepad

    class Pipe(evdev.InputDevice):
        """An input device without its ioctls: only reading is real."""

        def __init__(self):
            self.fd, self.kernel = os.pipe()
            os.set_blocking(self.fd, False)

        def absinfo(self, code):
            return evdev.AbsInfo(value=0, min=-32768, max=32767, fuzz=0, flat=0, resolution=0)

        def send(self, kind, name, value):
            codes = evdev.ecodes
            record = struct.pack(
                'llHHi', 0, 0, codes.ecodes[kind], codes.ecodes.get(name, 0), value
            )
            os.write(self.kernel, record)

    pipe = Pipe()
    yield Gamepad(SETTINGS, pipe), pipe
    os.close(pipe.kernel)


def test_a_gamepad_reads_the_kernels_events(gamepad):
    pad, kernel = gamepad
    assert pad.read(0.0).held is False

    kernel.send('EV_KEY', 'BTN_TR', 1)
    kernel.send('EV_ABS', 'ABS_Y', -32768)
    kernel.send('EV_KEY', 'BTN_SOUTH', 1)
    hand = pad.read(0.0)
    assert hand.held
    assert hand.motion == pytest.approx((1.0, 0.0, 0.0, 0.0), abs=1e-4)
    assert hand.grip == 1.0

    kernel.send('EV_KEY', 'BTN_TR', 0)
    assert not pad.read(0.0).held


def test_a_gamepad_whose_events_were_lost_is_not_held(gamepad):
    pad, kernel = gamepad
    kernel.send('EV_KEY', 'BTN_TR', 1)
    assert pad.read(0.0).held

    kernel.send('EV_SYN', 'SYN_DROPPED', 0)
    assert not pad.read(0.0).held


def test_a_gamepad_that_is_unplugged_is_an_error(gamepad):
    pad, kernel = gamepad
    os.close(kernel.fd)

    with pytest.raises(DeviceError, match='gamepad: '):
        pad.read(0.0)
    kernel.fd = os.open(os.devnull, os.O_RDONLY)


class Reports:
    """HID reports as a SpaceMouse sends them, read as the library reads them."""

    def __init__(self, *reports):
        self.reports = [list(report) for report in reports]
        self.closed = False

    def set_nonblocking(self, value):
        assert value

    def read(self, size):
        if self.reports and self.reports[0] == [0]:
            raise OSError('read error')
        return self.reports.pop(0)[:size] if self.reports else []

    def close(self):
        self.closed = True


def test_a_spacemouse_of_either_generation():
    split = Reports(
        struct.pack('<B3h', 1, 175, -350, 0),
        struct.pack('<B3h', 2, 0, 0, -350),
        b'\x03\x01\x00',
    )
    whole = Reports(struct.pack('<B6h', 1, 175, -350, 0, 0, 0, -350), b'\x03\x01\x00')
    for reports in (split, whole):
        assert SpaceMouse(SETTINGS, reports).read(0.0) == Hand(True, (1.0, -0.5, 0.0, 1.0))


def test_a_spacemouse_lets_go_and_goes():
    reports = Reports(b'\x03\x01\x00')
    mouse = SpaceMouse(SETTINGS, reports)
    assert mouse.read(0.0).held
    reports.reports = [list(b'\x03\x00\x00'), []]
    assert not mouse.read(0.0).held

    reports.reports = [[0]]
    with pytest.raises(DeviceError, match='spacemouse: read error'):
        mouse.read(0.0)
    mouse.close()
    assert reports.closed


@pytest.mark.parametrize(
    ('device', 'library', 'words'),
    [('gamepad', 'evdev', 'pip install evdev'), ('spacemouse', 'hid', 'pip install hidapi')],
)
def test_a_library_that_is_missing_is_named(monkeypatch, device, library, words):
    monkeypatch.setitem(__import__('sys').modules, library, None)
    module = __import__(f'chef_cell.drivers.{device}', fromlist=['drivers'])
    kind = {'gamepad': 'Gamepad', 'spacemouse': 'SpaceMouse'}[device]

    with pytest.raises(DeviceError, match=words):
        getattr(module, kind)(SETTINGS)


def test_without_a_device_the_remedy_is_named(monkeypatch):
    evdev = pytest.importorskip('evdev', reason='python-evdev is not installed')
    from chef_cell.drivers import gamepad

    monkeypatch.setattr(evdev, 'list_devices', list)
    with pytest.raises(DeviceError, match='usermod -aG input'):
        gamepad.Gamepad(SETTINGS)
    hid = SimpleNamespace(enumerate=lambda vendor: [])
    monkeypatch.setitem(__import__('sys').modules, 'hid', hid)
    with pytest.raises(DeviceError, match='no SpaceMouse found'):
        SpaceMouse(SETTINGS)


def test_a_gamepad_is_told_from_a_keyboard():
    evdev = pytest.importorskip('evdev', reason='python-evdev is not installed')
    from chef_cell.drivers.gamepad import is_gamepad

    codes = evdev.ecodes.ecodes
    keys = [codes[name] for name in ('BTN_TR', 'BTN_SOUTH', 'BTN_EAST', 'BTN_START', 'BTN_SELECT')]
    axes = [codes[name] for name in ('ABS_X', 'ABS_Y', 'ABS_RX', 'ABS_RY')]
    assert is_gamepad({codes['EV_KEY']: keys, codes['EV_ABS']: axes}, codes)
    assert not is_gamepad({codes['EV_KEY']: [codes['KEY_A']]}, codes)


def test_every_device_has_a_driver():
    from chef_cell.nodes.teleop import _READERS

    assert tuple(_READERS) == DEVICES
