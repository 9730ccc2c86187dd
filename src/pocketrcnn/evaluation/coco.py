"""Ground truth and detections, matched by COCO's rules. No torch here.

The only file that fills the tables of the library hotcoco.
Legend: n objects and m detections of an image, N rows of all images.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hotcoco import COCO
from hotcoco import COCOeval as COCOeval  # noqa: PLC0414 - handed on: no other file imports hotcoco
from numpy.typing import NDArray

from ..data.boxes import Boxes

Floats = NDArray[np.floating[Any]]
Range = tuple[float, float]

MIN_LIMIT = 100  # COCO's limit on the detections of an image and class
ANY_AREA: Range = (0, 1e10)  # square pixels, COCO's "all"


def detection_limit(ground_truth: Sequence[Boxes]) -> int:
    """How many detections of a class in an image count, best first: twice the objects of the fullest image, at least
    100. COCO's fixed 100 caps the recall of images with more objects.
    """
    return max([MIN_LIMIT, *(2 * len(one) for one in ground_truth)])


def matched(
    ground_truth: Sequence[Boxes],
    detections: Sequence[Boxes],
    classes: int,
    limit: int,
    *,
    areas: Sequence[Range] = (),
    ious: Sequence[float] | None = None,
) -> COCOeval:
    """Detections matched with objects of any area, then of each range of areas, both ends included, in square pixels.

    classes: how many. limit: detections of a class in an image that count, best first. ious: 0.50, 0.55 to 0.95 by
    default.
    """
    assert len(ground_truth) == len(detections), "one list of detections an image"
    evaluation = COCOeval(*as_coco(ground_truth, detections, classes), "bbox")
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


def as_coco(ground_truth: Sequence[Boxes], detections: Sequence[Boxes], classes: int) -> tuple[COCO, COCO]:
    """The tables of the library; image i and class k, of so many classes, have the ids i + 1 and k + 1."""
    images, boxes, labels = flat(ground_truth)
    assert ((labels > 0) & (labels <= classes)).all(), "every label has a class"
    objects = COCO.from_arrays(
        [{"id": index + 1} for index in range(len(ground_truth))],
        [{"id": index + 1, "name": str(index)} for index in range(classes)],
        images,
        labels,
        boxes,
        iscrowd=np.concatenate([np.zeros(0, bool), *(one.crowd for one in ground_truth)]),
    )
    images, boxes, labels = flat(detections)
    assert ((labels > 0) & (labels <= classes)).all(), "every label has a class"
    scores = np.concatenate([np.zeros(0), *(one.scores for one in detections)])
    return objects, objects.load_res(np.column_stack((images, boxes, scores, labels)))


def flat(parts: Sequence[Boxes]) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """The rows of all images below each other: ids of images [N], boxes x, y, w, h [N,4], ids of classes [N]."""
    images = np.repeat(np.arange(len(parts)), [len(one) for one in parts]) + 1
    boxes = np.concatenate([np.zeros((0, 4)), *(one.boxes for one in parts)])
    labels = np.concatenate([np.zeros(0, np.int64), *(one.labels for one in parts)]) + 1
    return images, np.column_stack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2])), labels
