"""What a foreign environment says, as the trainer's named observations."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from chef_trainer.spec import ObservationSpec


def readings(
    values: Mapping[str, Any], wanted: Iterable[ObservationSpec]
) -> dict[str, np.ndarray]:
    """Return name -> float32 of the shape that each of `wanted` says.

    Raises:
        ValueError: there is no such observation, or it has another size.
    """
    found = {}
    for spec in wanted:
        if spec.name not in values:
            raise ValueError(f'no observation {spec.name!r}, allowed: {sorted(values)}')
        value = np.asarray(values[spec.name], np.float32)
        if value.size != np.prod(spec.stacked_shape, dtype=int):
            raise ValueError(f'{spec.name} has shape {value.shape}, not {spec.stacked_shape}')
        found[spec.name] = value.reshape(spec.stacked_shape)
    return found
