"""Which messages enter an episode, under which time, and what is counted as missing."""

from chef_cell.core.recording import EpisodeLog, Sample, TopicKind

MS = 1_000_000


def sample(topic: str, stamp_ms: float | None, arrival_ms: float = 0.0) -> Sample:
    stamp = None if stamp_ms is None else int(stamp_ms * MS)
    return Sample(topic, int(arrival_ms * MS), stamp, topic.encode())


def make(lockstep: bool = True) -> EpisodeLog:
    log = EpisodeLog(lockstep)
    log.add_topic('wrench', TopicKind(awaited=True))
    log.add_topic('image', TopicKind(awaited=True))
    log.add_topic('safety', TopicKind(latched=True))
    log.add_topic('robot', TopicKind())
    return log


def test_nothing_is_taken_outside_an_episode():
    assert make().take(sample('wrench', 10)) is None


def test_early_samples_of_the_episode_are_not_lost():
    log = make()
    for stamp in (80, 90, 100, 110):
        log.take(sample('wrench', stamp))
    entries = log.open(100 * MS, 0)
    assert [entry.publish_time for entry in entries] == [100 * MS, 110 * MS]
    assert log.ledger.accounts['wrench'].received == 2


def test_samples_from_before_a_reset_are_forgotten():
    log = make()
    log.take(sample('wrench', 5000))
    log.forget_recent()  # simulated time starts again
    assert log.open(0, 0) == []


def test_states_in_force_open_the_file():
    log = make()
    log.take(sample('safety', 10))
    log.take(sample('safety', 20))
    (entry,) = log.open(100 * MS, 0)
    assert (entry.topic, entry.log_time, entry.publish_time) == ('safety', 100 * MS, 20 * MS)
    log.close()
    assert len(log.open(200 * MS, 0)) == 1  # and those of the next episode


def test_late_samples_of_another_time_are_left_out():
    log = make()
    log.open(100 * MS, 0)
    assert log.take(sample('wrench', 90)) is None
    assert log.take(sample('wrench', 100))
    log.end(120 * MS)
    assert log.take(sample('wrench', 120))
    assert log.take(sample('wrench', 130)) is None
    assert log.take(sample('safety', 130))  # a state always counts
    assert log.take(sample('robot', None))  # nothing is known about its time


def test_log_time_in_lockstep_is_the_stamp():
    log = make()
    log.open(100 * MS, 0)
    times = [
        log.take(sample(topic, stamp, arrival)).log_time // MS
        for topic, stamp, arrival in [
            ('wrench', 110, 7),
            ('image', 100, 8),
            ('wrench', 120, 9),
            ('robot', None, 10),
            ('safety', 300, 11),
        ]
    ]
    assert times == [110, 100, 120, 120, 120]


def test_log_time_in_real_time_is_the_arrival():
    log = make(lockstep=False)
    log.take(sample('wrench', 100, 105))
    log.take(sample('safety', 50, 51))
    entries = log.open(100 * MS, 200 * MS)
    assert [(e.topic, e.log_time // MS) for e in entries] == [('safety', 105), ('wrench', 105)]
    assert log.take(sample('image', 110, 111)).log_time == 111 * MS


def test_an_episode_is_complete_when_awaited_topics_reached_its_end():
    log = make()
    log.open(0, 0)
    for stamp in (0, 10, 20, 30, 40, 50):
        log.take(sample('wrench', stamp))
    for stamp in (0, 50):
        log.take(sample('image', stamp))
    log.take(sample('robot', None))
    assert log.incomplete == ()  # no end yet
    log.end(60 * MS)
    assert log.incomplete == ('wrench',)  # the next image would lie beyond the end
    log.take(sample('wrench', 60))
    assert log.incomplete == ()


def test_a_sample_beyond_the_end_proves_that_it_is_reached():
    log = make()
    log.open(0, 0)
    for stamp in (0, 10):
        log.take(sample('wrench', stamp))
    log.end(50 * MS)
    assert log.incomplete == ('wrench',)
    assert log.take(sample('wrench', 60)) is None
    assert log.incomplete == ()


def test_a_silent_topic_is_not_awaited():
    log = make()
    log.open(0, 0)
    log.end(50 * MS)
    assert log.incomplete == ()


def test_gaps_in_the_numbers_are_missed_messages():
    log = make()
    log.take(sample('wrench', 0), 41)  # numbers may start anywhere
    log.open(10 * MS, 0)
    for number in (42, 43, 46, 47):
        log.take(sample('wrench', 10 * number), number)
    log.take(sample('wrench', 480), 1)  # a new publisher
    log.take(sample('image', 480), None)
    ledger = log.close()
    assert ledger.dropped == 2
    assert ledger.expected == 8
    assert ledger.accounts['wrench'].summary() == {
        'expected': 7,
        'received': 5,
        'missed': 2,
        'refused': 0,
        'omitted': 0,
        'longest_gap_ms': 30.0,
    }


def test_an_account_belongs_to_one_episode():
    log = make()
    log.open(0, 0)
    log.take(sample('wrench', 0), 1)
    ledger = log.close()
    log.take(sample('wrench', 10), 7)  # lost while nothing was recorded
    assert ledger.dropped == 0
    log.open(20 * MS, 0)
    assert log.ledger.dropped == 0
    log.take(sample('wrench', 30), 9)  # lost between the start and the first sample, perhaps
    assert log.ledger.dropped == 1


def test_refused_messages_are_lost():
    log = make()
    log.open(0, 0)
    log.take(sample('wrench', 0))
    log.refuse('wrench')
    assert log.ledger.loss == 1.0


def test_a_rate_keeps_one_message_in_a_period():
    log = make()
    log.add_topic('fast', TopicKind(period_ns=50 * MS))
    log.open(0, 0)
    kept = [stamp for stamp in range(0, 200, 10) if log.take(sample('fast', stamp))]
    assert kept == [0, 50, 100, 150]
    account = log.ledger.accounts['fast']
    assert (account.received, account.omitted, account.lost) == (20, 16, 0)


def test_a_pause_leaves_out_samples_but_no_state():
    log = make()
    log.open(0, 0)
    assert log.take(sample('wrench', 10))
    log.pause(True)
    assert log.paused
    assert log.take(sample('wrench', 20)) is None
    assert log.take(sample('safety', 20))
    log.pause(True)
    log.pause(False)
    assert log.take(sample('wrench', 30))
    log.pause(True)  # until the end
    log.take(sample('wrench', 40))
    ledger = log.close()
    assert ledger.pauses == ((10 * MS, 20 * MS), (30 * MS, 40 * MS))
    assert ledger.accounts['wrench'].omitted == 2
    assert ledger.dropped == 0
    assert 'paused: 0.02 s are left out' in ledger.marks(0.0)


def test_a_pause_goes_on_into_the_next_episode():
    log = make()
    log.open(0, 0)
    log.pause(True)
    log.close()
    log.open(500 * MS, 0)
    assert log.take(sample('wrench', 510)) is None
    assert log.ledger.pauses == ((500 * MS, 510 * MS),)
    log.close()
    log.pause(False)
    log.open(900 * MS, 0)
    assert log.ledger.pauses == ()
