"""The 2F-85's driver on an emulated gripper at the end of a pseudo-terminal."""

import termios

import numpy as np
import pytest

from chef_cell.core.readings import Grasp
from chef_cell.drivers.robotiq.gripper import Robotiq2F85, RobotiqSettings
from chef_cell.drivers.serial_link import SilentDeviceError
from chef_cell.testing.emulated_2f85 import Emulated2F85
from chef_cell.testing.waiting import wait_until

STAY, GO, RESET = 0x01, 0x09, 0x00


class Bench:
    """A gripper, a line and a driver."""

    def __init__(self, folder, active=False, **settings):
        self.device = Emulated2F85(folder / 'robotiq')
        if active:
            self.device.fingers.activate_at_once()
        self.readings = []
        self.settings = RobotiqSettings(**{'port': str(folder / 'robotiq'), **settings})
        self.gripper = Robotiq2F85(self.settings, self.readings.append)

    def hear(self, condition=lambda reading: True, what='a reading'):
        """Wait for a new reading that is so; returns it."""
        start = len(self.readings)
        wait_until(lambda: any(map(condition, self.readings[start:])), what)
        return self.readings[-1]

    def drive(self, velocity, condition, what):
        """Command a velocity until a reading is so; returns it."""

        def met():
            self.gripper.command_velocity(velocity)
            return self.readings and condition(self.readings[-1])

        wait_until(met, what)
        return self.readings[-1]

    def complaint(self, words):
        wait_until(lambda: words in self.gripper.problem, words)

    def close(self):
        self.gripper.close()
        self.device.close()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path, active=True)
    made.hear()
    wait_until(lambda: made.device.requests, 'the first request')
    yield made
    made.close()


def test_an_active_gripper_is_not_activated_again(bench):
    assert RESET not in bench.device.requests
    assert bench.device.line.speed == termios.B115200
    assert bench.hear().position == 0.0


def test_a_gripper_that_is_not_active_is_activated_at_the_start(tmp_path):
    bench = Bench(tmp_path)
    bench.hear()
    bench.close()
    assert bench.device.requests[:2] == [RESET, STAY]


def test_unless_a_person_wants_to_do_that(tmp_path):
    bench = Bench(tmp_path, activate=False)
    bench.complaint('not activated')
    assert bench.device.requests == []
    assert bench.readings == []
    with pytest.raises(SilentDeviceError, match='not activated'):
        bench.gripper.read()
    bench.gripper.activate()
    bench.hear()
    bench.close()


def test_an_object_is_grasped_from_outside_and_from_inside(bench):
    fingers = bench.device.fingers
    fingers.object_at, fingers.jam_at = 120.0, 40.0

    held = bench.drive(1.0, lambda reading: reading.grasp is Grasp.INWARD, 'a grasp')
    assert held.position == pytest.approx((120 - 3) / 227 * 255)
    spread = bench.drive(-1.0, lambda reading: reading.grasp is Grasp.OUTWARD, 'the other')
    assert spread.position == pytest.approx((40 - 3) / 227 * 255)


def test_an_object_that_slips_out_is_no_longer_held(bench):
    bench.device.fingers.object_at = 120.0
    bench.drive(1.0, lambda reading: reading.grasp is Grasp.INWARD, 'a grasp')
    bench.device.fingers.object_at = None
    free = bench.drive(1.0, lambda reading: reading.position > 200.0, 'closed fingers')
    assert free.grasp is Grasp.NONE


def test_a_repeated_command_is_sent_once(tmp_path):
    bench = Bench(tmp_path, active=True, command_timeout=10.0)
    bench.drive(1.0, lambda reading: reading.position > 100.0, 'closing fingers')
    bench.close()
    assert [action for action in bench.device.requests if action == GO] == [GO]


