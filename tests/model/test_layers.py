"""Convolutions and pooling are exactly what the tables name, however they are computed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pocketrcnn.model import kernels
from pocketrcnn.model.kernels import MATRIX_CELLS, conv_as_product
from pocketrcnn.model.layers import Conv, FullConv, norm_pool_relu, pool_relu


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (1, 3), (2, 4)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_as_a_product_is_the_convolution(height: int, width: int, kernel: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, height, width, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, 4, kernel, kernel, dtype=torch.float64, requires_grad=True)
    slope = torch.randn(3, 5, height, width, dtype=torch.float64)
    found, wanted = conv_as_product(x, weight), F.conv2d(x, weight, padding=kernel // 2)
    assert torch.allclose(found, wanted)
    for mine, theirs in zip(
        torch.autograd.grad(found, (x, weight), slope), torch.autograd.grad(wanted, (x, weight), slope), strict=True
    ):
        assert torch.allclose(mine, theirs)


def test_the_product_is_used_on_small_maps_only() -> None:
    layer = Conv(2, 3, 3)
    for side in (2, 3):
        x = torch.randn(1, 2, side, side)
        assert torch.allclose(layer(x), nn.Conv2d.forward(layer, x), atol=1e-6)
    assert 2 * 2 <= MATRIX_CELLS < 3 * 3


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_a_convolution_with_stride_two_halves_an_even_map(kernel: int) -> None:
    for side in (2, 4, 10):  # 2: so small that one with stride 1 would be a product
        layer = Conv(2, 3, kernel, stride=2)
        assert layer(torch.randn(1, 2, side, side)).shape == (1, 3, side // 2, side // 2)


def test_relu_after_pooling_equals_relu_before_it_gradients_included() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    found, wanted = pool_relu(x, True), F.max_pool2d(F.relu(x), 2)
    assert torch.equal(found, wanted)
    slope = torch.randn_like(found)
    mine, theirs = torch.autograd.grad(found, x, slope), torch.autograd.grad(wanted, x, slope)
    assert torch.equal(mine[0], theirs[0])


def test_without_pooling_only_the_relu_is_left() -> None:
    x = torch.randn(2, 3, 5, 5)
    assert torch.equal(pool_relu(x, False), x.clamp(min=0))


def test_a_convolution_over_the_whole_map_is_the_convolution() -> None:
    torch.manual_seed(0)
    layer, x = FullConv(5, 7, 4), torch.randn(3, 5, 4, 4)
    found = layer(x)
    assert found.shape == (3, 7, 1, 1)
    assert torch.allclose(found, nn.Conv2d.forward(layer, x), atol=1e-6)


@pytest.mark.parametrize("scales", [(0.5, 1.0, 2.0), (0.0, 1.0, 1.0), (-0.5, 1.0, 2.0)])
@pytest.mark.parametrize("frozen", [False, True])
def test_normalising_the_pooled_quarter_is_exact(scales: tuple[float, ...], frozen: bool) -> None:
    """Values, gradients and running statistics; a negative scale takes the plain way."""
    torch.manual_seed(0)
    x = (3 + 2 * torch.randn(4, 3, 6, 6)).requires_grad_(not frozen)
    norms = [nn.BatchNorm2d(3) for _ in range(2)]
    slope = torch.randn(4, 3, 3, 3)
    results = []
    for norm, way in zip(norms, (norm_pool_relu, lambda n, y, _: F.max_pool2d(F.relu(n(y)), 2)), strict=True):
        with torch.no_grad():
            norm.weight.copy_(torch.tensor(scales))
            norm.bias.copy_(torch.tensor([0.1, -0.2, 0.3]))
        y = way(norm, x, True)
        wanted = [norm.weight, norm.bias] if frozen else [norm.weight, norm.bias, x]
        results.append([y, *torch.autograd.grad(y, wanted, slope), norm.running_mean, norm.running_var])
        assert norm.num_batches_tracked == 1
    for mine, theirs in zip(*results, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5), (mine, theirs)


def test_evaluation_uses_the_running_statistics() -> None:
    norm, x = nn.BatchNorm2d(3).eval(), torch.randn(2, 3, 4, 4)
    assert torch.allclose(norm_pool_relu(norm, x, True), F.max_pool2d(F.relu(x / (1 + norm.eps) ** 0.5), 2))


def test_what_a_layer_keeps_serves_training_after_prediction() -> None:
    kernels.tap_between.cache_clear()
    with torch.inference_mode():
        kernels.conv_as_product(torch.rand(1, 2, 2, 2), torch.rand(3, 2, 3, 3))
    weight = torch.rand(3, 2, 3, 3, requires_grad=True)
    kernels.conv_as_product(torch.rand(1, 2, 2, 2), weight).sum().backward()
    assert weight.grad is not None


@pytest.mark.parametrize("frozen", [False, True])
def test_in_bfloat16_the_statistics_stay_float32(frozen: bool) -> None:
    """Against float32 on the same values: what differs is the rounding of what is handed on, about 1 in 256."""
    torch.manual_seed(0)
    x, slope = (3 + 2 * torch.randn(8, 3, 6, 6)).bfloat16(), torch.randn(8, 3, 3, 3).bfloat16()
    results = []
    for dtype in (torch.bfloat16, torch.float32):
        norm, given = nn.BatchNorm2d(3), x.to(dtype).requires_grad_(not frozen)
        y = norm_pool_relu(norm, given, True)
        assert y.dtype == dtype
        wanted = [norm.weight, norm.bias] if frozen else [norm.weight, norm.bias, given]
        slopes = torch.autograd.grad(y, wanted, slope.to(dtype))
        assert [found.dtype for found in slopes[:2]] == [torch.float32] * 2
        results.append([y, *slopes])
        assert torch.allclose(norm.running_mean, 0.1 * x.float().mean((0, 2, 3)), atol=1e-6)
    for mine, theirs in zip(*results, strict=True):
        assert torch.allclose(mine.float(), theirs, atol=0.02 * float(theirs.detach().abs().max())), (mine, theirs)
