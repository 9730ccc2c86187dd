"""How good is a network? Sums over a batch, and their means over a data set.

A measure is a pair (sum, count), so that batches of any size add up to the figure of the whole set.
"""

from __future__ import annotations

import torch
from torch import Tensor

from . import boxes
from .config import LossConfig
from .data import Dataset
from .detector import Detector, Prediction
from .rpn import box_error
from .structures import Batch

Sums = dict[str, tuple[Tensor, Tensor]]

EVALUATION_BATCH = 250  # images; large enough to fill two cores, small enough for the cache


def measure(model: Detector, prediction: Prediction, batch: Batch) -> Sums:
    """Every measure that the network's parts allow, each as (sum, count).

    `accuracy`: right classes over objects. `objectness_accuracy`: right anchors over those not ignored, and the same
    for positive and negative ones. `box_loss`: smooth L1 summed over the box parameters, over positive anchors.
    `squared_pixel_error`: of centre and width, of the best proposal. `mean_iou`, `recall_50`..: of the best proposal.
    """
    sums: Sums = {}
    if prediction.logits is not None:
        right = prediction.logits.argmax(-1) == model.roi_labels(prediction, batch)  # [B,P]
        sums["accuracy"] = right.sum(), torch.tensor(right.numel())
    if model.rpn is not None and prediction.objectness is not None:
        labels, targets = model.rpn.targets(batch)
        sums |= objectness_sums(prediction.objectness, labels)
        if prediction.deltas is not None:
            sums |= box_sums(prediction, batch, labels, targets)
    return sums


def objectness_sums(objectness: Tensor, labels: Tensor) -> Sums:
    """Point-wise accuracy of objectness logits [B,N] against labels [B,N]."""
    right = (objectness > 0) == (labels == boxes.POSITIVE)
    kinds = {"": labels != boxes.IGNORED, "_positive": labels == boxes.POSITIVE, "_negative": labels == boxes.NEGATIVE}
    return {f"objectness{kind}_accuracy": ((right & where).sum(), where.sum()) for kind, where in kinds.items()}


def box_sums(prediction: Prediction, batch: Batch, labels: Tensor, targets: Tensor) -> Sums:
    """Regression loss over positive anchors; error and overlap of the best proposal with its nearest object."""
    assert prediction.deltas is not None, "asked for by a network with regression"
    positive = labels == boxes.POSITIVE  # [B,N]
    loss = box_error(prediction.deltas, targets)  # [B,N]
    best = prediction.proposals[:, :1]  # [B,1,4]
    overlap, index = boxes.iou(best, batch.boxes).masked_fill(~batch.valid[:, None], 0)[:, 0].max(-1)  # [B]
    truth = batch.boxes.gather(1, index[:, None, None].expand(-1, 1, 4))  # [B,1,4]
    error = torch.stack(boxes.center_size(best)[:3]) - torch.stack(boxes.center_size(truth)[:3])  # [3,B,1]
    sums: Sums = {
        "box_loss": ((loss * positive).sum(), positive.sum()),
        "squared_pixel_error": (error.square().sum(), torch.tensor(error.numel())),
        "mean_iou": (overlap.sum(), torch.tensor(len(overlap))),
    }
    return sums | {f"recall_{t}": ((overlap >= t / 100).sum(), torch.tensor(len(overlap))) for t in (50, 70, 90)}


def as_double(value: float) -> Tensor:
    """A number as a float64 tensor without dimensions, which adds to tensors on any device."""
    return torch.tensor(value, dtype=torch.float64)


class Means:
    """Adds up measures without leaving the device, and divides at the end."""

    def __init__(self) -> None:
        self.sums: Sums = {}

    def add(self, sums: Sums) -> None:
        """Add the (sum, count) pairs of a batch."""
        for name, (total, count) in sums.items():
            before = self.sums.get(name, (as_double(0), as_double(0)))
            self.sums[name] = before[0] + total.double(), before[1] + count.double()

    def plain(self) -> dict[str, tuple[float, float]]:
        """The sums as JSON holds them, exactly."""
        return {name: (float(total), float(count)) for name, (total, count) in self.sums.items()}

    @classmethod
    def from_plain(cls, plain: dict[str, tuple[float, float]]) -> Means:
        """The inverse of `plain`."""
        means = cls()
        means.sums = {name: (as_double(total), as_double(count)) for name, (total, count) in plain.items()}
        return means

    def result(self) -> dict[str, float]:
        """The means; `pixel_error` is the root of the mean squared error, in pixels for one coordinate."""
        means = {name: float(total) / max(float(count), 1.0) for name, (total, count) in self.sums.items()}
        if "squared_pixel_error" in means:
            means["pixel_error"] = means.pop("squared_pixel_error") ** 0.5
        return means


@torch.no_grad()
def evaluate(model: Detector, dataset: Dataset, config: LossConfig, images: int | None = None) -> dict[str, float]:
    """Means over the first `images` of the data set (all of them by default), with predicted boxes, no augmentation.

    Returns the measures of `measure` and the losses as `loss_objectness`, `loss_box`, `loss_object`.
    """
    was_training = model.training
    model.eval()
    means, count = Means(), len(dataset) if images is None else min(images, len(dataset))
    for start in range(0, count, EVALUATION_BATCH):
        batch = dataset.batch(torch.arange(start, min(start + EVALUATION_BATCH, count)))
        prediction = model(batch.images)
        means.add(measure(model, prediction, batch))
        for name, loss in model.losses(prediction, batch, config).items():
            means.add({f"loss_{name}": (loss * len(batch), torch.tensor(len(batch)))})
    model.train(was_training)
    return means.result()
