"""Paired comparison of candidates, against a hand-made table."""

import dataclasses

import pytest

from chef_trainer.evaluation.evaluate import Verdict
from chef_trainer.evaluation.paired import compare, named
from chef_trainer.evaluation.plot import draw_success
from chef_trainer.evaluation.rollout import Outcome
from chef_trainer.evaluation.statistics import summarise


def verdicts(candidate: str, solved: str, sha256: str = '', first: int = 0) -> list[Verdict]:
    """One scene per letter, solved where it is a 1."""
    return [
        Verdict(candidate, sha256 or candidate, Outcome('1', seed, one == '1', False, 3.0, 400))
        for seed, one in enumerate(solved, start=first)
    ]


ALL = verdicts('teacher', '1100000000') + verdicts('ours', '1011111111')


def test_pairs_are_counted_on_common_scenes():
    (found,) = compare(ALL, 'teacher')
    assert (found.candidate, found.scenes, found.better, found.worse) == ('ours', 10, 8, 1)
    assert found.difference == pytest.approx(0.7)
    # 9 decided scenes, 8 one way: 2 (1 + 9) / 2^9.
    assert found.p_value == pytest.approx(20 / 512)
    (shifted,) = compare(ALL[:10] + verdicts('ours', '11', first=9), 'teacher')
    assert (shifted.scenes, shifted.better) == (1, 1)


def test_equal_candidates_are_not_told_apart():
    (found,) = compare(verdicts('a', '101') + verdicts('b', '101'), 'a')
    assert found.p_value == 1.0
    with pytest.raises(ValueError, match=r"baseline 'c' is not among .*\['a', 'b'\]"):
        compare(verdicts('a', '101') + verdicts('b', '101'), 'c')


def test_two_files_of_one_name_are_two_candidates():
    both = verdicts('policy', '10', 'abcdef99') + verdicts('policy', '11', '12345678')
    assert {one.candidate for one in named(both)} == {'policy abcdef', 'policy 123456'}
    assert named(ALL) == ALL
    teachers = [dataclasses.replace(one, candidate='teachers (sampled)') for one in both]
    assert named(teachers) == teachers  # one file per triplet


def test_the_plot_is_an_image(tmp_path):
    draw_success(summarise(ALL, 20.0), tmp_path / 'plot.png')
    assert (tmp_path / 'plot.png').read_bytes()[1:4] == b'PNG'
