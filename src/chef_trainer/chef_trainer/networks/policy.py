"""The policy network: features, torso, head; one torso and head for all tasks, or one per task."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.features import Features
from chef_trainer.networks.heads import MixedHead
from chef_trainer.networks.torso import LayerNormMLP
from chef_trainer.spec import ObservationSpec


class MixedPolicy(nn.Module):
    """State policy over named observations; see `Features`, `LayerNormMLP` and `MixedHead`.

    Args:
        observations: what it sees.
        differences: appended to it.
        hidden: units per layer of a torso.
        chooser: the observation, one-hot, that chooses which of several networks acts; empty:
            one network for all. Specialists are easier to imitate one by one: they do not share
            what they know, and each costs a fraction of a network that holds all of them.

    Raises:
        ValueError: the chooser is not an observation without history.
    """

    def __init__(
        self,
        observations: tuple[ObservationSpec, ...],
        differences: tuple[tuple[str, str], ...],
        hidden: tuple[int, ...],
        chooser: str = '',
    ) -> None:
        super().__init__()
        shapes = {observation.name: observation.stacked_shape for observation in observations}
        if chooser and len(shapes.get(chooser, ())) != 1:
            raise ValueError(
                f'chooser {chooser!r}: needs a vector among the observations {shapes}'
            )
        self.observations = observations
        self.chooser = chooser
        self.features = Features(observations, differences)
        count = shapes[chooser][0] if chooser else 1
        self.experts = nn.ModuleList(
            nn.Sequential(LayerNormMLP(self.features.output_size, hidden), MixedHead(hidden[-1]))
            for _ in range(count)
        )

    def forward(self, observations: Mapping[str, Tensor]) -> MixedDistribution:
        """Map name -> (B, *stacked_shape) to the distribution of B actions."""
        if self.training:
            return self.traced(observations)[0]
        x = self.features(observations)
        return self._weighed(x, observations[self.chooser]) if self.chooser else self.experts[0](x)

    def traced(
        self, observations: Mapping[str, Tensor]
    ) -> tuple[MixedDistribution, tuple[Tensor, ...]]:
        """Return the distribution and what enters every non-linearity, (B, units) per layer.

        Only the expert that is chosen is asked about a state.
        """
        x = self.features(observations)
        chosen = observations[self.chooser] if self.chooser else x.new_ones(len(x), 1)
        rows = [chosen[:, index].nonzero()[:, 0] for index in range(len(self.experts))]
        back = torch.cat(rows).argsort()
        outputs, traces = zip(
            *(torso.traced(x[row]) for (torso, _), row in zip(self.experts, rows, strict=True)),
            strict=True,
        )
        answers = [head(h) for (_, head), h in zip(self.experts, outputs, strict=True)]
        return (
            MixedDistribution(*(_joined(parts, back) for parts in zip(*answers, strict=True))),
            tuple(_joined(parts, back) for parts in zip(*traces, strict=True)),
        )

    def _weighed(self, x: Tensor, chosen: Tensor) -> MixedDistribution:
        """Ask all and take the chosen one: the same numbers, without a branch in the graph."""
        answers = [expert(x) for expert in self.experts]
        return MixedDistribution(
            *(
                torch.einsum('nbk,bn->bk', torch.stack(parts), chosen)
                for parts in zip(*answers, strict=True)
            )
        )


def _joined(parts: Iterable[Tensor], order: Tensor) -> Tensor:
    return torch.cat(tuple(parts))[order]
