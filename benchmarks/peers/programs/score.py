"""Average precision of detections, by pycocotools: prints JSON. The one program that scores all detectors.

    python score.py LISTING SPLIT DETECTIONS...

The ground truth is that of the listing, and so is the limit on the detections of an image and class (maxDets). Means
over the classes with objects, as COCO has them; null where there are no objects.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import exchange
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

AT_50, AT_75 = 0, 5  # of the ten IoU thresholds


def ground_truth(listing: Any, split: str) -> COCO:
    """The objects of a split as pycocotools has them."""
    rows = [
        (one["id"], label + 1, [x1, y1, x2 - x1, y2 - y1], crowd)
        for one in listing["images"][split]
        for (x1, y1, x2, y2), label, crowd in zip(one["boxes"], one["labels"], one["crowd"], strict=True)
    ]
    annotations = [
        {"id": i, "image_id": image, "category_id": label, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd}
        for i, (image, label, box, crowd) in enumerate(rows, start=1)
    ]
    return indexed(listing, split, annotations)


def indexed(listing: Any, split: str, annotations: list[Any]) -> COCO:
    """Annotations on the images of a split, ready for use."""
    made = COCO()
    made.dataset = {
        "images": [{"id": one["id"]} for one in listing["images"][split]],
        "categories": [{"id": label + 1} for label in range(len(listing["classes"]))],
        "annotations": annotations,
    }
    made.createIndex()
    return made


def score(listing: Any, split: str, detections: Sequence[Any]) -> dict[str, float | None]:
    """AP, AP50 and AP75 of COCO results."""
    truth = ground_truth(listing, split)
    found = truth.loadRes(list(detections)) if detections else indexed(listing, split, [])  # it reads no empty list
    run = COCOeval(truth, found, "bbox")
    run.params.maxDets = [listing["limit"][split]]
    run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
    run.evaluate()
    run.accumulate()
    precision = run.eval["precision"][..., 0, 0]  # [IoU,recall,class], -1 without objects
    chosen = {"AP": precision, "AP50": precision[AT_50], "AP75": precision[AT_75]}
    return {name: mean(values) for name, values in chosen.items()}


def mean(values: Any) -> float | None:
    """The mean of what exists."""
    present = values[values > -1]
    return float(np.mean(present)) if present.size else None


def main(arguments: Sequence[str]) -> None:
    """Score each file."""
    listing, split = exchange.read(Path(arguments[0])), arguments[1]
    with redirect_stdout(sys.stderr):
        scores = [score(listing, split, exchange.read(Path(name))) for name in arguments[2:]]
    print(json.dumps(scores))


if __name__ == "__main__":
    main(sys.argv[1:])
