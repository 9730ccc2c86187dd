"""The hidden tests of lesson 3.

What they catch, each tried:

- `area_of_overlap`: no "max(0, ...)", so that two negative sides give an area; only one of the two; the smallest box
  around both; "+ 1" in the sides; x and y mixed up.
- `iou_of_pair`: the sum of the areas for the union; the smaller or the larger area for the union; the smallest box
  around both for the union; 0 / 0; "+ 1" in the sides.
- `label_anchors`: no rule of the best anchor; only the first of two equally good ones; the rule for objects that no
  anchor touches; the best object of each anchor in place of the best anchor of each object; "or equal" at a threshold;
  negative as soon as one object is far away; images without objects.
- `move_anchor`: t_x as pixels; t_x times the new width; corners moved in place of the centre; w_a (1 + t_w) in place of
  the exponential; a width that takes the height's delta.
"""

import math
from itertools import permutations
from typing import Any

import torch

from pocketrcnn.model import boxes


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6)


def overlap(work: Any, a: list[float], b: list[float], expected: float, why: str) -> None:
    for first, second in permutations((a, b)):
        given = float(work.area_of_overlap(list(first), list(second)))
        assert close(given, expected), f"for the boxes {first} and {second} your function gives {given:g}; {why}"


def test_area_of_overlap_of_boxes_that_overlap(work: Any) -> None:
    overlap(work, [0, 0, 4, 4], [2, 1, 6, 3], 4, "they share what lies between x = 2 and 4, y = 1 and 3")
    overlap(work, [0, 0, 10, 2], [4, 0, 6, 8], 4, "a flat and a high box share a square where they cross")
    overlap(work, [0.5, 0.25, 2.5, 1.25], [1.0, 0.5, 9.0, 9.0], 1.125, "sides need not be whole numbers")


def test_area_of_overlap_of_a_box_inside_another(work: Any) -> None:
    overlap(work, [0, 0, 10, 10], [2, 3, 5, 5], 6, "all of the smaller box is shared")
    overlap(work, [1, 2, 4, 8], [1, 2, 4, 8], 18, "a box shares all of its 3 x 6 square pixels with itself")


def test_area_of_overlap_of_boxes_that_touch(work: Any) -> None:
    overlap(work, [0, 0, 2, 2], [2, 0, 4, 2], 0, "boxes that only touch share no area")


def test_area_of_overlap_of_boxes_apart(work: Any) -> None:
    overlap(work, [0, 0, 2, 2], [5, 0, 9, 2], 0, "they lie apart in x, so that they share nothing")
    overlap(work, [0, 0, 2, 2], [0, 5, 2, 9], 0, "they lie apart in y, so that they share nothing")
    overlap(work, [0, 0, 2, 2], [5, 6, 9, 9], 0, "they lie apart in x and in y, and still share nothing")


def ratio(work: Any, a: list[float], b: list[float], expected: float, why: str) -> None:
    for first, second in permutations((a, b)):
        try:
            given = float(work.iou_of_pair(list(first), list(second)))
        except ZeroDivisionError:
            raise AssertionError(f"for the boxes {first} and {second} your function divides by 0; {why}") from None
        assert close(given, expected), f"for the boxes {first} and {second} your function gives {given:g}; {why}"


def test_iou_of_pair_is_1_for_equal_boxes(work: Any) -> None:
    ratio(work, [3, 4, 9, 20], [3, 4, 9, 20], 1, "equal boxes have the highest IoU there is")


def test_iou_of_pair_counts_the_common_part_once(work: Any) -> None:
    ratio(work, [0, 0, 4, 4], [2, 0, 6, 4], 1 / 3, "together they cover 24 square pixels, and 8 of these are shared")
    ratio(work, [0, 0, 10, 10], [0, 0, 5, 2], 0.1, "a small box inside a large one covers only a part of it")
    ratio(work, [0, 0, 6, 2], [4, 0, 6, 8], 1 / 6, "together they cover 24 square pixels, and 4 of these are shared")


def test_iou_of_pair_of_boxes_apart(work: Any) -> None:
    ratio(work, [0, 0, 2, 2], [2, 0, 4, 2], 0, "boxes that only touch share nothing")
    ratio(work, [0, 0, 2, 2], [5, 6, 9, 9], 0, "they share nothing")


def test_iou_of_pair_without_area(work: Any) -> None:
    ratio(work, [1, 1, 1, 1], [1, 1, 1, 1], 0, "a box without area overlaps nothing, not even itself")
    ratio(work, [1, 1, 1, 1], [0, 0, 4, 4], 0, "a point shares no area with a box")
    ratio(work, [4, 0, 0, 4], [0, 0, 4, 4], 0, "the box with x1 > x2 is inverted: it has no area")
    ratio(work, [4, 0, 0, 4], [10, 0, 14, 2], 0, "an inverted box has area 0, not a negative one")


def test_iou_of_pair_agrees_with_the_package(work: Any) -> None:
    torch.manual_seed(0)
    corners = torch.rand(40, 2, 2) * 20
    a = torch.cat((corners, corners + torch.rand(40, 2, 2) * 20), 2).round()
    for first, second in a.tolist():
        expected = boxes.iou(torch.tensor([first]), torch.tensor([second])).item()
        ratio(work, first, second, expected, "`boxes.iou` gives another value")


