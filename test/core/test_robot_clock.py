"""Stamps of a robot whose clock is another."""

import numpy as np
import pytest

from chef_cell.core.robot_clock import WINDOW, RobotClock


def run(offset, delays, drift=0.0, period=0.01):
    """Our stamps of samples taken every period, and when they were taken by our clock."""
    clock, ours, taken = RobotClock(), [], []
    for index, delay in enumerate(delays):
        now = index * period
        taken.append(now)
        ours.append(clock.local(offset + (1.0 + drift) * now, now + delay))
    return np.array(ours), np.array(taken)


@pytest.mark.parametrize('offset', [0.0, 1000.0, -1e9])
def test_stamps_keep_the_rhythm_of_the_robot_whatever_the_network_does(offset):
    delays = np.random.default_rng(0).exponential(0.002, 500)
    ours, taken = run(offset, delays)
    assert np.abs(np.diff(ours[100:]) - 0.01).max() < 1e-4
    assert (ours[100:] - taken[100:]).max() < 0.001  # late by the shortest way only


def test_a_clock_that_drifts_is_followed():
    ours, taken = run(5.0, np.full(int(5 * WINDOW / 0.01), 0.001), drift=1e-4)
    assert np.abs(ours - taken).max() < 1e-4 * 2.1 * WINDOW + 0.002


def test_stamps_never_go_back_and_a_frozen_one_stays():
    clock = RobotClock()
    first = clock.local(100.0, 50.0)
    assert clock.local(100.01, 50.0) >= first
    frozen = clock.local(100.02, 50.02)
    for now in (50.1, 60.5, 80.0):
        assert clock.local(100.02, now) == frozen


def test_a_robot_that_was_restarted_is_told_by_a_new_offset():
    clock = RobotClock()
    clock.local(1000.0, 50.0)
    assert clock.local(3.0, 60.0) == 60.0
    assert clock.local(3.5, 60.5) == 60.5
