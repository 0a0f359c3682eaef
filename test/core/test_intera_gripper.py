"""The gripper's IO protocol, as a client of the vendor's SDK meets it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.intera_gripper import STROKE, GripperDevice, opening
from chef_cell.core.readings import Grasp, GripperReading

OPEN = GripperReading(0.0, 0.0, 0.0, Grasp.NONE)
CLOSED = GripperReading(0.0, 255.0, 0.0, Grasp.NONE)
HALF = GripperReading(0.0, 127.5, 0.0, Grasp.NONE)


def setting(**signals):
    """Arguments as the SDK writes them."""
    return json.dumps(
        {
            'signals': {
                name: {
                    'format': {'type': 'bool' if isinstance(value, bool) else 'float'},
                    'data': [value],
                }
                for name, value in signals.items()
            }
        }
    )


def reported(device, reading=OPEN):
    return {signal.name: json.loads(signal.data)[0] for signal in device.signals(reading)}


def test_opening_spans_the_stroke():
    assert (opening(OPEN), opening(HALF), opening(CLOSED)) == (STROKE, STROKE / 2, 0.0)


def test_the_fingers_are_left_alone_until_a_position_is_set():
    device = GripperDevice()
    assert device.closing_speed(OPEN) is None
    device.handle(1, 'set', setting(speed_mps=1.0))
    assert device.closing_speed(OPEN) is None


@pytest.mark.parametrize(
    ('target', 'reading', 'speed'),
    [
        (0.0, OPEN, 1.0),
        (STROKE, CLOSED, -1.0),
        (STROKE, OPEN, 0.0),
        (0.0415, HALF, 0.0),
        (0.0, CLOSED, 0.0),
    ],
)
def test_a_position_is_approached_at_full_speed_up_to_the_dead_zone(target, reading, speed):
    device = GripperDevice()
    device.handle(1, 'set', setting(position_m=target))
    assert device.closing_speed(reading) == speed


def test_lagging_fingers_come_to_rest_where_they_are_told():
    device = GripperDevice()
    counts, speed, lag, period = 0.0, 0.0, 0.05, 0.01
    for goal in (0.0, 0.041667, STROKE, 0.02):
        device.handle(int(1e6 * goal) + 1, 'set', setting(position_m=goal))
        for _ in range(150):
            reading = GripperReading(0.0, counts, 255.0 * speed, Grasp.NONE)
            wanted = device.closing_speed(reading)
            speed += (wanted - speed) * period / lag
            counts = min(max(counts + 255.0 * speed * period, 0.0), 255.0)
        assert device.closing_speed(reading) == 0.0
        assert abs(opening(reading) - goal) < 0.003


def test_a_slower_speed_is_kept():
    device = GripperDevice()
    device.handle(1, 'set', setting(position_m=0.0, speed_mps=0.0425))
    assert device.closing_speed(OPEN) == pytest.approx(0.5)


def test_a_repeated_command_acts_once():
    device = GripperDevice()
    assert device.handle(7, 'set', setting(position_m=0.0))
    device.release()
    assert not device.handle(7, 'set', setting(position_m=0.0))
    assert device.closing_speed(OPEN) is None
    assert [time for time, _ in device.seen] == [7]


def test_the_last_hundred_commands_are_listed_newest_first():
    device = GripperDevice()
    for time in range(1, 121):
        device.handle(time, 'set', setting(dead_zone_m=0.001))
    assert [time for time, _ in device.seen] == list(range(120, 20, -1))


def test_stop_and_start():
    device = GripperDevice()
    device.handle(1, 'set', setting(position_m=0.0))
    device.handle(2, 'set', setting(go=False))
    assert device.closing_speed(OPEN) == 0.0
    device.handle(3, 'set', setting(go=True))
    assert device.closing_speed(OPEN) == 1.0


def test_reboot_needs_a_calibration_before_moving():
    device = GripperDevice()
    device.handle(1, 'set', setting(position_m=0.0))
    device.handle(2, 'set', setting(reboot=True))
    assert not reported(device)['is_calibrated']
    assert device.closing_speed(OPEN) == 0.0
    device.handle(3, 'set', setting(calibrate=True))
    assert reported(device)['is_calibrated']
    assert device.closing_speed(OPEN) == 1.0


def test_whoever_else_drives_the_fingers_ends_the_pursuit():
    device = GripperDevice()
    device.handle(1, 'set', setting(position_m=0.0))
    device.release()
    assert device.closing_speed(OPEN) is None


def test_signals_tell_the_state_of_the_fingers():
    held = GripperReading(0.0, 102.0, -40.0, Grasp.INWARD)
    values = reported(GripperDevice(), held)
    assert values['position_response_m'] == pytest.approx(0.051)
    assert (values['is_gripping'], values['is_moving'], values['has_error']) == (True, True, False)
    assert not reported(GripperDevice(), OPEN)['is_gripping']


def test_every_signal_of_the_vendors_gripper_is_there_and_well_formed():
    signals = GripperDevice().signals(OPEN)
    assert {signal.name for signal in signals} == {
        'position_m', 'position_response_m', 'speed_mps', 'dead_zone_m', 'force_response_n',
        'go', 'has_error', 'is_calibrated', 'is_gripping', 'is_moving', 'calibrate', 'reboot',
        'cmd_grip', 'right_gripper_tip_object_kg',
    }  # fmt: skip
    for signal in signals:
        kind = json.loads(signal.format)['type']
        assert type(json.loads(signal.data)[0]) is {'bool': bool, 'float': float}[kind]


def test_values_are_kept_in_range():
    device = GripperDevice()
    device.handle(1, 'set', setting(position_m=9.0, speed_mps=-1.0))
    assert (reported(device)['position_m'], reported(device)['speed_mps']) == (STROKE, 0.0)


@pytest.mark.parametrize(
    ('op', 'args', 'said'),
    [
        ('get', setting(position_m=0.0), "'get', allowed: set"),
        ('set', 'no json', 'not JSON'),
        ('set', '[' * 100_000, 'not JSON'),
        ('set', '[]', 'no "signals"'),
        ('set', '{"signals": {}}', 'no "signals"'),
        ('set', setting(position_response_m=0.0), "'position_response_m' cannot be set"),
        ('set', '{"signals": {"go": 1}}', 'expected a list of one value'),
        ('set', '{"signals": {"go": {"data": ["yes"]}}}', 'expected a bool'),
        ('set', '{"signals": {"position_m": {"data": [NaN]}}}', 'expected a number'),
        ('set', '{"signals": {"position_m": {"data": [true]}}}', 'expected a number'),
    ],
)
def test_a_refused_command_is_listed_answered_and_without_effect(op, args, said):
    device = GripperDevice()
    before = reported(device)
    assert device.handle(5, op, args)
    time, response = device.seen[0]
    assert time == 5
    assert said in response
    assert device.rejected == 1
    assert reported(device) == before


def test_a_command_with_one_bad_signal_changes_none():
    device = GripperDevice()
    device.handle(1, 'set', '{"signals": {"go": {"data": [false]}, "gone": {"data": [1]}}}')
    assert reported(device)['go'] is True


@given(st.text(), st.text())
def test_no_text_breaks_the_device(op, args):
    device = GripperDevice()
    device.handle(1, op, args)
    assert len(device.seen) == 1
