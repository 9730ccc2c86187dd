"""From boxes to classes: regions of interest cut out of the feature map, and the head that classifies them.

A new ROI layer is a function below and one line in POOLS. Contract: features [B,C,h,w], boxes [B,P,4] in pixels of a
square input, the side of that input, and the size S of the result -> [B*P,C,S,S].
Legend: P boxes an image, S cells a side.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import ROIConfig
from . import boxes
from .layers import FullConv

TAPS = 4  # cells that a bilinear sample mixes


def transformer_pool(features: Tensor, rois: Tensor, input_size: float, size: int) -> Tensor:
    """Bilinear crops (Jaderberg et al. 2015, section 3), as affine_grid and grid_sample give them, zeros outside:
    features [B,C,h,w] and rois [B,P,4] in pixels of a square input of `input_size` -> [B*P,C,size,size].

    Theta has no rotation, so that the crop is separable: each point mixes two rows and two columns. The cells of all
    images are the rows of one table, and `embedding_bag` adds four of them for each point: 5 times as fast as products
    with matrices of weights where a map of 64x64 has 64 boxes, and it sums in one order, whatever the threads.
    """
    batch, channels, height, width = features.shape
    scale_x, shift_x, scale_y, shift_y = boxes.theta(rois, input_size, input_size).unbind(-1)  # [B,P]
    rows, down = neighbours(scale_y, shift_y, size, height)  # [B,P,S,2] each
    columns, across = neighbours(scale_x, shift_x, size, width)
    rows = rows + torch.arange(batch, device=rows.device)[:, None, None, None] * height  # in a column of all images
    cells = rows[:, :, :, None, :, None] * width + columns[:, :, None, :, None, :]  # [B,P,S,S,2,2]
    weights = down[:, :, :, None, :, None] * across[:, :, None, :, None, :]
    table = features.float().permute(0, 2, 3, 1).reshape(-1, channels)  # [B*h*w,C], no copy in channels_last
    x = F.embedding_bag(cells.view(-1, TAPS), table, mode="sum", per_sample_weights=weights.view(-1, TAPS))
    return x.view(-1, size, size, channels).permute(0, 3, 1, 2)  # channels_last


def neighbours(scale: Tensor, shift: Tensor, size: int, cells: int) -> tuple[Tensor, Tensor]:
    """The two cells beside each sampled point along one axis, and their weights: [...] and [...] -> [..., size, 2].

    Points are the centres of `size` equal parts of the box, cell centres lie at (j + 1/2) of the map
    (align_corners=False); a cell outside the map counts as zero.
    """
    points = (2 * torch.arange(size, dtype=scale.dtype, device=scale.device) + 1) / size - 1  # [S], -1..1 in the box
    at = ((scale[..., None] * points + shift[..., None] + 1) * cells - 1) / 2  # [...,S] in cells
    low = at.floor()
    both = torch.stack((low, low + 1), -1)  # [...,S,2]
    weights = (1 - (at[..., None] - both).abs()) * ((both >= 0) & (both < cells))
    return both.nan_to_num().clamp(0, cells - 1).long(), weights  # `fit` reports a network that has diverged


def max_pool(features: Tensor, rois: Tensor, input_size: float, size: int) -> Tensor:
    """ROI max pooling (Girshick 2015, section 2.1): each of SxS bins takes the maximum of its cells. Features, rois,
    size and input_size as in `transformer_pool` -> [B*P,C,S,S], values of the features: nothing is interpolated."""
    height, width = features.shape[-2:]
    x1, y1, x2, y2 = (rois / input_size).unbind(-1)  # [B,P] as fractions of the input
    rows, columns = boxes.bins(y1 * height, y2 * height, size, height), boxes.bins(x1 * width, x2 * width, size, width)
    floor = torch.finfo(features.dtype).min
    x = features[:, None, :, None].masked_fill(~rows[:, :, None, :, :, None], floor).amax(-2)  # [B,P,C,S,w]
    x = x[..., None, :].masked_fill(~columns[:, :, None, None], floor).amax(-1)  # [B,P,C,S,S]
    return x.flatten(0, 1)


def whole_input(features: Tensor, rois: Tensor, input_size: float, size: int) -> Tensor:
    """The strongest answers of a whole map, [B,C,h,w] -> [B,C,1,1]: a classifier is a detector whose one box, rois, is
    the whole input, so that `input_size` and `size` change nothing. Table 1 ends on a map of 1x1: nor does this."""
    return F.adaptive_max_pool2d(features, 1)


POOLS = {"frame": whole_input, "transformer": transformer_pool, "max": max_pool}


# What the head predicts of a box is measured in these units of t_x, t_y, t_w, t_h, so that it is about as large as the
# logits (Girshick 2015, section 2.3, "normalized to have zero mean and unit variance").
REFINE_UNIT = (0.1, 0.1, 0.2, 0.2)


class ROIHead(nn.Module):
    """Pooled regions to classes, and to corrections of their boxes (Girshick 2015, sections 2.1 and 2.3): an optional
    fully connected layer (as a convolution), BatchNorm, ReLU; then linear layers."""

    unit: Tensor

    def __init__(self, config: ROIConfig, in_channels: int, classes: int) -> None:
        super().__init__()
        self.config = config
        side = 1 if config.pool == "frame" else config.size  # cells of what is classified
        self.hidden = FullConv(in_channels, config.channels, side) if config.channels else None
        self.norm = nn.BatchNorm2d(config.channels) if config.channels else None
        width = config.channels or in_channels * side**2
        self.classify = nn.Linear(width, classes + config.background)
        self.refine = nn.Linear(width, 4) if config.refine else None
        self.register_buffer("unit", torch.tensor(REFINE_UNIT, dtype=torch.float32), persistent=False)

    def pool(self, features: Tensor, rois: Tensor, input_size: float) -> Tensor:
        """Features [B,C,h,w] and boxes [B,P,4] in pixels of an input of `input_size` -> [B*P,C,S,S]."""
        return POOLS[self.config.pool](features, rois, input_size, self.config.size)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor | None]:
        """Pooled regions [B*R,C,S,S] -> class logits [B*R,K'], the background last, and deltas [B*R,4] or None."""
        if self.hidden is not None and self.norm is not None:
            pooled = F.relu(self.norm(self.hidden(pooled)))
        x = F.dropout(pooled.flatten(1), self.config.dropout, self.training)
        return self.classify(x).float(), None if self.refine is None else self.refine(x).float() * self.unit

    def sample(self, proposals: Tensor, scores: Tensor, objects: Tensor, valid: Tensor) -> Tensor:
        """Regions for training: proposals [B,P,4], scores [B,P], objects [B,G,4], valid [B,G] -> [B,R,4], R = `sample`.

        Ground truth boxes are among the candidates, so that there are positive ones from the beginning. Where an
        image has too few candidates, they are repeated."""
        boxed = torch.cat((objects, proposals), 1)  # [B,G+P,4]
        usable = torch.cat((valid, scores > 0), 1)
        best, _ = boxes.closest(proposals, objects, valid)  # [B,P]
        positive = torch.cat((valid, best >= self.config.positive_iou), 1)  # an object matches itself
        labels = positive.long().masked_fill(~usable, boxes.IGNORED)
        chosen = boxes.sample(labels, self.config.sample, self.config.positive_fraction) != boxes.IGNORED
        order = chosen.byte().argsort(dim=1, descending=True, stable=True)  # [B,G+P], the chosen ones first
        position = torch.arange(self.config.sample, device=order.device) % chosen.sum(1, keepdim=True).clamp(min=1)
        return boxes.take(boxed, order.gather(1, position))
