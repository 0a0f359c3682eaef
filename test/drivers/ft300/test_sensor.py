"""The FT 300's driver on an emulated sensor at the end of a pseudo-terminal."""

import itertools
import os
import termios
import time

import numpy as np
import pytest

from chef_cell.drivers.ft300 import frames
from chef_cell.drivers.ft300.sensor import Ft300, Ft300Settings
from chef_cell.drivers.serial_link import SilentDeviceError
from chef_cell.testing.emulated_ft300 import EmulatedFt300
from chef_cell.testing.waiting import wait_until

WRENCH = np.array([1.0, -2.0, 3.0, 0.1, -0.2, 0.3])


class Bench:
    """A sensor, a line and a driver."""

    def __init__(self, folder, **settings):
        self.device = EmulatedFt300(folder / 'ft300', lambda: WRENCH)
        self.readings = []
        settings = Ft300Settings(**{'port': str(folder / 'ft300'), **settings})
        self.sensor = Ft300(settings, self.readings.append)

    def hear(self, count=5):
        """Wait for new readings; returns the newest."""
        goal = len(self.readings) + count
        wait_until(lambda: len(self.readings) >= goal, f'{count} readings')
        return self.readings[-1]

    def count(self, name):
        return self.sensor.counts()[name]

    def close(self):
        self.sensor.close()
        self.device.close()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def test_the_sensor_is_read_at_its_speed(bench):
    reading = bench.hear()

    np.testing.assert_allclose([*reading.force, *reading.torque], WRENCH)
    assert bench.device.line.speed == termios.B19200
    assert bench.sensor.link.problem == ''
    assert bench.sensor.read().stamp >= reading.stamp


def test_a_sensor_that_streams_already_is_asked_again(bench):
    """As after a driver that was killed: nobody told the sensor to stop."""
    bench.hear()
    bench.sensor.close()
    bench.device.streaming.set()
    bench.sensor = Ft300(Ft300Settings(str(bench.device.line.path)), bench.readings.append)

    bench.hear()


def test_a_driver_that_ends_leaves_the_sensor_quiet(bench):
    bench.hear()
    bench.sensor.close()

    wait_until(lambda: not bench.device.streaming.is_set(), 'the end of the stream')


def test_stamps_tell_when_a_frame_left_the_sensor(tmp_path):
    """Two frames that an adapter hands over at once: the time on the line is taken off."""
    device = EmulatedFt300(tmp_path / 'ft300', rate=1e-3)  # silent but for what is sent here
    ages = []

    def note(reading):
        ages.append(round(-reading.stamp % 0.05, 4))

    settings = Ft300Settings(str(tmp_path / 'ft300'), silence=10.0)
    sensor = Ft300(settings, note, itertools.count(1000.0, 0.05).__next__)
    assert device.streaming.wait(20.0)
    device.line.send(2 * frames.encode(WRENCH))
    wait_until(lambda: len(ages) == 2, 'two frames at once')
    sensor.close()
    device.close()
    one, two = 0.0083, 0.0167  # s that one and two frames take on the line
    assert set(ages) == {one, two}


def test_stamps_do_not_go_back_when_bytes_come_late_and_then_at_once(tmp_path):
    device = EmulatedFt300(tmp_path / 'ft300', rate=1e-3)  # silent but for what is sent here
    readings = []
    settings = Ft300Settings(str(tmp_path / 'ft300'), silence=10.0)
    sensor = Ft300(settings, readings.append, lambda: 1000.0)
    assert device.streaming.wait(20.0)
    frame = frames.encode(WRENCH)
    device.line.send(frame)
    wait_until(lambda: len(readings) == 1, 'the first frame')
    device.line.send(3 * frame)
    wait_until(lambda: len(readings) == 4, 'three more')
    sensor.close()
    device.close()
    assert (np.diff([reading.stamp for reading in readings]) > 0.0).all()


def test_a_reversed_sensor_is_turned_round(tmp_path):
    bench = Bench(tmp_path, inverted=True)
    reading = bench.hear()
    bench.close()

    np.testing.assert_allclose([*reading.force, *reading.torque], -WRENCH)


