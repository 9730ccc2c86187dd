"""A network on a data set: its metrics, its detections, and the ground truth behind them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ..config import LossConfig
from ..data.dataset import Dataset, EvaluationDataset
from ..model.faster_rcnn import CANDIDATES, FasterRCNN, Prediction
from ..model.structures import Batch, Detections
from .coco import Found, Truth
from .measures import Means, measure

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
        from .average_precision import average_precision

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
    assert isinstance(dataset, EvaluationDataset), "average precision needs the truth of a folder"
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
