"""Which detections are right at IoU 0.5, and from which score on they should be shown. No torch here.

Detections of one score are shown or dropped together. Legend: D detections, I images, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coco import COCOeval

POINTS = 101  # of a curve
DEFAULT_THRESHOLD = 0.5  # where there is no best one: networks of the course, images without objects

Curve = dict[str, NDArray[Any]]
"""`threshold`, falling, with `precision`, `recall`, `f1`, `tp`, `fp`, `fn` of what lies above: each [P]."""


@dataclass(frozen=True)
class Matches:
    """Every detection that counts, that is all but those in crowds and beyond the limit of an image.

    scores [D]; right bool [D]: matched with an object of its class at IoU 0.5; images, labels int [D].
    rows int [D]: the index of each among the detections of all images.
    objects: int [I,K], the number in each image of each class, without crowds.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    objects: NDArray[np.int64]

    @classmethod
    def of(cls, run: COCOeval, images: int, classes: int) -> Matches:
        """From `coco.matched` at one IoU and in one range of areas."""
        objects = np.zeros((images, classes), np.int64)
        matches: list[tuple[float, bool, int, int, int]] = []
        for pair in filter(None, run.eval_imgs):
            image, label = pair["image_id"] - 1, pair["category_id"] - 1
            objects[image, label] = len(pair["gtIgnore"]) - sum(pair["gtIgnore"])
            each = zip(pair["dtScores"], pair["dtMatched"][0], pair["dtIds"], pair["dtIgnore"][0], strict=True)
            matches += [(score, right, image, label, row - 1) for score, right, row, ignored in each if not ignored]
        scores, right, *columns = zip(*matches, strict=True) if matches else ((),) * 5
        image_of, labels, rows = (np.array(column, np.int64) for column in columns)
        return cls(np.array(scores, float), np.array(right, bool), image_of, labels, rows, objects)

    def above(self, threshold: float) -> dict[str, float] | None:
        """What `best` returns for the best threshold, for a given one; None where there are no objects."""
        objects, shown = int(self.objects.sum()), self.scores >= threshold
        tp, count = int(self.right[shown].sum()), int(shown.sum())
        if not objects:
            return None
        rates = {"precision": tp / max(count, 1), "recall": tp / objects, "f1": 2 * tp / (count + objects)}
        return {"threshold": threshold, **rates, "tp": tp, "fp": count - tp, "fn": objects - tp}

    def worst_images(self, threshold: float, names: Sequence[str]) -> list[dict[str, Any]]:
        """Right, false and missed detections of each image at a threshold: lowest F1 first, then most errors.

        `image` is its index in the data, `name` its name. An image with no object and no detection has an F1 of 1.
        """
        shown = self.scores >= threshold
        right = np.bincount(self.images[shown & self.right], minlength=len(names))  # [I]
        false = np.bincount(self.images[shown & ~self.right], minlength=len(names))  # [I]
        objects = self.objects.sum(1)  # [I]
        rows = []
        for image, name in enumerate(names):
            tp, fp, fn = int(right[image]), int(false[image]), int(objects[image] - right[image])
            f1 = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0
            rows.append({"image": image, "name": name, "tp": tp, "fp": fp, "fn": fn, "f1": f1})
        return sorted(rows, key=lambda row: (row["f1"], -row["fp"] - row["fn"], row["image"]))


def sweep(scores: NDArray[np.float64], right: NDArray[np.bool_], objects: int) -> Curve | None:
    """Precision, recall and F1 at each threshold that makes a difference: [D], [D], number of objects.

    A threshold lies midway between two neighbouring scores (0 follows the lowest), so that rounding elsewhere, as in
    an exported model, moves no detection across. None where there are no objects or no detections.
    """
    if not objects or not scores.size:
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.diff(ranked, append=-np.inf))  # of each group of equal scores
    tp, shown = np.cumsum(right[order])[last], last + 1
    return {
        "threshold": (ranked[last] + np.append(ranked[last[1:]], 0)) / 2,
        "precision": tp / shown,
        "recall": tp / objects,
        "f1": 2 * tp / (shown + objects),
        "tp": tp,
        "fp": shown - tp,
        "fn": objects - tp,
    }


def best(curve: Curve | None) -> dict[str, float] | None:
    """Where F1 is highest, of several the highest threshold; None where no detection is right."""
    if curve is None or not curve["f1"].any():
        return None
    index = int(np.argmax(curve["f1"]))
    return {name: values[index].item() for name, values in curve.items()}


def sampled(curve: Curve | None) -> dict[str, list[float]] | None:
    """About 101 points of a curve to draw, at quantiles of the scores, the best among them."""
    if curve is None:
        return None
    count = len(curve["f1"])
    indices = {int(np.argmax(curve["f1"])), *np.linspace(0, count - 1, min(count, POINTS)).round().astype(int).tolist()}
    return {name: curve[name][sorted(indices)].tolist() for name in ("threshold", "precision", "recall", "f1")}
