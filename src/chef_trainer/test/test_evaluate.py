"""Evaluation: intervals, resumed results, tables, card."""

import dataclasses

import numpy as np
import pytest
from point_mass import STEPS

from chef_trainer.evaluation.actors import PolicyFileActor, load_actor
from chef_trainer.evaluation.card import write_card
from chef_trainer.evaluation.environment import UnknownEnvironmentError, environment
from chef_trainer.evaluation.evaluate import (
    Verdict,
    evaluate,
    read_verdicts,
    run_trial,
    trials,
)
from chef_trainer.evaluation.rollout import Outcome, Step, outcome
from chef_trainer.evaluation.statistics import Rate, rate, summarise
from chef_trainer.evaluation.table import markdown, subtasks
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy

ENTRY = 'point_mass:PointMass'
OBSERVATIONS = (
    ObservationSpec('position', (5,), 'm', history=2),
    ObservationSpec('goal', (5,), 'm'),
)


@pytest.fixture
def candidates(tmp_path, teachers):
    write_tiny_policy(tmp_path / 'policy.onnx', tiny_spec(OBSERVATIONS))
    return {
        'policy': ({t: str(tmp_path / 'policy.onnx') for t in '12'}, False),
        'teachers': ({t: str(teachers / f'triplet{t}.npz') for t in '12'}, True),
    }


def test_wilson_interval_is_the_textbooks():
    # Newcombe (1998), table I: 81 of 263 and 0 of 20.
    assert Rate(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert Rate(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert str(Rate(81, 263)) == '31 (26-37)'


def test_rate_needs_episodes():
    assert rate([True, False, False]) == Rate(1, 3)
    with pytest.raises(ValueError, match='no episodes'):
        rate([])


def test_force_rule_fails_episodes_above_the_limit():
    outcomes = [
        Outcome('1', 0, True, True, 19.9, 400),
        Outcome('1', 1, True, True, 20.1, 400),
        Outcome('1', 2, False, True, 5.0, 400),
    ]
    (summary,) = summarise([Verdict('p', 'x', one) for one in outcomes], force_limit=20.0)
    assert summary.success == Rate(2, 3)
    assert summary.within_limit == summary.exceeded == Rate(1, 3)
    assert summary.sparse_stack == Rate(3, 3)
    assert summary.force_median == 19.9
    assert subtasks([summary]) == []  # from before they were kept


def test_a_sub_task_counts_that_was_solved_at_some_step():
    step = Step({}, {}, np.zeros(5), 0.0, {'lift': 0.2, 'place': 0.0}, {}, False)
    lifted = dataclasses.replace(step, after={'lift': 0.9, 'place': 0.4})
    outcomes = [outcome('1', 0, [step, lifted, step]), outcome('1', 1, [step, step])]
    assert outcomes[0].best == {'lift': 0.9, 'place': 0.4}
    summaries = summarise([Verdict('p', 'x', one) for one in outcomes], force_limit=20.0)
    assert summaries[0].subtasks == {'lift': Rate(1, 2), 'place': Rate(0, 2)}
    assert subtasks(summaries)[0] == ('policy', 'triplet', 'lift', 'place')
    assert subtasks(summaries)[1][:2] == ('p', '1')


def test_trials_put_all_candidates_on_the_same_scenes(candidates):
    jobs = trials(ENTRY, candidates, episodes=3)
    scenes = [{(j.triplet, j.seed) for j in jobs if j.candidate == name} for name in candidates]
    assert scenes[0] == scenes[1]
    assert len(scenes[0]) == 6


def test_same_trial_ends_the_same_way(candidates):
    for job in trials(ENTRY, candidates, episodes=1):
        assert run_trial(job) == run_trial(job)
        assert run_trial(job).outcome.steps == STEPS


def test_evaluation_goes_on_where_it_was(candidates, tmp_path):
    results = tmp_path / 'results.jsonl'
    jobs = trials(ENTRY, candidates, episodes=2)
    evaluation = evaluate(jobs, 1, results)
    first = [next(evaluation) for _ in range(3)]
    evaluation.close()
    kept = read_verdicts(results)
    assert kept[:3] == first
    everything = list(evaluate(jobs, 1, results))
    assert everything[: len(kept)] == kept
    assert len(everything) == len(read_verdicts(results)) == len(jobs)
    assert list(evaluate(jobs, 1, results)) == everything


def test_file_that_holds_no_results_is_refused(tmp_path):
    (tmp_path / 'results.jsonl').write_text('{"candidate": 1}\n')
    with pytest.raises(ValueError, match=r'results\.jsonl: not a file of results'):
        read_verdicts(tmp_path / 'results.jsonl')


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        ('point_mass', 'expected module:attribute'),
        ('no_such_module:Env', 'cannot be imported: No module'),
        ('point_mass:Absent', 'cannot be imported: .*Absent'),
    ],
)
def test_unknown_environments_are_named(entry, message):
    with pytest.raises(UnknownEnvironmentError, match=message):
        environment(entry, '1', OBSERVATIONS, False)


def test_actors_are_chosen_by_file(candidates):
    paths = [paths['1'] for paths, _ in candidates.values()]
    assert isinstance(load_actor(paths[0]), PolicyFileActor)
    assert load_actor(paths[0]) is load_actor(paths[0])
    assert load_actor(paths[1]).observations == ()


def test_card_holds_the_numbers_and_keeps_notes(candidates, tmp_path):
    ended = Outcome('1', 0, True, False, 12.0, 400, best={'lift': 0.7})
    summaries = summarise([Verdict('policy', 'x', ended)], 20.0)
    card = tmp_path / 'policy.md'
    write_card(card, tmp_path / 'policy.onnx', summaries, 20.0, 'chef-train evaluate')
    assert markdown(summaries, 20.0) in card.read_text()
    assert (
        '| policy | triplet | lift |\n| --- | --- | --- |\n| policy | 1 | 100' in card.read_text()
    )
    assert '| position | (2, 5) | m | float32 |' in card.read_text()
    card.write_text(card.read_text() + '\nWritten by hand.\n')
    write_card(card, tmp_path / 'policy.onnx', summaries, 20.0, 'chef-train evaluate')
    assert card.read_text().endswith('## Notes\n\nWritten by hand.\n')
    assert card.read_text().count('## Notes') == 1
