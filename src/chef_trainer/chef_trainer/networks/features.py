"""From named observations to one standardised vector, inside the network."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from chef_trainer.networks.rotations import lines_in_frame, pose_in_frame
from chef_trainer.spec import ObservationSpec

MIN_DEVIATION = 1e-2  # of an input, in its own unit; keeps constant inputs from blowing up
MAX_STANDARDISED = 10.0  # rare contact forces are 50 deviations away and say no more than 10


class Features(nn.Module):
    """Concatenates observations, appends differences, standardises by the data's statistics.

    Args:
        observations: the inputs, float32 states; a history is flattened newest first.
        differences: pairs (a, b) of observations of equal stacked shape: a - b is appended. What
            a policy must resolve to millimetres (object minus tool) would otherwise be the small
            difference of two large inputs.
        relative: pairs (a, b) of poses: a as seen from b is appended, its position and rotation
            matrix. How a gripper must turn is a simple function of them, and a hard one of two
            quaternions.
        lines: pairs (a, b) of poses: a's axes as lines and crosses in b's xy plane are appended.
            A gripper may take a box from either side, and a square one from four: a sawtooth of
            the angle, which networks learn slowly, and nearly a line of these (Tancik et al.,
            "Fourier Features Let Networks Learn High Frequency Functions", 2020).

    Raises:
        ValueError: a pair names an unknown observation, two different shapes, or no poses.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        observations: tuple[ObservationSpec, ...],
        differences: tuple[tuple[str, str], ...] = (),
        relative: tuple[tuple[str, str], ...] = (),
        lines: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__()
        shapes = {observation.name: observation.stacked_shape for observation in observations}
        kinds = {'difference': differences, 'relative': relative, 'lines': lines}
        for kind, pairs in kinds.items():
            for pair in pairs:
                if len({shapes.get(name) for name in pair}) != 1 or not set(pair) <= {*shapes}:
                    raise ValueError(
                        f'{kind} {pair}: needs two observations of one shape: {shapes}'
                    )
                if kind != 'difference' and shapes[pair[0]][-1:] != (7,):
                    raise ValueError(f'{kind} {pair}: needs two poses (7,), not {shapes[pair[0]]}')
        self.names = tuple(shapes)
        self.differences = differences
        self.relative = relative
        self.lines = lines
        sizes = [torch.Size(shape).numel() for shape in shapes.values()]
        self.output_size = sum(sizes) + sum(torch.Size(shapes[a]).numel() for a, _ in differences)
        self.output_size += sum(
            12 * torch.Size(shapes[a][:-1]).numel() for a, _ in (*relative, *lines)
        )
        self.register_buffer('mean', torch.zeros(self.output_size))
        self.register_buffer('scale', torch.ones(self.output_size))

    def raw(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Return (B, output_size) in physical units."""
        flat = [observations[name].flatten(1) for name in self.names]
        flat += [(observations[a] - observations[b]).flatten(1) for a, b in self.differences]
        for seen_from, pairs in ((pose_in_frame, self.relative), (lines_in_frame, self.lines)):
            flat += [seen_from(observations[a], observations[b]).flatten(1) for a, b in pairs]
        return torch.cat(flat, dim=1)

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Return (B, output_size), zero mean and unit deviation over the fitted data."""
        standardised = (self.raw(observations) - self.mean) * self.scale
        return standardised.clamp(-MAX_STANDARDISED, MAX_STANDARDISED)

    @torch.no_grad()
    def fit(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """Take mean and deviation from all of `batches`."""
        count, total, squares = 0, torch.zeros((), dtype=torch.float64), torch.zeros(())
        for batch in batches:
            x = self.raw(batch).double()
            count += len(x)
            total = total + x.sum(0)
            squares = squares + (x * x).sum(0)
        mean = total / count
        deviation = (squares / count - mean**2).clamp(min=0).sqrt().clamp(min=MIN_DEVIATION)
        self.mean.copy_(mean)
        self.scale.copy_(1 / deviation)
