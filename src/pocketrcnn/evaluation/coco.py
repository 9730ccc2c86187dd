"""Objects and detections of images, and which of them belong together by COCO's rules. No torch here.

The only file that fills the tables of the library hotcoco.
Legend: n objects and m detections of an image, N rows of all images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hotcoco import COCO, COCOeval
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Range = tuple[float, float]

LEAST_DETECTIONS = 100  # COCO's own limit, an image and class
ANY_AREA: Range = (0, 1e10)  # square pixels, COCO's "all"


@dataclass(frozen=True)
class Truth:
    """The objects of one image: boxes [n,4] xyxy in its own pixels, labels int [n] in 0..K-1, crowd bool [n]."""

    boxes: Floats
    labels: NDArray[np.integer[Any]]
    crowd: NDArray[np.bool_]

    def __post_init__(self) -> None:
        assert self.boxes.shape == (len(self.labels), 4), "one box a label"
        assert self.labels.shape == self.crowd.shape, "one crowd flag a label"


@dataclass(frozen=True)
class Found:
    """The detections in one image, in any order: boxes [m,4] as in `Truth`, scores [m] in 0..1, labels int [m]."""

    boxes: Floats
    scores: Floats
    labels: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        assert self.boxes.shape == (len(self.labels), 4), "one box a label"
        assert self.labels.shape == self.scores.shape, "one score a label"
        assert ((self.scores >= 0) & (self.scores <= 1)).all(), "scores are probabilities"


def detection_limit(truth: Sequence[Truth]) -> int:
    """How many detections of a class in an image count, best first: twice the most objects of an image, at least 100.

    COCO's fixed 100 caps the recall of images with more objects.
    """
    return max([LEAST_DETECTIONS, *(2 * len(one.labels) for one in truth)])


def matched(
    truth: Sequence[Truth],
    found: Sequence[Found],
    classes: int,
    limit: int,
    *,
    areas: Sequence[Range] = (),
    ious: Sequence[float] | None = None,
) -> COCOeval:
    """Detections matched with objects of any area, then of each range of areas, both ends included, in square pixels.

    limit: detections of a class in an image that count, best first. ious: 0.50, 0.55 to 0.95 by default.
    """
    assert len(truth) == len(found), "one list of detections an image"
    evaluation = COCOeval(*as_coco(truth, found, classes), "bbox")
    evaluation.params.max_dets = [limit]
    evaluation.params.area_rng = [list(area) for area in (ANY_AREA, *areas)]
    evaluation.params.area_rng_lbl = ["all", *map(str, range(len(areas)))]
    if ious is not None:
        evaluation.params.iou_thrs = list(ious)
    evaluation.evaluate()
    return evaluation


def accumulated(run: COCOeval) -> tuple[Floats, Floats]:
    """Precision [T,R,K,A] and recall [T,K,A] over IoU, 101 recall points, classes, areas; -1 without objects."""
    run.accumulate()
    assert run.eval is not None, "just accumulated"
    return run.eval["precision"][..., 0], run.eval["recall"][..., 0]


def as_coco(truth: Sequence[Truth], found: Sequence[Found], classes: int) -> tuple[COCO, COCO]:
    """The library's own tables; image i and class k have the ids i + 1 and k + 1."""
    images, boxes, labels = flat(truth)
    assert ((labels > 0) & (labels <= classes)).all(), "every label has a class"
    objects = COCO.from_arrays(
        [{"id": index + 1} for index in range(len(truth))],
        [{"id": index + 1, "name": str(index)} for index in range(classes)],
        images,
        labels,
        boxes,
        iscrowd=np.concatenate([np.zeros(0, bool), *(one.crowd for one in truth)]),
    )
    images, boxes, labels = flat(found)
    assert ((labels > 0) & (labels <= classes)).all(), "every label has a class"
    scores = np.concatenate([np.zeros(0), *(one.scores for one in found)])
    return objects, objects.load_res(np.column_stack((images, boxes, scores, labels)))


def flat(parts: Sequence[Truth] | Sequence[Found]) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """The rows of all images below each other: ids of images [N], boxes x, y, w, h [N,4], ids of classes [N]."""
    images = np.repeat(np.arange(len(parts)), [len(one.labels) for one in parts]) + 1
    boxes = np.concatenate([np.zeros((0, 4)), *(one.boxes for one in parts)])
    labels = np.concatenate([np.zeros(0, np.int64), *(one.labels for one in parts)]) + 1
    return images, np.column_stack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2])), labels
