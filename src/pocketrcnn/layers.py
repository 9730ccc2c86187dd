"""Convolution, normalisation and pooling as the networks use them.

Legend: B images, C channels, H and W the map's sides, K the kernel's side, I and O channels in and out.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Up to this many cells a convolution is one matrix product over the whole map: most taps of a 3x3 kernel on a 2x2 map
# meet padding, and the product leaves them out (5 times faster there, measured by `pocketrcnn bench step`).
MATRIX_CELLS = 4


class Conv(nn.Conv2d):
    """A convolution with stride 1 and no bias that keeps the resolution ("same" padding)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if height * width <= MATRIX_CELLS and self.kernel_size[0] > 1 and self.groups == 1:
            return conv_as_product(x, self.weight)
        return super().forward(x)


def conv_as_product(x: Tensor, weight: Tensor) -> Tensor:
    """The "same" convolution as one matrix product: x [B,I,H,W], weight [O,I,K,K] -> [B,O,H,W]."""
    batch, channels, height, width = x.shape
    out, kernel = weight.shape[0], weight.shape[-1]
    taps = weight.permute(2, 3, 1, 0).reshape(kernel * kernel, channels, out)  # [K*K,I,O]
    taps = F.pad(taps, (0, 0, 0, 0, 0, 1))  # a last tap of zeros, for cells that the kernel does not join
    cells = height * width
    joined = taps.index_select(0, tap_between(height, width, kernel, x.device))  # [cells*cells,I,O]
    matrix = joined.view(cells, cells, channels, out).transpose(1, 2).reshape(cells * channels, cells * out)
    product = x.permute(0, 2, 3, 1).reshape(batch, cells * channels) @ matrix  # [B, cells*O]
    return product.view(batch, height, width, out).permute(0, 3, 1, 2)  # channels_last


@lru_cache(maxsize=32)
def tap_between(height: int, width: int, kernel: int, device: torch.device) -> Tensor:
    """The tap that joins each input cell with each output cell, K*K where none does: int64 [H*W * H*W]."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    y, x = y.flatten(), x.flatten()
    dy = y[:, None] - y[None, :] + kernel // 2  # [input cell, output cell]
    dx = x[:, None] - x[None, :] + kernel // 2
    inside = (dy >= 0) & (dy < kernel) & (dx >= 0) & (dx < kernel)
    return torch.where(inside, dy * kernel + dx, kernel * kernel).flatten().to(device)


def conv_norm(in_channels: int, out_channels: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """Convolution and BatchNorm with scale and shift."""
    return nn.Sequential(Conv(in_channels, out_channels, kernel, groups), nn.BatchNorm2d(out_channels))


def pool_relu(x: Tensor, pool: bool) -> Tensor:
    """ReLU and, if asked for, 2x2 max pooling: [B,C,H,W] -> [B,C,H/2,W/2].

    The tables name ReLU first. The maximum of rectified values is the rectified maximum, so both orders give the same
    values and gradients; this one rectifies a quarter of the cells.
    """
    return F.relu(F.max_pool2d(x, 2)) if pool else F.relu(x)
