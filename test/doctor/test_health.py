"""What the doctor makes of what nodes say of themselves."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from chef_cell.doctor import health
from chef_cell.doctor.finding import Level


def status(name, level=DiagnosticStatus.OK, message='OK', **values):
    items = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=level, message=message, values=items)


def heard(age):
    item = KeyValue(key='age p99 (ms)', value=str(age))
    return DiagnosticStatus(name='safety: wrist/wrench', values=[item])


def test_all_is_well_in_one_line():
    (found,) = health.judge(
        [status('wrist: sensor'), status('safety: latch')], ['wrist', 'safety']
    )
    assert found.level is Level.OK
    assert found.value == '2 parts, all well'


def test_a_node_that_says_nothing_hangs():
    (found,) = health.judge([status('wrist: sensor')], ['wrist', 'safety'])
    assert (found.level, found.value) == (Level.FAIL, 'nothing from safety')


@pytest.mark.parametrize(
    ('level', 'expected'),
    [(DiagnosticStatus.WARN, Level.WARN), (DiagnosticStatus.ERROR, Level.FAIL)],
)
def test_who_is_not_well_is_passed_on(level, expected):
    (found,) = health.judge([status('safety: latch', level, 'wrench_stale')], ['safety'])
    assert (found.name, found.level, found.value) == ('safety: latch', expected, 'wrench_stale')


@pytest.mark.parametrize(('age', 'level'), [(1.0, Level.OK), (90.0, Level.WARN)])
def test_old_samples_are_worth_a_warning(age, level):
    found = health.judge_ages(
        [heard(0.1), heard(float('nan')), heard(age), status('wrist: sensor')]
    )
    assert found.level is level
    assert 'wrist/wrench at safety' in found.value


def test_without_samples_there_are_no_ages():
    assert health.judge_ages([heard(float('nan'))]).level is Level.OK
