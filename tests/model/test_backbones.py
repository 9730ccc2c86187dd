"""The base networks: shapes, strides, and how they begin.

Covers `model/architectures.py`.
"""

import pytest
import torch
from torch.nn import functional as F

from pocketrcnn.config import BackboneConfig
from pocketrcnn.model.architectures import MERGED, TABLES, scaled
from pocketrcnn.model.backbones import BLOCKS, Backbone, Merge


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(("table", "side", "shape"), [(1, 32, (512, 1, 1)), (2, 48, (256, 6, 6)), (2, 64, (256, 8, 8))])
def test_feature_maps_are_those_of_the_tables(block: str, table: int, side: int, shape: tuple[int, int, int]) -> None:
    backbone = Backbone(BackboneConfig(block, table))  # type: ignore[arg-type]
    assert backbone(torch.randn(2, 3, side, side)).shape == (2, *shape)
    assert (backbone.channels, side // backbone.stride) == shape[:2]


def test_the_last_convolution_is_a_plain_one_in_every_network() -> None:
    for block in BLOCKS:
        last = list(Backbone(BackboneConfig(block, 1)).blocks)[-1]  # type: ignore[arg-type]
        assert isinstance(last, BLOCKS["conv"])


@pytest.mark.parametrize("block", ["conv", "residual"])
def test_whitened_filters_decorrelate_patches_and_come_with_both_signs(block: str) -> None:
    torch.manual_seed(0)
    images = F.avg_pool2d(torch.randn(60, 3, 36, 36), 5, 1)  # neighbouring pixels go together, as in photographs
    backbone = Backbone(BackboneConfig(block, 2, whiten=True))  # type: ignore[arg-type]
    backbone.whiten(images)
    filters = backbone.first_filters()
    assert torch.equal(filters[:16], -filters[16:])
    assert torch.allclose(filters[:16].flatten(1) @ filters[:16].flatten(1).T, torch.eye(16), atol=1e-4)
    answers = F.conv2d(images, filters[:16], stride=3).transpose(0, 1).flatten(1)
    correlation = torch.corrcoef(answers)
    assert (correlation - torch.eye(16)).abs().max() < 0.25
    assert not filters.requires_grad


@pytest.mark.parametrize("block", BLOCKS)
def test_fixed_filters_without_batchnorm_answer_with_a_mean_square_of_one(block: str) -> None:
    torch.manual_seed(0)
    images = F.avg_pool2d(10 * torch.randn(60, 3, 36, 36) + 3, 5, 1)
    backbone = Backbone(BackboneConfig(block, 3, merge=4, whiten=True))  # type: ignore[arg-type]
    backbone.whiten(images)
    stem = backbone.blocks.conv1
    assert stem.norm is None
    answers = stem.conv(images)[:, :, 1:-1, 1:-1].transpose(0, 1).flatten(1)  # [32,...], without the border
    assert torch.allclose(answers.square().mean(1), torch.ones(32), atol=0.25)
    assert torch.equal(stem.conv.weight[:16], -stem.conv.weight[16:])
    assert not stem.conv.weight.requires_grad


def test_what_the_training_images_lack_is_not_enlarged() -> None:
    torch.manual_seed(0)
    flat = torch.randn(20, 3, 1, 1).expand(-1, -1, 32, 32)
    backbone = Backbone(BackboneConfig("conv", 3, whiten=True))
    backbone.whiten(flat)
    norms = backbone.first_filters()[:16].flatten(1).norm(dim=1)
    assert (norms[:3] < 1).all(), "three colours: filters that say more than 1 of them"
    assert torch.allclose(norms[3:], torch.ones(13)), "the rest of the patch: nothing to be divided by"


def test_a_first_layer_that_is_trained_has_batchnorm() -> None:
    stem = Backbone(BackboneConfig("conv", 3)).blocks.conv1
    assert stem.norm is not None
    assert stem.conv.weight.requires_grad


@pytest.mark.parametrize("images", [torch.zeros(4, 3, 32, 32), torch.full((4, 3, 32, 32), 2.0)])
def test_filters_stay_finite_where_all_images_are_the_same(images: torch.Tensor) -> None:
    backbone = Backbone(BackboneConfig("conv", 3, whiten=True))
    backbone.whiten(images)
    assert backbone(images).isfinite().all()


def test_a_depthwise_first_layer_is_left_alone() -> None:
    torch.manual_seed(0)
    backbone = Backbone(BackboneConfig("separable", 2, whiten=True))
    before = [p.clone() for p in backbone.parameters()]
    backbone.whiten(torch.randn(4, 3, 48, 48))
    assert all(torch.equal(a, b) for a, b in zip(before, backbone.parameters(), strict=True))
    assert all(p.requires_grad for p in backbone.parameters())


@pytest.mark.parametrize("table", [1, 2])
@pytest.mark.parametrize("block", BLOCKS)
def test_the_first_filters_of_every_block_are_whitened_or_trained(block: str, table: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(20, 3, 32, 32)
    backbone = Backbone(BackboneConfig(block, table, whiten=True))  # type: ignore[arg-type]
    before, half = backbone.first_filters().clone(), len(backbone.first_filters()) // 2
    backbone.whiten(images)
    filters = backbone.first_filters()
    both_signs = torch.equal(filters[:half], -filters[half:])
    assert both_signs == (not filters.requires_grad) == (not torch.equal(filters, before)) == (filters.shape[1] == 3)
    assert backbone(images).isfinite().all()


class PointwiseBlock(BLOCKS["conv"]):  # type: ignore[misc]
    """A 1x1 convolution, which sees patches of three components."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, pool: bool) -> None:
        super().__init__(in_channels, out_channels, 1, pool)


@pytest.mark.parametrize(("block", "table", "width"), [("pointwise", 1, 1.0), ("residual", 2, 2.0), ("conv", 3, 4.0)])
def test_filters_that_cannot_hold_their_components_are_trained(
    block: str, table: int, width: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BLOCKS, "pointwise", PointwiseBlock)
    backbone = Backbone(BackboneConfig(block, table, width, whiten=True))  # type: ignore[arg-type]
    before = backbone.first_filters().clone()
    backbone.whiten(torch.randn(4, 3, 32, 32))
    assert torch.equal(backbone.first_filters(), before)
    assert all(p.requires_grad for p in backbone.parameters())
    if table == 3:
        assert backbone.blocks.conv1.norm is not None, "trained, so with BatchNorm"


def test_identity_hands_the_input_on() -> None:
    backbone = Backbone(BackboneConfig("conv", 2, identity=True))
    x = torch.randn(1, 32, 8, 8)
    convolution = backbone.blocks.conv2.conv
    assert torch.allclose(convolution(x)[:, :32], x)


def test_identity_in_a_depthwise_convolution_hands_a_part_of_every_channel_on() -> None:
    backbone = Backbone(BackboneConfig("separable", 2, identity=True))
    x = torch.randn(1, 32, 8, 8)
    assert torch.allclose(backbone.blocks.conv2.depthwise[0](x), x / 10)
    norm = backbone.blocks.conv2.depthwise[1]
    assert torch.allclose(norm(x / 10), norm(x), atol=0.01), "BatchNorm undoes it"


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("width", [0.25, 1.0])
@pytest.mark.parametrize(("merge", "stride"), [(0, 16), (4, 4), (8, 8)])
def test_the_large_table_has_the_stride_that_is_asked_for(block: str, width: float, merge: int, stride: int) -> None:
    backbone = Backbone(BackboneConfig(block, 3, width, merge))  # type: ignore[arg-type]
    assert backbone.stride == stride
    assert backbone(torch.randn(2, 3, 64, 96)).shape == (2, backbone.channels, 64 // stride, 96 // stride)
    assert backbone.channels == (scaled(MERGED, width) if merge else scaled(TABLES[3][-1].channels, width))


@pytest.mark.parametrize("table", TABLES)
def test_width_is_a_factor_on_all_channels(table: int) -> None:
    blocks = Backbone(BackboneConfig("conv", table, 0.5)).blocks  # type: ignore[arg-type]
    widths = [block.conv.out_channels for block in blocks]
    assert widths == [scaled(row.channels, 0.5) for row in TABLES[table]]
    assert all(channels % 8 == 0 for channels in widths)


def test_a_number_of_channels_is_never_zero() -> None:
    assert [scaled(128, width) for width in (1.0, 0.5, 0.3, 0.001)] == [128, 64, 40, 8]


def test_a_merged_map_is_the_sum_of_what_all_depths_say() -> None:
    """Against a plain sum: each map through its 1x1 convolution, its cells repeated up to the finest size."""
    torch.manual_seed(0)
    merge = Merge(TABLES[3], 16, 4).eval()
    maps = [torch.randn(2, row.channels, side, side) for row, side in zip(TABLES[3], (32, 16, 8, 4), strict=True)]
    plain = torch.zeros(2, 16, 16, 16)
    for lateral, deep in zip(merge.lateral, maps[1:], strict=True):
        factor = 16 // deep.shape[-1]
        plain += lateral(deep).repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    assert torch.allclose(merge(maps), merge.smooth(plain), atol=1e-5)


def test_what_is_merged_is_taken_before_it_is_pooled() -> None:
    """A map of the stride goes into the sum as its convolutions left it, and the next one starts from its maxima."""
    torch.manual_seed(0)
    backbone = Backbone(BackboneConfig("residual", 3, 0.25, 4)).eval()
    x, blocks = torch.randn(1, 3, 64, 64), backbone.blocks
    second = blocks.conv2(blocks.conv1(x))
    third = blocks.conv3(F.max_pool2d(second, 2))
    fourth = blocks.conv4(F.max_pool2d(third, 2))
    assert torch.equal(backbone(x), backbone.merge([torch.empty(0), second, third, fourth]))  # type: ignore[misc]


def test_every_depth_of_a_merged_network_is_trained() -> None:
    backbone = Backbone(BackboneConfig("residual", 3, 0.25, 8, whiten=True, identity=True))
    backbone(torch.randn(2, 3, 64, 64)).square().mean().backward()
    without = {name for name, p in backbone.named_parameters() if p.grad is None}
    assert without == {"blocks.conv1.conv.weight"}, "the first filters alone are left as they are"
