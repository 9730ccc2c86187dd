"""The two data types that cross module borders: the input of a model, and its output.

Both are padded: B images, G object slots an image (G is the largest number in an image of the batch),
M detections an image. A label of -1 marks padding. Boxes are xyxy, float32, in pixels of the model's input; those that
`Detector` returns are in pixels of the images themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from . import boxes, interchange

PADDING = interchange.PADDING


@dataclass(frozen=True)
class Batch:
    """Images with their objects.

    images: uint8 [B,3,H,W]; boxes: float32 [B,G,4]; labels: int64 [B,G], -1 where there is no object;
    ids: int64 [B], the index of each image in its data set.
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


@dataclass(frozen=True, eq=False)
class Detections(interchange.Detections):
    """Detections as tensors: see `interchange.Detections`, which has numpy's arrays."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor

    def numpy(self) -> interchange.Detections:
        """As numpy's arrays."""
        boxes, scores = (values.float().cpu().numpy() for values in (self.boxes, self.scores))
        return interchange.Detections(boxes, scores, self.labels.cpu().numpy())

    def only(self, keep: Tensor, limit: int) -> Detections:
        """The first `limit` of each image for which `keep`, bool [B,M], holds: [B, at most `limit`], padded."""
        rank = torch.arange(keep.shape[1], 0, -1, device=keep.device) * keep  # [B,M], 0 for what is not kept
        order = rank.topk(min(limit, keep.shape[1]), 1).indices  # [B,M']
        keep = keep.gather(1, order)
        return Detections(
            boxes.take(self.boxes, order) * keep[..., None],
            self.scores.gather(1, order) * keep,
            self.labels.gather(1, order).masked_fill(~keep, PADDING),
        )
