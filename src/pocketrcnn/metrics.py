"""How good is a network? Sums over a batch, and their means over a data set.

A measure is a pair (sum, count), so that batches of any size add up to the figure of the whole set.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from .config import LossConfig
from .data.datasets import Dataset, Judged
from .matching import Found, Truth
from .model import boxes
from .model.faster_rcnn import CANDIDATES, FasterRCNN, Prediction, Targets
from .model.rpn import box_error
from .model.structures import PADDING, Batch, Detections

Sums = dict[str, tuple[Tensor, Tensor]]

EVALUATION_BATCH = 250  # images of 48x48; large enough to fill two cores, small enough for the cache
SMALLEST_BATCH = 8
MOST_SUPPRESSED = 25_000_000  # pairs of candidates in suppression at once, which take half a gigabyte


def batch_size(side: int, candidates: int = 1) -> int:
    """Images of `side` pixels that are evaluated at once; fewer where many boxes an image enter suppression."""
    usual = max(SMALLEST_BATCH, min(EVALUATION_BATCH, EVALUATION_BATCH * 48**2 // side**2))
    return max(1, min(usual, MOST_SUPPRESSED // candidates**2))


def most_candidates(model: FasterRCNN) -> int:
    """Boxes an image that enter suppression, that of the proposals or that of the detections."""
    proposed = min(model.rpn.config.candidates, len(model.rpn.anchors)) if model.rpn else 1
    return max(proposed, CANDIDATES * model.config.detections)


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
            sums |= box_sums(prediction.deltas, targets.deltas, targets.anchors) | proposal_sums(prediction, batch)
    return sums


def objectness_sums(objectness: Tensor, labels: Tensor) -> Sums:
    """Point-wise accuracy of objectness logits [B,N] against labels [B,N]."""
    right = (objectness > 0) == (labels == boxes.POSITIVE)
    kinds = {"": labels != boxes.IGNORED, "_positive": labels == boxes.POSITIVE, "_negative": labels == boxes.NEGATIVE}
    return {f"objectness{kind}_accuracy": ((right & where).sum(), where.sum()) for kind, where in kinds.items()}


def box_sums(deltas: Tensor, targets: Tensor, labels: Tensor) -> Sums:
    """Regression loss of deltas [B,N,D] over positive anchors."""
    positive = labels == boxes.POSITIVE  # [B,N]
    return {"box_loss": ((box_error(deltas, targets) * positive).sum(), positive.sum())}


def proposal_sums(prediction: Prediction, batch: Batch) -> Sums:
    """How well the proposals cover the objects: error and overlap of the best proposal of each object.

    Proposals of score 0 are none: they were suppressed, and only fill the places.
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


def evaluate(
    model: FasterRCNN, dataset: Dataset, config: LossConfig, images: int | None = None, monitor: str = ""
) -> dict[str, float]:
    """Means over `images` of the data set, evenly spread (all of them by default), with predicted boxes and without
    augmentation.

    Returns the measures of `measure`, the losses as `loss_objectness`, `loss_box`, .., and, if `monitor` asks for a
    figure, COCO's average precision: `AP`, `AP50`, `AP75`, `AR` (0 where there are no objects).
    """
    return assess(model, dataset, config, images, monitor)[0]


@torch.no_grad()
def assess(
    model: FasterRCNN, dataset: Dataset, config: LossConfig, images: int | None, monitor: str
) -> tuple[dict[str, float], list[Truth], list[Found]]:
    """The figures of `evaluate`, with the truth and the detections behind them: none without a monitor."""
    means, truth, detected = Means(), list[Truth](), list[Found]()
    torch.manual_seed(0)  # the losses count a random sample of anchors: the same one every time
    for batch, prediction in predictions(model, dataset, images):
        targets = model.targets(prediction, batch)
        means.add(measure(prediction, targets, batch))
        for name, loss in model.losses(prediction, targets, config).items():
            means.add({f"loss_{name}": (loss * len(batch), torch.tensor(len(batch)))})
        if monitor:
            these, those = judge(model.decode(prediction), batch, dataset)
            truth += these
            detected += those
    found = means.result()
    if monitor:
        from .evaluation import average_precision

        precision = average_precision(truth, detected, len(dataset.classes))
        found |= {name: value or 0.0 for name, value in precision.items()}
    return found, truth, detected


def predictions(model: FasterRCNN, dataset: Dataset, images: int | None) -> Iterator[tuple[Batch, Prediction]]:
    """So many images of a data set, evenly spread, batch by batch, with what the network says of them."""
    was_training = model.training
    model.eval()
    count = len(dataset) if images is None else min(images, len(dataset))
    step = batch_size(dataset.size, most_candidates(model))
    places = torch.arange(count) * len(dataset) // max(count, 1)
    for start in range(0, count, step):
        batch = dataset.batch(places[start : start + step])
        yield batch, model(batch.images)
    model.train(was_training)


@torch.no_grad()
def judged(model: FasterRCNN, dataset: Dataset) -> tuple[list[Truth], list[Found]]:
    """Truth and detections of a whole data set, the same as `evaluate` judges."""
    truth, found = list[Truth](), list[Found]()
    for batch, prediction in predictions(model, dataset, None):
        these, those = judge(model.decode(prediction), batch, dataset)
        truth += these
        found += those
    return truth, found


def judge(detections: Detections, batch: Batch, dataset: Dataset) -> tuple[list[Truth], list[Found]]:
    """Truth and detections of a batch, in pixels of the images themselves: as `predict` gives them, cut at the borders
    of the image, without what lies in the grey beside it.
    """
    assert isinstance(dataset, Judged), "average precision needs the truth of a folder"
    truth, found = [], []
    for row, index in enumerate(batch.ids.tolist()):
        one = detections[row]
        truth.append(Truth(*dataset.truth(index)))
        scale, size = (np.tile(pair[index], 2) for pair in (dataset.scales, dataset.shapes))  # x, y, x, y
        corners = (one.boxes.double().cpu().numpy() / scale).clip(0, size)
        keep = (corners[:, 2:] > corners[:, :2]).all(1)
        scores, labels = one.scores.double().cpu().numpy(), one.labels.cpu().numpy()
        found.append(Found(corners[keep], scores[keep], labels[keep]))
    return truth, found
