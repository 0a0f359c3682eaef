"""Residual networks for camera images: the torsos of CHEF's two sizes."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

SMALL = (16, 32, 32)  # with an embedding of 32: to collect and to explore
LARGE = (64, 128, 128, 64)  # with an embedding of 256: to fine-tune


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(relu(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (B, C, H, W)."""
        return x + self.second(relu(self.first(relu(x))))


class ResNet(nn.Module):
    """Images (B, H, W, C) uint8 to embeddings (B, embedding) in [-1, 1].

    Each stage: convolution, max pooling by 2, two residual blocks (IMPALA, Espeholt et al.,
    2018). Then a linear layer, layer norm and tanh, as in front of the state networks.

    Args:
        shape: height, width and channels of an image.
        channels: of the stages, `SMALL` or `LARGE`.
        embedding: size of the output.
    """

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, ...], embedding: int
    ) -> None:
        super().__init__()
        height, width, before = shape
        stages: list[nn.Module] = []
        for after in channels:
            stages += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.MaxPool2d(3, stride=2, padding=1),
                ResidualBlock(after),
                ResidualBlock(after),
            ]
            height, width, before = -(-height // 2), -(-width // 2), after
        self.stages = nn.Sequential(*stages)
        self.linear = nn.Linear(height * width * before, embedding)
        self.norm = nn.LayerNorm(embedding)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, H, W, C) uint8 to (B, embedding)."""
        # A permuted image is an image in channels-last layout: nothing is copied.
        x = images.permute(0, 3, 1, 2).to(self.linear.weight.dtype) / 255 - 0.5
        x = relu(self.stages(x)).flatten(1)
        return torch.tanh(self.norm(self.linear(x)))
