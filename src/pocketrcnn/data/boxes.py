"""The boxes of one image: its ground truth, or the detections in it. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..model.interchange import PADDING, Detections


class Boxes:
    """Boxes float64 [n,4], xyxy in pixels of the image, with their labels, int64 [n].

    scores: float64 [n] in 0..1, 1 for ground truth. crowd: bool [n], COCO's `iscrowd`, False for detections.
    `boxes[chosen]` are those at these indices, or where a mask [n] holds.
    """

    def __init__(
        self, boxes: ArrayLike, labels: ArrayLike, scores: ArrayLike | None = None, crowd: ArrayLike | None = None
    ) -> None:
        self.boxes: NDArray[np.float64] = np.asarray(boxes, np.float64)
        self.labels: NDArray[np.int64] = np.asarray(labels, np.int64)
        self.scores = np.asarray(np.ones(len(self)) if scores is None else scores, np.float64)
        self.crowd = np.asarray(np.zeros(len(self)) if crowd is None else crowd, bool)
        assert self.boxes.shape == (len(self), 4), "one box a label"
        assert self.scores.shape == self.labels.shape, "one score a label"
        assert self.crowd.shape == self.labels.shape, "one crowd flag a label"
        assert ((self.scores >= 0) & (self.scores <= 1)).all(), "scores are probabilities"

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: NDArray[Any]) -> Boxes:
        return Boxes(self.boxes[chosen], self.labels[chosen], self.scores[chosen], self.crowd[chosen])


def padded(images: Sequence[Boxes], min_slots: int = 0) -> Detections:
    """The boxes of B images as one batch, numpy arrays [B,M]; M is the largest number in an image, or `min_slots`."""
    shape = len(images), max([min_slots, *map(len, images)])
    boxes, scores = np.zeros((*shape, 4), np.float32), np.zeros(shape, np.float32)
    labels = np.full(shape, PADDING, np.int64)
    for row, one in enumerate(images):
        boxes[row, : len(one)], scores[row, : len(one)], labels[row, : len(one)] = one.boxes, one.scores, one.labels
    return Detections(boxes, scores, labels)
