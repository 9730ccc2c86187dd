"""The base networks: a table of `architectures` filled with one of three kinds of blocks.

A new block is a class below and one line in BLOCKS. Contract: built from (in channels, out channels, kernel, pool), it
maps [B,I,H,W] to [B,O,H/2,W/2], or to [B,O,H,W] without pooling, and ends with ReLU. Its first convolution is a `Conv`
of `layers`, with its BatchNorm, if it has one, behind it. `Backbone.whiten` fixes the first filters where they can hold
principal components (`holds_components`).
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import BackboneConfig
from .architectures import MERGED, TABLES, Row, scaled
from .layers import Conv, conv_norm, norm_pool_relu, pool_relu

GREY_LEVEL = 0.02  # of 255, in normalised images, about


class ConvBlock(nn.Module):
    """B1: convolution, BatchNorm; x [B,I,H,W] -> [B,O,H/2,W/2], or [B,O,H,W] without `pool`, as all blocks but one."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__()
        self.conv, self.norm = Conv(in_channels, out_channels, kernel), nn.BatchNorm2d(out_channels)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return norm_pool_relu(self.norm, self.conv(x), self.pool)


class SeparableBlock(nn.Module):
    """B2: depthwise convolution, BatchNorm, ReLU, pointwise convolution, BatchNorm (Howard et al. 2017, section 3.1):
    x [B,I,H,W] -> [B,O,H/2,W/2].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__()
        self.depthwise = conv_norm(in_channels, in_channels, kernel, groups=in_channels)
        self.pointwise, self.norm = Conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return norm_pool_relu(self.norm, self.pointwise(F.relu_(self.depthwise(x))), self.pool)


class ResidualBlock(nn.Module):
    """B3: two 3x3 convolutions beside a 1x1 shortcut (He et al. 2015, section 3.2); the kernel is always 3:
    x [B,I,H,W] -> [B,O,H/2,W/2].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__()
        self.first = conv_norm(in_channels, out_channels, 3)
        self.second = conv_norm(out_channels, out_channels, 3)
        self.shortcut = conv_norm(in_channels, out_channels, 1)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return pool_relu(self.second(F.relu_(self.first(x))) + self.shortcut(x), self.pool)


