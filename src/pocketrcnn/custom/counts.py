"""How many objects there are in an image, how large they are, and how much of it they cover. No torch here.

The side of an object is the square root of the area of its box, in pixels of the image: that of a square as large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Of the detections in one image.

    by_class: objects of each class, in the order of the classes, those without any included. mean_side, median_side: in
    pixels, None without objects. covered: pixels that the boxes cover together, those of several boxes once.
    """

    by_class: dict[str, int]
    mean_side: float | None
    median_side: float | None
    covered: float

    @property
    def objects(self) -> int:
        """Objects of all classes."""
        return sum(self.by_class.values())


def count(boxes: Any, labels: Any, classes: Sequence[str]) -> Counts:
    """The counts of one image, from its boxes [N,4], xyxy in pixels, and labels [N], without padding."""
    corners = np.asarray(boxes, np.float64).reshape(-1, 4)
    numbers = np.bincount(np.asarray(labels, np.int64), minlength=len(classes)).tolist()
    sides = np.sqrt((corners[:, 2:] - corners[:, :2]).prod(1))
    mean, median = (float(sides.mean()), float(np.median(sides))) if len(sides) else (None, None)
    return Counts(dict(zip(classes, numbers, strict=True)), mean, median, covered(corners))


def covered(boxes: Any) -> float:
    """The area of the union of boxes [N,4], exactly.

    A line moves over them from left to right. It knows how many boxes lie on each stretch between two neighbouring
    edges, of which those with a box count.
    """
    corners = np.asarray(boxes, np.float64).reshape(-1, 4)
    edges = np.unique(corners[:, 1::2])
    heights, depth = np.diff(edges), np.zeros(max(len(edges) - 1, 0), np.int64)
    rows = np.searchsorted(edges, corners[:, 1::2])  # [N,2]: the first stretch of each box, and the one behind the last
    places = np.concatenate([corners[:, 0], corners[:, 2]])  # where a box begins, and where it ends
    area, reached = 0.0, 0.0
    for event in np.argsort(places, kind="stable").tolist():
        ends, box = divmod(event, len(corners))
        area += (places[event] - reached) * float(heights[depth > 0].sum())
        depth[rows[box, 0] : rows[box, 1]] += -1 if ends else 1
        reached = places[event]
    return float(area)
