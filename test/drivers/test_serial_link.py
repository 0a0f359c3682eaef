"""What the drivers of serial devices share."""

import threading

from chef_cell.drivers import serial_link
from chef_cell.drivers.serial_link import SerialLink
from chef_cell.testing.waiting import wait_until


def test_a_conversation_that_fails_is_begun_anew():
    calls = []

    def talk(link):
        calls.append(None)
        if len(calls) < 3:
            raise OSError(f'attempt {len(calls)}')
        link.connected()
        link.wait(60.0)

    link = SerialLink('device', talk)
    assert link.problem == 'device has not answered yet'
    link.start()
    wait_until(lambda: not link.problem, 'the third attempt')
    assert (len(calls), link.connections) == (3, 1)
    link.close()
    assert len(calls) == 3


def test_the_pause_grows_until_the_device_answers(monkeypatch):
    pauses, enough = [], threading.Event()

    def wait(self, seconds):
        pauses.append(seconds)
        if len(pauses) == 8:
            self._stop.set()
            enough.set()

    def talk(link):
        if len(pauses) == 6:
            link.connected()
        raise OSError

    monkeypatch.setattr(SerialLink, 'wait', wait)
    link = SerialLink('device', talk)
    link.start()
    assert enough.wait(20.0)
    link.close()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 0.1, 0.2]
    assert link.problem == 'OSError'


def test_the_latency_timer_is_found_behind_the_link(tmp_path):
    adapters, device = tmp_path / 'adapters', tmp_path / 'ttyUSB7'
    (adapters / 'ttyUSB7').mkdir(parents=True)
    (adapters / 'ttyUSB7' / 'latency_timer').write_text('16\n')
    device.touch()
    (tmp_path / 'ft300').symlink_to(device)

    port = str(tmp_path / 'ft300')
    assert serial_link.latency_timer(port, adapters) == 16
    advice = serial_link.latency_advice(port, 16)
    assert 'latency timer 16 ms, at most 2' in advice
    assert 'ttyUSB7/latency_timer' in advice
    assert serial_link.latency_advice(port, 1) == ''


def test_an_adapter_without_a_latency_timer_needs_no_advice(tmp_path):
    assert serial_link.latency_timer(str(tmp_path / 'ttyACM0'), tmp_path) is None
    assert serial_link.latency_advice('/dev/ttyACM0', None) == ''
