"""Each kernel equals its plain twin: values and gradients, in both precisions."""

import re
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pocketrcnn.model import boxes, kernels
from pocketrcnn.model.kernels import Depthwise, NormPool, conv_as_product, touching
from pocketrcnn.model.layers import norm_pool_relu

ROUNDING = {torch.float64: 1e-7, torch.float32: 1e-5, torch.bfloat16: 0.02}  # of the largest value
each_format = pytest.mark.parametrize("dtype", ROUNDING, ids=str)


def assert_equal(mine: Sequence[Tensor], theirs: Sequence[Tensor], dtype: torch.dtype) -> None:
    """Up to the rounding of the precision."""
    for one, other in zip(mine, theirs, strict=True):
        scale = float(other.detach().abs().max())
        assert torch.allclose(one.double(), other.double(), atol=ROUNDING[dtype] * scale, rtol=0), (one, other)


def norm_pool(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """`NormPool` of a module."""
    return NormPool.apply(x, norm.weight, norm.bias, norm)  # type: ignore[no-untyped-call,no-any-return]


def test_each_kernel_is_named_with_its_twin_and_its_test() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| `(\w+)` \|$", kernels.__doc__ or "", re.MULTILINE)
    assert [name for name, _ in rows] == ["conv_as_product", "Depthwise", "NormPool", "touching"]
    for name, test in rows:
        assert callable(getattr(kernels, name))
        assert callable(globals()[test])


@each_format
@pytest.mark.parametrize(
    ("height", "width", "kernel"),
    [(1, 1, 1), (1, 1, 3), (2, 2, 3), (1, 2, 3), (2, 2, 5), (3, 3, 5), (3, 2, 5), (2, 4, 7)],
)
def test_a_convolution_as_a_product_is_the_convolution(
    height: int, width: int, kernel: int, dtype: torch.dtype
) -> None:
    """The plain one in double precision, on the same values."""
    torch.manual_seed(0)
    x, weight = torch.randn(3, 4, height, width).to(dtype), torch.randn(5, 4, kernel, kernel).to(dtype)
    slope = torch.randn(3, 5, height, width).to(dtype)
    results = []
    for function, kind in ((conv_as_product, dtype), (F.conv2d, torch.float64)):
        given = [tensor.to(kind).requires_grad_() for tensor in (x, weight)]
        y = function(*given, **({} if function is conv_as_product else {"padding": kernel // 2}))
        assert y.dtype == kind
        results.append([y, *torch.autograd.grad(y, given, slope.to(kind))])
    assert_equal(*results, dtype)


@each_format
@pytest.mark.parametrize(
    ("channels", "size", "kernel"), [(3, (6, 7), 5), (32, (4, 4), 5), (8, (1, 2), 5), (4, (9, 8), 7)]
)
@pytest.mark.parametrize("image", [False, True])
def test_the_gradient_of_a_depthwise_convolution_is_exact(
    channels: int, size: tuple[int, int], kernel: int, dtype: torch.dtype, image: bool
) -> None:
    """The plain one in double precision, on the same values; an image needs no gradient."""
    torch.manual_seed(0)
    x, slope = (torch.randn(3, channels, *size).to(dtype) for _ in range(2))
    weight = torch.randn(channels, 1, kernel, kernel).to(dtype)
    plain = {"padding": kernel // 2, "groups": channels}
    results = []
    for function, kind in ((Depthwise.apply, dtype), (lambda *xw: F.conv2d(*xw, **plain), torch.float64)):
        given = [x.to(kind).requires_grad_(not image), weight.to(kind).requires_grad_()]
        y = function(*given)
        assert y.dtype == kind
        results.append([y, *torch.autograd.grad(y, given[image:], slope.to(kind))])
    assert_equal(*results, dtype)


def test_the_gradient_of_a_depthwise_convolution_is_that_of_differences() -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(2, 2, 3, 4).double().requires_grad_(), torch.randn(2, 1, 5, 5).double().requires_grad_()
    assert torch.autograd.gradcheck(Depthwise.apply, (x, weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("frozen", [False, True])
def test_normalising_the_pooled_quarter_is_normalising_all(frozen: bool, dtype: torch.dtype) -> None:
    """Values, gradients and running statistics, against the plain order in float32 on the same values."""
    torch.manual_seed(0)
    x, slope = (3 + 2 * torch.randn(4, 3, 6, 6)).to(dtype), torch.randn(4, 3, 3, 3).to(dtype)
    results = []
    for function, kind in ((norm_pool, dtype), (lambda n, y: F.max_pool2d(n(y), 2), torch.float32)):
        norm, given = nn.BatchNorm2d(3), x.to(kind).requires_grad_(not frozen)
        with torch.no_grad():
            norm.weight.copy_(torch.tensor([0.5, 1.0, 2.0]))
            norm.bias.copy_(torch.tensor([0.1, -0.2, 0.3]))
        y = function(norm, given)
        assert y.dtype == kind
        learned = [norm.weight, norm.bias] if frozen else [norm.weight, norm.bias, given]
        results.append([y, *torch.autograd.grad(y, learned, slope.to(kind)), norm.running_mean, norm.running_var])
        assert norm.num_batches_tracked == 1
    assert_equal(*results, dtype)


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
        learned = [norm.weight, norm.bias] if frozen else [norm.weight, norm.bias, given]
        slopes = torch.autograd.grad(y, learned, slope.to(dtype))
        assert [one.dtype for one in slopes[:2]] == [torch.float32] * 2
        results.append([y, *slopes])
        assert torch.allclose(norm.running_mean, 0.1 * x.float().mean((0, 2, 3)), atol=1e-6)
    for mine, theirs in zip(*results, strict=True):
        assert torch.allclose(mine.float(), theirs, atol=0.02 * float(theirs.detach().abs().max())), (mine, theirs)


@pytest.mark.parametrize("seed", range(5))
def test_the_pairs_that_touch_are_those_of_an_overlap(seed: int) -> None:
    """Indices alone, which have no gradient."""
    generator = torch.Generator().manual_seed(seed)
    anchors = boxes.anchors(5, 7, 8, [(8.0, 8.0), (20.0, 12.0), (3.0, 40.0)])
    objects = torch.rand(3, 6, 4, generator=generator).mul(torch.tensor([50.0, 35, 30, 30]))
    objects[..., 2:] += objects[..., :2]
    valid = torch.rand(3, 6, generator=generator) < 0.7
    valid[2] = False  # an image without objects
    anchor, obj = touching(anchors, objects, valid)
    mine = sorted(zip((anchor % 105).tolist(), obj.tolist(), strict=True))
    assert (anchor // 105).tolist() == (obj // 6).tolist(), "both of one image"
    overlap = boxes.iou(anchors.flatten(0, 2), objects) * valid[:, None]  # [B,N,G]
    image, row, column = (overlap > 0).nonzero(as_tuple=True)
    assert mine == sorted(zip(row.tolist(), (image * 6 + column).tolist(), strict=True))
    assert len(set(mine)) == len(mine) > 20
