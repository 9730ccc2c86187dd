"""What became of each detection and of each object, image by image: right, which kind of error, missed. No torch here.

Detections are matched by falling score. So what lies below a threshold changes nothing above it, and the outcomes at
any threshold are those of the detections from there on: `tests/evaluation/test_outcomes.py` compares them with
`average_precision.evaluate`. Legend: n objects and m detections of an image, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.boxes import Boxes
from .coco import COCOeval, Floats, matched

IOU, BACKGROUND_IOU = 0.5, 0.1  # right from the one on; where no object reaches the other, there is none
OUTCOMES = ("right", "Cls", "Loc", "Both", "Dupe", "Bkg", "")
"""Of a detection: right, the kinds of errors of `average_precision.tide`, and, last, one that does not count, since it
lies in a crowd or beyond the limit of its image."""
RIGHT, CLS, LOC, BOTH, DUPE, BKG, IGNORED = range(len(OUTCOMES))
NONE = -1

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Outcomes:
    """The outcomes in one image. Indices are NONE (-1) where there is nothing to point at.

    detections: by falling score. kinds [m]: indices in OUTCOMES. truths [m]: the class of the object that each
    detection meets, whatever its own class (its row in the confusion matrix), K where it meets none.
    found [n]: the detection that is right about an object. met [n]: the one that meets it, of any class.
    blamed [n]: the first detection on it of kind Cls or Loc; where that is shown, TIDE does not call the object Miss.
    """

    objects: Boxes
    detections: Boxes
    kinds: Indices
    truths: Indices
    found: Indices
    met: Indices
    blamed: Indices


class Matched(NamedTuple):
    """Which detections count [m], which of them are right [m], which detection found each object [n]."""

    counted: NDArray[np.bool_]
    right: NDArray[np.bool_]
    found: Indices


def outcomes(ground_truth: Sequence[Boxes], detections: Sequence[Boxes], classes: int, limit: int) -> list[Outcomes]:
    """The outcomes in each image. classes, limit: as in `coco.matched`."""
    detections = [one[np.argsort(-one.scores, kind="stable")] for one in detections]
    by_class = matches(matched(ground_truth, detections, classes, limit, ious=[IOU]), ground_truth, detections)
    found = within(by_class.found, ground_truth, detections)
    rows = map(Matched, parts(by_class.counted, detections), parts(by_class.right, detections), found)
    each = list(zip(ground_truth, detections, rows, strict=True))
    met = met_by_any_class(ground_truth, detections, [own.counted for *_, own in each])
    return [outcome(*one, rows, classes) for one, rows in zip(each, met, strict=True)]


def outcome(objects: Boxes, detections: Boxes, own: Matched, met: Indices, classes: int) -> Outcomes:
    """The outcomes in an image. own: its detections, matched by class; met: by any, [n]; classes: their number."""
    kinds, about = errors(objects, detections, own.found >= 0)
    kinds[own.right], kinds[~own.counted] = RIGHT, IGNORED
    blamed = np.full(len(objects), NONE)
    for index in np.flatnonzero((kinds == CLS) | (kinds == LOC))[::-1]:  # the first one stays
        blamed[about[index]] = index
    truths = np.full(len(detections), classes)
    truths[met[met >= 0]] = objects.labels[met >= 0]
    return Outcomes(objects, detections, kinds, truths, own.found, met, blamed)


def matches(run: COCOeval, ground_truth: Sequence[Boxes], detections: Sequence[Boxes]) -> Matched:
    """From `coco.matched` at one IoU and in one range of areas: over the rows of all images."""
    counted, right = np.zeros((2, sum(map(len, detections))), bool)
    found = np.full(sum(map(len, ground_truth)), NONE)
    for pair in filter(None, run.eval_imgs):
        predicted, annotated = (np.array(pair[name], np.int64) - 1 for name in ("dtIds", "gtIds"))
        counted[predicted] = ~np.array(pair["dtIgnore"][0], bool)
        right[predicted] = np.array(pair["dtMatched"][0], bool) & counted[predicted]
        counts = ~np.array(pair["gtIgnore"], bool)
        found[annotated[counts]] = np.array(pair["gtMatches"][0], np.int64)[counts] - 1
    return Matched(counted, right, found)


def met_by_any_class(
    ground_truth: Sequence[Boxes], detections: Sequence[Boxes], counted: Sequence[NDArray[np.bool_]]
) -> list[Indices]:
    """For each object, [n] an image, the detection that meets it, as the confusion matrix pairs them: by score,
    whatever the class. Crowds and detections that are not `counted`, [m] an image, take no part.
    """
    objects = [Boxes(one.boxes, np.zeros(len(one)))[~one.crowd] for one in ground_truth]
    shown = [
        Boxes(one.boxes, np.zeros(len(one)), one.scores)[rows] for one, rows in zip(detections, counted, strict=True)
    ]
    limit = max([1, *map(len, shown)])
    pairs = within(matches(matched(objects, shown, 1, limit, ious=[IOU]), objects, shown).found, objects, shown)
    met = [np.full(len(one), NONE) for one in ground_truth]
    for one, kept, rows, pair in zip(met, ground_truth, counted, pairs, strict=True):
        one[~kept.crowd] = np.append(np.flatnonzero(rows), NONE)[pair]  # NONE is the last index, too
    return met


def errors(objects: Boxes, detections: Boxes, found: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """For each detection the kind of error that it is unless it is right, and the object that it is about: [m], [m].

    The rules of TIDE (Bolya et al. 2020) in the order in which they are tried there. A crowd takes part in its own
    class alone. found [n]: objects that have a right detection.
    """
    if not len(objects):
        return np.full(len(detections), BKG), np.full(len(detections), NONE)
    same = detections.labels[:, None] == objects.labels  # [m,n]
    overlap = overlaps(detections, objects)  # [m,n]
    own, other = np.where(same, overlap, 0), np.where(same | objects.crowd, 0, overlap)
    best, best_other = own.max(1), other.max(1)  # [m]
    rules = {
        LOC: (best >= BACKGROUND_IOU) & (best <= IOU),
        CLS: best_other >= IOU,
        DUPE: np.where(found, own, 0).max(1) >= IOU,
        BKG: np.maximum(best, best_other) <= BACKGROUND_IOU,
    }
    kinds = np.select(list(rules.values()), list(rules), BOTH)
    return kinds, np.where(kinds == LOC, own.argmax(1), other.argmax(1))


def overlaps(detections: Boxes, objects: Boxes) -> Floats:
    """IoU [m,n]; with a crowd, the part of the detection that lies in it, as COCO has it."""
    low = np.maximum(detections.boxes[:, None, :2], objects.boxes[:, :2])  # [m,n,2]
    high = np.minimum(detections.boxes[:, None, 2:], objects.boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)  # [m,n]
    own, other = (np.prod(one.boxes[:, 2:] - one.boxes[:, :2], axis=1) for one in (detections, objects))
    union = own[:, None] + np.where(objects.crowd, 0, other - shared)
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def parts(rows: NDArray[np.bool_], images: Sequence[Boxes]) -> list[NDArray[np.bool_]]:
    """The rows [N] of all images, image by image: [n] each."""
    return np.split(rows, np.cumsum([len(one) for one in images])[:-1]) if images else []


def within(found: Indices, ground_truth: Sequence[Boxes], detections: Sequence[Boxes]) -> list[Indices]:
    """Indices [N] among the detections of all images as indices among those of each image."""
    first = np.cumsum([0, *map(len, detections)])
    ends = np.cumsum([len(one) for one in ground_truth])[:-1]
    each = np.split(found, ends) if ground_truth else []
    return [np.where(rows >= 0, rows - start, NONE) for rows, start in zip(each, first, strict=False)]
