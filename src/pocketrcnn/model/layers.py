"""Convolution, normalisation and pooling as the networks use them.

Legend: B images, C channels, H and W the map's sides, K the kernel's side, I and O channels in and out.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from .kernels import Depthwise, NormPool, conv_as_product


class Conv(nn.Conv2d):
    """A "same" convolution, trained without bias, that keeps the resolution, or with stride 2 halves an even one:
    x [B,I,H,W] -> [B,O,H/stride,W/stride].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, groups: int = 1, stride: int = 1) -> None:
        padding = (kernel - stride + 1) // 2
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel_size[0]
        same = self.stride[0] == 1 and kernel % 2 == 1 and self.bias is None
        if same and self.groups == 1 and max(x.shape[-2:]) <= kernel // 2 + 1:
            return conv_as_product(x, self.weight)
        slow = self.groups == self.in_channels == self.out_channels and kernel > 3
        if same and slow and self.training and x.device.type == "cpu":
            return Depthwise.apply(x, self.weight)  # type: ignore[no-untyped-call,no-any-return]
        return super().forward(x)


class FullConv(nn.Conv2d):
    """A convolution whose kernel covers the whole map, without padding or bias: x [B,I,K,K] -> [B,O,1,1].

    That is a fully connected layer, and it is computed as one.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.permute(0, 2, 3, 1).flatten(1)  # [B,K*K*I], no copy in channels_last
        return F.linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1))[:, :, None, None]


def conv_norm(in_channels: int, out_channels: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """`Conv` of in_channels, out_channels, kernel and groups, then BatchNorm with scale and shift."""
    return nn.Sequential(Conv(in_channels, out_channels, kernel, groups), nn.BatchNorm2d(out_channels))


def norm_pool_relu(norm: nn.BatchNorm2d, x: Tensor, pool: bool) -> Tensor:
    """BatchNorm, ReLU and, with `pool`, 2x2 max pooling: [B,C,H,W] -> [B,C,H/2,W/2].

    The tables name ReLU before pooling. The maximum of rectified values is the rectified maximum, so both orders give
    the same values and gradients, and this one rectifies a quarter of the cells. The same holds for BatchNorm where its
    scale is positive: see `NormPool`.
    """
    if not pool:
        return F.relu_(norm(x))
    if x.device.type == "cpu" and norm.training and bool((norm.weight > 0).all()):
        return F.relu_(NormPool.apply(x, norm.weight, norm.bias, norm))  # type: ignore[no-untyped-call]
    return pool_relu(norm(x), pool)


def pool_relu(x: Tensor, pool: bool) -> Tensor:
    """ReLU after, with `pool`, 2x2 max pooling: [B,C,H,W] -> [B,C,H/2,W/2]. Without it `x` itself is changed."""
    return F.relu_(F.max_pool2d(x, 2) if pool else x)
