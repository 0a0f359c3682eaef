"""A policy file that is asked about every state of a batch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from chef_trainer import policy_file
from chef_trainer.networks.distributions import MixedDistribution


class Teacher:
    """Any policy file. It may see more than the policy that is trained.

    So a pupil learns to do from images what its teacher does from poses (Chen et al., "Learning
    by Cheating", 2020).

    Raises:
        PolicyFileError: the file is not a policy.
    """

    def __init__(self, path: Path) -> None:
        self._session = policy_file.open_session(path)
        self._observations = policy_file.session_spec(self._session, path).observations

    def __call__(self, observation: Mapping[str, np.ndarray]) -> MixedDistribution:
        """Return what the teacher would do in B states: distributions (B, ...)."""
        inputs = {one.name: one.newest(observation[one.name]) for one in self._observations}
        _, *parts = self._session.run(list(policy_file.OUTPUTS), inputs)
        return MixedDistribution(*map(torch.from_numpy, parts))
