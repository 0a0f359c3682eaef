import dataclasses
import json

import numpy as np
import onnxruntime
import pytest

from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_trainer import policy_file
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_model, tiny_spec, write_tiny_policy

IMAGE = ObservationSpec('image/front', (128, 128, 3), '1', 'uint8')


def zeros(spec):
    return {item.name: np.zeros(item.stacked_shape, item.dtype) for item in spec.observations}


@pytest.fixture
def path(tmp_path):
    write_tiny_policy(tmp_path / 'tiny.onnx')
    return tmp_path / 'tiny.onnx'


def test_answers_with_the_deterministic_action(path):
    runner = OnnxRunner(path)
    rng = np.random.default_rng(0)
    observation = {
        item.name: rng.normal(size=item.stacked_shape).astype(np.float32)
        for item in runner.spec.observations
    }

    action = runner.act(observation)

    assert action.shape == (5,)
    assert np.abs(action).max() <= 1.0
    np.testing.assert_array_equal(action, OnnxRunner(path).act(observation))
    session = onnxruntime.InferenceSession(path)
    feed = {name: value[None] for name, value in observation.items()}
    np.testing.assert_allclose(action, session.run(['action'], feed)[0][0], atol=1e-7)


def test_knows_what_it_runs(path):
    runner = OnnxRunner(str(path))

    assert runner.path == str(path)
    assert runner.spec == policy_file.read_spec(path)
    assert runner.sha256 == policy_file.sha256(path)
    assert runner.provider == 'CPUExecutionProvider'


def test_takes_images(tmp_path):
    spec = write_tiny_policy(tmp_path / 'eyes.onnx', tiny_spec((IMAGE,)))

    assert OnnxRunner(tmp_path / 'eyes.onnx').act(zeros(spec)).shape == (5,)


def test_falls_back_to_a_provider_that_is_installed(path):
    providers = ('NoSuchExecutionProvider', 'CPUExecutionProvider')

    runner = OnnxRunner(path, providers)

    assert runner.provider == 'CPUExecutionProvider'
    assert runner.fallback == 'NoSuchExecutionProvider is not in this build'
    assert OnnxRunner(path).fallback == ''


@pytest.mark.filterwarnings('ignore:Specified provider')
def test_a_provider_that_does_not_start_is_named(path, monkeypatch):
    built_in = onnxruntime.get_available_providers()
    card = 'CUDAExecutionProvider'  # the build has it, the machine has no card
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [card, *built_in])

    runner = OnnxRunner(path, (card, 'CPUExecutionProvider'))

    assert runner.provider == 'CPUExecutionProvider'
    assert runner.fallback == 'CUDAExecutionProvider did not start'
    assert runner.act(zeros(runner.spec)).shape == (5,)


def test_no_usable_provider_is_named(path):
    with pytest.raises(ValueError, match=r'NoSuch.*this build offers.*CPUExecutionProvider'):
        OnnxRunner(path, ('NoSuchExecutionProvider',))


def test_a_missing_input_is_named(path):
    runner = OnnxRunner(path)
    observation = zeros(runner.spec)
    del observation['wrench']

    with pytest.raises(ValueError, match='input wrench is missing'):
        runner.act(observation)


@pytest.mark.parametrize(
    'wrong', [np.zeros(6, np.float32), np.zeros((1, 7), np.float32), np.zeros(7, np.float64)]
)
def test_a_wrong_input_is_named(path, wrong):
    runner = OnnxRunner(path)

    with pytest.raises(ValueError, match=r'input tool_pose .* expected float32 \(7,\)'):
        runner.act({**zeros(runner.spec), 'tool_pose': wrong})


def test_an_action_that_is_not_finite_is_an_error(tmp_path):
    spec = write_tiny_policy(tmp_path / 'nan.onnx', gain=float('nan'))

    with pytest.raises(ValueError, match=r'nan.*allowed: finite in \[-1, 1\]'):
        OnnxRunner(tmp_path / 'nan.onnx').act(zeros(spec))


@pytest.mark.parametrize('content', [b'', b'not an ONNX file'])
def test_a_corrupt_file_is_named(tmp_path, content):
    path = tmp_path / 'corrupt.onnx'
    path.write_bytes(content)

    with pytest.raises(policy_file.PolicyFileError, match=r'corrupt\.onnx'):
        OnnxRunner(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(policy_file.PolicyFileError, match=r'none\.onnx'):
        OnnxRunner(tmp_path / 'none.onnx')


def test_a_network_without_spec_is_refused(tmp_path):
    path = tmp_path / 'bare.onnx'
    path.write_bytes(tiny_model(tiny_spec()).SerializeToString())

    with pytest.raises(policy_file.PolicyFileError, match='not a policy file'):
        OnnxRunner(path)


def test_a_spec_that_does_not_fit_the_network_is_refused(tmp_path):
    spec = tiny_spec()
    first = dataclasses.replace(spec.observations[0], history=4)
    lying = dataclasses.replace(spec, observations=(first, *spec.observations[1:]))

    with pytest.raises(policy_file.PolicyFileError, match='tool_pose'):
        policy_file.write(tmp_path / 'lying.onnx', tiny_model(spec), lying)


def test_openvino_is_told_its_threads_and_precision(path, monkeypatch):
    asked = {}

    def session(data, options, providers):
        asked.update(dict(providers))
        return opened(data, options, providers=['CPUExecutionProvider'])

    opened = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, 'InferenceSession', session)
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [vino, cpu])
    vino, cpu = 'OpenVINOExecutionProvider', 'CPUExecutionProvider'
    OnnxRunner(path, (vino, cpu), 2, bfloat16=True)
    assert asked[vino]['num_of_threads'] == '2'
    assert json.loads(asked[vino]['load_config']) == {'CPU': {'INFERENCE_PRECISION_HINT': 'bf16'}}
    assert asked[cpu] == {}
    OnnxRunner(path, (vino, cpu))
    assert asked[vino] == {'num_of_threads': '1'}
