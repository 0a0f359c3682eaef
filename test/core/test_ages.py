import math

import pytest

from chef_cell.core.ages import ages, stale


def test_ages_are_those_of_the_newest_of_each_needed_reading():
    newest_ns = {'arm': 900_000_000, 'wrench': 0, 'image/left': 1_100_000_000}

    found = ages(newest_ns, {'image/right', 'image/left', 'arm'}, 1_000_000_000)

    assert list(found) == ['arm', 'image/left', 'image/right']
    assert list(found.values()) == pytest.approx([0.1, -0.1, math.inf])


def test_no_needed_reading_is_none_stale():
    assert stale(ages({'arm': 0}, (), 1_000_000_000), 0.0) == []


@pytest.mark.parametrize(
    ('age', 'words'),
    [
        (0.2, []),
        (0.201, ['arm is 0.201 s old']),
        (-0.2, []),
        (-5.0, ['arm is -5.000 s old']),  # its clock was set
        (math.inf, ['arm: no reading']),
        (math.nan, ['arm is nan s old']),
    ],
)
def test_a_reading_is_stale_when_it_is_missing_or_far_from_now(age, words):
    assert stale({'arm': age, 'gripper': 0.0}, 0.2) == words


def test_nothing_is_fresh_for_a_limit_that_is_not_positive():
    assert stale({'arm': 0.01}, -0.5) == ['arm is 0.010 s old']
