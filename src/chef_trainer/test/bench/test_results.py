"""The results bench: what it plans, who teaches, and a whole small study."""

import dataclasses
from pathlib import Path

import pytest
import torch
import yaml
from point_mass import OBSERVATIONS

from chef_trainer.bench.results.plot import draw_results
from chef_trainer.bench.results.report import markdown, results
from chef_trainer.bench.results.study import Cell, cells, load_study
from chef_trainer.bench.results.work import Workplace
from chef_trainer.errors import RunError
from chef_trainer.evaluation.evaluate import FIRST_SEED
from chef_trainer.export.onnx import export_policy
from chef_trainer.networks.policy import MixedPolicy
from chef_trainer.progress import progress_bars
from chef_trainer.rollouts.episode import read_episode, write_episode
from chef_trainer.scripted.stacker import StackerSettings
from chef_trainer.spec import PolicySpec

STUDY = Path(__file__).parents[2] / 'docs' / 'results.yaml'
SEEN = OBSERVATIONS[:2]


def write_teacher(out: Path) -> None:
    """Put a policy for the point mass where a study has the teacher of triplet 1."""
    torch.manual_seed(0)
    policy = MixedPolicy(SEEN, (), (8,))
    path = out / 'teachers' / '1.onnx'
    path.parent.mkdir(parents=True)
    export_policy(policy, PolicySpec('teacher', SEEN, triplets=('1',)), path)


def test_every_cell_of_the_study_can_be_trained():
    workplace = Workplace(load_study(STUDY), Path('out'), 'module:Environment')
    planned = list(cells(workplace.study))
    assert len({cell.name for cell in planned}) == len(planned)
    for cell in planned:
        if cell.contender != 'teacher':
            settings = workplace.settings(cell)
            assert settings.row.has_teacher == bool(settings.teacher)


def test_what_is_done_is_a_table_at_any_time():
    study = load_study(STUDY)
    planned = list(cells(study))
    assert planned[0].contender == 'teacher'
    block = planned[1 : 1 + len(study.contenders)]
    assert [cell.contender for cell in block] == list(study.contenders)
    assert {(cell.budget, cell.seed) for cell in block} == {(study.budgets[0], study.seeds[0])}
    done: set[str] = set()
    for cell in planned:
        assert done.issuperset(cell.needs)
        done.add(cell.name)


def test_budgets_are_nested_and_online_ones_count_both_halves():
    study = load_study(STUDY)
    online = {cell.contender for cell in cells(study) if cell.online}
    assert online == {'r-crr', 'dagger-mixed', 'r-mpo'}  # AWAC is told not to be
    for cell in cells(study):
        if cell.contender == 'teacher' or cell.needs:
            continue
        recorded = [index for part in cell.parts for index in range(part.begin, part.end)]
        assert recorded == list(range(cell.budget - cell.online))
        assert cell.online == (cell.budget // 2 if study.is_online(cell.contender) else 0)


def test_fine_tuning_draws_half_old_half_new_and_scratch_sees_the_same():
    study = load_study(STUDY)
    tuned = [cell for cell in cells(study) if cell.needs]
    assert {cell.suffix for cell in tuned if cell.start} == {' fine-tuned'}
    assert len({cell.parts for cell in tuned if cell.seed == 0 and cell.triplet == '3'}) == 1
    for cell in tuned:
        sizes = {bool(part.driver): 0 for part in cell.parts}
        for part in cell.parts:
            sizes[bool(part.driver)] += part.end - part.begin
        assert sizes == {False: study.fine_tuning_budget, True: study.fine_tuning_budget}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'change': {'rate': 1}}, "Method: unknown 'rate', allowed: .*batch"),
        ({'budget': [1]}, r"unknown \['budget'\], allowed: .*'budgets'"),
        ({'budgets': [150]}, 'budget 150: half of it must be .* a multiple of 50'),
        ({'fine_tuned': ['sac']}, r"fine_tuned = \['sac'\], allowed"),
        ({'contenders': {'bc': {'methods': 'bc'}}}, r"Contender: unknown \['methods'\]"),
        ({'teachers': {'3': {'noise': -1}}}, 'noise = -1'),
        ({'teachers': {'3': {'displaced': [1]}}}, 'three numbers'),
        ({'teachers': {'3': {'blind': True}}}, r"StackerSettings: unknown \['blind'\]"),
    ],
)
def test_a_malformed_study_is_refused(tmp_path, change, message):
    path = tmp_path / 'study.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(STUDY.read_text()) | change))
    with pytest.raises(ValueError, match=message):
        load_study(path)


