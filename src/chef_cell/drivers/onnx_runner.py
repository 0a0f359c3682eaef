"""A policy file run by ONNX Runtime behind the `PolicyRunner` port."""

from itertools import takewhile
from pathlib import Path

import numpy as np
import onnxruntime

from chef_trainer import policy_file

#: A network's squashed output may leave [-1, 1] by rounding, no further.
_TOLERANCE = 1e-6


class OnnxRunner:
    """Runs the deterministic action of a policy file, one observation at a time.

    Args:
        path: the policy file.
        providers: ONNX Runtime execution providers in order of preference (`CPU`, `CUDA`,
            `Tensorrt`, `OpenVINO`, each + `ExecutionProvider`). Those that this build of ONNX
            Runtime lacks are skipped: see `provider` and `fallback`.
        threads: threads of one inference; 1 leaves the other cores to the control nodes.
        bfloat16: let OpenVINO compute in bfloat16, see `policy_file.open_session`.

    Raises:
        PolicyFileError: the file cannot be read, is not ONNX, or its network does not fit its
            spec.
        ValueError: none of `providers` is available.
    """

    def __init__(
        self,
        path: str | Path,
        providers: tuple[str, ...] = ('CPUExecutionProvider',),
        threads: int = 1,
        bfloat16: bool = False,
    ) -> None:
        self.path = str(path)
        self._wanted = providers
        self._session = policy_file.open_session(path, _available(providers), threads, bfloat16)
        self.spec = policy_file.session_spec(self._session, path)
        self.sha256 = policy_file.sha256(path)

    @property
    def provider(self) -> str:
        """Return the execution provider in force: ONNX Runtime drops those that fail to start."""
        return str(self._session.get_providers()[0])

    @property
    def fallback(self) -> str:
        """Return why no provider of higher preference is in force; empty if the first one is."""
        installed = onnxruntime.get_available_providers()
        better = takewhile(lambda name: name != self.provider, self._wanted)
        return '; '.join(
            f'{name} did not start' if name in installed else f'{name} is not in this build'
            for name in better
        )

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """Return the action (5,) in [-1, 1] for one observation (no batch axis).

        Raises:
            ValueError: an input is missing or has the wrong shape or dtype, or the network
                answers with a number that is not finite or outside [-1, 1].
        """
        feed = {}
        for spec in self.spec.observations:
            value = observation.get(spec.name)
            if value is None:
                raise ValueError(
                    f'{self.spec.name}: input {spec.name} is missing, got {sorted(observation)}'
                )
            if value.shape != spec.stacked_shape or value.dtype != spec.dtype:
                raise ValueError(
                    f'{self.spec.name}: input {spec.name} is {value.dtype} {value.shape}, '
                    f'expected {spec.dtype} {spec.stacked_shape}'
                )
            feed[spec.name] = value[np.newaxis]
        action = self._session.run(['action'], feed)[0][0]
        # Written so that NaN fails too.
        if not np.abs(action).max() <= 1.0 + _TOLERANCE:
            raise ValueError(
                f'{self.spec.name}: action {action.tolist()}, allowed: finite in [-1, 1]'
            )
        return action


def _available(providers: tuple[str, ...]) -> tuple[str, ...]:
    installed = onnxruntime.get_available_providers()
    usable = tuple(name for name in providers if name in installed)
    if not usable:
        raise ValueError(f'execution providers {list(providers)}: this build offers {installed}')
    return usable