def test_nothing_false_comes_from_a_noisy_line(bench):
    turns = itertools.cycle(range(5))

    def noisy(frame):
        turn = next(turns)
        if turn == 1:
            return frame[:7]  # bytes lost
        if turn == 2:
            return b'\x00\x20\x4e garbage' + frame
        if turn == 3:
            return frame[:9] + bytes([frame[9] ^ 0x40]) + frame[10:]
        return frame

    bench.hear()
    bench.device.line.tamper = noisy
    wait_until(lambda: bench.count('CRC errors') > 2 and bench.count('resyncs') > 2, 'errors')
    bench.hear(10)
    bench.device.line.tamper = bytes
    for reading in bench.readings:
        np.testing.assert_allclose([*reading.force, *reading.torque], WRENCH)
    assert bench.count('reconnects') == 0


def test_saturation_is_counted_and_passed_on(bench):
    bench.hear()
    assert bench.count('saturated') == 0
    bench.device.wrench = lambda: np.array([0.0, 0.0, -310.0, 0.0, 0.0, 0.0])
    wait_until(lambda: bench.count('saturated') > 3, 'saturated readings')

    assert bench.readings[-1].force[2] == -310.0


def test_pulled_out_and_put_in_again(bench):
    bench.hear()
    bench.device.line.unplug()
    wait_until(lambda: 'is not there: is its adapter plugged in?' in bench.sensor.link.problem, '')
    silent = len(bench.readings)
    bench.device.line.plug()
    bench.hear()

    assert len(bench.readings) > silent
    assert bench.sensor.link.problem == ''
    assert bench.count('reconnects') == 1
    assert bench.count('resyncs') == 0


def test_without_power_it_says_nothing_and_comes_back(tmp_path):
    bench = Bench(tmp_path, silence=0.1)
    bench.hear()
    bench.device.powered = False
    wait_until(lambda: 'is it powered (24 V)' in bench.sensor.link.problem, 'the complaint')
    silent = len(bench.readings)
    bench.device.powered = True
    bench.hear()
    bench.close()

    assert bench.readings[silent].stamp > bench.readings[silent - 1].stamp


def test_before_the_first_reading_there_is_none(tmp_path):
    sensor = Ft300(Ft300Settings(str(tmp_path / 'ft300')))
    wait_until(lambda: 'is not there' in sensor.link.problem, 'an attempt')
    with pytest.raises(SilentDeviceError, match='is not there'):
        sensor.read()
    sensor.close()


def test_a_port_that_is_taken_is_said_to_be(bench, tmp_path):
    bench.hear()
    second = Ft300(Ft300Settings(str(tmp_path / 'ft300')))
    wait_until(lambda: 'lock' in second.link.problem, 'the complaint')
    second.close()
    bench.hear()


def test_a_port_that_may_not_be_opened_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / 'ft300').touch()
    monkeypatch.setattr(os, 'access', lambda *_: False)
    sensor = Ft300(Ft300Settings(str(tmp_path / 'ft300')))
    wait_until(lambda: 'join the group dialout' in sensor.link.problem, 'the complaint')
    sensor.close()


def test_a_stalled_program_finds_the_frames_in_order(bench):
    """What gathered in the kernel is read at once; stamps stay in order."""
    bench.hear()
    take, stalls = bench.sensor._on_reading, iter([0.2])

    def stalling(reading):
        take(reading)
        time.sleep(next(stalls, 0.0))

    bench.sensor._on_reading = stalling
    bench.hear(40)
    stamps = [reading.stamp for reading in bench.readings]
    assert (np.diff(stamps) > 0.0).all()


@pytest.mark.parametrize('silence', [0.0, float('nan'), 11.0])
def test_a_silence_that_makes_no_sense_is_refused(silence):
    with pytest.raises(ValueError, match=r'allowed: 0\.05 to 10 s'):
        Ft300Settings(silence=silence)


def test_the_rate_of_the_line_is_enough():
    assert frames.FRAME_LENGTH * frames.BYTE_TIME < 0.01
