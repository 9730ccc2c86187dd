"""Anchors that fit the boxes of a data set, by width and height alone. No torch here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.annotations import Example
from .options import Anchors

Floats = NDArray[np.float64]

GOOD_FIT = 0.72  # mean IoU of boxes with their best anchor: no further anchor is added above it
MAX_ANCHORS = 5


def sides_and_boxes(examples: Sequence[Example], side: int) -> Floats:
    """Width and height of all objects but crowds in an input of `side` pixels: [n,2]."""
    boxes = []
    for example in examples:
        assert example.size is not None, "`check` returns real sizes"
        scale = min(1.0, side / max(example.size))
        corners = (obj.box for obj in example.objects if not obj.crowd)
        boxes += [((x2 - x1) * scale, (y2 - y1) * scale) for x1, y1, x2, y2 in corners]
    return np.array(boxes, np.float64).reshape(-1, 2)


def shape_iou(boxes: Floats, shapes: Floats) -> Floats:
    """IoU of boxes [n,2] and anchors [k,2] around the same centre, from width and height: [n,k]."""
    overlap = np.minimum(boxes[:, None], shapes).prod(-1)
    return np.asarray(overlap / (boxes.prod(-1)[:, None] + shapes.prod(-1) - overlap))


def fit_anchors(boxes: Floats, count: int) -> tuple[Anchors, float]:
    """`count` anchors by k-means on 1 - IoU (Redmon and Farhadi 2017, section 2), and the mean best IoU.

    boxes: width and height [n,2] in pixels, n above 0. Deterministic: the initial anchors are spread over the boxes by
    area.
    """
    order = boxes[np.argsort(boxes.prod(-1), kind="stable")]
    shapes = order[((np.arange(count) + 0.5) / count * len(order)).astype(int)]
    for _ in range(50):
        nearest = shape_iou(boxes, shapes).argmax(1)
        moved = np.array(
            [np.median(boxes[nearest == k], 0) if (nearest == k).any() else shapes[k] for k in range(count)]
        )
        if np.allclose(moved, shapes):
            break
        shapes = moved
    fit = float(shape_iou(boxes, shapes).max(1).mean())
    ordered = shapes[np.argsort(shapes.prod(-1), kind="stable")]
    return tuple((round(float(w), 1), round(float(h), 1)) for w, h in ordered), fit


def choose_anchors(boxes: Floats, side: int) -> tuple[Anchors, str]:
    """As few anchors as fit well, and a sentence on how well."""
    if not len(boxes):
        return ((side / 4, side / 4),), "no objects to fit anchors to: one anchor of a quarter of the input"
    for count in range(1, min(MAX_ANCHORS, len(boxes)) + 1):
        anchors, fit = fit_anchors(boxes, count)
        if fit >= GOOD_FIT:
            break
    return anchors, describe_anchors(anchors, boxes)


def describe_anchors(anchors: Anchors, boxes: Floats) -> str:
    """Anchors in words, with the best possible recall: the fraction of the boxes that some anchor matches."""
    overlaps = shape_iou(boxes, np.array(anchors)).max(1)
    shapes = ", ".join(f"{w:.0f}x{h:.0f}" for w, h in anchors)
    recall = ", ".join(f"{(overlaps >= t).mean():.1%} at IoU {t}" for t in (0.5, 0.7))
    return f"anchors {shapes} px; best possible recall {recall} (mean IoU {overlaps.mean():.2f})"
