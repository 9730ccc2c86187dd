"""The base networks: Table 1 (five pooled convolutions) and Table 2 (four, stride 8), with three kinds of blocks.

A new block is a class below and one line in BLOCKS. Contract: built from (in channels, out channels, kernel), it maps
[B,I,H,W] to [B,O,H,W] without the last ReLU, which follows the pooling (see `layers.pool_relu`).
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from .config import BackboneConfig
from .layers import conv_norm, pool_relu


class Row(NamedTuple):
    """One line of a table of the course."""

    kernel: int
    channels: int
    pool: bool


TABLES = {
    1: (Row(5, 32, True), Row(5, 64, True), Row(5, 128, True), Row(5, 256, True), Row(3, 512, True)),
    2: (Row(5, 32, True), Row(5, 64, True), Row(5, 128, True), Row(3, 256, False)),
}


class ConvBlock(nn.Sequential):
    """B1: convolution, BatchNorm."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(conv_norm(in_channels, out_channels, kernel))


class SeparableBlock(nn.Module):
    """B2: depthwise convolution, BatchNorm, ReLU, pointwise convolution, BatchNorm (Howard et al. 2017, section 3.1)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = conv_norm(in_channels, in_channels, kernel, groups=in_channels)
        self.pointwise = conv_norm(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(F.relu(self.depthwise(x)))  # type: ignore[no-any-return]


class ResidualBlock(nn.Module):
    """B3: two 3x3 convolutions beside a 1x1 shortcut (He et al. 2015, section 3.2); the kernel is 3 whatever is asked."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:  # noqa: ARG002
        super().__init__()
        self.first = conv_norm(in_channels, out_channels, 3)
        self.second = conv_norm(out_channels, out_channels, 3)
        self.shortcut = conv_norm(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(x))) + self.shortcut(x)  # type: ignore[no-any-return]


BLOCKS = {"conv": ConvBlock, "separable": SeparableBlock, "residual": ResidualBlock}


class Backbone(nn.Module):
    """Images to features: [B,3,H,W] -> [B,channels,H/stride,W/stride]."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        rows = TABLES[config.table]
        kinds = [BLOCKS[config.block]] * (len(rows) - 1) + [ConvBlock]
        widths = [3, *(row.channels for row in rows)]
        self.blocks = nn.ModuleDict(
            {f"conv{i + 1}": kind(widths[i], row.channels, row.kernel) for i, (kind, row) in enumerate(zip(kinds, rows, strict=True))}
        )
        self.pools = [row.pool for row in rows]
        self.channels = widths[-1]
        self.stride = 2 ** sum(self.pools)

    def forward(self, x: Tensor) -> Tensor:
        for block, pool in zip(self.blocks.values(), self.pools, strict=True):
            x = pool_relu(block(x), pool)
        return x
