"""The policy file: what is written is read back; what is broken says how."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from chef_trainer import policy_file
from chef_trainer.policy_file import SPEC_KEY, PolicyFileError, output_sizes
from chef_trainer.spec import ActionSpec, ObservationSpec, PolicySpec, SpecError
from chef_trainer.testing import tiny_model, tiny_spec, write_tiny_policy


def test_spec_is_read_back(tmp_path):
    spec = write_tiny_policy(tmp_path / 'tiny.onnx')
    assert policy_file.read_spec(tmp_path / 'tiny.onnx') == spec


def test_network_runs_on_a_batch(tmp_path):
    write_tiny_policy(tmp_path / 'tiny.onnx')
    session = policy_file.open_session(tmp_path / 'tiny.onnx')
    inputs = {'tool_pose': np.ones((2, 7), np.float32), 'wrench': np.ones((2, 3, 6), np.float32)}
    action, mean, stddev, logits = session.run(list(policy_file.OUTPUTS), inputs)
    assert action.shape == (2, 5)
    assert mean.shape == stddev.shape == (2, 4)
    np.testing.assert_array_equal(action[:, :4], mean)
    np.testing.assert_array_equal(action[:, 4], np.sign(logits[:, 1] - logits[:, 0]))
    assert (stddev == 1).all()


def test_sha256_follows_the_content(tmp_path):
    write_tiny_policy(tmp_path / 'a.onnx', seed=1)
    write_tiny_policy(tmp_path / 'b.onnx', seed=1)
    write_tiny_policy(tmp_path / 'c.onnx', seed=2)
    a, b, c = (policy_file.sha256(tmp_path / f'{name}.onnx') for name in 'abc')
    assert a == b != c
    assert len(a) == 64


def test_missing_and_corrupt_files_are_named(tmp_path):
    with pytest.raises(PolicyFileError, match=r'gone\.onnx: cannot be read: No such file'):
        policy_file.read_spec(tmp_path / 'gone.onnx')
    write_tiny_policy(tmp_path / 'tiny.onnx')
    whole = (tmp_path / 'tiny.onnx').read_bytes()
    (tmp_path / 'half.onnx').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PolicyFileError, match=r'half\.onnx: not a loadable ONNX file'):
        policy_file.read_spec(tmp_path / 'half.onnx')


def test_plain_onnx_is_no_policy(tmp_path):
    model = tiny_model(tiny_spec())
    (tmp_path / 'plain.onnx').write_bytes(model.SerializeToString())
    with pytest.raises(PolicyFileError, match=SPEC_KEY):
        policy_file.read_spec(tmp_path / 'plain.onnx')


def test_wrong_version_is_refused(tmp_path):
    spec = tiny_spec()
    model = tiny_model(spec)
    text = json.dumps({**json.loads(spec.to_json()), 'version': 9})
    model.metadata_props.add(key=SPEC_KEY, value=text)
    (tmp_path / 'new.onnx').write_bytes(model.SerializeToString())
    with pytest.raises(PolicyFileError, match='version 9, this software reads 1'):
        policy_file.read_spec(tmp_path / 'new.onnx')


@pytest.mark.parametrize(
    ('observation', 'message'),
    [
        (ObservationSpec('tool_pose', (6,), 'm'), r'tool_pose .*\(7,\).* spec says .*\(6,\)'),
        (ObservationSpec('tool_pose', (7,), 'm', 'uint8'), r'tensor\(float\).*uint8'),
        (ObservationSpec('tool_pose', (7,), 'm', history=2), r'\(2, 7\)'),
        (ObservationSpec('red_pose', (7,), 'm'), r"\['tool_pose'\].*names \['red_pose'\]"),
    ],
)
def test_spec_that_does_not_fit_is_refused_and_the_old_file_kept(tmp_path, observation, message):
    path = tmp_path / 'policy.onnx'
    spec = tiny_spec((ObservationSpec('tool_pose', (7,), 'm'),))
    write_tiny_policy(path, spec)
    with pytest.raises(PolicyFileError, match=message):
        policy_file.write(path, tiny_model(spec), PolicySpec('other', (observation,)))
    assert policy_file.read_spec(path) == spec
    assert [file.name for file in tmp_path.iterdir()] == ['policy.onnx']


def test_wrong_outputs_are_refused(tmp_path):
    spec = tiny_spec()
    model = tiny_model(spec)
    del model.graph.output[1:]
    with pytest.raises(PolicyFileError, match=r"outputs are \{'action': \(5,\)\}"):
        policy_file.write(tmp_path / 'policy.onnx', model, spec)


def test_the_outputs_are_those_of_the_action():
    assert output_sizes(ActionSpec()) == {
        'action': 5,
        'mean': 4,
        'stddev': 4,
        'gripper_logits': 2,
    }
    arm = ActionSpec((1.0, 1.0), ('1', '1'), names=('shoulder', 'wrist'), discrete=False)
    assert list(output_sizes(arm).values()) == [2, 2, 2, 0]
    spec = dataclasses.replace(tiny_spec(), action=arm)
    assert PolicySpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ('action', 'message'),
    [
        (ActionSpec(scale=(1.0,)), 'action scale has 1 numbers, needs 5'),
        (ActionSpec(units=('m', 'm')), 'action units has 2 numbers, needs 5'),
        (ActionSpec((1.0,), ('1',), names=('gripper',)), 'needs one that is not discrete'),
    ],
)
def test_an_action_needs_a_scale_and_a_unit_for_every_name(action, message):
    with pytest.raises(SpecError, match=message):
        dataclasses.replace(tiny_spec(), action=action).validate()


def test_reading_needs_neither_torch_nor_onnx():
    code = (
        'import sys; import chef_trainer.policy_file; '
        'sys.exit(sorted({"torch", "onnx"} & set(sys.modules)) or 0)'
    )
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60)
