"""The command line: help, errors a person can mend, one evaluation from end to end."""

import sys

import pytest
from point_mass import OBSERVATIONS

from chef_trainer import cli
from chef_trainer.testing import tiny_spec, write_tiny_policy


def run(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, 'argv', ['chef-train', *map(str, arguments)])
    cli.main()


@pytest.mark.parametrize('command', ['distill', 'evaluate', 'export'])
def test_every_command_explains_itself(monkeypatch, capsys, command):
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, command, '--help')
    assert stopped.value.code == 0
    assert '--out' in capsys.readouterr().out or command == 'evaluate'


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


def test_evaluation_prints_a_table_and_writes_a_card(monkeypatch, capsys, teachers, tmp_path):
    write_tiny_policy(tmp_path / 'policy.onnx', tiny_spec(OBSERVATIONS))
    arguments = [
        '--env',
        'point_mass:PointMass',
        '--episodes',
        2,
        '--triplets',
        '1',
        '--workers',
        1,
    ]
    arguments += ['--teachers', teachers, '--results', tmp_path / 'results.jsonl']
    run(monkeypatch, 'evaluate', tmp_path / 'policy.onnx', *arguments, '--card', tmp_path / 'c.md')
    assert 'teachers' in capsys.readouterr().out
    assert '| policy | 1 | 2 |' in (tmp_path / 'c.md').read_text()
