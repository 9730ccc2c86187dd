"""Anchors that fit the boxes of a data set, by width and height alone. No torch here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.annotations import MIN_SIDE, Example
from ..errors import shown
from .options import Anchors

Floats = NDArray[np.float64]

GOOD_FIT = 0.72  # mean IoU of boxes with their best anchor: no further anchor is fitted to all boxes above it
MATCHED = 0.5  # IoU from which on an anchor counts as that of an object (`rpn.positive_iou` of a custom detector)
MOST_MISSED = 0.2  # of a group: where more of its objects have no anchor, it gets one
LEAST_CELLS = 2.5  # a missed object gets no anchor whose sides are less: at one or two cells alone it would fit
MAX_ANCHORS = 5  # fitted to all boxes
MAX_IN_ALL = 7
COMPARED = 500  # shapes that a further anchor is chosen among
BY_SIZE = ("smallest", "second", "third", "fourth", "largest")
PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth"}  # of a class
FEW = 3, 10  # objects of a group, at least: a tenth of all, and within these

Groups = list[tuple[str, NDArray[np.int64]]]  # in words, with the indices of the boxes


def sides_and_boxes(examples: Sequence[Example], side: int | None) -> Floats:
    """Width and height of all objects but crowds in an input of `side` pixels, None: in the images: [n,2]."""
    boxes = []
    for example in examples:
        assert example.size is not None, "`check` returns real sizes"
        scale = min(1.0, side / max(example.size)) if side else 1.0
        corners = (obj.box for obj in example.objects if not obj.crowd)
        boxes += [((x2 - x1) * scale, (y2 - y1) * scale) for x1, y1, x2, y2 in corners]
    return np.array(boxes, np.float64).reshape(-1, 2)


def shape_iou(boxes: Floats, shapes: Floats) -> Floats:
    """IoU of boxes [n,2] and anchors [k,2] around the same centre, from width and height: [n,k]."""
    overlap = np.minimum(boxes[:, None], shapes).prod(-1)
    return np.asarray(overlap / (boxes.prod(-1)[:, None] + shapes.prod(-1) - overlap))


def names_of(examples: Sequence[Example]) -> list[str]:
    """The classes of the boxes of `sides_and_boxes`, in their order."""
    return [obj.name for example in examples for obj in example.objects if not obj.crowd]


def groups_of(boxes: Floats, names: Sequence[str]) -> Groups:
    """The boxes [n,2] of each class in up to five equal parts by area; of a class of few objects none.

    In words: the smallest fifth of `cat`. Boxes that are too small to be learned are in no group.
    """
    least = min(max(FEW[0], len(boxes) / 10), FEW[1])
    members: dict[str, list[int]] = {name: [] for name in names}
    for index in np.argsort(boxes.prod(-1), kind="stable").tolist():
        if boxes[index].min() >= MIN_SIDE:
            members[names[index]].append(index)
    groups: Groups = []
    for name, of in members.items():
        count = min(len(BY_SIZE), int(len(of) // least))
        for i, part in enumerate(np.array_split(np.array(of, np.int64), count) if count else ()):
            which = f"the {BY_SIZE[-1 if i == count - 1 else i]} {PARTS[count]} of " if count > 1 else ""
            groups.append((f"{which}`{shown(name)}`", part))
    return groups


def fit_anchors(boxes: Floats, count: int) -> tuple[Anchors, float]:
    """`count` anchors by k-means on 1 - IoU (Redmon and Farhadi 2017, section 2), and the mean best IoU.

    boxes: width and height [n,2] in pixels, n above 0. Deterministic: the initial anchors are spread over the boxes by
    area.
    """
    order = boxes[np.argsort(boxes.prod(-1), kind="stable")]
    shapes = moved_to_centres(boxes, order[((np.arange(count) + 0.5) / count * len(order)).astype(int)])
    return in_order(shapes), float(shape_iou(boxes, shapes).max(1).mean())


def moved_to_centres(boxes: Floats, shapes: Floats) -> Floats:
    """Shapes [k,2] moved to the medians of the boxes [n,2] that are nearest to each, until nothing moves."""
    for _ in range(50):
        nearest = shape_iou(boxes, shapes).argmax(1)
        moved = np.array(
            [np.median(boxes[nearest == k], 0) if (nearest == k).any() else shapes[k] for k in range(len(shapes))]
        )
        if np.allclose(moved, shapes):
            break
        shapes = moved
    return shapes


def in_order(shapes: Floats) -> Anchors:
    """Shapes [k,2] as anchors, small ones first."""
    ordered = shapes[np.argsort(shapes.prod(-1), kind="stable")]
    return tuple((round(float(w), 1), round(float(h), 1)) for w, h in ordered)


def choose_anchors(boxes: Floats, names: Sequence[str], side: int, stride: int) -> Anchors:
    """As few anchors as fit well on average, and one more for each group that these miss.

    boxes: width and height [n,2] in an input of `side` pixels. names: their classes. stride: pixels of a cell.
    """
    if not len(boxes):
        return ((side / 4, side / 4),)
    for count in range(1, min(MAX_ANCHORS, len(boxes)) + 1):
        anchors, fit = fit_anchors(boxes, count)
        if fit >= GOOD_FIT:
            break
    return with_missed(boxes, groups_of(boxes, names), anchors, LEAST_CELLS * stride)


def with_missed(boxes: Floats, groups: Groups, anchors: Anchors, least: float) -> Anchors:
    """The anchors, and further ones while a group has too many objects without one.

    A mean hides that: where one class is much more frequent than others, its anchors alone fit well on average. Each
    further anchor begins at a shape of the group that most is missed of, and all are then moved to their boxes.
    least: boxes count as that wide and high, in pixels. A smaller object is learned better from larger anchors: it lies
    inside them at several cells, whose overlaps are equal (docs/log.md).
    """
    grown = np.maximum(boxes, least)
    while groups and len(anchors) < MAX_IN_ALL:
        matched = shape_iou(grown, np.array(anchors)).max(1) >= MATCHED
        worst = min((group for _, group in groups), key=lambda group: float(matched[group].mean()))
        missed = grown[worst[~matched[worst]]]
        if len(missed) <= MOST_MISSED * len(worst):
            break
        anchors = in_order(moved_to_centres(grown, np.vstack([anchors, middle(missed)])))
    return anchors


def middle(boxes: Floats) -> Floats:
    """The shape that matches most of the boxes [n,2], moved to the middle of those: [2]."""
    some = boxes[np.unique(np.linspace(0, len(boxes) - 1, min(COMPARED, len(boxes))).astype(int))]
    matches = shape_iou(some, some) >= MATCHED
    return np.asarray(np.median(some[matches[:, matches.sum(0).argmax()]], 0))


def describe_anchors(anchors: Anchors, boxes: Floats, groups: Groups | None = None) -> str:
    """Anchors in words, with the best possible recall: the fraction of the boxes that some anchor matches.

    groups: the one that most is missed of is named, where that is much.
    """
    overlaps = shape_iou(boxes, np.array(anchors)).max(1)
    shapes = ", ".join(f"{w:.0f}x{h:.0f}" for w, h in anchors)
    recall = ", ".join(f"{(overlaps >= t).mean():.1%} at IoU {t}" for t in (0.5, 0.7))
    found = [(name, float((overlaps[group] >= MATCHED).mean())) for name, group in groups or ()]
    name, least = min(found, key=lambda pair: pair[1], default=("", 1.0))
    worst = f"; of {name} {least:.0%} at IoU {MATCHED}" if 1 - least > MOST_MISSED else ""
    return f"anchors {shapes} px; best possible recall {recall} (mean IoU {overlaps.mean():.2f}){worst}"
