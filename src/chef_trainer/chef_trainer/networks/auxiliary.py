"""What the encoder must know beside what its task asks of it."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from chef_trainer.networks.features import Features
from chef_trainer.spec import ObservationSpec


class Auxiliary(nn.Module):
    """Regression of known states from what the encoder makes of the observations.

    In simulation the objects' poses are known while a policy learns to see without them; asking
    for them shapes the encoder with far fewer images than actions or values do (Jaderberg et al.,
    2017; for poses James et al., 2017). Not part of the policy that is exported.

    Args:
        inputs: size of an encoded state.
        observations: states to predict.
    """

    def __init__(self, inputs: int, observations: tuple[ObservationSpec, ...]) -> None:
        super().__init__()
        self.features = Features(observations)
        self.output = nn.Linear(inputs, self.features.output_size)

    def forward(self, encoded: Tensor, observations: Mapping[str, Tensor]) -> Tensor:
        """Return half the mean squared error of standardised states, from (B, inputs)."""
        wanted = self.features(observations)
        return 0.5 * (self.output(encoded) - wanted).square().mean()

    def fit(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """Take mean and deviation of the states from all of `batches`."""
        self.features.fit(batches)
