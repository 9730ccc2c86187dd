"""How good are detections? COCO's metrics, equal to pycocotools', and what explains them. No torch here.

Average precision of Lin et al. 2014 (cocodataset.org, "detection evaluation") as the library hotcoco counts it: IoU
0.50 to 0.95, 101 recall points, crowds neither right nor wrong. A metric that does not exist is None ("n/a"), never -1
nor NaN: there is no AP without objects.
The same input gives the same metrics to the bit. The order of the images matters only where detections in different
images have the very same score: AP ranks these in the order of the images, as COCO does; thresholds and counts do not.
Legend: K classes, N objects, T IoU thresholds (10), R recall points (101), A ranges of areas, the first without end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.boxes import Boxes
from .coco import ANY_AREA, COCOeval, Floats, accumulated, as_coco, detection_limit, matched
from .thresholds import DEFAULT_THRESHOLD, Matches, best, sampled, sweep

IOU_50, IOU_75 = 0, 5  # indices among the ten IoU thresholds
KINDS = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")  # of errors

Metrics = dict[str, float | None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """Everything that is known about the detections on a split of a data set: the content of `evaluation-SPLIT.json`.

    Each of `sizes` and `classes` has AP, AP50, AP75, AR as `overall`, with its number of objects. `best` and `used` are
    precision, recall, f1, tp, fp, fn at IoU 0.5, over all classes, of the detections from a score `threshold` on.
    """

    data: str
    """The path of the data."""
    split: str
    overall: Metrics
    sizes: list[Row]
    """Terciles of the objects."""
    classes: list[Row]
    max_detections: int
    """Detections of a class in an image that count."""
    counts: dict[str, int]
    precision_recall: Row
    """Precision at IoU 0.5 over `recall`."""
    best: Row | None
    """At the threshold of highest F1; None where no detection is right."""
    used: Row | None
    """At the threshold of the detector, which was chosen on other images (by default at that of `best`)."""
    tide: Row | None
    confusion: Row
    """Of the detections from its `threshold` on, that of `used`; so are `images`."""
    images: list[Row]
    """Right, false and missed detections of each image, the worst first."""
    thresholds: dict[str, list[float]] | None = None
    """Precision, recall and f1 over the threshold."""


def average_precision(
    ground_truth: Sequence[Boxes], detections: Sequence[Boxes], classes: int, max_detections: int | None = None
) -> Metrics:
    """AP, AP50, AP75 and AR (mean recall over the ten IoU thresholds), 0..1; all None where there are no objects.

    `ground_truth[i]` and `detections[i]`, in any order, belong to image i; labels are below `classes`. Classes without
    objects do not enter the means. The metrics are those of `evaluate(..).overall`.
    max_detections: `detection_limit` by default.
    """
    run = matched(ground_truth, detections, classes, max_detections or detection_limit(ground_truth))
    precision, recall = accumulated(run)
    return metrics_of(precision[..., 0], recall[..., 0])


def evaluate(
    ground_truth: Sequence[Boxes],
    detections: Sequence[Boxes],
    classes: Sequence[str],
    image_names: Sequence[str] | None = None,
    *,
    data: str = "",
    split: str = "",
    max_detections: int | None = None,
    threshold: float | None = None,
) -> Evaluation:
    """All metrics. Arguments as in `average_precision`, with the names `classes` and `image_names`, of data and split.

    max_detections: of a class in an image, best first. threshold: the score from which on the detector shows
    detections, by default that of the highest F1 here. Matched twice: at ten IoUs for the averages, at IoU 0.5 to learn
    which detections are right. To learn it from the first would take three times as long, since the library copies
    every match of every IoU and area into Python.
    """
    limit = max_detections or detection_limit(ground_truth)
    edges = size_edges(ground_truth)
    areas = [(low**2, np.nextafter(high**2, 0)) for _, low, high in edges]
    precision, recall = accumulated(matched(ground_truth, detections, len(classes), limit, areas=areas))
    at_half = matched(ground_truth, detections, len(classes), limit, ious=[0.5])
    matches = Matches.of(at_half, len(ground_truth), len(classes))
    whole = sweep(matches.scores, matches.right, int(matches.objects.sum()))
    highest = best(whole)
    used = highest if threshold is None else matches.above(threshold)
    score = used["threshold"] if used else DEFAULT_THRESHOLD if threshold is None else threshold
    shown = matches.rows[matches.scores >= score]
    return Evaluation(
        data=data,
        split=split,
        overall=metrics_of(precision[..., 0], recall[..., 0]),
        sizes=by_size(ground_truth, edges, precision, recall),
        classes=by_class(classes, matches, precision[..., 0], recall[..., 0]),
        max_detections=limit,
        counts={
            "images": len(ground_truth),
            "objects": int(matches.objects.sum()),
            "crowds": int(sum(one.crowd.sum() for one in ground_truth)),
            "detections": sum(map(len, detections)),
        },
        precision_recall=precision_recall(classes, precision[IOU_50, ..., 0]),
        best=highest,
        used=used,
        tide=tide(at_half) if matches.objects.any() else None,
        confusion=confusion(ground_truth, detections, classes, shown) | {"threshold": score},
        images=matches.worst_images(score, image_names or [str(index) for index in range(len(ground_truth))]),
        thresholds=sampled(whole),
    )


def metrics_of(precision: Floats, recall: Floats) -> Metrics:
    """Means of precision [T,R,K] and recall [T,K] over the classes with objects; -1 stands for one without."""
    values = {"AP": precision, "AP50": precision[IOU_50], "AP75": precision[IOU_75], "AR": recall}
    present = {name: each[each > -1] for name, each in values.items()}
    return {name: float(each.mean()) if each.size else None for name, each in present.items()}


def areas_of(ground_truth: Sequence[Boxes]) -> Floats:
    """Areas of all objects without crowds, in square pixels: [N]."""
    boxes = np.concatenate([np.zeros((0, 4)), *(one.boxes[~one.crowd] for one in ground_truth)])
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))


def size_edges(ground_truth: Sequence[Boxes]) -> list[tuple[str, float, float]]:
    """Name, side from and side below, in pixels, of three bins with about a third of the objects each; [] without any.

    The side of an object is the square root of its area; borders are whole pixels.
    """
    sides = np.sqrt(areas_of(ground_truth))
    if not sides.size:
        return []
    low, high = (round(float(edge)) for edge in np.quantile(sides, (1 / 3, 2 / 3)))
    low = max(low, 1)
    high = max(high, low + 1)
    return [
        (f"small (< {low} px)", 0, low),
        (f"medium ({low} to < {high} px)", low, high),
        (f"large (>= {high} px)", high, ANY_AREA[1] ** 0.5),
    ]


def by_size(
    ground_truth: Sequence[Boxes], edges: list[tuple[str, float, float]], precision: Floats, recall: Floats
) -> list[Row]:
    """The metrics of each bin of `edges`, from precision [T,R,K,A] and recall [T,K,A] over areas; `from` and `below`
    are sides in pixels, `below` None for the last.
    """
    areas, rows = areas_of(ground_truth), []
    for index, (name, low, high) in enumerate(edges, start=1):
        objects = int(((areas >= low**2) & (areas < high**2)).sum())
        row = {"name": name, "from": low, "below": high if index < len(edges) else None, "objects": objects}
        rows.append({**row, **metrics_of(precision[..., index], recall[..., index])})
    return rows


def by_class(classes: Sequence[str], matches: Matches, precision: Floats, recall: Floats) -> list[Row]:
    """The metrics of each of `classes`, from precision [T,R,K] and recall [T,K], its number of objects and of images
    with one, and its thresholds.
    """
    rows: list[Row] = []
    for label, name in enumerate(classes):
        chosen, objects = matches.labels == label, matches.objects[:, label]
        curve = sweep(matches.scores[chosen], matches.right[chosen], int(objects.sum()))
        counts = {"objects": int(objects.sum()), "images": int((objects > 0).sum())}
        metrics = metrics_of(precision[..., label : label + 1], recall[..., label : label + 1])
        rows.append({"name": name, **counts, **metrics, "best": best(curve), "thresholds": sampled(curve)})
    return rows


def precision_recall(classes: Sequence[str], precision: Floats) -> Row:
    """Curves of precision [R,K] of the classes at 101 recalls; `overall` is the mean over classes, and its mean is
    AP50.
    """
    present = [label for label in range(len(classes)) if (precision[:, label] > -1).all()]
    return {
        "recall": [index / 100 for index in range(101)],
        "overall": precision[:, present].mean(1).tolist() if present else None,
        "classes": [precision[:, label].tolist() if label in present else None for label in range(len(classes))],
    }


def tide(run: COCOeval) -> Row:
    """What AP50 would gain if all errors of one kind were corrected (Bolya et al. 2020), and how many there are.

    Cls: wrong class; Loc: wrong position (IoU 0.1 to 0.5); Both; Dupe: a second detection of an object; Bkg: no object
    there; Miss: an object without a detection. FP and FN: all false detections, all objects without a right one.
    """
    errors = run.tide_errors(pos_thr=0.5, bg_thr=0.1)
    return {
        "AP50": errors["ap_base"],
        "gain": {kind: errors["delta_ap"][kind] for kind in (*KINDS, "FP", "FN")},
        "errors": {kind: errors["counts"][kind] for kind in KINDS},
    }


def confusion(
    ground_truth: Sequence[Boxes], detections: Sequence[Boxes], classes: Sequence[str], shown: NDArray[np.int64]
) -> Row:
    """Counts [K+1,K+1] of K classes at IoU 0.5, of detections `shown`: rows truth, columns detections, last background.

    shown: indices among the detections of all images. They are matched whatever their class, so the diagonal may
    differ from `best`, which matches by class.
    """
    first = np.cumsum([0, *map(len, detections)])  # index of each image's first detection
    parts = [one[np.isin(np.arange(len(one)) + start, shown)] for one, start in zip(detections, first, strict=False)]
    run = COCOeval(*as_coco(ground_truth, parts, len(classes)), "bbox")
    counts = run.confusion_matrix(iou_thr=0.5, max_det=max(len(shown), 1))["matrix"]
    return {"names": [*classes, "background"], "matrix": counts.astype(int).tolist()}
