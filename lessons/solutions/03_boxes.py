# %% [markdown]
# # Solutions of lesson 3: Boxes, IoU, anchors, matching

# %% tags=["imports"]
import math

import torch
from torch import Tensor


# %% tags=["exercise"]
def area_of_overlap(a: list[float], b: list[float]) -> float:
    """The area that two boxes have in common, in square pixels; 0 where they share none."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return width * height


# %% tags=["exercise"]
def iou_of_pair(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes, 0..1; 0 where there is no area."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area_a, area_b = (max(0.0, x2 - x1) * max(0.0, y2 - y1) for x1, y1, x2, y2 in (a, b))
    union = area_a + area_b - width * height
    return width * height / union if union > 0 else 0.0


# %% tags=["exercise"]
def label_anchors(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    """The label of each anchor: 1 positive, 0 negative, -1 ignored; int64 [N]."""
    anchors, objects = overlap.shape
    if objects == 0:
        return torch.zeros(anchors, dtype=torch.int64)
    best = overlap.max(1).values  # [N], of each anchor
    best_of_object = overlap.max(0).values  # [G], of each object
    is_best = ((overlap == best_of_object) & (overlap > 0)).any(1)  # [N]
    labels = torch.full((anchors,), -1)
    labels[best < negative_iou] = 0
    labels[(best > positive_iou) | is_best] = 1
    return labels


# %% tags=["exercise"]
def move_anchor(anchor: list[float], deltas: list[float]) -> list[float]:
    """The box x1, y1, x2, y2 that deltas lead to, in pixels."""
    x1, y1, x2, y2 = anchor
    tx, ty, tw, th = deltas
    x, y = (x1 + x2) / 2 + tx * (x2 - x1), (y1 + y2) / 2 + ty * (y2 - y1)
    width, height = (x2 - x1) * math.exp(tw), (y2 - y1) * math.exp(th)
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
