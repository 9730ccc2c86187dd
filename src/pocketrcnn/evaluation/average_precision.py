"""How good are detections? COCO's figures, equal to pycocotools', and what explains them. No torch here.

Average precision of Lin et al. 2014 (cocodataset.org, "detection evaluation") as the library hotcoco counts it: IoU
0.50 to 0.95, 101 recall points, crowds neither right nor wrong. A figure that does not exist is None ("n/a"), never -1
nor NaN: there is no AP without objects.
The same input gives the same figures to the bit. The order of the images matters only where detections in different
images have the very same score: AP ranks these in the order of the images, as COCO does; thresholds and counts do not.
Legend: K classes, N objects, T IoU thresholds (10), R recall points (101), A ranges of areas, the first without end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hotcoco import COCOeval
from numpy.typing import NDArray

from .coco import ANY_AREA, Floats, Found, Truth, accumulated, as_coco, detection_limit, matched
from .thresholds import DEFAULT_THRESHOLD, Matches, best, sampled, sweep

IOU_50, IOU_75 = 0, 5  # places among the ten IoU thresholds


def average_precision(
    truth: Sequence[Truth], found: Sequence[Found], classes: int, max_detections: int | None = None
) -> dict[str, float | None]:
    """AP, AP50, AP75 and AR (mean recall over the ten IoU thresholds), 0..1; all None where there are no objects.

    `truth[i]` and `found[i]` belong to image i; labels are below `classes`. Classes without objects are left out of
    the means. max_detections: `detection_limit` by default. The same figures as `evaluate(...)["overall"]`.
    """
    run = matched(truth, found, classes, max_detections or detection_limit(truth))
    precision, recall = accumulated(run)
    return figures(precision[..., 0], recall[..., 0])


def evaluate(
    truth: Sequence[Truth],
    found: Sequence[Found],
    classes: Sequence[str],
    image_names: Sequence[str] | None = None,
    *,
    max_detections: int | None = None,
    threshold: float | None = None,
) -> dict[str, Any]:
    """Everything that is known about the detections, as JSON holds it: the content of `evaluation.json`.

    Arguments as in `average_precision`, with names of classes and images. Keys:
    `overall`, `sizes` (terciles of the objects), `classes`: AP, AP50, AP75, AR, each with its number of objects;
    `max_detections`: the limit behind these figures; `counts`; `precision_recall`: precision at IoU 0.5 over `recall`;
    `best`: the score threshold of best F1 at IoU 0.5 over all classes, with precision, recall, f1, tp, fp, fn there;
    `used`: the same at `threshold`, which was chosen on other images (by default that of `best`);
    what follows is of the detections from there on, but for `thresholds` and `tide`;
    `thresholds`: precision, recall and f1 over the threshold; `tide`; `confusion`; `images`, the worst first.
    """
    limit = max_detections or detection_limit(truth)
    edges = size_edges(truth)
    areas = [(low**2, np.nextafter(high**2, 0)) for _, low, high in edges]
    precision, recall = accumulated(matched(truth, found, len(classes), limit, areas=areas))
    at_half = matched(truth, found, len(classes), limit, ious=[0.5])
    matches = Matches.of(at_half, len(truth), len(classes))
    whole = sweep(matches.scores, matches.right, int(matches.objects.sum()))
    highest = best(whole)
    used = highest if threshold is None else matches.above(threshold)
    score = used["threshold"] if used else DEFAULT_THRESHOLD if threshold is None else threshold
    names = image_names or [str(index) for index in range(len(truth))]
    return {
        "overall": figures(precision[..., 0], recall[..., 0]),
        "sizes": by_size(truth, edges, precision, recall),
        "classes": by_class(classes, matches, precision[..., 0], recall[..., 0]),
        "max_detections": limit,
        "counts": {
            "images": len(truth),
            "objects": int(matches.objects.sum()),
            "crowds": int(sum(one.crowd.sum() for one in truth)),
            "detections": sum(len(one.scores) for one in found),
        },
        "precision_recall": precision_recall(classes, precision[IOU_50, ..., 0]),
        "best": highest,
        "used": used,
        "thresholds": sampled(whole),
        "tide": tide(at_half) if matches.objects.any() else None,
        "confusion": confusion(truth, found, classes, matches.rows[matches.scores >= score]) | {"threshold": score},
        "images": matches.worst_images(score, names),
    }


def figures(precision: Floats, recall: Floats) -> dict[str, float | None]:
    """AP, AP50, AP75, AR of precision [T,R,K] and recall [T,K], where -1 stands for a class without objects."""
    return {
        "AP": mean(precision),
        "AP50": mean(precision[IOU_50]),
        "AP75": mean(precision[IOU_75]),
        "AR": mean(recall),
    }


def mean(values: Floats) -> float | None:
    """The mean of what exists, that is of all but -1."""
    there = values[values > -1]
    return float(there.mean()) if there.size else None


def areas_of(truth: Sequence[Truth]) -> Floats:
    """Areas of all objects but crowds, in square pixels: [N]."""
    boxes = np.concatenate([np.zeros((0, 4)), *(one.boxes[~one.crowd] for one in truth)])
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))


def size_edges(truth: Sequence[Truth]) -> list[tuple[str, float, float]]:
    """Name, side from and side below, in pixels, of three bins with about a third of the objects each; [] without any.

    The side of an object is the square root of its area; borders are whole pixels.
    """
    sides = np.sqrt(areas_of(truth))
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
    truth: Sequence[Truth], edges: list[tuple[str, float, float]], precision: Floats, recall: Floats
) -> list[dict[str, Any]]:
    """The figures of each bin; `from` and `below` are sides in pixels, `below` None for the last."""
    areas, rows = areas_of(truth), []
    for place, (name, low, high) in enumerate(edges, start=1):
        objects = int(((areas >= low**2) & (areas < high**2)).sum())
        row = {"name": name, "from": low, "below": high if place < len(edges) else None, "objects": objects}
        rows.append({**row, **figures(precision[..., place], recall[..., place])})
    return rows


def by_class(classes: Sequence[str], matches: Matches, precision: Floats, recall: Floats) -> list[dict[str, Any]]:
    """The figures of each class, its number of objects and of images with one, and its own thresholds."""
    rows: list[dict[str, Any]] = []
    for label, name in enumerate(classes):
        mine, objects = matches.labels == label, matches.objects[:, label]
        own = sweep(matches.scores[mine], matches.right[mine], int(objects.sum()))
        counts = {"objects": int(objects.sum()), "images": int((objects > 0).sum())}
        own_figures = figures(precision[..., label : label + 1], recall[..., label : label + 1])
        rows.append({"name": name, **counts, **own_figures, "best": best(own), "thresholds": sampled(own)})
    return rows


def precision_recall(classes: Sequence[str], precision: Floats) -> dict[str, Any]:
    """Curves of precision [R,K] at 101 recalls; `overall` is the mean over classes, its own mean is AP50."""
    present = [label for label in range(len(classes)) if (precision[:, label] > -1).all()]
    return {
        "recall": [index / 100 for index in range(101)],
        "overall": precision[:, present].mean(1).tolist() if present else None,
        "classes": [precision[:, label].tolist() if label in present else None for label in range(len(classes))],
    }


def tide(run: COCOeval) -> dict[str, Any]:
    """What AP50 would gain if all errors of one kind were put right (Bolya et al. 2020), and how many there are.

    Cls: wrong class; Loc: wrong place (IoU 0.1 to 0.5); Both; Dupe: a second detection of an object; Bkg: nothing
    there; Miss: not found. FP and FN: all false detections, all objects that were not found.
    """
    found = run.tide_errors(pos_thr=0.5, bg_thr=0.1)
    kinds = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")
    return {
        "AP50": found["ap_base"],
        "gain": {kind: found["delta_ap"][kind] for kind in (*kinds, "FP", "FN")},
        "errors": {kind: found["counts"][kind] for kind in kinds},
    }


def confusion(
    truth: Sequence[Truth], found: Sequence[Found], classes: Sequence[str], shown: NDArray[np.int64]
) -> dict[str, Any]:
    """Counts [K+1,K+1] at IoU 0.5 of the detections `shown`: rows truth, columns detections, the last background.

    shown: places among the detections of all images. They are matched whatever their class, so the diagonal may
    differ from `best`, which matches by class.
    """
    first = np.cumsum([0, *(len(one.labels) for one in found)])  # place of each image's first detection
    kept = [np.isin(np.arange(first[i], first[i + 1]), shown) for i in range(len(found))]
    parts = [Found(one.boxes[k], one.scores[k], one.labels[k]) for one, k in zip(found, kept, strict=True)]
    run = COCOeval(*as_coco(truth, parts, len(classes)), "bbox")
    counts = run.confusion_matrix(iou_thr=0.5, max_det=max(len(shown), 1))["matrix"]
    return {"names": [*classes, "background"], "matrix": counts.astype(int).tolist()}
