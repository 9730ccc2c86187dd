"""Random objects and detections, and what pycocotools says of them."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pocketrcnn.data.boxes import Boxes

METRICS = {"AP": slice(None), "AP50": 0, "AP75": 5}


def truth_of(*rows: Sequence[float]) -> Boxes:
    """An image's objects from rows of x1, y1, x2, y2, label, crowd."""
    table = np.array(rows, float).reshape(-1, 6)
    return Boxes(table[:, :4], table[:, 4].astype(int), crowd=table[:, 5].astype(bool))


def detections_of(*rows: Sequence[float]) -> Boxes:
    """An image's detections from rows of x1, y1, x2, y2, score, label."""
    table = np.array(rows, float).reshape(-1, 6)
    return Boxes(table[:, :4], table[:, 5].astype(int), table[:, 4])


def random_set(seed: int, images: int | None = None, most: int = 8) -> tuple[list[Boxes], list[Boxes], int]:
    """Objects and detections of a few images: crowds, ties, duplicates, no area, nothing at all, whole pixels."""
    rng = np.random.default_rng(seed)
    classes, whole_pixels, ties = int(rng.integers(1, 4)), rng.random() < 0.5, rng.random() < 0.5
    truth, detected = [], []
    for _ in range(images or int(rng.integers(1, 5))):
        objects, detections = (int(rng.integers(0, most + 1)) * (rng.random() > 0.25) for _ in range(2))
        boxes, labels = random_boxes(rng, objects), rng.integers(0, classes, objects)
        guesses, guessed = random_boxes(rng, detections), rng.integers(0, classes, detections)
        for place in np.flatnonzero(rng.random(detections) < 0.7 * bool(objects)):
            one = rng.integers(objects)
            guesses[place] = boxes[one] + rng.normal(0, 1.2, 4) * (rng.random() < 0.6)
            guessed[place] = labels[one]
        scores = rng.random(detections).round(1 if ties else 9)
        boxes, guesses = (array.round() if whole_pixels else array for array in (boxes, guesses))
        truth.append(Boxes(boxes, labels, crowd=rng.random(objects) < 0.15))
        detected.append(Boxes(guesses.astype(np.float32), guessed, scores))
    return truth, detected, classes


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Boxes of 0 to 12 pixels; one side in twenty is zero."""
    corner = rng.uniform(0, 20, (count, 2))
    sides = rng.uniform(0, 12, (count, 2)) * (rng.random((count, 2)) > 0.05)
    return np.concatenate((corner, corner + sides), axis=1)


def oracle(
    truth: list[Boxes], detected: list[Boxes], classes: int, limit: int, areas: list[tuple[float, float]]
) -> dict[str, np.ndarray]:
    """pycocotools' precision [T,R,K,A] and recall [T,K,A]."""
    images = [{"id": index + 1} for index in range(len(truth))]
    names = [{"id": label + 1, "name": str(label)} for label in range(classes)]
    with contextlib.redirect_stdout(io.StringIO()):
        tables = []
        for rows in (annotations(truth), annotations(detected)):
            table = COCO()
            table.dataset = {"images": images, "annotations": rows, "categories": names}
            table.createIndex()
            tables.append(table)
        run = COCOeval(*tables, "bbox")
        run.params.maxDets, run.params.areaRng = [limit], areas
        run.params.areaRngLbl = list(map(str, areas))
        run.evaluate()
        run.accumulate()
    return {name: run.eval[name][..., 0] for name in ("precision", "recall")}


def annotations(parts: Sequence[Boxes]) -> list[dict[str, Any]]:
    """Boxes as pycocotools wants them."""
    rows: list[dict[str, Any]] = []
    for image, one in enumerate(parts, start=1):
        for index, (x1, y1, x2, y2) in enumerate(one.boxes.astype(float)):
            width, height = x2 - x1, y2 - y1
            row = {"bbox": [x1, y1, width, height], "area": width * height, "image_id": image, "id": len(rows) + 1}
            row["category_id"] = int(one.labels[index]) + 1
            row["iscrowd"] = int(one.crowd[index])
            row["score"] = float(one.scores[index])
            rows.append(row)
    return rows


def metrics_of(precision: np.ndarray, recall: np.ndarray) -> dict[str, float | None]:
    """Means over what is not -1 of pycocotools' precision [T,R,K] and recall [T,K]."""
    values = {name: precision[place] for name, place in METRICS.items()} | {"AR": recall}
    return {name: float(array[array > -1].mean()) if (array > -1).any() else None for name, array in values.items()}
