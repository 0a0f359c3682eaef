"""What counts as lost, and what marks an episode."""

import pytest

from chef_cell.core.ledger import Ledger, TopicAccount


def account(*stamps: int, periodic: bool = True, **fields: int) -> TopicAccount:
    result = TopicAccount(periodic, received=len(stamps), **fields)
    for stamp in stamps:
        result.note(stamp)
    return result


def test_an_account_measures_time_steps():
    steps = account(100, 100, 110, 150, 140, 160)
    assert (steps.shortest_step, steps.longest_gap, steps.stamps[-1]) == (10, 40, 160)
    assert steps.reached(169)
    assert not steps.reached(170)


def test_one_sample_reaches_only_its_own_stamp():
    assert not TopicAccount().reached(0)
    assert account(100).reached(100)
    assert not account(100).reached(101)


def test_without_numbers_gaps_are_seen_in_the_stamps():
    stamps = [0, 10, 21, 30, 60, 69, 80, 120]  # 2 + 3 are missing
    assert account(*stamps, numbered=False).missed == 5
    assert account(*stamps).missed == 0  # its numbers have no gap: the source was late
    assert account(*stamps, numbered=False, periodic=False).missed == 0


@pytest.mark.parametrize('stamps', [(), (5,), (5, 10)])
def test_few_stamps_tell_no_rate(stamps: tuple[int, ...]):
    assert account(*stamps, numbered=False).missed == 0


def test_a_rate_bears_jitter_and_a_pause():
    thinned = TopicAccount()
    kept = [t for t in (0, 30, 49, 61, 97, 130, 149, 402, 430, 453) if thinned.is_due(t, 50)]
    assert kept == [0, 49, 97, 149, 402, 453]


def test_a_sound_episode_has_no_marks():
    ledger = Ledger({'a': account(0, 10, 20), 'b': account(0, skipped=0)})
    assert ledger.marks(0.0) == ()
    assert (ledger.expected, ledger.dropped, ledger.loss) == (4, 0, 0.0)


def test_a_loss_above_the_one_allowed_marks():
    ledger = Ledger({'a': account(0, 10, 20, skipped=1), 'b': account(0, 10)})
    assert ledger.loss == 0.25
    assert ledger.marks(0.25) == ()
    assert ledger.marks(0.2) == ('loss: a lacks 1 of 4 messages (25.00%, at most 20.00%)',)


def test_a_sensor_that_is_silent_or_stops_marks():
    ledger = Ledger({'a': TopicAccount(True), 'b': TopicAccount()}, incomplete=('c',))
    assert ledger.marks(1.0) == (
        'silent: a said nothing',
        'incomplete: c ends before the episode',
    )


def test_an_empty_ledger_has_lost_nothing():
    assert Ledger({}).loss == 0.0
