"""The loop as a whole: it learns, it resumes after a kill, it keeps runs apart."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import descendants, is_running, wait_for

from chef_trainer import policy_file
from chef_trainer.curves import Log
from chef_trainer.distillation.dagger import distill
from chef_trainer.distillation.recipe import from_dict, load_recipe
from chef_trainer.distillation.run import Run, open_run
from chef_trainer.errors import RunError
from chef_trainer.progress import progress_bars

ENTRY = 'point_mass:PointMass'


def start(run: Run, recipe_file: Path) -> subprocess.Popen:
    command = [sys.executable, '-m', 'chef_trainer.cli', 'distill', str(recipe_file)]
    command += ['--env', run.entry, '--teachers', str(run.teachers), '--workers', '1']
    command += ['--run', str(run.directory), '--out', str(run.directory / 'policy.onnx')]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.Popen(command, env={**os.environ, 'PYTHONPATH': path})


def test_killed_run_ends_with_the_same_policy_as_an_unbroken_one(run, recipe_file):
    killed = dataclasses.replace(run, directory=run.directory / 'killed')
    process = start(killed, recipe_file)
    # In the middle of the second iteration: one student, some of the episodes it drives.
    wait_for(lambda: len([*(killed.directory / 'episodes/01').glob('*.npz')]) > 4, process)
    workers = descendants(process.pid)
    process.kill()
    process.wait()
    students = [distill(one, progress_bars(quiet=True), workers=1) for one in (killed, run)]
    assert len(workers) > 1
    assert not any(map(is_running, workers))
    assert students[0].read_bytes() == students[1].read_bytes()
    assert killed.log.read_text() == run.log.read_text()

    divergences = [row['divergence'] for row in Log(run.log, 10_000).rows('iteration')]
    assert divergences[1] < divergences[0] / 2
    losses = [row['loss'] for row in Log(run.log, 10_000).rows('train')]
    assert losses[-1] < 0.1 < losses[0]

    spec = policy_file.read_spec(students[0])
    assert spec.provenance['episodes'] == {'1': 12, '2': 12}
    assert set(spec.provenance['teachers_sha256']) == {'1', '2'}


@pytest.fixture
def run(recipe_file, teachers, tmp_path):
    return Run(load_recipe(recipe_file), tmp_path / 'run', ENTRY, teachers)


def test_directory_of_another_recipe_is_refused(run, recipe_values):
    run.claim()
    run.claim()
    other = dataclasses.replace(run, recipe=from_dict({**recipe_values, 'batch': 32}))
    with pytest.raises(RunError, match=r"differs in \['batch'\]"):
        other.claim()
    with pytest.raises(RunError, match=r"differs in \['entry'\]"):
        dataclasses.replace(run, entry='other:Env').claim()
    assert open_run(run.directory) == run


def test_missing_teacher_is_named_before_anything_starts(run, teachers):
    (teachers / 'triplet2.npz').unlink()
    with pytest.raises(RunError, match=r'triplet2\.npz: no teacher for triplet 2'):
        distill(run, progress_bars(quiet=True), workers=1)
    assert not run.directory.exists()


def test_absent_run_is_named(tmp_path):
    with pytest.raises(RunError, match='not a run directory'):
        open_run(tmp_path)


def test_the_student_drives_what_the_recipe_leaves_it(run):
    first, second = (run.collections(index) for index in range(2))
    assert {job.teacher_share for job in first} == {1.0}
    assert {job.teacher_share for job in second} == {0.25}
    assert {job.student for job in second} == {str(run.student(0))}
    assert {job.sampled for job in first} == {True, False}
    scenes = [(job.triplet, job.seed) for jobs in (first, second) for job in jobs]
    assert len(set(scenes)) == len(scenes)
    assert run.episodes(0)[-1] == (first[-1].target, 1)


def test_log_forgets_what_comes_again(tmp_path):
    log = Log(tmp_path / 'log.jsonl', 0)
    for step in (100, 200, 300):
        log.add('train', step, loss=1.0 / step)
    log.save()
    resumed = Log(tmp_path / 'log.jsonl', 200)
    resumed.add('train', 200, loss=7.0)
    assert [(row['step'], row['loss']) for row in resumed.rows('train')] == [(100, 0.01), (200, 7)]
