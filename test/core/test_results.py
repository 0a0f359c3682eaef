"""The session record survives JSON, refuses nonsense, and sums up honestly."""

import dataclasses
import math

import pytest

from chef_cell.core.results import (
    EpisodeResult,
    ResultsError,
    SessionResult,
    summarise,
    wilson_interval,
)

EPISODE = EpisodeResult(
    index=0,
    episode_id='e0',
    triplet='3',
    objects=('rgb_r1', 'rgb_g1', 'rgb_b1'),
    policy='stacker',
    policy_sha256='ab' * 32,
    seed=7,
    outcome='success',
    reason='',
    success=True,
    steps=400,
    peak_force=12.5,
    value=0.0,
    limit=0.0,
    final_rewards={'stack_leave': 1.0},
    return_rewards={'stack_leave': 55.0},
    file='0000_e0/0000_e0.mcap',
    wall_seconds=3.25,
)
SESSION = SessionResult('s', '2026-01-02T03:04:05+00:00', {'seed': 7}, (EPISODE,))


def change(**changes: object) -> EpisodeResult:
    return dataclasses.replace(EPISODE, **changes)


def test_json_round_trip() -> None:
    assert SessionResult.from_json(SESSION.to_json()) == SESSION


def test_not_finite_numbers_survive_as_nan() -> None:
    session = dataclasses.replace(SESSION, episodes=(change(peak_force=math.nan),))
    text = session.to_json()
    assert 'NaN' not in text
    assert math.isnan(SessionResult.from_json(text).episodes[0].peak_force)


def test_whole_numbers_are_read_as_floats() -> None:
    text = SESSION.to_json().replace('"peak_force": 12.5', '"peak_force": 12')
    assert isinstance(SessionResult.from_json(text).episodes[0].peak_force, float)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('"success": true', '"success": 1', r'episodes\[0\].success = 1: expected bool'),
        ('"steps": 400', '"steps": "400"', r"episodes\[0\].steps = '400': expected int"),
        ('"outcome": "success"', '"outcome": "great"', "outcome 'great', allowed"),
        ('"seed": 7,\n      "o', '"sead": 7,\n      "o', r"unknown \['sead'\], allowed"),
        ('"session_id": "s",', '', 'session_id'),
        ('{', '', 'not JSON'),
    ],
)
def test_malformed_records_name_the_field(old: str, new: str, message: str) -> None:
    text = SESSION.to_json()
    assert old in text
    with pytest.raises(ResultsError, match=message):
        SessionResult.from_json(text.replace(old, new, 1))


@pytest.mark.parametrize('text', ['[]', '{"episodes": 3}', '{"episodes": [3]}'])
def test_wrong_containers_are_refused(text: str) -> None:
    with pytest.raises(ResultsError, match=r'expected|missing'):
        SessionResult.from_json(text)


def test_summary_groups_by_triplet_and_policy() -> None:
    episodes = [
        change(triplet='2', policy='b', peak_force=4.0),
        change(triplet='2', policy='a', success=False, outcome='force', peak_force=21.0),
        change(triplet='2', policy='b', success=False, outcome='timeout', peak_force=8.0),
        change(triplet='1', policy='b', peak_force=math.nan),
        change(triplet='2', policy='b', success=False, outcome='timeout', peak_force=6.0),
    ]
    rows = summarise(episodes)
    assert [(row.triplet, row.policy) for row in rows] == [('1', 'b'), ('2', 'a'), ('2', 'b')]
    last = rows[-1]
    assert (last.episodes, last.successes) == (3, 1)
    assert last.rate == pytest.approx(1 / 3)
    assert list(last.outcomes.items()) == [('timeout', 2), ('success', 1)]
    assert (last.peak_force_median, last.peak_force_max) == (6.0, 8.0)
    assert math.isnan(rows[0].peak_force_max)


@pytest.mark.parametrize(
    ('successes', 'trials', 'low', 'high'),
    [  # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_matches_published_values(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_at_the_edges() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(5, 5)[1] == 1.0
    with pytest.raises(ValueError, match='6 successes of 5 trials'):
        wilson_interval(6, 5)
