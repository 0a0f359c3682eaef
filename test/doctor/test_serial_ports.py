"""The serial ports of a real cell."""

import os

from chef_cell.doctor import serial_ports
from chef_cell.doctor.finding import Level
from chef_cell.drivers import serial_link
from chef_cell.graph import NodeSpec


def judged(port):
    return serial_ports.judge(NodeSpec('ft300_driver', {'port': str(port)}))


def test_a_port_that_is_not_there(tmp_path):
    found = judged(tmp_path / 'ft300')
    assert found.level is Level.FAIL
    assert 'is not there: is its adapter plugged in?' in found.value


def test_a_port_that_may_be_opened(tmp_path):
    (tmp_path / 'ft300').touch()
    found = judged(tmp_path / 'ft300')
    assert (found.level, found.value) == (Level.OK, str(tmp_path / 'ft300'))


def test_a_port_that_may_not(tmp_path, monkeypatch):
    (tmp_path / 'ft300').touch()
    monkeypatch.setattr(os, 'access', lambda *_: False)
    assert 'join the group dialout' in judged(tmp_path / 'ft300').value


def test_an_adapter_that_gathers_bytes(tmp_path, monkeypatch):
    (tmp_path / 'ft300').touch()
    adapter = tmp_path / 'adapters' / 'ft300'
    adapter.mkdir(parents=True)
    (adapter / 'latency_timer').write_text('16\n')
    monkeypatch.setattr(
        serial_ports,
        'latency_timer',
        lambda port: serial_link.latency_timer(port, tmp_path / 'adapters'),
    )
    found = judged(tmp_path / 'ft300')
    assert found.level is Level.WARN
    assert 'latency timer 16 ms' in found.value
    assert 'echo 1 | sudo tee' in found.remedy
