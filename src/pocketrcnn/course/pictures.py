"""Pictures of a trained detector, as plain data for the report: crops by spatial transformer, detections.

Images are PNG data URIs in their original size; the page enlarges them and draws the boxes.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..data.dataset import Dataset
from ..evaluation.network import batch_size
from ..model import boxes
from ..model.faster_rcnn import FasterRCNN
from ..model.structures import Batch, Detections
from ..report.crops import crops, png

CROP = 32  # pixels, as in the course
SHOWN = 8  # images in a row of crops
KEPT = 12  # detections of each kind
LOOKED_AT = 500  # images of the data set among which the first right and wrong ones are searched


@torch.no_grad()
def rois(model: FasterRCNN, dataset: Dataset) -> dict[str, Any]:
    """F1: the first images of a data set, cropped to 32x32 by the ground truth box and by the best proposal."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # scenes that are composed anew: the same ones whenever the report is made
        batch = dataset.batch(torch.arange(min(SHOWN, len(dataset))))
    proposed = model(batch.images).proposals[:, :1]  # [B,1,4]
    return {
        "originals": [png(image) for image in batch.images],
        "truth_boxes": rounded(batch.boxes[:, 0]),
        "predicted_boxes": rounded(proposed[:, 0]),
        "truth_crops": crops(batch.images, batch.boxes, model.config.input_size, CROP),
        "predicted_crops": crops(batch.images, proposed, model.config.input_size, CROP),
        "labels": [dataset.classes[int(label)] for label in batch.labels[:, 0]],
    }


@torch.no_grad()
def detections(model: FasterRCNN, dataset: Dataset) -> list[dict[str, Any]]:
    """The first right and the first wrong detections of a data set, in its order: nothing is picked by hand.

    In batches of an evaluation, so that the pictures take no more memory than it.
    """
    shown: dict[bool, list[dict[str, Any]]] = {True: [], False: []}  # right ones, wrong ones
    for indices in torch.split(torch.arange(min(LOOKED_AT, len(dataset))), batch_size(dataset.size)):
        batch = dataset.batch(indices)
        detected = model.detect(batch.images)
        for i, right in enumerate((detected.labels[:, 0] == batch.labels[:, 0]).tolist()):
            if len(some := shown[right]) < KEPT:
                some.append(described(detected, batch, i, dataset.classes))
        if all(len(some) == KEPT for some in shown.values()):
            break
    return shown[True] + shown[False]


def described(detected: Detections, batch: Batch, i: int, classes: Sequence[str]) -> dict[str, Any]:
    """The best detection of image i of a batch beside its ground truth."""
    box, truth = detected.boxes[i, :1], batch.boxes[i, :1]  # [1,4]
    label, predicted = int(batch.labels[i, 0]), int(detected.labels[i, 0])
    return {
        "image": png(batch.images[i]),
        "truth_box": rounded(truth)[0],
        "label": classes[label],
        "box": rounded(box)[0],
        "predicted": classes[predicted],
        "score": round(float(detected.scores[i, 0]), 4),
        "iou": round(float(boxes.iou(box, truth)), 4),
        "right": label == predicted,
    }


def rounded(boxes: Tensor) -> list[list[float]]:
    """Coordinates [n,4], to a hundredth of a pixel."""
    return [[round(v, 2) for v in row] for row in boxes.tolist()]
