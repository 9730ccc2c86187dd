"""All arithmetic on boxes: pure functions on [..., 4], for any leading dimensions and on any device.

Boxes are xyxy, float32, in pixels of the model's input: (x1, y1) is the upper left corner, (x2, y2) the lower right
one, and a box over the whole 48-pixel frame is (0, 0, 48, 48).
Legend: B images, N anchors, G objects, A anchors a cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1

# exp(4) = 55 times the anchor: no real object is larger, and no overflow follows from a wild prediction.
LARGEST_LOG_SCALE = 4.0
# Below this part of the anchor's side the logarithm goes on as its tangent, so that it stands for any prediction.
SMALLEST_SCALE = 0.1


def area(boxes: Tensor) -> Tensor:
    """Area in square pixels, 0 for inverted boxes: [...,4] -> [...]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of every pair, 0..1: [...,N,4] and [...,M,4] -> [...,N,M]."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    overlap = torch.cat(
        (torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])), -1
    )  # [...,N,M,4]
    intersection = area(overlap)
    return intersection / (area(a) + area(b) - intersection).clamp(min=1e-9)


def center_size(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centre x, centre y, width, height, in pixels: [...,4] -> four of [...]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def from_center_size(x: Tensor, y: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """The inverse of `center_size`: four of [...] -> [...,4]."""
    return torch.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), -1)


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """Boxes cut at the border of the frame: [...,4] -> [...,4]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)), -1)


def flip(boxes: Tensor, width: float) -> Tensor:
    """Boxes of the image mirrored left to right: [...,4] -> [...,4]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((width - x2, y1, width - x1, y2), -1)


def shift(boxes: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Boxes moved by dx, dy pixels, which broadcast against [...]: [...,4] -> [...,4]."""
    return boxes + torch.stack((dx, dy, dx, dy), -1)


def anchors(height: int, width: int, stride: int, sizes: Sequence[float], ratios: Sequence[float]) -> Tensor:
    """Anchors on the cell centres of a feature map, not rounded: [N,4], N = height * width * A.

    Cells run row by row, the anchors of one cell side by side (Ren et al. 2015, section 3.1.1).
    """
    shapes = [(size / math.sqrt(ratio), size * math.sqrt(ratio)) for size in sizes for ratio in ratios]
    wh = torch.tensor(shapes, dtype=torch.float32)  # [A,2]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centers = (torch.stack((x, y), -1).reshape(-1, 1, 2) + 0.5) * stride  # [height*width,1,2]
    return torch.cat((centers - wh / 2, centers + wh / 2), -1).reshape(-1, 4)


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Deltas (t_x, t_y, t_w, t_h) that lead from anchors to boxes: [...,4], [...,4] -> [...,4].

    Ren et al. 2015, equation 2: t_x = (x - x_a) / w_a, t_w = log(w / w_a). Sides that are not positive, as a network
    may predict them, give finite deltas: see `log_scale`.
    """
    x, y, w, h = center_size(boxes)
    xa, ya, wa, ha = center_size(anchors)
    return torch.stack(((x - xa) / wa, (y - ya) / ha, log_scale(w / wa), log_scale(h / ha)), -1)


def log_scale(scale: Tensor) -> Tensor:
    """log(scale), continued by its tangent below SMALLEST_SCALE: finite, rising and smooth everywhere."""
    tangent = math.log(SMALLEST_SCALE) + (scale - SMALLEST_SCALE) / SMALLEST_SCALE
    return torch.where(scale < SMALLEST_SCALE, tangent, scale.clamp(min=SMALLEST_SCALE).log())


def decode(deltas: Tensor, anchors: Tensor) -> Tensor:
    """The inverse of `encode`: deltas [...,4], or [...,3] with one scale for both sides (squares) -> boxes [...,4]."""
    xa, ya, wa, ha = center_size(anchors)
    tx, ty, tw, th = (deltas[..., i] for i in (0, 1, 2, deltas.shape[-1] - 1))
    w, h = (torch.exp(t.clamp(max=LARGEST_LOG_SCALE)) for t in (tw, th))
    return from_center_size(xa + tx * wa, ya + ty * ha, w * wa, h * ha)


def match(overlaps: Tensor, valid: Tensor, positive_iou: float, negative_iou: float) -> tuple[Tensor, Tensor]:
    """Which anchors stand for an object: IoU [B,N,G] and valid [B,G] -> labels [B,N], object of each anchor [B,N].

    Ren et al. 2015, section 3.1.2: positive (1) above `positive_iou` and at the anchors of the highest IoU with an
    object; negative (0) where no object reaches `negative_iou`; ignored (-1) otherwise. Images without objects: all
    negative.
    """
    overlaps = overlaps.masked_fill(~valid[:, None, :], 0)  # [B,N,G]
    best, index = overlaps.max(-1)  # [B,N]
    is_best = ((overlaps == overlaps.amax(1, keepdim=True)) & (overlaps > 0)).any(-1)  # [B,N], ties included
    labels = torch.full_like(index, IGNORED)
    labels[best < negative_iou] = NEGATIVE
    labels[(best > positive_iou) | is_best] = POSITIVE
    return labels, index


def theta(boxes: Tensor, height: float, width: float) -> Tensor:
    """The spatial transformer's scale and shift for a crop: [...,4] -> [...,4] = (scale x, shift x, scale y, shift y).

    Jaderberg et al. 2015, equation 10, in coordinates of -1..1 over the frame: for a 48-pixel frame w/48, (x-24)/24.
    """
    x, y, w, h = center_size(boxes)
    return torch.stack((w / width, 2 * x / width - 1, h / height, 2 * y / height - 1), -1)


def bins(low: Tensor, high: Tensor, count: int, cells: int) -> Tensor:
    """Which cells fall into each bin of an interval, for ROI max pooling: [...] and [...] -> bool [..., count, cells].

    `low` and `high` are in cells. Bins reach from the floor to the ceiling of their borders, so that they are never
    empty (Girshick 2015, section 2.1); intervals are kept inside the map.
    """
    low = low.clamp(0, cells - 1)
    step = (high.clamp(max=cells) - low).clamp(min=1e-3) / count
    edges = low[..., None] + step[..., None] * torch.arange(count + 1, device=low.device)  # [..., count+1]
    start, end = edges[..., :-1].floor(), torch.maximum(edges[..., 1:].ceil(), edges[..., :-1].floor() + 1)
    cell = torch.arange(cells, device=low.device)
    return (cell >= start[..., None]) & (cell < end[..., None])
