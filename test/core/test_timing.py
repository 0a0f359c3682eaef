import pytest

from chef_cell.core.timing import PeriodStatistics, StreamStatistics, summarise


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


def stream(stamps, delay=0.0):
    statistics = StreamStatistics()
    for stamp in stamps:
        statistics.add(stamp, stamp + delay)
    return statistics


def test_rate_and_ages_of_a_stream():
    statistics = StreamStatistics()
    for index in range(100):
        statistics.add(0.01 * index, 0.01 * index + 0.001 * (1 + index))
    summary = statistics.take(1.0)
    assert summary.rate == 100.0
    assert summary.p50 == pytest.approx(0.0505)
    assert summary.p99 == pytest.approx(0.09901)
    assert summary.max == pytest.approx(0.1)
    assert summary.dropped == 0
    assert statistics.take(1.0).rate == 0.0


def test_samples_left_out_are_counted_over_the_intervals():
    statistics = stream(0.01 * index for index in range(100) if index not in (50, 51, 99))
    assert statistics.take(1.0).dropped_now == 2
    for index in range(100, 200):
        statistics.add(0.01 * index, 0.0)
    summary = statistics.take(1.0)
    assert (summary.dropped_now, summary.dropped) == (1, 3), 'between two intervals too'


@pytest.mark.parametrize(
    'stamps',
    [
        [0.0, 1.0, 2.0],
        [0.01 * index + 10.0 * (index > 50) for index in range(100)],  # a pause
        [0.001 * index**2 for index in range(30)],  # no period
        [1.0] * 30,  # frozen
    ],
)
def test_where_there_is_no_period_nothing_is_left_out(stamps):
    assert stream(stamps).take(1.0).dropped == 0
