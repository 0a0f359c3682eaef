"""`chef doctor` as a script calls it."""

import contextlib
import json
import os
import subprocess
import sys

import pytest
from sensor_msgs.msg import JointState

from chef_cell.cli import main
from chef_cell.testing.ros_harness import Graph
from chef_trainer.testing import write_tiny_policy


def doctor(environment, *arguments):
    done = subprocess.run(
        [sys.executable, '-m', 'chef_cell.cli.main', 'doctor', *arguments],
        capture_output=True,
        text=True,
        env={**environment, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
        timeout=100,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def policy(tmp_path):
    write_tiny_policy(tmp_path / 'tiny.onnx')
    return ['--policy', str(tmp_path / 'tiny.onnx'), '--out', str(tmp_path)]


def test_one_failure_is_told_by_the_exit_code(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != 'ROS_DOMAIN_ID'}
    code, printed, said = doctor(environment, '--policy', str(tmp_path / 'none.onnx'))
    assert code == 1
    (line,) = [line for line in printed.splitlines() if ' policy: ' in line] or [printed + said]
    assert line.startswith('fail policy: ')
    assert '-> choose another with --policy FILE' in line


def test_a_running_cell_is_listened_to(policy):
    with Graph.open() as graph:
        graph.start('mujoco_bridge', {'lockstep': False})
        graph.start('wrist', {'lockstep': False})
        graph.start('controller', {'lockstep': False})
        graph.start('safety', {'lockstep': False, 'force_limit': 15.0})
        joints = graph.collect(JointState, '/robot/joint_states')
        graph.wait_for(lambda: joints, 'joint states')
        code, printed, said = doctor(graph.environment, '--cell', '--json', *policy)
    findings = {finding['name']: finding for finding in json.loads(printed)}
    assert findings['ROS domain']['level'] == 'ok', said
    assert findings['controller in force']['level'] == 'ok'
    assert 'force_limit 15 (configured 20)' in findings['safety in force']['value']
    assert findings['safety.force_limit']['value'] == '20 (cell.yaml)'
    for topic in ('/robot/joint_states', 'wrist/wrench', 'safety'):
        assert ' Hz' in findings[topic]['value']
    assert 'ms, of ' in findings['age of samples']['value']
    assert findings['wrist noise']['level'] == 'ok'
    assert findings['wrist bias']['level'] == 'ok'
    assert code == any(finding['level'] == 'fail' for finding in findings.values())


def test_no_cell_is_a_failure(policy):
    with Graph.open(namespace='/elsewhere') as graph:
        code, printed, _ = doctor(graph.environment, '--cell', *policy)
    assert code == 1
    assert 'fail ROS domain' in printed


def test_a_malformed_domain_is_bad_input(monkeypatch, capsys):
    monkeypatch.setenv('ROS_DOMAIN_ID', 'many')
    assert main.main(['doctor']) == main.BAD_INPUT
    assert 'expected a number from 0 to 232' in capsys.readouterr().err


def test_the_help_explains(capsys):
    with contextlib.suppress(SystemExit):
        main.main(['doctor', '--help'])
    printed = capsys.readouterr().out
    assert '--clean' in printed
    assert 'exit codes' in printed
