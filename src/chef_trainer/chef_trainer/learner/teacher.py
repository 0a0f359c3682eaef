"""A policy file that is asked about every state of a batch."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from chef_trainer import policy_file
from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.spec import ObservationSpec


class Teacher:
    """Any policy file; what it sees must be among the run's observations.

    Raises:
        PolicyFileError: the file is not a policy.
        ValueError: it sees what the run does not have.
    """

    def __init__(self, path: Path, observations: Iterable[ObservationSpec]) -> None:
        self._session = policy_file.open_session(path)
        spec = policy_file.session_spec(self._session, path)
        offered = {one.name: (one.stacked_shape, one.dtype) for one in observations}
        self._names = [one.name for one in spec.observations]
        for one in spec.observations:
            if offered.get(one.name) != (one.stacked_shape, one.dtype):
                raise ValueError(
                    f'{path}: the teacher sees {one.name} {one.dtype} {one.stacked_shape}, '
                    f'the run has {offered}'
                )

    def __call__(self, observation: dict[str, Tensor]) -> MixedDistribution:
        """Return what the teacher would do in B states: distributions (B, ...)."""
        inputs = {name: observation[name].numpy() for name in self._names}
        _, *parts = self._session.run(list(policy_file.OUTPUTS), inputs)
        return MixedDistribution(*map(torch.from_numpy, parts))
