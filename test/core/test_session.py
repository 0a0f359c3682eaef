import pytest

from chef_cell.core.rewards import REWARD_NAMES
from chef_cell.core.session import Episode, EpisodeSettings, Phase, Stop, silent_node

PERIOD = 50_000_000
START = 1_000_000_000
SETTINGS = EpisodeSettings(max_steps=4, step_timeout=10.0, stop_grace=1.0, retreat_time=0.05)


def rewards(value=0.0):
    return dict.fromkeys(REWARD_NAMES, value)


def running():
    episode = Episode(SETTINGS, now=0.0)
    episode.start(START, now=0.0)
    return episode


def play(episode, steps, value=0.0, first=0):
    for step in range(first, steps + 1):
        episode.on_step(START + step * PERIOD, rewards(value), now=0.0)


def test_begins_with_the_reset():
    episode = Episode(SETTINGS, now=0.0)
    assert episode.phase == Phase.RESETTING

    episode.start(START, now=1.0)
    assert episode.phase == Phase.RUNNING


@pytest.mark.parametrize(('value', 'outcome'), [(0.9, 'success'), (0.5, 'timeout')])
def test_the_last_step_decides(value, outcome):
    episode = running()
    play(episode, 4, value)

    assert episode.phase == Phase.ENDED
    assert episode.outcome == outcome
    assert episode.success == (outcome == 'success')
    assert episode.steps == 4
    assert episode.end_ns == START + 4 * PERIOD


@pytest.mark.parametrize(('value', 'outcome'), [(0.9, 'success'), (0.5, 'timeout')])
def test_whoever_is_done_makes_the_newest_step_the_last(value, outcome):
    episode = running()
    episode.on_force(START + 2 * PERIOD, 7.0)
    play(episode, 2, value)
    episode.finish()

    assert (episode.phase, episode.outcome, episode.steps) == (Phase.ENDED, outcome, 2)
    assert episode.success == (outcome == 'success')
    assert episode.end_ns == START + 2 * PERIOD
    assert episode.peak_force == 7.0


def test_a_person_does_not_overrule_a_stop():
    episode = running()
    play(episode, 1, value=1.0)
    episode.stop(Stop('fault', 'camera is silent', stamp_ns=START + 3 * PERIOD), now=0.0)
    episode.finish()
    assert episode.phase == Phase.RUNNING

    play(episode, 3, value=1.0, first=2)
    assert episode.outcome == 'fault'


def test_a_stack_that_falls_before_the_last_step_is_no_success():
    episode = running()
    play(episode, 3, value=1.0)
    assert episode.phase == Phase.RUNNING

    play(episode, 4, value=0.0, first=4)
    assert episode.outcome == 'timeout'


def test_rewards_are_summed_over_the_steps_done():
    episode = running()
    play(episode, 4, value=0.25)

    assert episode.return_rewards == rewards(1.0)  # the state before the first step earns nothing
    assert episode.final_rewards == rewards(0.25)


def test_the_first_stop_counts():
    episode = running()
    play(episode, 1)
    episode.stop(Stop('force', 'force', 21.0, 20.0), now=0.0)
    episode.stop(Stop('abort', 'interrupted'), now=0.0)
    play(episode, 4, value=1.0)

    assert (episode.outcome, episode.reason) == ('force', 'force')
    assert (episode.value, episode.limit) == (21.0, 20.0)
    assert episode.steps == 1
    assert not episode.success


