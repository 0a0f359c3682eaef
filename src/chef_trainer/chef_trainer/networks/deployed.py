"""What leaves the trainer: encoder and policy of one task, as a policy file sees them."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn

from chef_trainer.networks.agent import AgentNetworks
from chef_trainer.networks.distributions import MixedDistribution, SquashedDistribution


class DeployedPolicy(nn.Module):
    """Observations to a distribution of actions: a copy, in float32, for the first task."""

    def __init__(self, networks: AgentNetworks) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(networks.encoder).cpu()
        self.encoder.bfloat16 = False
        self.actor = copy.deepcopy(networks.actor).cpu()
        self.observations = self.encoder.observations
        self.features = self.encoder.features
        self.eval()

    def forward(self, observations: Mapping[str, Tensor]) -> MixedDistribution:
        """Map name -> (B, *stacked_shape) to the distribution of B actions."""
        policy = self.actor(self.encoder(observations))
        if isinstance(policy, SquashedDistribution):
            policy = policy.described()
        return MixedDistribution(*(part[0] for part in policy))
