"""Simulated time moves once per answered instant, whatever else is delivered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.stepping import (
    GRIPPER_COMMAND,
    JOINT_COMMAND,
    EpisodeStepper,
    Instant,
    Pacer,
)

PERIOD = 10_000_000
START = 1_000_000_000


def stepper(max_steps=2):
    made = EpisodeStepper(PERIOD, 5)
    made.start(START, max_steps)
    return made


def answer(stepper):
    """Give the present instant everything it waits for."""
    instant = stepper.instant
    if instant.command_due:
        assert stepper.awaits(GRIPPER_COMMAND, instant.stamp_ns)
        assert not stepper.put(GRIPPER_COMMAND)
    assert stepper.awaits(JOINT_COMMAND, instant.stamp_ns)
    assert stepper.put(JOINT_COMMAND)


def test_an_episode_is_five_ticks_per_step_and_one_last_instant():
    episode = stepper(max_steps=2)
    instants = [episode.instant]
    while not episode.instant.last:
        answer(episode)
        instants.append(episode.advance())
    assert instants == [
        Instant(START + tick * PERIOD, tick, tick // 5, tick in (0, 5), tick == 10)
        for tick in range(11)
    ]


def test_both_answers_are_needed_where_a_command_is_due():
    episode = stepper()
    assert episode.awaits(JOINT_COMMAND, START)
    assert not episode.put(JOINT_COMMAND)
    with pytest.raises(ValueError, match="waits for \\['gripper_command'\\]"):
        episode.advance()
    assert episode.put(GRIPPER_COMMAND)
    assert episode.advance().stamp_ns == START + PERIOD


def test_repeated_early_and_late_answers_are_ignored_and_counted():
    episode = stepper()
    assert not episode.awaits(JOINT_COMMAND, START + PERIOD)
    episode.put(JOINT_COMMAND)
    assert not episode.awaits(JOINT_COMMAND, START)
    episode.put(GRIPPER_COMMAND)
    episode.advance()
    assert not episode.awaits(JOINT_COMMAND, START)
    assert not episode.awaits(GRIPPER_COMMAND, START + PERIOD)
    assert episode.ignored == 4


def test_nothing_moves_time_at_the_end_or_outside_an_episode():
    ended = stepper(max_steps=0)
    assert ended.instant.last
    assert not ended.instant.command_due
    stopped = stepper()
    stopped.stop()
    for episode, counted in ((ended, 0), (stopped, 1)):
        assert not episode.awaits(JOINT_COMMAND, START)
        assert episode.ignored == counted
        with pytest.raises(ValueError, match='still waits'):
            episode.advance()


@given(
    st.lists(
        st.tuples(st.sampled_from((JOINT_COMMAND, GRIPPER_COMMAND)), st.integers(-2, 3)),
        max_size=60,
    )
)
def test_no_delivery_makes_time_skip_or_repeat(deliveries):
    episode = stepper(max_steps=3)
    stamps = [START]
    for name, ticks_ahead in deliveries:
        stamp = episode.instant.stamp_ns + ticks_ahead * PERIOD
        if episode.awaits(name, stamp) and episode.put(name):
            stamps.append(episode.advance().stamp_ns)
    assert stamps == [START + tick * PERIOD for tick in range(len(stamps))]


@pytest.mark.parametrize(('period', 'ticks'), [(0, 5), (PERIOD, 0)])
def test_periods_must_be_positive(period, ticks):
    with pytest.raises(ValueError, match='at least 1'):
        EpisodeStepper(period, ticks)


def test_a_regular_timer_lets_one_period_pass_each_time():
    pacer = Pacer(0.01)
    assert [pacer.due(5.0 + 0.01 * count) for count in range(50)] == [1] * 50


@given(st.lists(st.floats(-0.0049, 0.0049), min_size=1, max_size=50))
def test_jitter_below_half_a_period_changes_nothing(jitter):
    pacer = Pacer(0.01)
    pacer.due(0.0)
    assert [pacer.due(0.01 * (i + 1) + late) for i, late in enumerate(jitter)] == [1] * len(jitter)


def test_a_late_timer_is_made_up_for_up_to_a_limit():
    pacer = Pacer(0.01, max_catch_up=3)
    assert [pacer.due(now) for now in (0.0, 0.03, 0.04, 1.04, 1.05)] == [1, 3, 1, 3, 1]
    assert pacer.lost == 97


def test_a_pause_on_purpose_is_neither_made_up_for_nor_lost():
    pacer = Pacer(0.01)
    pacer.due(0.0)
    pacer.restart()
    assert [pacer.due(now) for now in (7.0, 7.01)] == [1, 1]
    assert pacer.lost == 0