def test_without_commands_the_fingers_stay_where_they_are(tmp_path):
    bench = Bench(tmp_path, active=True, full_speed=0.02)
    bench.drive(1.0, lambda reading: reading.position > 5.0, 'closing fingers')
    wait_until(lambda: bench.device.requests[-1] == STAY, 'the end of the motion')
    position = bench.hear().position
    for _ in range(5):
        bench.hear()
    bench.close()
    assert bench.readings[-1].position == position
    assert position < 250.0


def test_at_the_end_the_fingers_are_told_to_stay(bench):
    bench.drive(1.0, lambda reading: reading.position > 20.0, 'closing fingers')
    bench.gripper.close()
    assert bench.device.requests[-1] == STAY


@pytest.mark.parametrize(
    ('fault', 'words'),
    [
        (0x0E, 'fault 0x0E: overcurrent'),
        (0x08, 'fault 0x08: too hot'),
        (0x0A, 'fault 0x0A: supply voltage too low'),
    ],
)
def test_a_gripper_in_a_fault_is_silent_until_it_is_activated(bench, fault, words):
    bench.device.fingers.fault = fault
    bench.complaint(words)
    count = len(bench.readings)
    told = len(bench.device.requests)
    asked = bench.device.asked
    bench.gripper.command_velocity(1.0)
    wait_until(lambda: bench.device.asked > asked + 3, 'more status requests')
    assert len(bench.readings) == count
    assert len(bench.device.requests) == told

    bench.gripper.activate()
    bench.hear()
    assert bench.gripper.problem == ''


def test_after_a_loss_of_power_nothing_moves_by_itself(bench):
    bench.device.lose_power()
    bench.complaint('no answer: is the gripper powered (24 V)')
    bench.device.powered = True
    bench.complaint('not activated')
    assert bench.device.requests[-1] != GO
    told = len(bench.device.requests)
    bench.gripper.command_velocity(1.0)
    asked = bench.device.asked
    wait_until(lambda: bench.device.asked > asked + 3, 'more status requests')
    assert len(bench.device.requests) == told

    bench.gripper.activate()
    bench.hear()


def test_pulled_out_and_put_in_again_it_stays_and_obeys_new_commands_only(bench):
    bench.drive(1.0, lambda reading: reading.position > 20.0, 'closing fingers')
    bench.device.line.unplug()
    bench.complaint('is its adapter plugged in?')
    bench.device.line.plug()
    bench.hear()
    wait_until(lambda: bench.device.requests[-1] == STAY, 'the word to stay')
    wait_until(lambda: bench.gripper.link.connections == 2, 'the count')
    bench.drive(-1.0, lambda reading: reading.position < 5.0, 'open fingers')


def test_rubbish_on_the_line_is_asked_again(bench):
    pieces = iter([b'\x00\xff' * 5, b'', b'\x09\x03'])
    bench.device.line.tamper = lambda data: next(pieces, data)
    for _ in range(5):
        bench.hear()
    np.testing.assert_array_equal([reading.position for reading in bench.readings], 0.0)
    assert next(pieces, None) is None


def test_wrong_check_sums_are_no_readings(bench):
    bench.device.line.tamper = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    bench.complaint('no answer')
    count = len(bench.readings)
    bench.device.line.tamper = bytes
    bench.hear()
    assert all(reading.position == 0.0 for reading in bench.readings[count:])


def test_somebody_else_at_the_port_is_said(bench, tmp_path):
    second = Robotiq2F85(RobotiqSettings(port=str(tmp_path / 'robotiq')))
    wait_until(lambda: 'does another program' in second.problem, 'the complaint')
    second.close()


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'full_speed': 0.01}, 'full_speed 0.01, allowed: 0.02 to 0.15'),
        ({'force': 1.5}, 'force 1.5, allowed: 0.0 to 1.0'),
        ({'command_timeout': float('nan')}, 'command_timeout nan, allowed: 0.04 to 10.0'),
        ({'closed_counts': 2.0}, 'closed_counts 2.0: expected'),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        RobotiqSettings(**settings)
