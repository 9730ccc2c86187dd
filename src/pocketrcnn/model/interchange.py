"""Detections for other programs, from torch's tensors or numpy's arrays alike. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self

import numpy as np

from ..errors import UserError

PADDING = -1
"""The label of a row that holds no object and no detection."""


@dataclass(frozen=True, eq=False)
class Detections:
    """Detections in B images, best first, padded to M of each; or those in one image, [M], without padding.

    boxes: float32 [B,M,4], xyxy in pixels; scores: float32 [B,M] in 0..1; labels: int64 [B,M], -1 for padding.
    classes: names of the labels, where they are known.
    `detections[i]` is image i alone, without padding; `detections[i:j]` are these images, padded as they were.
    """

    boxes: Any
    scores: Any
    labels: Any
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.boxes.shape == (*self.labels.shape, 4), "one box a label"
        assert self.scores.shape == self.labels.shape, "one score a label"

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> Self:
        labels = self.labels[index]
        keep = labels != PADDING if labels.ndim < 2 else ...  # [M]
        return type(self)(self.boxes[index][keep], self.scores[index][keep], labels[keep], self.classes)

    def rows(self) -> list[tuple[list[float], float, int]]:
        """The boxes, scores and labels of one image as plain numbers."""
        return list(zip(self.boxes.tolist(), self.scores.tolist(), self.labels.tolist(), strict=True))

    def to_coco(
        self, image_ids: Sequence[Any] | None = None, category_ids: Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """COCO results, plain numbers: `image_id`, `category_id`, `bbox` (x, y, width, height in pixels), `score`.

        image_ids: one an image, 1 to B by default. category_ids: one a class, counted from 1 by default, as `convert`
        writes them. Only results with the ids of a COCO file can be scored against it. Raises UserError where the
        number of image ids is not the number of images.
        """
        images = [self] if self.labels.ndim == 1 else [self[i] for i in range(len(self))]
        ids = range(1, len(images) + 1) if image_ids is None else image_ids
        if len(ids) != len(images):
            raise UserError(
                f"to_coco: {len(ids)} image ids, images: {len(images)}; give one id an image, or leave them out"
            )
        return [
            coco_record(image, label + 1 if category_ids is None else category_ids[label], box, score)
            for image, one in zip(ids, images, strict=True)
            for box, score, label in one.rows()
        ]

    def to_supervision(self, classes: Sequence[str] | None = None) -> Any:
        """One image's detections as `supervision.Detections`: xyxy, confidence, class_id, and class names in its data.

        classes: other names than those of the detector.

        Raises UserError for a batch of several images, and where supervision is not installed.
        """
        if self.labels.ndim == 2 and len(self) != 1:
            raise UserError(f"to_supervision is for one image, not {len(self)}: use detections[i].to_supervision()")
        try:
            supervision = import_module("supervision")
        except ImportError as error:
            raise UserError("supervision is not installed: `pip install supervision`, then try again") from error
        one = self[0] if self.labels.ndim == 2 else self
        boxes, scores, labels = (np.asarray(values) for values in (one.boxes, one.scores, one.labels))
        known = self.classes if classes is None else classes
        names = {"class_name": np.array([known[label] for label in labels], str)} if known else {}
        return supervision.Detections(xyxy=boxes, confidence=scores, class_id=labels, data=names)


def coco_record(image: Any, category: Any, box: Sequence[float], score: float) -> dict[str, Any]:
    """One of the COCO results: ids of the image and the category, a box x1, y1, x2, y2 in pixels, its score in 0..1."""
    x1, y1, x2, y2 = box
    return {"image_id": image, "category_id": category, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
