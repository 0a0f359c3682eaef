"""The results bench: what it plans, who teaches, and a whole small study."""

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from point_mass import OBSERVATIONS

from chef_trainer import policy_file
from chef_trainer.bench.results.plot import draw_results
from chef_trainer.bench.results.report import markdown, results
from chef_trainer.bench.results.study import Cell, StudyError, TeacherSettings, cells, load_study
from chef_trainer.bench.results.teacher import write_teacher
from chef_trainer.bench.results.work import Workplace
from chef_trainer.errors import RunError
from chef_trainer.evaluation.evaluate import Verdict
from chef_trainer.evaluation.rollout import Outcome
from chef_trainer.progress import progress_bars
from chef_trainer.spec import ActionSpec, PolicySpec

STUDY = Path(__file__).parents[2] / 'docs' / 'results.yaml'
SPECIALISTS = ('1', '2')
SEEN = OBSERVATIONS[:2]


def write_specialists(path: Path, looking: bool = False) -> None:
    """Write a policy for the point mass whose specialist of triplet i drives with 0.1 i.

    `looking`: plus the sum of all numbers that it sees, but for the triplet's.
    """
    means = np.array([[0.1], [0.2]], np.float32) @ np.ones((1, 4), np.float32)
    deviations = np.full((2, 4), 0.3, np.float32)
    logits = np.array([[2, -2], [-2, 2]], np.float32)
    constants = {'means': means, 'deviations': deviations, 'logits': logits, 'side': logits[:, 1:]}
    constants['axis'] = np.array([1])
    nodes = [
        helper.make_node('MatMul', ['triplet', 'means'], ['own_mean']),
        *_sum_of_inputs(looking),
        helper.make_node('MatMul', ['triplet', 'deviations'], ['stddev']),
        helper.make_node('MatMul', ['triplet', 'logits'], ['gripper_logits']),
        helper.make_node('MatMul', ['triplet', 'side'], ['sign']),
        helper.make_node('Sign', ['sign'], ['gripper']),
        helper.make_node('Concat', ['mean', 'gripper'], ['action'], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        'specialists',
        [
            helper.make_tensor_value_info(o.name, TensorProto.FLOAT, ['batch', *o.stacked_shape])
            for o in OBSERVATIONS
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch', size])
            for name, size in policy_file.output_sizes(ActionSpec()).items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    spec = PolicySpec('specialists', OBSERVATIONS, triplets=SPECIALISTS)
    policy_file.write(path, model, spec)


def _sum_of_inputs(looking: bool) -> list[onnx.NodeProto]:
    if not looking:
        return [helper.make_node('Identity', ['own_mean'], ['mean'])]
    flat = [helper.make_node('Flatten', [o.name], [f'flat_{o.name}']) for o in SEEN]
    names = [node.output[0] for node in flat]
    return [
        *flat,
        helper.make_node('Concat', names, ['all'], axis=1),
        helper.make_node('ReduceSum', ['all', 'axis'], ['sum'], keepdims=1),
        helper.make_node('Add', ['own_mean', 'sum'], ['mean']),
    ]


@pytest.fixture
def policy(tmp_path) -> Path:
    write_specialists(tmp_path / 'specialists.onnx')
    return tmp_path / 'specialists.onnx'


def answers(path: Path, count: int) -> dict[str, np.ndarray]:
    session = policy_file.open_session(path)
    seen = policy_file.session_spec(session, path).observations
    inputs = {one.name: np.ones((count, *one.stacked_shape), np.float32) for one in seen}
    names = list(policy_file.OUTPUTS)
    return dict(zip(names, session.run(names, inputs), strict=True))


def test_a_teacher_is_a_mixture_of_specialists_whatever_the_objects_are(policy, tmp_path):
    path = tmp_path / 'teacher.onnx'
    write_teacher(policy, TeacherSettings({'1': 0.25, '2': 0.75}), SEEN, path)
    found = answers(path, 3)
    np.testing.assert_allclose(found['mean'], np.full((3, 4), 0.175), rtol=1e-6)
    np.testing.assert_allclose(found['action'][:, 4], np.ones(3))
    assert policy_file.read_spec(path).observations == SEEN


def test_noise_widens_a_teacher_and_leaves_its_mean(policy, tmp_path):
    write_teacher(policy, TeacherSettings({'1': 1.0}, noise=0.4), SEEN, tmp_path / 'teacher.onnx')
    found = answers(tmp_path / 'teacher.onnx', 2)
    np.testing.assert_allclose(found['stddev'], np.full((2, 4), 0.5), rtol=1e-6)
    np.testing.assert_allclose(found['mean'], np.full((2, 4), 0.1), rtol=1e-6)


def test_what_a_teacher_may_not_see_is_zero_and_older_readings_are_the_newest(tmp_path):
    write_specialists(tmp_path / 'specialists.onnx', looking=True)
    one, several = tmp_path / 'one.onnx', tmp_path / 'several.onnx'
    single = dataclasses.replace(SEEN[0], history=1)
    write_teacher(tmp_path / 'specialists.onnx', TeacherSettings({'1': 1.0}), [single], one)
    write_teacher(tmp_path / 'specialists.onnx', TeacherSettings({'1': 1.0}), SEEN, several)
    # The policy adds up all it sees: two readings of five ones, and five more of the goal.
    np.testing.assert_allclose(answers(one, 2)['mean'], np.full((2, 4), 10.1), rtol=1e-6)
    np.testing.assert_allclose(answers(several, 2)['mean'], np.full((2, 4), 15.1), rtol=1e-6)


def test_a_teacher_sees_displaced_objects_where_they_are_not(tmp_path):
    write_specialists(tmp_path / 'specialists.onnx', looking=True)
    settings = TeacherSettings({'1': 1.0}, displaced={'position': (1.0, 2.0, 3.0)})
    write_teacher(tmp_path / 'specialists.onnx', settings, SEEN, tmp_path / 'teacher.onnx')
    # Two readings of the position, each 6 m further along all axes together.
    np.testing.assert_allclose(answers(tmp_path / 'teacher.onnx', 2)['mean'], 27.1, rtol=1e-6)


def test_an_unknown_specialist_is_named(policy, tmp_path):
    with pytest.raises(StudyError, match=r"no specialists \['7'\].*\['1', '2'\]"):
        write_teacher(policy, TeacherSettings({'7': 1.0}), SEEN, tmp_path / 'teacher.onnx')


def test_the_shipped_policy_has_the_specialists_of_the_study(tmp_path):
    study = load_study(STUDY)
    for triplet, teacher in study.teachers.items():
        path = tmp_path / f'{triplet}.onnx'
        write_teacher(Path(__file__).parents[4] / study.policy, teacher, study.observations, path)
        assert policy_file.read_spec(path).observations == study.observations


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
        ({'budget': [1]}, r"unknown \['budget'\], allowed: .*'budgets'"),
        ({'budgets': [150]}, 'budget 150: half of it must be .* a multiple of 50'),
        ({'fine_tuned': ['sac']}, r"fine_tuned = \['sac'\], allowed"),
        ({'contenders': {'bc': {'methods': 'bc'}}}, r"Contender: unknown \['methods'\]"),
        ({'teachers': {'3': {'mixture': {'1': 1}, 'noise': -1}}}, 'noise = -1'),
        ({'teachers': {'3': {'mixture': {'1': 0.5}}}}, 'must add up to 1'),
        (
            {'teachers': {'3': {'mixture': {'1': 1}, 'displaced': {'red_pose': [1]}}}},
            'three numbers',
        ),
    ],
)
def test_a_malformed_study_is_refused(tmp_path, change, message):
    path = tmp_path / 'study.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(STUDY.read_text()) | change))
    with pytest.raises(StudyError, match=message):
        load_study(path)


def judged(cell: Cell, solved: list[bool]) -> list[Verdict]:
    return [
        Verdict(cell.name, 'digest', Outcome(cell.triplet, index, one, one, 10.0, 5))
        for index, one in enumerate(solved)
    ]


def test_results_pool_seeds_and_are_compared_with_the_teacher_scene_by_scene():
    teacher = Cell('3', 'teacher', 0, 0)
    pupils = [Cell('3', 'crr', 500, seed) for seed in (0, 1)]
    verdicts = {teacher: judged(teacher, [True] * 4 + [False] * 16)}
    verdicts |= {pupil: judged(pupil, [True] * 10 + [False] * 10) for pupil in pupils}
    first, second = results(verdicts, 20.0)
    assert (first.success.successes, first.success.trials) == (4, 20)
    assert (second.seeds, second.success.trials, second.success.successes) == (2, 40, 20)
    assert second.against_teacher is not None
    assert (second.against_teacher.better, second.against_teacher.worse) == (12, 0)
    assert second.text.endswith(', +30*')
    table = markdown([first, second])
    assert '| triplet 3 | 500 episodes |' in table
    assert f'| teacher | {first.success} |' in table
    assert f'| teacher | {first.success} |' in markdown([first])


def test_a_plot_shows_every_triplet(tmp_path):
    planned = [
        Cell(t, c, 0 if c == 'teacher' else 500, 0) for t in '34' for c in ('teacher', 'bc')
    ]
    found = results({cell: judged(cell, [True, False]) for cell in planned}, 20.0)
    draw_results(found, tmp_path / 'results.png')
    assert (tmp_path / 'results.png').read_bytes()[1:4] == b'PNG'


def test_a_small_study_is_carried_out_and_not_twice(policy, tmp_path):
    study = dataclasses.replace(
        load_study(STUDY),
        policy=str(policy),
        teachers={'1': TeacherSettings({'2': 1.0})},
        observations=SEEN,
        budgets=(4,),
        rounds=1,
        seeds=(0,),
        updates=4,
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


def test_what_diverged_is_said_and_does_not_stop_the_rest(tmp_path):
    study = dataclasses.replace(load_study(STUDY), fine_tuned=('crr',), seeds=(0,))
    workplace = Workplace(study, tmp_path, 'point_mass:PointMass')
    tuned = next(cell for cell in cells(study) if cell.start)
    with progress_bars(quiet=True) as progress:
        assert workplace._fill(tuned, progress)
    assert workplace.is_done(tuned)
    assert 'it needs' in workplace.diverged(tuned).read_text()


def test_a_directory_belongs_to_its_teachers(policy, tmp_path):
    study = dataclasses.replace(
        load_study(STUDY), policy=str(policy), observations=SEEN, episodes=0
    )
    for noise, refused in ((0.1, False), (0.2, True)):
        teachers = {'1': TeacherSettings({'1': 1.0}, noise)}
        workplace = Workplace(
            dataclasses.replace(study, teachers=teachers), tmp_path, 'point_mass:PointMass'
        )
        with progress_bars(quiet=True) as progress:
            if refused:
                with pytest.raises(RunError, match='noise'):
                    workplace.carry_out(progress)
            else:
                workplace.carry_out(progress)
