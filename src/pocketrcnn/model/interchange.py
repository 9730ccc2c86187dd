"""Detections as other programs want them, from torch's tensors or numpy's arrays alike. No torch here.

And how a detector is called, with torch or without.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import UserError


def check_call(threshold: float, batch: int) -> None:
    """What a detector is called with, besides images. Raises UserError for what makes no sense."""
    if not 0 <= threshold <= 1:
        raise UserError(f"a threshold of {threshold:g} is no score: use one from 0 to 1")
    if batch < 1:
        raise UserError(f"a batch of {batch} images: use 1 or more")


def to_coco(
    found: Any, image_ids: Sequence[Any] | None = None, category_ids: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """COCO's results, plain numbers: `image_id`, `category_id`, `bbox` (x, y, width, height in pixels), `score`.

    found: `Detections` of B images [B,M], or of one image [M]. image_ids: one an image, 1 to B if left out.
    category_ids: one a class; they count from 1 if left out, as `convert` writes them. Results are scored against a
    COCO file only with the ids of that file. Raises UserError where the number of image ids is not that of images.
    """
    images = [found] if found.labels.ndim == 1 else [found[i] for i in range(len(found))]
    ids = range(1, len(images) + 1) if image_ids is None else image_ids
    if len(ids) != len(images):
        raise UserError(
            f"to_coco: {len(ids)} image ids, images: {len(images)}; give one id an image, or leave them out"
        )
    records = []
    for image, one in zip(ids, images, strict=True):
        columns = one.boxes.tolist(), one.scores.tolist(), one.labels.tolist()
        for (x1, y1, x2, y2), score, label in zip(*columns, strict=True):
            category = label + 1 if category_ids is None else category_ids[label]
            box = [x1, y1, x2 - x1, y2 - y1]
            records.append({"image_id": image, "category_id": category, "bbox": box, "score": score})
    return records


def to_supervision(found: Any) -> Any:
    """One image's detections as `supervision.Detections`: xyxy, confidence, class_id.

    Raises UserError for a batch of several images, and where supervision is not installed.
    """
    if found.labels.ndim == 2:
        if len(found) != 1:
            raise UserError(f"to_supervision is for one image, not {len(found)}: use detections[i].to_supervision()")
        found = found[0]
    try:
        supervision = import_module("supervision")
    except ImportError as error:
        raise UserError("supervision is not installed: `pip install supervision`, then try again") from error
    boxes, scores, labels = (np.asarray(values) for values in (found.boxes, found.scores, found.labels))
    return supervision.Detections(xyxy=boxes, confidence=scores, class_id=labels)