class StridedBlock(nn.Module):
    """A convolution at every other position, and BatchNorm unless its filters are fixed, as in `Backbone.whiten`:
    x [B,I,H,W] -> [B,O,H/2,W/2].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, fixed: bool) -> None:
        super().__init__()
        self.conv = Conv(in_channels, out_channels, kernel, stride=2)
        self.norm = None if fixed else nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return F.relu_(x if self.norm is None else self.norm(x))


BLOCKS = {"conv": ConvBlock, "separable": SeparableBlock, "residual": ResidualBlock}


class Merge(nn.Module):
    """Deep maps brought back to a fine resolution: what is there, and where exactly (Lin et al. 2017, section 3).

    Each map goes through a 1x1 convolution to the same channels, is enlarged to the next finer map's size by repeating
    its cells, and is added to that; a 3x3 convolution follows. Only the finest level is kept: one map for all objects,
    whatever their size, so that the rest of the detector is that of the course. maps, finest first: [B,C,h,w] each, all
    those of the table; the result: [B,channels,H/stride,W/stride] of an image [B,3,H,W].
    """

    def __init__(self, rows: Sequence[Row], channels: int, stride: int) -> None:
        super().__init__()
        strides = list(accumulate((row.halves for row in rows), mul))
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


def holds_components(out: int, channels: int, kernel: int) -> bool:
    """Whether `out` filters of kernel x kernel on so many channels can be principal components, each with both signs.

    They see all three colours (a depthwise convolution sees one), and a patch of an image has 3*K*K components.
    """
    return channels == 3 and out % 2 == 0 and out // 2 <= 3 * kernel**2


class Backbone(nn.Module):
    """Normalised images to features: x float32 [B,3,H,W] -> [B,channels,H/stride,W/stride]."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.rows = [row._replace(channels=scaled(row.channels, config.width)) for row in TABLES[config.table]]
        widths = [3, *(row.channels for row in self.rows)]
        self.blocks = nn.Sequential()
        for number, (width, row) in enumerate(zip(widths, self.rows, strict=False), 1):
            self.blocks.add_module(f"conv{number}", self.block(config, width, row))
        self.channels, self.stride = widths[-1], math.prod(row.halves for row in self.rows)
        self.merge = Merge(self.rows, scaled(MERGED, config.width), config.merge) if config.merge else None
        if self.merge is not None:
            self.channels, self.stride = self.merge.channels, config.merge
        if config.identity:
            self.start_as_identity()
        self.whitened = config.whiten and holds_components(*self.first_filters().shape[:3])
        self.fix_first()

    def block(self, config: BackboneConfig, width: int, row: Row) -> nn.Module:
        """The module of a row behind a map of `width` channels; the last one of a network is always a plain one."""
        if row.before == "stride":
            first = row is self.rows[0] and holds_components(row.channels, width, row.kernel)
            return StridedBlock(width, row.channels, row.kernel, fixed=config.whiten and first)
        kind = ConvBlock if row is self.rows[-1] else BLOCKS[config.block]
        return kind(width, row.channels, row.kernel, row.pool)

    def forward(self, x: Tensor) -> Tensor:
        maps = []
        for block, row in zip(self.blocks, self.rows, strict=True):
            x = block(F.max_pool2d(x, 2) if row.before == "pool" else x)
            maps.append(x)
        return x if self.merge is None else self.merge(maps)

    def first_filters(self) -> Tensor:
        """The filters that meet the image: [O,3,K,K], or [3,1,K,K] where the first convolution is depthwise."""
        return next(module for module in self.modules() if isinstance(module, Conv)).weight

    def fix_first(self) -> None:
        """Keep components, and the BatchNorm behind them, as they are in training: 20 epochs are too few to learn
        better ones, and nothing in front of the second convolution needs a gradient (Page 2018, Jordan 2024)."""
        for kind in (Conv, nn.BatchNorm2d) if self.whitened else ():
            next((m for m in self.blocks[0].modules() if isinstance(m, kind)), nn.Module()).requires_grad_(False)

    @torch.no_grad()
    def whiten(self, images: Tensor) -> None:
        """Set the first filters to the strongest principal components of image patches, each with both signs.

        images: normalised, [B,3,H,W]. Where no BatchNorm follows, outputs have a mean square of 1, except those that
        spread by less than a grey level: noise is not enlarged. Filters that cannot hold components
        (`holds_components`) are left as they are, and trained.
        """
        if not self.whitened:
            return
        filters = self.first_filters()
        out, _, kernel, _ = filters.shape
        patches = F.unfold(images, kernel, stride=3).transpose(1, 2).flatten(0, 1)  # [patches,3*K*K]
        _, components = torch.linalg.eigh(torch.cov(patches.T))  # columns, weakest first
        strongest = components.T.flip(0)[: out // 2]  # [O/2,3*K*K]
        if isinstance(self.blocks[0], StridedBlock):
            spread = (patches @ strongest.T).square().mean(0).sqrt()  # [O/2]
            strongest = strongest / torch.where(spread < GREY_LEVEL, 1.0, spread)[:, None]
        filters.copy_(torch.cat((strongest, -strongest)).view_as(filters))

    @torch.no_grad()
    def start_as_identity(self) -> None:
        """Begin with filters that return their input: a one in the middle tap (Dirac), as many as inputs. Depthwise
        ones with a tenth, which BatchNorm undoes: Adam's steps have one length, and change small weights sooner."""
        for module in self.modules():
            if isinstance(module, Conv) and module.kernel_size[0] > 1 and module.in_channels > 3:
                nn.init.dirac_(module.weight[: module.in_channels], module.groups)
                module.weight.mul_(1.0 if module.groups == 1 else 0.1)
