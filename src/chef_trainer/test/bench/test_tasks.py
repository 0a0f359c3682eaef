"""The bench of foreign tasks: what it plans and refuses, and a whole small study."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from chef_trainer.bench.tasks import __main__ as command
from chef_trainer.bench.tasks.report import (
    Result,
    at_update,
    curves,
    interval,
    markdown,
    measured,
    results,
)
from chef_trainer.bench.tasks.study import (
    Cell,
    Study,
    StudyError,
    cells,
    check_installed,
    load_study,
    merged,
    train_settings,
)
from chef_trainer.bench.tasks.work import Workplace
from chef_trainer.errors import RunError
from chef_trainer.evaluation.evaluate import Verdict
from chef_trainer.evaluation.rollout import Outcome
from chef_trainer.learner import checkpoint
from chef_trainer.policy_file import read_spec
from chef_trainer.progress import progress_bars

STUDY = Path(__file__).parents[2] / 'docs' / 'tasks.yaml'
ACTION = {'names': ['x', 'y'], 'scale': [0.2, 0.2], 'units': ['m', 'm'], 'discrete': False}
LINE = {
    'environment': 'line:Line',
    'scene': 'line',
    'settings': {
        'observations': [{'name': 'place', 'shape': [2], 'unit': 'm'}],
        'action': ACTION,
        'updates': 8,
        'change': {'batch': 8},
    },
}
TASKS = {
    'taught': LINE
    | {
        'expert': {
            'actor': 'line:Script',
            'scene': 'line',
            'episodes': 4,
            'arguments': {'patience': 3},
        },
        'contenders': {'filtered bc': {'method': 'filtered_bc'}},
    },
    'alone': LINE
    | {
        'measure': 'return',
        'contenders': {'sac': {'method': 'sac', 'online': {'episodes': 2, 'updates': 4}}},
    },
}


STUDIED = {
    'seeds': [0],
    'episodes': 3,
    'points': 2,
    'point_episodes': 2,
    'settings': {'networks': {'hidden': [8], 'critic_hidden': [8, 8]}, 'save_every': 4},
    'tasks': TASKS,
}


def written(folder: Path, **change: object) -> Path:
    path = folder / 'study.yaml'
    path.write_text(yaml.safe_dump(STUDIED | change, sort_keys=False))
    return path


@pytest.fixture
def study_file(tmp_path) -> Path:
    return written(tmp_path)


def carried_out(study: Study, out: Path) -> Workplace:
    workplace = Workplace(study, out)
    with progress_bars(quiet=True) as progress:
        workplace.carry_out(progress)
    return workplace


@pytest.fixture(scope='module')
def done(tmp_path_factory) -> Workplace:
    """Return the whole small study, carried out."""
    folder = tmp_path_factory.mktemp('study')
    return carried_out(load_study(written(folder), {}), folder / 'out')


def test_every_run_of_the_study_can_be_trained():
    study = load_study(STUDY, {})
    planned = list(cells(study))
    assert len({cell.name for cell in planned}) == len(planned)
    half = len(planned) // 2
    assert [cell.seed for cell in planned] == [0] * half + [1] * half
    for cell in planned:
        settings = train_settings(study, cell, 'data')
        assert settings.row.is_online == (settings.online is not None) == (not settings.data)
        assert settings.action.discrete is False


def test_settings_of_study_task_and_contender_are_joined_section_by_section():
    parts = ({'change': {'batch': 1, 'atoms': 0}}, {'seed': 3}, {'change': {'batch': 2}})
    assert merged(*parts) == {'change': {'batch': 2, 'atoms': 0}, 'seed': 3}
    assert parts[0]['change'] == {'batch': 1, 'atoms': 0}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'seed': [1]}, r"unknown \['seed'\], allowed: .*'seeds'"),
        ({'seeds': []}, 'at least one task, one seed'),
        ({'points': 3}, 'updates 8, must be a multiple of 3'),
        ({'tasks': {'a': TASKS['alone'] | {'measure': 'score'}}}, "measure = 'score', allowed"),
        ({'tasks': {'a': TASKS['taught'] | {'expert': {'actors': 'x'}}}}, r"unknown \['actors'\]"),
    ],
)
def test_a_malformed_study_is_refused(tmp_path, change, message):
    with pytest.raises(StudyError, match=message):
        load_study(written(tmp_path, **change), {})


def test_unknown_tasks_are_named(study_file):
    assert list(load_study(study_file, {}, ['alone']).tasks) == ['alone']
    with pytest.raises(
        StudyError, match=r"\['maze'\] are unknown, allowed: \['alone', 'taught'\]"
    ):
        load_study(study_file, {}, ['maze'])


def test_absent_packages_are_named_with_the_command_that_brings_them(tmp_path):
    needy = TASKS['alone'] | {'needs': 'no-such-package==1.2.3'}
    path = written(tmp_path, tasks=TASKS | {'alone': needy})
    with pytest.raises(StudyError, match=r'for alone; `pip install no-such-package==1\.2\.3`'):
        check_installed(load_study(path, {}))
    check_installed(load_study(path, {}, ['taught']))


def test_a_study_that_is_done_is_a_table_and_not_done_twice(done, monkeypatch, capsys):
    out = done.directory
    times = (out / 'times.jsonl').read_text()
    assert len(list((out / 'data').rglob('*.npz'))) == 4
    monkeypatch.setattr(sys, 'argv', ['tasks', str(out.parent / 'study.yaml'), '--out', str(out)])
    command.main()
    assert (out / 'times.jsonl').read_text() == times
    said = capsys.readouterr().out
    assert '| expert | 4 | 50 (' in said  # odd seeds stop half-way
    assert '2 of 2 runs are done' in said
    assert (out / 'tasks.md').read_text().strip() in said
    assert (out / 'tasks.png').read_bytes()[1:4] == b'PNG'


def test_a_study_that_was_interrupted_goes_on(done, study_file, tmp_path, monkeypatch):
    study, cell = load_study(study_file, {}, ['taught']), Cell('taught', 'filtered bc', 0)
    save = checkpoint.save

    def interrupted(learner, path):
        save(learner, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, 'save', interrupted)
    with pytest.raises(KeyboardInterrupt):
        carried_out(study, tmp_path)
    monkeypatch.undo()
    (tmp_path / 'data/taught/000002.npz').unlink()  # as if killed while it collected, too
    cut = carried_out(study, tmp_path)
    expected = sorted(str(one.outcome) for one in done.verdicts(cell))
    assert sorted(str(one.outcome) for one in cut.verdicts(cell)) == expected
    path = tmp_path / f'verdicts/{cell.name}.jsonl'
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    assert not cut.is_done(cell)
    again = carried_out(study, tmp_path)
    assert sorted(str(one.outcome) for one in again.verdicts(cell)) == expected


def test_policies_kept_on_the_way_say_what_they_do(done):
    cell = Cell('alone', 'sac', 0)
    for update in done.points(cell):
        spec = read_spec(done.run(cell).kept(update))
        assert (spec.action.names, spec.action.discrete) == (('x', 'y'), False)
        assert spec.provenance['updates'] == update


def test_a_directory_belongs_to_its_experts(done, tmp_path):
    expert = TASKS['taught']['expert'] | {'arguments': {'patience': 5}}
    tasks = {'taught': TASKS['taught'] | {'expert': expert}}
    with pytest.raises(RunError, match='patience'):
        carried_out(load_study(written(tmp_path, tasks=tasks), {}), done.directory)


def verdict(update: int, solved: bool, total: float) -> Verdict:
    return Verdict(str(update), 'digest', Outcome('line', 0, solved, False, 0.0, 5, total))


def test_rows_pool_the_seeds_and_count_the_last_point_only(study_file):
    study = load_study(study_file, {'seeds': [0, 1]})
    verdicts = {
        Cell('taught', 'filtered bc', 0): [verdict(4, True, 1), verdict(8, True, 1)],
        Cell('taught', 'filtered bc', 1): [verdict(4, True, 1), verdict(8, False, 0)],
        Cell('alone', 'sac', 0): [verdict(4, False, 1), verdict(8, False, 5)],
        Cell('alone', 'sac', 1): [verdict(4, False, 3)],
    }
    last = dict.fromkeys(verdicts, 8)
    spent = {('taught_filtered_bc_0', 'train'): 10.0, ('taught_filtered_bc_1', 'train'): 20.0}
    found = results(study, verdicts, last, {'taught': [True, True]}, spent)
    assert [(one.task, one.candidate) for one in found] == [
        ('taught', 'expert'),
        ('taught', 'filtered bc'),
        ('alone', 'sac'),
    ]
    assert (found[1].value, found[1].by_seed, found[1].seconds) == (50.0, (100.0, 0.0), 15.0)
    assert (found[2].value, found[2].episodes) == (5.0, 1)
    lines = curves(study, verdicts, dict.fromkeys(verdicts, range(4, 9, 4)))
    assert [one.values for one in lines] == [((100.0, 100.0), (100.0, 0.0)), ((1.0, 5.0),)]
    table = markdown(found)
    assert '| filtered bc | 2 | 50 (9-91) | 100, 0 | 15 s |' in table


def test_intervals_are_those_of_a_rate_or_of_a_mean():
    returns = [float(value) for value in np.random.default_rng(0).normal(100, 10, size=100)]
    low, high = interval(returns, 'return')
    # The normal interval of a mean of 100 is 1.96 deviations of the mean to both sides.
    half = 1.96 * np.std(returns) / 10
    assert abs(low - (np.mean(returns) - half)) < 0.5
    assert abs(high - (np.mean(returns) + half)) < 0.5
    assert interval([7.0, 7.0], 'return') == (7.0, 7.0)
    low, high = interval([100.0] * 5 + [0.0] * 5, 'success')  # Wilson (1927), p = 1/2, n = 10
    np.testing.assert_allclose((low, high), (23.659, 76.341), atol=1e-3)
    assert measured(at_update([verdict(4, True, 2.5)], 4), 'return') == [2.5]


def test_old_verdicts_without_a_return_are_still_read():
    old = {'triplet': '3', 'seed': 1, 'success': True, 'sparse_stack': True, 'force_max': 1.0}
    assert Outcome(**json.loads(json.dumps(old | {'steps': 4}))).episode_return is None


def test_a_table_has_a_heading_per_task():
    rows = [Result('a', 'bc', 'success', 4, 50.0, (15.0, 85.0), (50.0,), 3.0)]
    assert markdown(rows).startswith('| a | episodes | success in % | per seed | training |\n')
