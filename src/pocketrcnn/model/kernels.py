"""Fast equivalents of plain operations: speed alone. A reader of the papers may skip this file.

| kernel | plain twin | compared in `tests/model/test_kernels.py` |
|---|---|---|
| `conv_as_product` | `torch.nn.functional.conv2d` | `test_a_convolution_as_a_product_is_the_convolution` |
| `Depthwise` | `torch.nn.functional.conv2d` | `test_the_gradient_of_a_depthwise_convolution_is_exact` |
| `NormPool` | `max_pool2d(norm(x), 2)` | `test_normalising_the_pooled_quarter_is_normalising_all` |
| `touching` | the pairs of which `boxes.iou` is above 0 | `test_the_pairs_that_touch_are_those_of_an_overlap` |

Legend: B images, C channels, H and W the map's sides, K the kernel's side, I and O channels in and out, A anchors a
cell, G objects.
"""

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F


def conv_as_product(x: Tensor, weight: Tensor) -> Tensor:
    """The "same" convolution as one matrix product: x [B,I,H,W], weight [O,I,K,K] -> [B,O,H,W]; no side of the map is
    longer than K//2 + 1, so that a kernel, wherever it lies, covers the whole map, and most of its taps meet padding.
    The product leaves these out: half the time (3x3 on 2x2, 256 to 512 channels, 100 images, bfloat16, one thread).
    """
    batch, _, height, width = x.shape
    middle = weight.shape[-1] // 2
    taps = weight.to(x.dtype).permute(0, 2, 3, 1)  # [O,K,K,I]: as channels_last lies, so that rows are copied whole
    seen = [  # by each output cell, of the kernel: the part that lies on the map
        taps[:, middle - row : middle - row + height, middle - column : middle - column + width].flatten(1)
        for row in range(height)
        for column in range(width)
    ]
    product = F.linear(x.permute(0, 2, 3, 1).flatten(1), torch.cat(seen))  # [B, H*W*O]
    return product.view(batch, height, width, -1).permute(0, 3, 1, 2)  # channels_last


