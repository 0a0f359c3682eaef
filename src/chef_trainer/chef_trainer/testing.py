"""What tests of the trainer and of the cell need: a small, valid policy file. Needs `onnx`."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from chef_trainer.policy_file import output_sizes, write
from chef_trainer.spec import ObservationSpec, PolicySpec

TINY_OBSERVATIONS = (
    ObservationSpec('tool_pose', (7,), 'm, quaternion'),
    ObservationSpec('wrench', (6,), 'N, N m', history=3),
)
_DTYPES = {'float32': TensorProto.FLOAT, 'uint8': TensorProto.UINT8}


def tiny_spec(
    observations: tuple[ObservationSpec, ...] = TINY_OBSERVATIONS, rate_hz: float = 20.0
) -> PolicySpec:
    """Return a valid spec with the given inputs."""
    return PolicySpec(name='tiny', observations=observations, rate_hz=rate_hz)


def tiny_model(spec: PolicySpec, seed: int = 0, gain: float = 0.01) -> onnx.ModelProto:
    """Return a policy network that is one random linear layer; `gain` nan makes its output nan.

    mean = tanh(x W), stddev = 1 + 0 x, gripper_logits = x W', action = [mean, sign].
    """
    size = sum(int(np.prod(observation.stacked_shape)) for observation in spec.observations)
    weights = np.random.default_rng(seed).normal(size=(size, 6)) * gain
    constants = {
        'weights': weights.astype(np.float32),
        'sizes': np.array([4, 2], np.int64),
        'zero': np.zeros(1, np.float32),
        'open_to_close': np.array([[-1.0], [1.0]], np.float32),
    }
    inputs = [
        helper.make_tensor_value_info(
            observation.name, _DTYPES[observation.dtype], ['batch', *observation.stacked_shape]
        )
        for observation in spec.observations
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch', size])
        for name, size in output_sizes(spec.action).items()
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(_nodes(spec), 'tiny', inputs, outputs, tensors)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8, producer_name='chef'
    )


def _nodes(spec: PolicySpec) -> list[onnx.NodeProto]:
    nodes, flat = [], []
    for index, observation in enumerate(spec.observations):
        nodes += [
            helper.make_node('Cast', [observation.name], [f'float{index}'], to=TensorProto.FLOAT),
            helper.make_node('Flatten', [f'float{index}'], [f'flat{index}'], axis=1),
        ]
        flat.append(f'flat{index}')
    return [
        *nodes,
        helper.make_node('Concat', flat, ['x'], axis=1),
        helper.make_node('MatMul', ['x', 'weights'], ['y']),
        helper.make_node('Split', ['y', 'sizes'], ['linear', 'gripper_logits'], axis=1),
        helper.make_node('Tanh', ['linear'], ['mean']),
        helper.make_node('Mul', ['linear', 'zero'], ['nothing']),
        helper.make_node('Exp', ['nothing'], ['stddev']),
        helper.make_node('MatMul', ['gripper_logits', 'open_to_close'], ['difference']),
        helper.make_node('Sign', ['difference'], ['gripper']),
        helper.make_node('Concat', ['mean', 'gripper'], ['action'], axis=1),
    ]


def write_tiny_policy(
    path: str | Path, spec: PolicySpec | None = None, seed: int = 0, gain: float = 0.01
) -> PolicySpec:
    """Write a small valid policy file to `path` and return its spec."""
    spec = spec or tiny_spec()
    write(path, tiny_model(spec, seed, gain), spec)
    return spec
