"""From named observations to one vector: states standardised, images through a ResNet."""

import dataclasses
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from chef_trainer.networks.features import Features
from chef_trainer.networks.resnet import LARGE, SMALL, ResNet
from chef_trainer.spec import ObservationSpec

SIZES = {'small': (SMALL, 32), 'large': (LARGE, 256)}


@dataclasses.dataclass(frozen=True)
class VisionSettings:
    """How images are seen."""

    torso: str = 'small'  # small: {16, 32, 32} / 32, large: {64, 128, 128, 64} / 256
    bfloat16: bool = False  # compute the torso in bfloat16: twice as fast where it has units
    shift: int = 0  # pixels, largest random shift of an image in training

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.torso not in SIZES:
            raise ValueError(f'vision.torso = {self.torso!r}, allowed: {sorted(SIZES)}')
        if self.shift < 0:
            raise ValueError(f'vision.shift = {self.shift} pixels, must not be negative')


class Encoder(nn.Module):
    """Concatenates the states (proprioception, haptics, poses) and the cameras' embeddings.

    float32 observations are states; uint8 ones (H, W, C) are images, all of one shape: the
    cameras share a torso. A history of images is stacked on the channels.

    Raises:
        ValueError: images of different shapes, or of another rank.
    """

    def __init__(
        self,
        observations: tuple[ObservationSpec, ...],
        differences: tuple[tuple[str, str], ...] = (),
        vision: VisionSettings | None = None,
        relative: tuple[tuple[str, str], ...] = (),
        lines: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__()
        vision = vision or VisionSettings()
        states = tuple(one for one in observations if one.dtype == 'float32')
        self.observations = observations
        self.cameras = tuple(one.name for one in observations if one.dtype == 'uint8')
        self.features = Features(states, differences, relative, lines)
        self.output_size = self.features.output_size
        self.resnet = None
        self.bfloat16, self._shift = vision.bfloat16, vision.shift
        if self.cameras:
            channels, embedding = SIZES[vision.torso]
            self.resnet = ResNet(_image_shape(observations), channels, embedding)
            self.resnet.to(memory_format=torch.channels_last)
            self.output_size += embedding * len(self.cameras)

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Map name -> (B, *stacked_shape) to (B, output_size)."""
        parts = [self.features(observations)] if self.features.names else []
        if self.resnet is not None:
            images = torch.stack([_channels(observations[name]) for name in self.cameras])
            if self._shift and self.training:
                images = shifted(images.flatten(0, 1), self._shift).view_as(images)
            with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bfloat16):
                embedded = self.resnet(images.flatten(0, 1))
            parts += embedded.float().unflatten(0, images.shape[:2]).unbind()
        return torch.cat(parts, dim=1)

    def fit(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """Take mean and deviation of the states from all of `batches`."""
        if self.features.names:
            self.features.fit(batches)


def shifted(images: Tensor, most: int) -> Tensor:
    """Move each of (N, H, W, C) images by up to `most` pixels; the border is repeated.

    Augmentation of DrQ (Yarats et al., 2021): what is seen a little elsewhere is the same.
    """
    count, height, width, _ = images.shape
    down, right = torch.randint(-most, most + 1, (2, count, 1), device=images.device)
    rows = (torch.arange(height, device=images.device) + down).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) + right).clamp(0, width - 1)
    which = torch.arange(count, device=images.device)
    return images[which[:, None, None], rows[:, :, None], columns[:, None, :]]


def _channels(images: Tensor) -> Tensor:
    """Stack a history (B, T, H, W, C) on the channels: (B, H, W, T C)."""
    return images if images.dim() == 4 else images.permute(0, 2, 3, 1, 4).flatten(3)


def _image_shape(observations: tuple[ObservationSpec, ...]) -> tuple[int, int, int]:
    images = {one.name: (one.shape, one.history) for one in observations if one.dtype == 'uint8'}
    if len(set(images.values())) > 1 or any(len(shape) != 3 for shape, _ in images.values()):
        raise ValueError(f'images must be (height, width, channels), all alike: {images}')
    (height, width, channels), history = next(iter(images.values()))
    return height, width, channels * history
