"""A sub-optimal teacher: the specialists of a policy file, mixed, disturbed, and half blind."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from chef_trainer import policy_file
from chef_trainer.bench.results.study import StudyError, TeacherSettings
from chef_trainer.spec import ObservationSpec, PolicySpec

CHOOSER = 'triplet'  # input that chooses the specialist, one-hot
BATCH = 'batch_size'  # (1,) length of the batch, in the graph


def write_teacher(
    source: Path, settings: TeacherSettings, observations: Sequence[ObservationSpec], path: Path
) -> None:
    """Write a policy file that acts like the specialists of `source`, but worse.

    The choice of a specialist becomes a constant mixture of them. The teacher sees
    `observations` alone: older readings that these lack are the newest one again, and inputs
    that they lack are 0.

    Args:
        source: policy file with the input `triplet`, one-hot over its triplets.
        settings: the mixture, and noise added in square to the velocities' deviation.
        observations: what the teacher may see.
        path: the policy file to write.

    Raises:
        StudyError: the file has no such specialist, or it sees other shapes.
        PolicyFileError: the file is not a policy.
    """
    spec = policy_file.read_spec(source)
    known = [one.name for one in spec.observations]
    unknown = sorted(set(settings.mixture) - set(spec.triplets))
    if unknown or CHOOSER not in known:
        raise StudyError(
            f'{source}: no specialists {unknown}: it is a policy for {list(spec.triplets)} that '
            f'sees {known}'
        )
    model = onnx.load(source)
    shares = [settings.mixture.get(triplet, 0.0) for triplet in spec.triplets]
    for name, offset in settings.displaced.items():
        _displace(model.graph, spec, name, offset)
    _choose(model.graph, spec, np.array([shares], np.float32), observations)
    if settings.noise:
        _disturb(model.graph, settings.noise)
    onnx.checker.check_model(model)
    origin = {'source_sha256': policy_file.sha256(source), **dataclasses.asdict(settings)}
    seen = tuple(one for one in observations if one.name in known)
    spec = dataclasses.replace(spec, name='teacher', observations=seen, provenance=origin)
    policy_file.write(path, model, spec)


def _choose(
    graph: onnx.GraphProto,
    spec: PolicySpec,
    mixture: np.ndarray,
    observations: Sequence[ObservationSpec],
) -> None:
    """Put what the teacher sees, and the mixture (1, triplets), in the place of the inputs."""
    offered = {one.name: one for one in observations}
    inputs: list[onnx.ValueInfoProto] = []
    first: list[onnx.NodeProto] = []
    for wanted in spec.observations:
        inside = f'{wanted.name}_inside'
        _rename(graph, wanted.name, inside)
        given = offered.get(wanted.name)
        if wanted.name == CHOOSER:
            first += _constant(graph, mixture, inside)
        elif given is None:
            first += _constant(graph, np.zeros((1, *wanted.stacked_shape), np.float32), inside)
        else:
            inputs.append(
                helper.make_tensor_value_info(
                    given.name, onnx.TensorProto.FLOAT, ['batch', *given.stacked_shape]
                )
            )
            first += _stacked(graph, given, wanted, inside)
    if not inputs:
        raise StudyError(f'{[*offered]}: the policy sees none of it, but {spec.observations}')
    length = helper.make_node('Shape', [inputs[0].name], [BATCH], start=0, end=1)
    del graph.input[:]
    graph.input.extend(inputs)
    nodes = [length, *first, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _stacked(
    graph: onnx.GraphProto, given: ObservationSpec, wanted: ObservationSpec, inside: str
) -> list[onnx.NodeProto]:
    """Bring an observation to the history that the network wants."""
    if given == wanted:
        return [helper.make_node('Identity', [given.name], [inside])]
    if given.shape != wanted.shape or given.history != 1:
        raise StudyError(f'the teacher can see {wanted}, or one reading of it, not {given}')
    axis = f'{inside}_axis'
    graph.initializer.append(numpy_helper.from_array(np.array([1]), axis))
    return [
        helper.make_node('Unsqueeze', [given.name, axis], [f'{inside}_one']),
        helper.make_node('Concat', [f'{inside}_one'] * wanted.history, [inside], axis=1),
    ]


def _constant(graph: onnx.GraphProto, value: np.ndarray, name: str) -> list[onnx.NodeProto]:
    """Repeat `value` (1, ...) as often as the batch is long."""
    graph.initializer.append(numpy_helper.from_array(value, f'{name}_row'))
    rest = np.array(value.shape[1:])
    graph.initializer.append(numpy_helper.from_array(rest, f'{name}_rest'))
    return [
        helper.make_node('Concat', [BATCH, f'{name}_rest'], [f'{name}_shape'], axis=0),
        helper.make_node('Expand', [f'{name}_row', f'{name}_shape'], [name]),
    ]


def _displace(
    graph: onnx.GraphProto, spec: PolicySpec, name: str, offset: Sequence[float]
) -> None:
    """Let the network see a pose, whose first three numbers are a place, moved by `offset`."""
    shapes = {one.name: one.shape for one in spec.observations}
    if name not in shapes:
        raise StudyError(f'cannot displace {name!r}: the policy sees {[*shapes]}')
    step = np.zeros(shapes[name], np.float32)
    step[: len(offset)] = offset
    moved = f'{name}_moved'
    _rename(graph, name, moved)
    graph.initializer.append(numpy_helper.from_array(step, f'{name}_offset'))
    graph.node.insert(0, helper.make_node('Add', [name, f'{name}_offset'], [moved]))


def _disturb(graph: onnx.GraphProto, noise: float) -> None:
    """Let the deviation s of the velocities be sqrt(s^2 + noise^2)."""
    name, quiet = 'stddev', 'stddev_without_noise'
    _rename(graph, name, quiet)
    variance = np.array(noise**2, np.float32)
    graph.initializer.append(numpy_helper.from_array(variance, 'noise_variance'))
    graph.node.extend(
        [
            helper.make_node('Mul', [quiet, quiet], ['variance_without_noise']),
            helper.make_node('Add', ['variance_without_noise', 'noise_variance'], ['variance']),
            helper.make_node('Sqrt', ['variance'], [name]),
        ]
    )


def _rename(graph: onnx.GraphProto, name: str, other: str) -> None:
    """Rename a tensor between the nodes."""
    for node in graph.node:
        node.output[:] = [other if one == name else one for one in node.output]
        node.input[:] = [other if one == name else one for one in node.input]
