import pytest

from chef_cell.core.timing import PeriodStatistics, summarise


def test_periods_between_ticks():
    periods = PeriodStatistics(0.01)
    for now in (5.00, 5.01, 5.02, 5.05):
        periods.tick(now)
    summary = periods.summary()
    assert summary.count == 3
    assert summary.p50 == pytest.approx(0.01)
    assert summary.max == pytest.approx(0.03)
    assert summary.missed == 1


def test_taking_periods_keeps_the_count_of_misses():
    periods = PeriodStatistics(0.01)
    periods.add(0.02)
    assert periods.take() == [0.02]
    assert periods.take() == []
    assert periods.missed == 1


def test_nothing_measured():
    assert summarise([], 0).max == 0.0


def test_percentiles():
    summary = summarise([float(value) for value in range(101)], 0)
    assert (summary.p50, summary.p99, summary.max) == (50.0, 99.0, 100.0)


def test_refuses_a_period_that_is_not_positive():
    with pytest.raises(ValueError, match=r'nominal period 0\.0 s'):
        PeriodStatistics(0.0)