@pytest.mark.parametrize('stop_first', [True, False])
def test_a_stop_at_a_stamp_gives_one_record_whatever_arrives_first(stop_first):
    trip = START + 2 * PERIOD + PERIOD // 5
    stop = Stop('force', 'force', 25.0, 20.0, trip)
    episode = running()
    play(episode, 1, value=0.1)
    if stop_first:
        episode.stop(stop, now=0.0)
        assert episode.phase == Phase.RUNNING
    for stamp, force in ((START, 1.0), (trip, 25.0), (trip + PERIOD // 5, 90.0)):
        episode.on_force(stamp, force)
    play(episode, 2, value=0.2, first=2)
    if not stop_first:
        episode.stop(stop, now=0.0)
    play(episode, 4, value=0.3, first=3)

    assert episode.outcome == 'force'
    assert episode.steps == 2
    assert episode.final_rewards == rewards(0.2)
    assert episode.peak_force == 25.0
    assert episode.end_ns == trip


def force_stop():
    return Stop('force', 'force', 25.0, 20.0, START + PERIOD + PERIOD // 5)


def test_a_force_stop_leaves_time_to_retreat_that_does_not_count():
    episode = running()
    play(episode, 1, value=0.1)
    episode.stop(force_stop(), now=0.0)
    play(episode, 2, value=1.0, first=2)
    assert episode.phase == Phase.RUNNING
    play(episode, 3, value=1.0, first=3)
    assert episode.outcome == 'force'
    assert (episode.steps, episode.final_rewards) == (1, rewards(0.1))


def test_the_last_step_ends_a_retreat():
    episode = Episode(EpisodeSettings(max_steps=2, retreat_time=1.0), now=0.0)
    episode.start(START, now=0.0)
    play(episode, 1)
    episode.stop(force_stop(), now=0.0)
    play(episode, 2, value=1.0, first=2)
    assert (episode.outcome, episode.steps) == ('force', 1)


@pytest.mark.parametrize('outcome', ['abort', 'fault'])
def test_whatever_else_happens_ends_a_retreat_but_is_not_the_reason(outcome):
    episode = running()
    play(episode, 1)
    episode.stop(force_stop(), now=0.0)
    assert episode.phase == Phase.RUNNING
    episode.stop(Stop(outcome, 'later'), now=0.0)
    assert (episode.outcome, episode.reason) == ('force', 'force')


def test_a_stop_does_not_wait_for_samples_for_ever():
    episode = running()
    episode.stop(Stop('force', 'force', stamp_ns=START + 3 * PERIOD), now=5.0)
    episode.on_time(5.9, 'policy')
    assert episode.phase == Phase.RUNNING

    episode.on_time(6.1, 'policy')
    assert episode.outcome == 'force'


def test_silence_is_a_fault_that_names_who_is_silent():
    episode = running()
    play(episode, 2)
    episode.on_time(10.0, 'policy')
    assert episode.phase == Phase.RUNNING

    episode.on_time(10.1, 'policy')
    assert episode.outcome == 'fault'
    assert episode.reason == 'no step for 10 s after step 2: policy is silent'


def test_every_step_renews_patience():
    episode = running()
    episode.on_step(START, rewards(), now=9.0)
    episode.on_time(18.0, 'policy')

    assert episode.phase == Phase.RUNNING


def test_a_reset_may_be_aborted():
    episode = Episode(SETTINGS, now=0.0)
    episode.stop(Stop('abort', 'interrupted'), now=0.0)

    assert episode.outcome == 'abort'


def test_peak_force_is_that_of_the_episode():
    episode = running()
    episode.on_force(START - 1, 50.0)
    episode.on_force(START + PERIOD, 7.0)
    episode.on_force(START + 2 * PERIOD, 3.0)
    play(episode, 4)

    assert episode.peak_force == 7.0


def test_steps_of_a_jittering_clock_are_counted_once():
    episode = running()
    jitter = 9_000_000
    for step in range(5):
        episode.on_step(START + step * PERIOD + jitter, rewards(1.0), now=0.0)

    assert episode.steps == 4
    assert episode.return_rewards == rewards(4.0)


def test_nothing_changes_after_the_end():
    episode = running()
    play(episode, 4, value=1.0)
    episode.stop(Stop('abort', 'late'), now=0.0)
    episode.on_time(100.0, 'policy')
    episode.on_step(START + 5 * PERIOD, rewards(0.0), now=0.0)

    assert episode.outcome == 'success'
    assert episode.steps == 4


@pytest.mark.parametrize(
    ('newest', 'silent'),
    [
        ({}, 'mujoco_bridge'),
        ({'arm': 100}, 'wrist'),
        ({'arm': 100, 'wrench': 50, 'safety': 50}, 'wrist'),
        ({'arm': 100, 'wrench': 100, 'safety': 50}, 'safety'),
        ({'arm': 100, 'wrench': 100, 'safety': 100, 'objects': 100, 'policy': 50}, 'policy'),
        (
            {'arm': 110, 'wrench': 110, 'safety': 110, 'objects': 100, 'policy': 100},
            'controller or mujoco_bridge',
        ),
    ],
)
def test_the_silent_node_is_the_first_that_did_not_answer(newest, silent):
    assert silent_node(newest, tolerance_ns=0) == silent


def test_in_real_time_a_little_delay_is_no_silence():
    newest = {'arm': 1_000, 'wrench': 900, 'safety': 800}

    assert silent_node(newest, tolerance_ns=200) == 'controller or mujoco_bridge'


@pytest.mark.parametrize('field', ['max_steps', 'period_ns', 'step_timeout', 'stop_grace'])
def test_settings_must_be_positive(field):
    with pytest.raises(ValueError, match=field):
        EpisodeSettings(**{field: 0})
