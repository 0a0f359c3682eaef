"""The policy network: features, torso, head."""

from collections.abc import Mapping

from torch import Tensor, nn

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.features import Features
from chef_trainer.networks.heads import MixedHead
from chef_trainer.networks.torso import LayerNormMLP
from chef_trainer.spec import ObservationSpec


class MixedPolicy(nn.Module):
    """State policy over named observations; see `Features`, `LayerNormMLP` and `MixedHead`."""

    def __init__(
        self,
        observations: tuple[ObservationSpec, ...],
        differences: tuple[tuple[str, str], ...],
        hidden: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.observations = observations
        self.features = Features(observations, differences)
        self.torso = LayerNormMLP(self.features.output_size, hidden)
        self.head = MixedHead(self.torso.output_size)

    def forward(self, observations: Mapping[str, Tensor]) -> MixedDistribution:
        """Map name -> (B, *stacked_shape) to the distribution of B actions."""
        return self.head(self.torso(self.features(observations)))