class Depthwise(torch.autograd.Function):
    """A depthwise "same" convolution, K odd and above 1, in bfloat16 under autocast: x [B,C,H,W], weight [C,1,K,K].

    torch has a fast gradient of the weights for K = 3 alone. The windows of 3x3 taps at every other tap are a kernel:
    in bfloat16 15.4 ms become 1.4, in float32 6.0 become 2.6 (K = 5, 100 maps of 32x16x16, one thread).
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)
    def forward(ctx, x, weight):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, slope):  # type: ignore[no-untyped-def]
        (x, weight), (height, width) = ctx.saved_tensors, slope.shape[-2:]
        groups, kernel = len(weight), weight.shape[-1]
        padded, weight_slope = F.pad(x, [kernel // 2] * 4), torch.empty_like(weight)
        settings = None, [1, 1], [0, 0], [1, 1], False, [0, 0], groups, [False, True, False]
        for row, column in product(range(0, kernel - 2, 2), repeat=2):
            part = weight_slope[..., row : row + 3, column : column + 3]
            seen = padded[..., row : row + height + 2, column : column + width + 2]
            part.copy_(torch.ops.aten.convolution_backward(slope, seen, part, *settings)[1])
        wanted = ctx.needs_input_grad[0]
        x_slope = F.conv2d(slope, weight.flip(-2, -1), padding=kernel // 2, groups=groups) if wanted else None
        return x_slope, weight_slope


class NormPool(torch.autograd.Function):
    """`max_pool2d(norm(x), 2)` in training, running statistics included, for scales above 0: exact, and about half the
    memory traffic; x [B,C,H,W], weight and bias [C] of norm -> [B,C,H/2,W/2].

    The statistics need the whole map; but a rising function does not move the maximum, so that only the pooled
    quarter has to be normalised. Backward, the sums over the map are sums over that quarter, since only there the
    gradient is not 0; behind a frozen convolution there is none of the map, behind a frozen norm none at all.
    Statistics and sums are float32, also where the map is bfloat16."""

    @staticmethod
    def forward(ctx, x, weight, bias, norm):  # type: ignore[no-untyped-def]
        norm.num_batches_tracked.add_(1)
        mean, var = torch.batch_norm_update_stats(x, norm.running_mean, norm.running_var, norm.momentum)  # [C], [C]
        learned = any(ctx.needs_input_grad)
        pooled, index = F.max_pool2d(x, 2, return_indices=True) if learned else (F.max_pool2d(x, 2), None)
        x = x if ctx.needs_input_grad[0] else None
        ctx.save_for_backward(x, pooled, index, mean, (var + norm.eps).rsqrt(), weight)
        return F.batch_norm(pooled, mean, var, weight, bias, eps=norm.eps)

    @staticmethod
    def backward(ctx, slope):  # type: ignore[no-untyped-def]
        x, pooled, index, mean, deviation, weight = ctx.saved_tensors
        given = slope, pooled, weight, None, None, mean, deviation, True, 0.0
        _, weight_slope, bias_slope = torch.ops.aten.native_batch_norm_backward(*given, [False, True, True])  # [C], [C]
        if x is None:
            return None, weight_slope, bias_slope, None
        scale, count = weight * deviation, x.numel() / x.shape[1]
        by_variance, by_mean = -scale * deviation * weight_slope / count, -scale * bias_slope / count  # [C], [C]
        backward = torch.ops.aten.max_pool2d_with_indices_backward
        slope = slope * scale.to(x.dtype).view(1, -1, 1, 1)
        spread = backward(slope, x, [2, 2], [2, 2], [0, 0], [1, 1], False, index)  # [B,C,H,W]
        spread += F.batch_norm(x, mean, torch.ones_like(mean), by_variance, by_mean, eps=0.0)  # one pass
        return spread, weight_slope, bias_slope, None


def touching(anchors: Tensor, objects: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """All pairs of an anchor and an object that overlap: anchors [h,w,A,4], objects [B,G,4], valid bool [B,G] -> the
    indices of the T pairs in [B*h*w*A] and in [B*G].

    The anchors of one shape that an object touches are a rectangle of cells, so that small objects on a large map,
    which touch one anchor in fifty, cost a fiftieth of comparing all with all.
    """
    height, width, shapes = anchors.shape[:3]
    left, across = spanned(anchors[0, :, :, 0::2], objects[..., 0::2])  # [B,G,A] columns: the first, how many
    top, down = spanned(anchors[:, 0, :, 1::2], objects[..., 1::2])
    count = (across * down * valid[..., None]).flatten()  # [B*G*A]
    group = torch.arange(len(count), device=count.device).repeat_interleave(count)  # [T]
    cell = torch.arange(len(group), device=count.device) - (count.cumsum(0) - count)[group]  # 0, 1.. in its rectangle
    row = top.flatten()[group] + cell // across.flatten()[group]
    column = left.flatten()[group] + cell % across.flatten()[group]
    image = group // (valid.shape[1] * shapes)
    anchor = ((image * height + row) * width + column) * shapes + group % shapes
    return anchor, group // shapes


def spanned(anchors: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
    """Which anchors of a line an object reaches: ends [n,A,2] and [B,G,2] -> the first and how many, [B,G,A] each."""
    low, high = anchors.permute(2, 1, 0).contiguous()  # [A,n] each
    start, end = (x.flatten().expand(len(low), -1).contiguous() for x in objects.unbind(-1))  # [A,B*G]
    first = torch.searchsorted(high, start, right=True)
    count = (torch.searchsorted(low, end) - first).clamp(min=0)
    return tuple(x.T.view(*objects.shape[:2], -1) for x in (first, count))  # type: ignore[return-value]
