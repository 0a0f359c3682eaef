"""Export a policy network to a policy file and prove that both say the same."""

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from chef_trainer import policy_file
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.networks.policy import MixedPolicy
from chef_trainer.scripted.stacker import ScriptedStacker
from chef_trainer.spec import PolicySpec

# It warns of every torchvision operator that it would support if torchvision were installed.
logging.getLogger('torch.onnx._internal.exporter._registration').setLevel(logging.ERROR)

OPSET = 20
TOLERANCE = 1e-5
_CHECKED_BATCH = 16


Policy = MixedPolicy | DeployedPolicy | ScriptedStacker


class ExportError(RuntimeError):
    """The exported network does not compute what the torch network computes."""


class _Outputs(nn.Module):
    """Positional inputs in, the outputs of a policy file out."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        names = [observation.name for observation in self.policy.observations]
        distribution = self.policy(dict(zip(names, inputs, strict=True)))
        return distribution.mode(), *distribution


def export_policy(policy: Policy, spec: PolicySpec, path: str | Path) -> float:
    """Write `policy` with `spec` inside to `path`; return the largest difference from torch.

    Raises:
        ExportError: torch and ONNX Runtime differ by more than `TOLERANCE`; nothing is written.
        PolicyFileError: the network does not fit the spec.
    """
    policy = policy.eval()
    inputs = tuple(
        torch.zeros(2, *one.stacked_shape, dtype=getattr(torch, one.dtype))
        for one in spec.observations
    )
    batch = torch.export.Dim('batch', min=1)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the exporter's own deprecations
        program = torch.onnx.export(
            _Outputs(policy),
            inputs,
            input_names=[observation.name for observation in spec.observations],
            output_names=list(policy_file.OUTPUTS),
            dynamic_shapes=(tuple({0: batch} for _ in inputs),),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    # Written beside the target first, so that a file which fails the comparison never shows.
    with tempfile.TemporaryDirectory() as directory:
        candidate = Path(directory) / 'policy.onnx'
        policy_file.write(candidate, _without_traces(program.model_proto), spec)
        difference = compare(policy, candidate)
        if difference > TOLERANCE:
            raise ExportError(
                f'{path}: ONNX Runtime is {difference:.1e} off torch, allowed: {TOLERANCE:.0e}'
            )
        with policy_file.replacing(path) as temporary:
            temporary.write_bytes(candidate.read_bytes())
    return difference


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter notes about this machine: source lines with their paths."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    for node in graph.node:
        node.doc_string = ''
    return model


def compare(policy: Policy, path: str | Path, seed: int = 0) -> float:
    """Return the largest difference of any output, relative above 1, over random inputs.

    The states are drawn around the features' own statistics, so they are like the data.
    """
    inputs = _drawn(policy, np.random.default_rng(seed))
    outputs = policy_file.open_session(path).run(list(policy_file.OUTPUTS), inputs)
    with torch.no_grad():
        distribution = policy({name: torch.from_numpy(value) for name, value in inputs.items()})
    expected = (distribution.mode(), *distribution)
    return max(
        float(_relative(ours, theirs.numpy()).max(initial=0.0))  # there may be no logits
        for ours, theirs in zip(outputs, expected, strict=True)
    )


def _relative(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))


def _drawn(policy: Policy, random: np.random.Generator) -> dict[str, np.ndarray]:
    inputs = {}
    start = 0
    for observation in policy.observations:
        shape = (_CHECKED_BATCH, *observation.stacked_shape)
        if observation.dtype == 'uint8':
            inputs[observation.name] = random.integers(256, size=shape, dtype=np.uint8)
            continue
        block = slice(start, start + int(np.prod(shape[1:])))
        start = block.stop
        mean = policy.features.mean[block].numpy()
        deviation = 1 / policy.features.scale[block].numpy()
        noise = random.normal(size=(_CHECKED_BATCH, len(mean)))
        inputs[observation.name] = (mean + deviation * noise).astype(np.float32).reshape(shape)
    return inputs