def labelled(work: Any, rows: list[list[float]], expected: list[int], why: str) -> None:
    given = work.label_anchors(torch.tensor(rows), 0.7, 0.1)
    said = f"for the IoUs {rows} (a row for each anchor, a column for each object) and thresholds of 0.7 and 0.1"
    assert tuple(given.shape) == (len(rows),), (
        f"{said} the result has the shape {list(given.shape)}: one label an anchor"
    )
    assert given.tolist() == expected, f"{said} your labels are {given.tolist()}; {why}"


def test_label_anchors_by_thresholds(work: Any) -> None:
    labelled(work, [[0.9], [0.8], [0.5], [0.05], [0.0]], [1, 1, -1, 0, 0], "look at the rules for one object")


def test_label_anchors_with_the_best_anchor_of_a_small_object(work: Any) -> None:
    labelled(work, [[0.3], [0.2], [0.05]], [1, -1, 0], "no anchor is above 0.7, but the object has a best one")
    labelled(work, [[0.0], [0.04], [0.02]], [0, 1, 0], "the best anchor of an object is positive, however low its IoU")


def test_label_anchors_with_two_equally_good_anchors(work: Any) -> None:
    labelled(work, [[0.4], [0.2], [0.4]], [1, -1, 1], "two anchors are equally good for the object: ties are included")


def test_label_anchors_for_an_object_that_no_anchor_touches(work: Any) -> None:
    labelled(
        work, [[0.8, 0.0], [0.3, 0.0], [0.05, 0.0]], [1, -1, 0], "the best IoU of the second object is 0: none has it"
    )


def test_label_anchors_for_several_objects(work: Any) -> None:
    rows = [[0.8, 0.0], [0.5, 0.0], [0.0, 0.3], [0.0, 0.05]]
    labelled(work, rows, [1, -1, 1, 0], "the example of the docstring")
    rows = [[0.9, 0.05], [0.6, 0.05], [0.3, 0.5], [0.05, 0.2]]
    labelled(work, rows, [1, -1, 1, -1], "an anchor is compared with every object, and its highest IoU counts")


def test_label_anchors_at_a_threshold(work: Any) -> None:
    labelled(work, [[0.9], [0.7], [0.1], [0.0]], [1, -1, -1, 0], "an IoU equal to a threshold is ignored")


def test_label_anchors_without_objects(work: Any) -> None:
    given = work.label_anchors(torch.zeros(3, 0), 0.7, 0.1)
    assert given.tolist() == [0, 0, 0], (
        f"without any object your labels of 3 anchors are {given.tolist()}; there is none to find"
    )


def test_label_anchors_agrees_with_the_package(work: Any) -> None:
    torch.manual_seed(0)
    grid = boxes.anchors(6, 6, 8, [(32.0, 32.0), (16.0, 24.0)])
    corners = torch.rand(20, 3, 2) * 30
    objects = torch.cat((corners, corners + 6 + torch.rand(20, 3, 2) * 30), 2)
    expected, _ = boxes.match(grid, objects, torch.ones(20, 3, dtype=torch.bool), 0.6, 0.3)
    for truth, labels in zip(objects, expected, strict=True):
        given = work.label_anchors(boxes.iou(grid.view(-1, 4), truth), 0.6, 0.3)
        differ = int((given != labels).sum())
        assert not differ, f"for 72 anchors and three objects, {differ} of your labels are not those of `boxes.match`"


def moved(work: Any, anchor: list[float], deltas: list[float], expected: list[float], why: str) -> None:
    given = [float(value) for value in work.move_anchor(list(anchor), list(deltas))]
    right = len(given) == 4 and all(map(close, given, expected))
    shown = [round(value, 3) for value in given]
    assert right, f"for the anchor {anchor} and the deltas {deltas} your function gives {shown}; {why}"


def test_move_anchor_without_deltas(work: Any) -> None:
    moved(work, [8, 8, 40, 40], [0, 0, 0, 0], [8, 8, 40, 40], "deltas of 0 lead to the anchor itself")
    moved(work, [0, 10, 20, 14], [0, 0, 0, 0], [0, 10, 20, 14], "deltas of 0 lead to the anchor itself")


def test_move_anchor_by_parts_of_its_sides(work: Any) -> None:
    moved(work, [8, 8, 40, 40], [0.25, 0, 0, 0], [16, 8, 48, 40], "t_x is a part of the anchor's width")
    moved(work, [0, 0, 20, 10], [0, -0.5, 0, 0], [0, -5, 20, 5], "t_y is a part of the anchor's height")


def test_move_anchor_to_other_sides(work: Any) -> None:
    twice = math.log(2)
    moved(work, [8, 8, 40, 40], [0, 0, twice, 0], [-8, 8, 56, 40], "twice as wide, around the same centre")
    moved(work, [8, 8, 40, 40], [0, 0, 0, -twice], [8, 16, 40, 32], "half as high, around the same centre")
    moved(
        work, [8, 8, 40, 40], [0.5, 0, twice, 0], [8, 8, 72, 40], "the centre moves by half of the anchor's own width"
    )


def test_move_anchor_undoes_encode(work: Any) -> None:
    torch.manual_seed(0)
    corners = torch.rand(20, 2, 2) * 30
    for anchor, box in torch.cat((corners, corners + 5 + torch.rand(20, 2, 2) * 30), 2).round():
        deltas = boxes.encode(box, anchor).tolist()
        moved(work, anchor.tolist(), deltas, box.tolist(), "`boxes.encode` made these deltas of another box")
