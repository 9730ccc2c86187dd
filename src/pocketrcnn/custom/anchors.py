"""Anchors that fit the boxes of a data set, by width and height alone. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.annotations import Example

Floats = NDArray[np.float64]
Anchors = tuple[tuple[float, float], ...]

GOOD_FIT = 0.72  # mean IoU of boxes with their best anchor from which on no further anchor is added
MOST_ANCHORS = 5


def sides_and_boxes(examples: Sequence[Example], side: int) -> Floats:
    """Width and height of all objects but crowds in a frame of `side` pixels: [n,2]."""
    found = []
    for example in examples:
        assert example.size is not None, "`check` hands on real sizes"
        scale = min(1.0, side / max(example.size))
        found += [
            ((x2 - x1) * scale, (y2 - y1) * scale)
            for x1, y1, x2, y2 in (thing.box for thing in example.objects if not thing.crowd)
        ]
    return np.array(found, np.float64).reshape(-1, 2)


def shape_iou(boxes: Floats, shapes: Floats) -> Floats:
    """IoU of boxes [n,2] and anchors [k,2] with one centre, width and height alone: [n,k]."""
    overlap = np.minimum(boxes[:, None], shapes).prod(-1)
    return np.asarray(overlap / (boxes.prod(-1)[:, None] + shapes.prod(-1) - overlap))


def fit_anchors(boxes: Floats, count: int) -> tuple[Anchors, float]:
    """`count` anchors by k-means on 1 - IoU (Redmon and Farhadi 2017, section 2), and the mean best IoU.

    boxes: width and height [n,2] in pixels, n above 0. Always the same for the same boxes: the start is spread over
    the boxes by area.
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
    """As few anchors as fit well, and what they reach."""
    if not len(boxes):
        return ((side / 4, side / 4),), "no objects to fit anchors to: one anchor of a quarter of the input"
    anchors, fit = fit_anchors(boxes, 1)
    for count in range(2, min(MOST_ANCHORS, len(boxes)) + 1):
        if fit >= GOOD_FIT:
            break
        anchors, fit = fit_anchors(boxes, count)
    return anchors, describe_anchors(anchors, boxes)


def describe_anchors(anchors: Anchors, boxes: Floats) -> str:
    """Anchors in words, with the best possible recall: the part of the boxes that an anchor may come to stand for."""
    overlaps = shape_iou(boxes, np.array(anchors)).max(1)
    shapes = ", ".join(f"{w:.0f}x{h:.0f}" for w, h in anchors)
    recall = ", ".join(f"{(overlaps >= t).mean():.1%} at IoU {t}" for t in (0.5, 0.7))
    return f"anchors {shapes} px; best possible recall {recall} (mean IoU {overlaps.mean():.2f})"
