"""The base networks: Table 1 (five pooled convolutions) and Table 2 (four, stride 8), with three kinds of blocks.

A new block is a class below and one line in BLOCKS. Contract: built from (in channels, out channels, kernel, pool), it
maps [B,I,H,W] to [B,O,H/2,W/2], or to [B,O,H,W] without pooling, and ends with ReLU.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import BackboneConfig
from .layers import Conv, conv_norm, norm_pool_relu, pool_relu


class Row(NamedTuple):
    """One line of a table of the course."""

    channels: int
    kernel: int
    pool: bool


TABLES = {
    1: (Row(32, 5, True), Row(64, 5, True), Row(128, 5, True), Row(256, 5, True), Row(512, 3, True)),
    2: (Row(32, 5, True), Row(64, 5, True), Row(128, 5, True), Row(256, 3, False)),
    # Ours, for larger images: small kernels where the map is large, and channels that grow more slowly.
    3: (Row(24, 3, True), Row(64, 3, True), Row(96, 3, True), Row(160, 3, True), Row(256, 3, False)),
}
MERGED = 96  # channels of a merged map


class ConvBlock(nn.Module):
    """B1: convolution, BatchNorm."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__()
        self.conv, self.norm = Conv(in_channels, out_channels, kernel), nn.BatchNorm2d(out_channels)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return norm_pool_relu(self.norm, self.conv(x), self.pool)


class SeparableBlock(nn.Module):
    """B2: depthwise convolution, BatchNorm, ReLU, pointwise convolution, BatchNorm (Howard et al. 2017, 3.1)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__()
        self.depthwise = conv_norm(in_channels, in_channels, kernel, groups=in_channels)
        self.pointwise, self.norm = Conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return norm_pool_relu(self.norm, self.pointwise(F.relu(self.depthwise(x))), self.pool)


class ResidualBlock(nn.Module):
    """B3: two 3x3 convolutions beside a 1x1 shortcut (He et al. 2015, 3.2); the kernel is 3 whatever is asked."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__()
        self.first = conv_norm(in_channels, out_channels, 3)
        self.second = conv_norm(out_channels, out_channels, 3)
        self.shortcut = conv_norm(in_channels, out_channels, 1)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return pool_relu(self.second(F.relu(self.first(x))) + self.shortcut(x), self.pool)


BLOCKS = {"conv": ConvBlock, "separable": SeparableBlock, "residual": ResidualBlock}


def scaled(channels: int, width: float) -> int:
    """A number of channels times a factor: a multiple of 8, which processors like best."""
    return max(8, round(channels * width / 8) * 8)


class Merge(nn.Module):
    """Deep maps brought back to a fine resolution: what is there, and where exactly (Lin et al. 2017, section 3).

    Each map goes through a 1x1 convolution to the same channels, is enlarged to the next finer map's size by repeating
    its cells, and is added to that; a 3x3 convolution follows. Only the finest level is kept: one map for all objects,
    whatever their size, so that the rest of the detector is that of the course.
    """

    def __init__(self, rows: Sequence[Row], channels: int, stride: int) -> None:
        super().__init__()
        strides = list(accumulate((2 if row.pool else 1 for row in rows), mul))
        self.first = strides.index(stride)
        """The first map that takes part."""
        self.channels = channels
        self.lateral = nn.ModuleList(conv_norm(row.channels, channels, 1) for row in rows[self.first :])
        self.smooth = ConvBlock(channels, channels, 3, pool=False)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        x: Tensor | None = None
        for lateral, finer in zip(reversed(self.lateral), reversed(maps), strict=False):
            same = lateral(finer)
            x = same if x is None else same + F.interpolate(x, size=same.shape[-2:], mode="nearest")
        return self.smooth(x)  # type: ignore[no-any-return]


class Backbone(nn.Module):
    """Images to features: [B,3,H,W] -> [B,channels,H/stride,W/stride]."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        rows = [row._replace(channels=scaled(row.channels, config.width)) for row in TABLES[config.table]]
        kinds = [BLOCKS[config.block]] * (len(rows) - 1) + [ConvBlock]
        if config.table == 3:
            kinds[:2] = [ConvBlock, ConvBlock]  # the largest maps take the cheapest block
        widths = [3, *(row.channels for row in rows)]
        blocks = [kind(width, *row) for kind, width, row in zip(kinds, widths, rows, strict=False)]
        self.blocks = nn.Sequential(OrderedDict((f"conv{i}", block) for i, block in enumerate(blocks, 1)))
        self.channels, self.stride = widths[-1], 2 ** sum(row.pool for row in rows)
        self.merge = Merge(rows, scaled(MERGED, config.width), config.merge) if config.merge else None
        if self.merge is not None:
            self.channels, self.stride = self.merge.channels, config.merge
        if config.identity:
            self.pass_on()
        self.whitened = config.whiten and config.block != "separable"  # a depthwise first layer mixes no channels
        if self.whitened:
            self.first_filters().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if self.merge is None:
            return self.blocks(x)  # type: ignore[no-any-return]
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return self.merge(maps)  # type: ignore[no-any-return]

    def first_filters(self) -> Tensor:
        """The filters that meet the image: [O,3,K,K], or [3,1,K,K] where the first convolution is depthwise."""
        return next(module for module in self.modules() if isinstance(module, Conv)).weight

    @torch.no_grad()
    def whiten(self, images: Tensor) -> None:
        """Set the first filters to the strongest principal components of image patches, each with both signs.

        images: normalised, [B,3,H,W]. The filters stay as they are in training: 20 passes are too few to learn better
        ones, and their gradient is saved (after Page 2018 and Jordan 2024; here without the division by the variances).
        """
        if not self.whitened:
            return
        filters = self.first_filters()
        out, _, kernel, _ = filters.shape
        patches = F.unfold(images, kernel, stride=3).transpose(1, 2).flatten(0, 1)  # [patches,3*K*K]
        _, components = torch.linalg.eigh(torch.cov(patches.T))  # columns, weakest first
        strongest = components.T.flip(0)[: out // 2]  # [O/2,3*K*K]
        filters.copy_(torch.cat((strongest, -strongest)).view_as(filters))

    @torch.no_grad()
    def pass_on(self) -> None:
        """Begin with filters that hand their input on: a one in the middle tap (a dirac), as many as inputs."""
        for module in self.modules():
            if isinstance(module, Conv) and module.groups == 1 and module.kernel_size[0] > 1 and module.in_channels > 3:
                nn.init.dirac_(module.weight[: module.in_channels])
