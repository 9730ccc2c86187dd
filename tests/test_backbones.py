"""The base networks: shapes, strides, and how they begin."""

import pytest
import torch
from torch.nn import functional as F

from pocketrcnn.backbones import BLOCKS, Backbone
from pocketrcnn.config import BackboneConfig


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


def test_a_depthwise_first_layer_is_left_alone() -> None:
    torch.manual_seed(0)
    backbone = Backbone(BackboneConfig("separable", 2, whiten=True))
    before = [p.clone() for p in backbone.parameters()]
    backbone.whiten(torch.randn(4, 3, 48, 48))
    assert all(torch.equal(a, b) for a, b in zip(before, backbone.parameters(), strict=True))
    assert all(p.requires_grad for p in backbone.parameters())


def test_identity_hands_the_input_on() -> None:
    backbone = Backbone(BackboneConfig("conv", 2, identity=True))
    x = torch.randn(1, 32, 8, 8)
    convolution = backbone.blocks.conv2.conv
    assert torch.allclose(convolution(x)[:, :32], x)
