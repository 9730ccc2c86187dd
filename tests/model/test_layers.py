"""Convolutions and pooling are exactly what the tables name, however they are computed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pocketrcnn.model.layers import Conv, FullConv, norm_pool_relu, pool_relu
from pocketrcnn.training.device import autocast


def test_the_product_is_used_where_a_kernel_covers_the_map() -> None:
    layer = Conv(2, 3, 3)
    for shape, used in (((2, 2), True), ((1, 2), True), ((3, 3), False), ((1, 4), False)):
        x = torch.randn(1, 2, *shape)
        assert torch.allclose(layer(x), nn.Conv2d.forward(layer, x), atol=1e-6)
        assert ("Convolution" not in str(layer(x).grad_fn)) == used


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_a_convolution_with_stride_two_halves_an_even_map(kernel: int) -> None:
    for side in (2, 4, 10):  # 2: so small that one with stride 1 would be a product
        layer = Conv(2, 3, kernel, stride=2)
        assert layer(torch.randn(1, 2, side, side)).shape == (1, 3, side // 2, side // 2)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_depthwise_layer_trains_as_the_plain_one(precision: str) -> None:
    """Under autocast, too, from an image in float32; evaluation takes the plain way."""
    torch.manual_seed(0)
    layer, x = Conv(8, 8, 5, groups=8), torch.randn(4, 8, 6, 6)
    with autocast(precision, torch.device("cpu")):
        y, plain = layer(x), nn.Conv2d.forward(layer, x)
        assert "Depthwise" in str(y.grad_fn)
        assert "Depthwise" not in str(layer.eval()(x).grad_fn)
    assert y.dtype == plain.dtype == getattr(torch, precision)
    assert torch.equal(y, plain)
    mine, theirs = (torch.autograd.grad(one, layer.weight, torch.ones_like(one))[0] for one in (y, plain))
    assert mine.dtype == torch.float32
    tolerance = 1e-5 if precision == "float32" else 0.02
    assert torch.allclose(mine, theirs, atol=tolerance * float(theirs.abs().max()))


@pytest.mark.parametrize("shape", [(4, 8, 5, 4, 1), (8, 8, 5, 8, 2), (8, 16, 5, 8, 1), (6, 6, 4, 6, 2)])
def test_other_grouped_convolutions_are_plain(shape: tuple[int, int, int, int, int]) -> None:
    layer, x = Conv(*shape), torch.randn(2, shape[0], 6, 6)
    assert torch.equal(layer(x), nn.Conv2d.forward(layer, x))
    assert "Depthwise" not in str(layer(x).grad_fn)


def test_relu_after_pooling_equals_relu_before_it_gradients_included() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    result, wanted = pool_relu(x, True), F.max_pool2d(F.relu(x), 2)
    assert torch.equal(result, wanted)
    slope = torch.randn_like(result)
    mine, theirs = torch.autograd.grad(result, x, slope), torch.autograd.grad(wanted, x, slope)
    assert torch.equal(mine[0], theirs[0])


def test_without_pooling_only_the_relu_is_left() -> None:
    x = torch.randn(2, 3, 5, 5)
    assert torch.equal(pool_relu(x, False), x.clamp(min=0))


def test_a_convolution_over_the_whole_map_is_the_convolution() -> None:
    torch.manual_seed(0)
    layer, x = FullConv(5, 7, 4), torch.randn(3, 5, 4, 4)
    y, plain = layer(x), nn.Conv2d.forward(layer, x)
    assert y.shape == (3, 7, 1, 1)
    assert torch.allclose(y, plain, atol=1e-6)
    slope = torch.randn_like(y)
    mine, theirs = (torch.autograd.grad(one, layer.weight, slope)[0] for one in (y, plain))
    assert torch.allclose(mine, theirs, atol=1e-5)


def test_evaluation_uses_the_running_statistics() -> None:
    norm, x = nn.BatchNorm2d(3).eval(), torch.randn(2, 3, 4, 4)
    assert torch.allclose(norm_pool_relu(norm, x, True), F.max_pool2d(F.relu(x / (1 + norm.eps) ** 0.5), 2))
