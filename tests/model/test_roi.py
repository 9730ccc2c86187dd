"""ROI layers: the spatial transformer against that of torch, max pooling against a plain loop."""

import math

import torch
from torch.nn import functional as F

from pocketrcnn.config import ROIConfig
from pocketrcnn.model import boxes
from pocketrcnn.model.roi import ROIHead, max_pool, transformer_pool

ROIS = torch.tensor([[4.0, 6, 36, 38], [-5, 10, 20, 60], [0, 0, 48, 48], [20, 20, 21, 21]])


def grid_sample(features: torch.Tensor, rois: torch.Tensor, frame: float, size: int) -> torch.Tensor:
    """The reference: affine_grid and grid_sample with theta of the course."""
    scale_x, shift_x, scale_y, shift_y = boxes.theta(rois, frame, frame).flatten(0, 1).unbind(-1)
    zero = torch.zeros_like(scale_x)
    theta = torch.stack((scale_x, zero, shift_x, zero, scale_y, shift_y), -1).view(-1, 2, 3)
    features = features.repeat_interleave(rois.shape[1], 0)
    grid = F.affine_grid(theta, [len(features), features.shape[1], size, size], align_corners=False)
    return F.grid_sample(features, grid, padding_mode="zeros", align_corners=False)


def test_the_separable_transformer_is_grid_sample_values_and_gradients() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 5, 6, 6, requires_grad=True)
    rois = ROIS.expand(2, -1, -1)
    pooled, wanted = transformer_pool(features, rois, 48, 4), grid_sample(features, rois, 48, 4)
    assert pooled.shape == (8, 5, 4, 4)
    assert torch.allclose(pooled, wanted, atol=1e-5)
    slope = torch.randn_like(pooled)
    mine, theirs = torch.autograd.grad(pooled, features, slope), torch.autograd.grad(wanted, features, slope)
    assert torch.allclose(mine[0], theirs[0], atol=1e-5)


def test_the_transformer_crops_images_too() -> None:
    torch.manual_seed(0)
    images = 255 * torch.rand(1, 3, 48, 48)
    pooled = transformer_pool(images, ROIS[None], 48, 32)
    assert torch.allclose(pooled, grid_sample(images, ROIS[None], 48, 32), atol=0.02)
    exact = transformer_pool(images, torch.tensor([[[8.0, 4, 40, 36]]]), 48, 32)
    assert torch.allclose(exact[0], images[0, :, 4:36, 8:40], atol=1e-2)


def test_max_pooling_takes_the_maximum_of_each_bin() -> None:
    torch.manual_seed(0)
    features, size = torch.randn(2, 3, 6, 6), 4
    pooled = max_pool(features, ROIS.expand(2, -1, -1), 48, size).view(2, len(ROIS), 3, size, size)
    for p, (left_edge, top_edge, x2, y2) in enumerate(ROIS.div(8).tolist()):
        x1, y1 = max(left_edge, 0.0), max(top_edge, 0.0)
        width, height = max(min(x2, 6) - x1, 1e-3), max(min(y2, 6) - y1, 1e-3)
        for i in range(size):
            top, bottom = math.floor(y1 + i * height / size + 1e-6), math.ceil(y1 + (i + 1) * height / size - 1e-6)
            for j in range(size):
                left, right = math.floor(x1 + j * width / size + 1e-6), math.ceil(x1 + (j + 1) * width / size - 1e-6)
                cells = features[:, :, top : max(bottom, top + 1), left : max(right, left + 1)]
                assert torch.equal(pooled[:, p, :, i, j], cells.amax((-1, -2)))


def test_max_pooling_only_copies_values() -> None:
    features = torch.arange(36.0).view(1, 1, 6, 6)
    pooled = max_pool(features, ROIS[None], 48, 4)
    assert torch.equal(pooled, pooled.round())


def test_regions_of_a_batch_are_the_regions_of_its_images() -> None:
    torch.manual_seed(0)
    features, rois = torch.randn(2, 5, 6, 6), torch.stack((ROIS, ROIS.flip(0)))
    for pool in (transformer_pool, max_pool):
        together = pool(features, rois, 48, 4)
        alone = torch.cat([pool(features[i : i + 1], rois[i : i + 1], 48, 4) for i in range(2)])
        assert torch.allclose(together, alone, atol=1e-6)


def test_the_head_gives_one_row_of_logits_a_region() -> None:
    head = ROIHead(ROIConfig(pool="transformer", size=4, channels=8), 5, 10).eval()
    logits, refined = head(head.pool(torch.randn(2, 5, 6, 6), ROIS.expand(2, -1, -1), 48))
    assert logits.shape == (8, 10)
    assert refined is None


def test_a_diverged_network_is_no_error_of_the_crop() -> None:
    """Training says so itself, at the next point of the curves: what is not a number has to come out as it went in."""
    boxes_of_nothing = torch.full((1, 2, 4), float("nan"))
    assert transformer_pool(torch.ones(1, 3, 6, 6), boxes_of_nothing, 48, 4).isnan().all()


def test_crops_of_a_bfloat16_map_are_summed_in_float32() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 5, 6, 6).bfloat16().requires_grad_()
    pooled = transformer_pool(features, ROIS[None], 48, 4)
    assert pooled.dtype == torch.float32
    assert torch.equal(pooled, transformer_pool(features.float(), ROIS[None], 48, 4))
    (slope,) = torch.autograd.grad(pooled.sum(), features)
    assert slope.dtype == torch.bfloat16
