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
    """A convolution without bias that keeps the resolution ("same" padding), or with stride 2 halves an even one."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, groups: int = 1, stride: int = 1) -> None:
        padding = (kernel - stride + 1) // 2
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        dense = self.kernel_size[0] > 1 and self.groups == 1 and self.stride[0] == 1
        if height * width <= MATRIX_CELLS and dense:
            return conv_as_product(x, self.weight)
        return super().forward(x)


class FullConv(nn.Conv2d):
    """A convolution whose kernel covers the whole map, without padding or bias: [B,I,K,K] -> [B,O,1,1].

    That is a fully connected layer, and it is computed as one.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.permute(0, 2, 3, 1).flatten(1)  # [B,K*K*I], no copy in channels_last
        return F.linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1))[:, :, None, None]


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
    with torch.inference_mode(False):  # kept for all that comes after, training too
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        y, x = y.flatten(), x.flatten()
        dy = y[:, None] - y[None, :] + kernel // 2  # [input cell, output cell]
        dx = x[:, None] - x[None, :] + kernel // 2
        inside = (dy >= 0) & (dy < kernel) & (dx >= 0) & (dx < kernel)
        return torch.where(inside, dy * kernel + dx, kernel * kernel).flatten().to(device)


def conv_norm(in_channels: int, out_channels: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """Convolution and BatchNorm with scale and shift."""
    return nn.Sequential(Conv(in_channels, out_channels, kernel, groups), nn.BatchNorm2d(out_channels))


def norm_pool_relu(norm: nn.BatchNorm2d, x: Tensor, pool: bool) -> Tensor:
    """BatchNorm, ReLU and, if asked for, 2x2 max pooling: [B,C,H,W] -> [B,C,H/2,W/2].

    The tables name ReLU before pooling. The maximum of rectified values is the rectified maximum, so both orders give
    the same values and gradients, and this one rectifies a quarter of the cells. The same holds for BatchNorm where its
    scale is positive: see `NormPool`.
    """
    if not pool:
        return F.relu_(norm(x))
    # In bfloat16 torch's own is as fast, unless the map behind it is frozen.
    pays = x.device.type == "cpu" and (x.dtype == torch.float32 or not x.requires_grad)
    if pays and norm.training and bool((norm.weight > 0).all()):
        return F.relu_(norm_pool(norm, x))
    return pool_relu(norm(x), pool)


def pool_relu(x: Tensor, pool: bool) -> Tensor:
    """ReLU after, if asked for, 2x2 max pooling: [B,C,H,W] -> [B,C,H/2,W/2]. Without it `x` itself is changed."""
    return F.relu_(F.max_pool2d(x, 2) if pool else x)


def norm_pool(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """`max_pool2d(norm(x), 2)` in training, running statistics included."""
    assert norm.num_batches_tracked is not None, "running statistics are kept"
    norm.num_batches_tracked.add_(1)
    return NormPool.apply(x, norm.weight, norm.bias, norm)  # type: ignore[no-untyped-call,no-any-return]


class NormPool(torch.autograd.Function):
    """BatchNorm over a batch, then 2x2 max pooling, for scales above 0: exact, and about half the memory traffic.

    The statistics need the whole map; but a rising function keeps the place of the maximum, so that only the pooled
    quarter has to be normalised. Backward, the sums over the map are sums over that quarter, since only there the
    gradient is not 0; and a frozen convolution before it needs no gradient of the map at all.
    Statistics, sums and what is kept of a channel are float32, also where the map is bfloat16.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, norm):  # type: ignore[no-untyped-def]
        mean, var = torch.batch_norm_update_stats(x, norm.running_mean, norm.running_var, norm.momentum)  # [C], [C]
        deviation = (var + norm.eps).rsqrt()
        pooled, index = F.max_pool2d(x, 2, return_indices=True)  # [B,C,H/2,W/2]
        ctx.save_for_backward(x if ctx.needs_input_grad[0] else None, pooled, index, mean, deviation, weight)
        scale = weight * deviation
        return torch.addcmul(per_channel(bias - mean * scale), pooled, per_channel(scale)).to(x.dtype)

    @staticmethod
    def backward(ctx, slope):  # type: ignore[no-untyped-def]
        x, pooled, index, mean, deviation, weight = ctx.saved_tensors
        bias_slope = slope.sum((0, 2, 3), dtype=mean.dtype)  # [C]
        weight_slope = ((slope * pooled).sum((0, 2, 3), dtype=mean.dtype) - mean * bias_slope) * deviation
        if x is None:
            return None, weight_slope, bias_slope, None
        scale, count = weight * deviation, x.numel() / x.shape[1]
        by_value = -scale * deviation * weight_slope / count  # [C]: through the variance
        constant = -scale * bias_slope / count - by_value * mean  # [C]: through the mean
        scale, by_value, constant = (per_channel(value).to(x.dtype) for value in (scale, by_value, constant))
        backward = torch.ops.aten.max_pool2d_with_indices_backward
        spread = backward(slope * scale, x, [2, 2], [2, 2], [0, 0], [1, 1], False, index)  # [B,C,H,W]
        return spread.addcmul_(x, by_value).add_(constant), weight_slope, bias_slope, None


def per_channel(values: Tensor) -> Tensor:
    """[C] to [1,C,1,1]."""
    return values.view(1, -1, 1, 1)
