"""The command line: help, errors a person can mend, one evaluation from end to end."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from point_mass import OBSERVATIONS
from processes import descendants, wait_for, wait_for_end

from chef_trainer import cli, policy_file
from chef_trainer.testing import tiny_spec, write_tiny_policy


def run(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, 'argv', ['chef-train', *map(str, arguments)])
    cli.main()


@pytest.mark.parametrize(
    'command', ['ingest', 'collect', 'distill', 'train', 'evaluate', 'export', 'compare']
)
def test_every_command_explains_itself(monkeypatch, capsys, command):
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, command, '--help')
    assert stopped.value.code == 0
    assert f'usage: chef-train {command}' in capsys.readouterr().out


def test_unknown_recipe_key_ends_with_one_line(monkeypatch, recipe_file, tmp_path):
    recipe_file.write_text(recipe_file.read_text() + 'learning_rat: 1\n')
    arguments = ['--env', 'a:B', '--teachers', tmp_path, '--run', tmp_path, '--out', 'x.onnx']
    with pytest.raises(SystemExit, match=r"^chef-train: Recipe: unknown \['learning_rat'\]"):
        run(monkeypatch, 'distill', recipe_file, *arguments)


def test_missing_policy_and_run_are_named(monkeypatch, tmp_path):
    results = tmp_path / 'results.jsonl'
    with pytest.raises(SystemExit, match=r'^chef-train: .*gone\.onnx: cannot be read'):
        run(monkeypatch, 'evaluate', tmp_path / 'gone.onnx', '--env', 'a:B', '--results', results)
    with pytest.raises(SystemExit, match=r'^chef-train: .*not a run directory'):
        run(monkeypatch, 'export', tmp_path, '--out', tmp_path / 'x.onnx')


SCENES = ['--env', 'point_mass:PointMass', '--triplets', '1', '--workers', 1]


def test_collected_episodes_become_a_policy_that_is_compared(
    monkeypatch, capsys, teachers, tmp_path
):
    write_tiny_policy(tmp_path / 'teacher.onnx', tiny_spec(OBSERVATIONS))
    data, folder, policy = tmp_path / 'data', tmp_path / 'run', tmp_path / 'clone.onnx'
    collect = [tmp_path / 'teacher.onnx', *SCENES, '--out', data, '--tasks', 'reach']
    run(monkeypatch, 'collect', *collect, '--episodes', 3)
    assert '3 episodes, 3 of them new' in capsys.readouterr().out
    settings = tmp_path / 'clone.yaml'
    settings.write_text(
        yaml.safe_dump(
            {
                'method': 'bc',
                'tasks': ['reach'],
                'triplets': ['1', '2'],
                'observations': [dataclasses.asdict(spec) for spec in OBSERVATIONS],
                'networks': {'hidden': [16, 16]},
            }
        )
    )
    flags = ['--data', data, '--updates', 40, '--name', 'clone', '--set', 'change.batch=32']
    run(monkeypatch, 'train', settings, '--run', folder, *flags)
    assert '40 updates' in capsys.readouterr().out
    run(monkeypatch, 'export', folder, '--out', policy)
    assert 'Not measured yet' in policy.with_suffix('.md').read_text()
    assert policy_file.read_spec(policy).provenance['updates'] == 40
    results = tmp_path / 'results.jsonl'
    both = [tmp_path / 'teacher.onnx', policy, *SCENES, '--results', results]
    card = tmp_path / 'card.md'
    run(monkeypatch, 'evaluate', *both, '--episodes', 2, '--teachers', teachers, '--card', card)
    assert 'teachers (sampled)' in capsys.readouterr().out
    assert '| teacher | 1 | 2 |' in card.read_text()
    run(monkeypatch, 'compare', results)
    assert 'against teacher' in capsys.readouterr().out
    assert results.with_suffix('.png').read_bytes()[1:4] == b'PNG'


def test_sigterm_ends_a_command_like_ctrl_c_and_it_goes_on(monkeypatch, capsys, tmp_path, request):
    write_tiny_policy(tmp_path / 'teacher.onnx', tiny_spec(OBSERVATIONS))
    data = tmp_path / 'data'
    collect = [tmp_path / 'teacher.onnx', *SCENES, '--out', data, '--tasks', 'reach']
    command = [sys.executable, '-m', 'chef_trainer.cli', 'collect', *collect, '--episodes', 10000]
    process = subprocess.Popen(
        list(map(str, command)),
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )
    request.addfinalizer(process.kill)  # whatever fails below
    wait_for(lambda: len([*data.rglob('*.npz')]) > 2, process)
    workers = descendants(process.pid)
    process.terminate()
    _, said = process.communicate(timeout=100)
    assert (process.returncode, said.splitlines()[-1]) == (
        cli.INTERRUPTED,
        'chef-train: interrupted; the same command goes on from here',
    )
    assert 'leaked' not in said
    assert len(workers) > 1
    wait_for_end(workers)
    files = [path for path in data.rglob('*') if path.is_file()]
    assert {path.suffix for path in files} == {'.npz'}
    kept = len(files)
    run(monkeypatch, 'collect', *collect, '--episodes', kept + 1)
    assert f'{kept + 1} episodes, 1 of them new' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--method', 'crrr'], "method 'crrr' is unknown, there are: bc, .*sac"),
        (['--method', 'bc', '--set', 'updats=3'], "unknown 'updats', allowed: .*updates"),
        (['--method', 'bc', '--set', 'change.batc=3'], "unknown 'batc', allowed: .*batch"),
        (['--method', 'bc'], 'bc learns from recorded episodes: data'),
        (['--method', 'r_crr', '--data', 'x'], 'r_crr asks a teacher'),
        (['--method', 'sac'], 'sac learns from its own episodes: online'),
        (['--method', 'bc', '--data', 'gone'], 'gone'),
    ],
)
def test_settings_that_cannot_work_end_with_one_line(monkeypatch, tmp_path, flags, message):
    with pytest.raises(SystemExit, match=f'^chef-train: .*{message}'):
        run(monkeypatch, 'train', '--run', tmp_path / 'run', *flags)


def test_nothing_to_ingest_or_compare_is_said(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match='nothing to learn from'):
        run(monkeypatch, 'ingest', tmp_path)
    with pytest.raises(SystemExit, match=r'none\.jsonl: no such file'):
        run(monkeypatch, 'compare', tmp_path / 'none.jsonl')
