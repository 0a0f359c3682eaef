"""Environments by name: the trainer knows none, the command line names one.

Such an environment is a Gymnasium environment with dictionary observations. It is built with
triplet=, observations= (tuple of ObservationSpec), force_limit= (N or None) and
benchmark_observation= (bool). Its reward is above 0.5 while the task is solved, and its info
may hold `force_max` (N, of the step), `sparse_stack` (bool) and, when asked for,
`benchmark_observation` (292,), the released policies' input. Where there are no triplets the word
names the scene.
"""

import functools
import importlib
from typing import Any

import gymnasium

from chef_trainer.spec import ObservationSpec


class UnknownEnvironmentError(ValueError):
    """An environment cannot be found or built."""


@functools.lru_cache(maxsize=8)
def environment(
    entry: str,
    triplet: str,
    observations: tuple[ObservationSpec, ...],
    benchmark_observation: bool,
) -> gymnasium.Env[dict[str, Any], Any]:
    """Return the environment `module:attribute`, built once per process and arguments.

    It has no force limit: an episode under the limit is the beginning of the same episode
    without it, so one episode tells both outcomes.

    Raises:
        UnknownEnvironmentError: the entry is malformed, or importing or building it failed.
    """
    return imported(entry)(
        triplet=triplet,
        observations=observations,
        force_limit=None,
        benchmark_observation=benchmark_observation,
    )


def imported(entry: str) -> Any:
    """Return what `module:attribute` names; raises UnknownEnvironmentError."""
    module, colon, attribute = entry.partition(':')
    if not colon:
        raise UnknownEnvironmentError(f'{entry!r}: expected module:attribute')
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownEnvironmentError(f'{entry}: cannot be imported: {error}') from error
