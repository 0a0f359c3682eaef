"""Outcomes that leave the folder of a study: what counts in another one, and what does not."""

import dataclasses
from pathlib import Path

import pytest

from chef_trainer.bench.grid.study import StudyError
from chef_trainer.bench.results.outcomes import read_outcomes, write_outcomes
from chef_trainer.bench.results.study import Study, cells, load_study
from chef_trainer.bench.results.work import Workplace
from chef_trainer.evaluation.evaluate import FIRST_SEED
from chef_trainer.scripted.stacker import StackerSettings

STUDY = dataclasses.replace(
    load_study(Path(__file__).parents[2] / 'docs' / 'results.yaml'), seeds=(0,), episodes=2
)


def written(path: Path, study: Study, scenes: int = 2) -> Path:
    """Write that every cell of a study solved every other scene."""
    found = {FIRST_SEED + index: index % 2 == 1 for index in range(scenes)}
    write_outcomes(path, study, dict.fromkeys(cells(study), found))
    return path


def test_what_is_published_is_not_done_again(tmp_path):
    found = read_outcomes(written(tmp_path / 'results.csv', STUDY), STUDY)
    assert found.keys() == {cell.name for cell in cells(STUDY)}
    assert found['3_crr_500_0'] == {FIRST_SEED: False, FIRST_SEED + 1: True}
    workplace = Workplace(STUDY, tmp_path / 'out', 'module:Environment', published=found)
    assert all(workplace.is_done(cell) for cell in cells(STUDY))
    assert all(workplace.solved(cell) == found[cell.name] for cell in cells(STUDY))


def test_fewer_scenes_than_the_study_wants_are_shown_but_not_enough(tmp_path):
    found = read_outcomes(written(tmp_path / 'results.csv', STUDY), wanted := longer(STUDY))
    teacher = next(cells(wanted))
    workplace = Workplace(wanted, tmp_path / 'out', 'module:Environment', published=found)
    assert len(workplace.solved(teacher)) == 2
    assert not workplace.is_done(teacher)


def longer(study: Study) -> Study:
    return dataclasses.replace(study, episodes=3)


def test_a_cell_without_all_its_scenes_is_not_published(tmp_path):
    assert not read_outcomes(written(tmp_path / 'results.csv', longer(STUDY)), STUDY)


@pytest.mark.parametrize(
    ('change', 'kept'),
    [
        ({'updates': 1}, {'teacher'}),
        ({'change': {'batch': 8}}, {'teacher'}),
        ({'teachers': {'3': StackerSettings(noise=0.8)}}, set()),
        ({'contenders': {'bc': STUDY.contenders['awac']}, 'fine_tuned': ()}, {'teacher'}),
        ({'budgets': (500,), 'compiled': False}, {'teacher', *STUDY.contenders}),
    ],
)
def test_what_other_settings_decided_does_not_count(tmp_path, change, kept):
    path = written(tmp_path / 'results.csv', STUDY)
    study = dataclasses.replace(STUDY, **change)
    names = {cell.contender for cell in cells(study) if cell.name in read_outcomes(path, study)}
    assert names == kept


def test_a_policy_that_fine_tuning_still_needs_is_trained_here(tmp_path):
    path = written(tmp_path / 'results.csv', dataclasses.replace(STUDY, fine_tuned=()))
    found = read_outcomes(path, STUDY)
    needed = {name for cell in cells(STUDY) for name in cell.needs}
    assert needed
    assert not needed & found.keys()
    assert read_outcomes(path, dataclasses.replace(STUDY, fine_tuned=())).keys() >= needed


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        ([], r'starts with \[\], expected the columns'),
        (['a,b'], r"starts with \[\['a', 'b'\]\]"),
        (['triplet,candidate,budget,seed,settings,solved', '3,bc,500,0'], 'line 2: .*0s and 1s'),
        (['triplet,candidate,budget,seed,settings,solved', '3,bc,500,0,x,012'], 'line 2: .*012'),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, lines, message):
    path = tmp_path / 'results.csv'
    path.write_text('\n'.join(lines))
    with pytest.raises(StudyError, match=message):
        read_outcomes(path, STUDY)