def by_scene(solved: list[bool]) -> dict[int, bool]:
    return {FIRST_SEED + index: one for index, one in enumerate(solved)}


def test_results_pool_seeds_and_are_compared_with_the_teacher_scene_by_scene():
    teacher = Cell('3', 'teacher', 0, 0)
    pupils = [Cell('3', 'crr', 500, seed) for seed in (0, 1)]
    solved = {teacher: by_scene([True] * 4 + [False] * 16)}
    solved |= {
        pupil: by_scene([True] * count + [False] * (20 - count))
        for pupil, count in zip(pupils, (12, 8), strict=True)
    }
    first, second = results(solved)
    assert (first.success.successes, first.success.trials) == (4, 20)
    assert second.by_seed == (0.6, 0.4)
    assert (second.success.trials, second.success.successes) == (40, 20)
    assert second.against_teacher is not None
    assert (second.against_teacher.better, second.against_teacher.worse) == (12, 0)
    assert second.text.endswith(', +30* [60 40]')
    table = markdown([first, second])
    assert '| triplet 3 | 500 episodes |' in table
    assert f'| teacher | {first.success} |' in table
    assert f'| teacher | {first.success} |' in markdown([first])


def test_a_plot_shows_every_triplet(tmp_path):
    planned = [
        Cell(t, c, 0 if c == 'teacher' else 500, 0) for t in '34' for c in ('teacher', 'bc')
    ]
    found = results({cell: by_scene([True, False]) for cell in planned})
    draw_results(found, tmp_path / 'results.png')
    assert (tmp_path / 'results.png').read_bytes()[1:4] == b'PNG'


def test_a_small_study_is_carried_out_and_not_twice(tmp_path):
    write_teacher(tmp_path / 'out')
    study = dataclasses.replace(
        load_study(STUDY),
        teachers={'1': StackerSettings()},
        observations=SEEN[:1],  # the teacher sees more
        budgets=(4,),
        rounds=1,
        seeds=(0,),
        updates=4,
        compiled=False,
        episodes=3,
        change={'batch': 8},
        networks={'hidden': (8,), 'critic_hidden': (8, 8)},
        fine_tuned=(),
        fine_tuning_budget=4,
        chunk=2,
        contenders={'r-crr': load_study(STUDY).contenders['r-crr']},
    )
    workplace = Workplace(study, tmp_path / 'out', 'point_mass:PointMass')
    with progress_bars(quiet=True) as progress:
        workplace.carry_out(progress)
    # Two episodes of the teacher, two that R-CRR collected.
    assert len(sorted((tmp_path / 'out').rglob('*.npz'))) == 4
    found = {cell: workplace.verdicts(cell) for cell in cells(study)}
    assert {len(one) for one in found.values()} == {3}
    times = (tmp_path / 'out' / 'times.jsonl').read_text()
    with progress_bars(quiet=True) as progress:
        workplace.carry_out(progress)
    assert (tmp_path / 'out' / 'times.jsonl').read_text() == times

    file = next((tmp_path / 'out' / 'data').rglob('*.npz'))
    episode = read_episode(file)
    del episode.observations[SEEN[1].name]
    write_episode(file, episode)
    differ = pytest.raises(RunError, match=f"differ in the observations .'{SEEN[1].name}'")
    with progress_bars(quiet=True) as progress, differ:
        workplace.carry_out(progress)


def test_what_diverged_is_said_and_does_not_stop_the_rest(tmp_path):
    study = dataclasses.replace(load_study(STUDY), fine_tuned=('crr',), seeds=(0,))
    workplace = Workplace(study, tmp_path, 'point_mass:PointMass')
    tuned = next(cell for cell in cells(study) if cell.start)
    with progress_bars(quiet=True) as progress:
        assert workplace._fill(tuned, progress)
    assert workplace.is_done(tuned)
    assert 'it needs' in workplace.diverged(tuned).read_text()


def test_a_directory_belongs_to_its_teachers(tmp_path):
    write_teacher(tmp_path)
    study = dataclasses.replace(load_study(STUDY), observations=SEEN, episodes=0)
    for noise, refused in ((0.1, False), (0.2, True)):
        teachers = {'1': StackerSettings(noise)}
        workplace = Workplace(
            dataclasses.replace(study, teachers=teachers), tmp_path, 'point_mass:PointMass'
        )
        with progress_bars(quiet=True) as progress:
            if refused:
                with pytest.raises(RunError, match='noise'):
                    workplace.carry_out(progress)
            else:
                workplace.carry_out(progress)
