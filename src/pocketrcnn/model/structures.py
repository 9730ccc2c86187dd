"""The two data types that cross module borders: what goes into a model, and what comes out.

Both are padded: B images, G object slots an image (G is the most that any image of the batch has),
M detections an image. A label of -1 marks padding. Boxes are xyxy, float32, in pixels of the model's input; those that
`Detector` returns are in pixels of the images themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from . import boxes, interchange

PADDING = -1


@dataclass(frozen=True)
class Batch:
    """Images with their objects.

    images: uint8 [B,3,H,W]; boxes: float32 [B,G,4]; labels: int64 [B,G], -1 where there is no object;
    ids: int64 [B], the place of each image in its data set.
    """

    images: Tensor
    boxes: Tensor
    labels: Tensor
    ids: Tensor

    def __post_init__(self) -> None:
        count, slots = self.labels.shape
        assert self.images.dtype == torch.uint8, "images are uint8 until the model normalises them"
        assert self.images.shape[0] == count, "one row of labels an image"
        assert self.boxes.shape == (count, slots, 4), "one box a label"
        assert self.ids.shape == (count,), "one id an image"

    def __len__(self) -> int:
        return len(self.images)

    @property
    def valid(self) -> Tensor:
        """Which slots hold an object: bool [B,G]."""
        return self.labels != PADDING

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return Batch(*(getattr(self, name).to(device) for name in ("images", "boxes", "labels", "ids")))


@dataclass(frozen=True)
class Detections:
    """What a detector found, best first.

    boxes: float32 [B,M,4]; scores: float32 [B,M] in 0..1; labels: int64 [B,M], -1 where there is no detection.
    `detections[i]` is image i alone, without padding; `detections[i:j]` are these images, padded as they were.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        assert self.boxes.shape == (*self.labels.shape, 4), "one box a label"
        assert self.scores.shape == self.labels.shape, "one score a label"

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> Detections:
        labels = self.labels[index]
        keep = labels != PADDING if labels.ndim < 2 else ...  # [M]
        return Detections(self.boxes[index][keep], self.scores[index][keep], labels[keep])

    def only(self, keep: Tensor, most: int) -> Detections:
        """The first `most` of each image for which `keep`, bool [B,M], holds: [B, at most `most`], padded."""
        rank = torch.arange(keep.shape[1], 0, -1, device=keep.device) * keep  # [B,M], 0 for what is not kept
        order = rank.topk(min(most, keep.shape[1]), 1).indices  # [B,M']
        keep = keep.gather(1, order)
        return Detections(
            boxes.take(self.boxes, order) * keep[..., None],
            self.scores.gather(1, order) * keep,
            self.labels.gather(1, order).masked_fill(~keep, PADDING),
        )

    def to_coco(
        self, image_ids: Sequence[Any] | None = None, category_ids: Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """COCO's results, plain numbers, of a batch or of one image; ids count from 1: see `interchange.to_coco`."""
        return interchange.to_coco(self, image_ids, category_ids)

    def to_supervision(self) -> Any:
        """One image's detections as `supervision.Detections`: see `interchange.to_supervision`."""
        return interchange.to_supervision(self)
