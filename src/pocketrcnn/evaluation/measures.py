"""How good is a network? Sums over a batch, and their means over a data set.

A measure is a pair (sum, count), so that batches of any size add up to the value of the whole set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..model import boxes
from ..model.faster_rcnn import Prediction, Targets
from ..model.rpn import box_error
from ..model.structures import PADDING, Batch

Sums = dict[str, tuple[Tensor, Tensor]]


def measure(prediction: Prediction, targets: Targets, batch: Batch) -> Sums:
    """Every measure that the network's parts allow, each as (sum, count).

    `accuracy`: right classes over regions. `objectness_accuracy`: right anchors over those not ignored, and the same
    for positive and negative ones. `box_loss`: smooth L1 summed over the box parameters, over positive anchors.
    `squared_pixel_error`: of centre and width, of the proposal that overlaps an object most. `mean_iou`, `recall_50`..:
    of that proposal, over objects.
    """
    sums: Sums = {}
    if prediction.logits is not None and targets.classes is not None:
        counted = targets.classes != PADDING  # [B,R]
        right = (prediction.logits.argmax(-1) == targets.classes) & counted
        sums["accuracy"] = right.sum(), counted.sum()
    if prediction.objectness is not None and targets.anchors is not None:
        sums |= objectness_sums(prediction.objectness, targets.anchors)
        if prediction.deltas is not None and targets.deltas is not None:
            positive = targets.anchors == boxes.POSITIVE  # [B,N]
            error = box_error(prediction.deltas, targets.deltas)
            sums |= {"box_loss": ((error * positive).sum(), positive.sum())} | proposal_sums(prediction, batch)
    return sums


def objectness_sums(objectness: Tensor, labels: Tensor) -> Sums:
    """Point-wise accuracy of objectness logits [B,N] against labels [B,N]."""
    right = (objectness > 0) == (labels == boxes.POSITIVE)
    kinds = {"": labels != boxes.IGNORED, "_positive": labels == boxes.POSITIVE, "_negative": labels == boxes.NEGATIVE}
    return {f"objectness{kind}_accuracy": ((right & where).sum(), where.sum()) for kind, where in kinds.items()}


def proposal_sums(prediction: Prediction, batch: Batch) -> Sums:
    """How well the proposals cover the objects: error and overlap of the best proposal of each object.

    Proposals of score 0 are none: they were suppressed, and are padding.
    """
    overlap, index = boxes.closest(batch.boxes, prediction.proposals, prediction.scores > 0)  # [B,G]
    overlap, valid = overlap.clamp(min=0), batch.valid  # [B,G]
    best, count = boxes.take(prediction.proposals, index), batch.valid.sum()
    error = torch.stack(boxes.center_size(best)[:3]) - torch.stack(boxes.center_size(batch.boxes)[:3])  # [3,B,G]
    sums: Sums = {
        "squared_pixel_error": ((error.square() * valid).sum(), 3 * count),
        "mean_iou": ((overlap * valid).sum(), count),
    }
    return sums | {f"recall_{t}": (((overlap >= t / 100) & valid).sum(), count) for t in (50, 70, 90)}


@dataclass
class Means:
    """Adds up measures without leaving the device, and divides at the end."""

    sums: Sums = field(default_factory=dict)

    def add(self, sums: Sums) -> None:
        """Add the (sum, count) pairs of a batch."""
        for name, (total, count) in sums.items():
            before = self.sums.get(name, (0, 0))
            self.sums[name] = before[0] + total.double(), before[1] + count.double()

    def plain(self) -> dict[str, tuple[float, float]]:
        """The sums as JSON holds them, exactly."""
        return {name: (float(total), float(count)) for name, (total, count) in self.sums.items()}

    @classmethod
    def from_plain(cls, plain: dict[str, tuple[float, float]]) -> Means:
        """The inverse of `plain`."""
        pairs = {name: torch.tensor(pair, dtype=torch.float64) for name, pair in plain.items()}
        return cls({name: (total, count) for name, (total, count) in pairs.items()})

    def result(self) -> dict[str, float]:
        """The means; `pixel_error` is the root of the mean squared error, in pixels for one coordinate."""
        means = {name: float(total) / max(float(count), 1.0) for name, (total, count) in self.sums.items()}
        if "squared_pixel_error" in means:
            means["pixel_error"] = means.pop("squared_pixel_error") ** 0.5
        return means
