"""The policy file: an ONNX network that carries its own `PolicySpec`.

The cell reads these files, so this module needs only numpy and onnxruntime: no torch, no onnx.

Inputs are named after the observations and have the shape (batch, *stacked_shape); the outputs
are those of `OUTPUTS`. Normalisation is inside the graph. The spec is JSON in the model's metadata
under `SPEC_KEY`.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime

from chef_trainer.spec import ActionSpec, PolicySpec, SpecError

if TYPE_CHECKING:
    import onnx

SPEC_KEY = 'chef_policy_spec'
# `action` is deterministic: the mean of the Gaussian dimensions, the likelier side of the gripper;
# the other three describe the distribution it came from.
OUTPUTS = ('action', 'mean', 'stddev', 'gripper_logits')
_DTYPES = {'tensor(float)': 'float32', 'tensor(uint8)': 'uint8'}


class PolicyFileError(ValueError):
    """A policy file is missing, corrupt, without spec, or its network does not fit its spec."""


def output_sizes(action: ActionSpec) -> dict[str, int]:
    """Return the size of the last axis of every output; without a gripper there are 0 logits."""
    count, sides = len(action.names), 2 * action.discrete
    gaussians = count - action.discrete
    return dict(zip(OUTPUTS, (count, gaussians, gaussians, sides), strict=True))


def read_spec(path: str | Path) -> PolicySpec:
    """Read the spec of the policy file at `path` and check the network against it.

    Raises:
        PolicyFileError: naming the file and what is wrong with it.
    """
    return session_spec(open_session(path), path)


def open_session(
    path: str | Path,
    providers: tuple[str, ...] = ('CPUExecutionProvider',),
    threads: int = 1,
    bfloat16: bool = False,
) -> onnxruntime.InferenceSession:
    """Load the network of a policy file.

    Args:
        path: the policy file.
        providers: ONNX Runtime execution providers in order of preference.
        threads: of one inference.
        bfloat16: let OpenVINO compute in bfloat16, rounding actions by about 1e-3; the others
            do not offer that.

    Raises:
        PolicyFileError: the file cannot be read, or is not ONNX.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take the core from the controller between two control steps.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.log_severity_level = 3
    # OpenVINO has threads and a precision of its own.
    openvino = {'num_of_threads': str(threads)}
    if bfloat16:
        openvino['load_config'] = json.dumps({'CPU': {'INFERENCE_PRECISION_HINT': 'bf16'}})
    own = {'OpenVINOExecutionProvider': openvino}
    chosen = [(name, own.get(name, {})) for name in providers]
    try:
        # From bytes: the file may be replaced while it is being read.
        return onnxruntime.InferenceSession(Path(path).read_bytes(), options, providers=chosen)
    except OSError as error:
        raise PolicyFileError(f'{path}: cannot be read: {error.strerror}') from error
    except Exception as error:  # onnxruntime's error classes share no public base
        raise PolicyFileError(f'{path}: not a loadable ONNX file: {error}') from error


def session_spec(session: onnxruntime.InferenceSession, path: str | Path) -> PolicySpec:
    """Return the spec inside a loaded policy, checked against its inputs and outputs.

    Raises:
        PolicyFileError: no spec, a malformed one, or one that does not fit the network.
    """
    text = session.get_modelmeta().custom_metadata_map.get(SPEC_KEY)
    if text is None:
        raise PolicyFileError(f'{path}: no {SPEC_KEY!r} in the metadata, so not a policy file')
    try:
        spec = PolicySpec.from_json(text)
    except SpecError as error:
        raise PolicyFileError(f'{path}: {error}') from error
    _check_inputs(session, spec, path)
    _check_outputs(session, spec, path)
    return spec


def write(path: str | Path, model: 'onnx.ModelProto', spec: PolicySpec) -> None:
    """Write `model` with `spec` inside to `path`, atomically, after reading it back.

    Raises:
        PolicyFileError: the network does not fit the spec; an older file at `path` is kept.
    """
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = SPEC_KEY, spec.to_json()
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
        read_spec(temporary)


def sha256(path: str | Path) -> str:
    """Return the hex digest that identifies the policy file at `path`."""
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` at the end, or vanishes on an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, 'rb') as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_inputs(
    session: onnxruntime.InferenceSession, spec: PolicySpec, path: str | Path
) -> None:
    inputs = {item.name: item for item in session.get_inputs()}
    expected = {observation.name: observation for observation in spec.observations}
    if set(inputs) != set(expected):
        raise PolicyFileError(
            f'{path}: inputs {sorted(inputs)}, but its spec names {sorted(expected)}'
        )
    for name, observation in expected.items():
        shape, dtype = tuple(inputs[name].shape[1:]), _DTYPES.get(inputs[name].type)
        if (shape, dtype) != (observation.stacked_shape, observation.dtype):
            raise PolicyFileError(
                f'{path}: input {name} is {inputs[name].type} of shape (batch, *{shape}), but its '
                f'spec says {observation.dtype} of (batch, *{observation.stacked_shape})'
            )


def _check_outputs(
    session: onnxruntime.InferenceSession, spec: PolicySpec, path: str | Path
) -> None:
    outputs = {item.name: tuple(item.shape[1:]) for item in session.get_outputs()}
    expected = {name: (size,) for name, size in output_sizes(spec.action).items()}
    if outputs != expected:
        raise PolicyFileError(
            f'{path}: outputs are {outputs}, a policy has {expected} (name: shape without batch)'
        )
