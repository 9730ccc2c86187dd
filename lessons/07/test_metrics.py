"""The hidden tests of lesson 7.

What they catch, each tried:

- `match_detections`: the order of the rows in place of the scores; objects that several detections take; the best
  object alone, although it is taken (the rule of VOC); the first object above the threshold in place of the best; the
  pairs of highest IoU first; "above" in place of "at least"; results in the order of the scores; no objects.
- `precision_recall`: all detections below the fraction from the beginning; right detections in place of objects below
  recall; one value in place of a curve; false positives in place of right ones; precision and recall exchanged.
- `interpolated_ap`: the mean of the precisions; the precision of the detection alone, without the best one at a higher
  recall; a line between the points; recalls that are not reached left out; 100 recalls; the area in place of the 101
  recalls; "above" in place of "at least"; no detection.
- `images_needed`: no square; the fraction upside down; the root; rounded down; rounded half up.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.evaluation.average_precision import average_precision
from pocketrcnn.evaluation.coco import matched
from pocketrcnn.evaluation.outcomes import matches, overlaps


def pairs(work: Any, overlap: list[list[float]], scores: list[float], expected: list[int], why: str) -> None:
    given = [int(one) for one in work.match_detections(np.array(overlap), np.array(scores), 0.5)]
    what = f"for the IoU {overlap} and the scores {scores} your function gives {given}"
    assert len(given) == len(scores), f"{what}; one number a detection is asked for"
    assert given == expected, f"{what}; {why}"


def test_match_detections_of_one_object(work: Any) -> None:
    pairs(work, [[0.6], [0.8]], [0.9, 0.7], [0, -1], "the higher score comes first, and an object is taken once")
    pairs(work, [[0.6], [0.8]], [0.7, 0.9], [-1, 0], "the higher score comes first, wherever it stands")
    pairs(work, [[0.3]], [0.9], [-1], "the IoU is below the threshold of 0.5")


def test_match_detections_at_the_threshold(work: Any) -> None:
    pairs(work, [[0.5]], [0.9], [0], "an IoU that is equal to the threshold of 0.5 is enough")


def test_match_detections_that_touch_two_objects(work: Any) -> None:
    pairs(work, [[0.55, 0.75]], [0.9], [1], "both objects are free: which of them does it overlap most?")
    why = "the best object of the second detection is taken, and another one is free and overlaps it enough"
    pairs(work, [[0.9, 0.0], [0.8, 0.6]], [0.9, 0.8], [0, 1], why)
    why = "the score decides who comes first, not the IoU"
    pairs(work, [[0.6, 0.0], [0.9, 0.0]], [0.9, 0.8], [0, -1], why)


def test_match_detections_in_the_order_of_the_rows(work: Any) -> None:
    overlap = [[0.0, 0.0, 0.7], [0.8, 0.0, 0.0], [0.0, 0.9, 0.0]]
    pairs(work, overlap, [0.2, 0.9, 0.5], [2, 0, 1], "the result has the order of the rows, not that of the scores")


def test_match_detections_without_objects(work: Any) -> None:
    given = list(work.match_detections(np.zeros((2, 0)), np.array([0.9, 0.8]), 0.5))
    assert given == [-1, -1], f"in an image without objects your function gives {given}; nothing can be right there"


def test_match_detections_as_coco_does(work: Any) -> None:
    draw = np.random.default_rng(7)
    for _ in range(20):
        corners = draw.uniform(0, 20, (14, 2))
        boxes = np.concatenate((corners, corners + draw.uniform(6, 16, (14, 2))), 1)
        objects, scores = Boxes(boxes[:6], np.zeros(6)), np.sort(draw.permutation(99)[:8] / 100)[::-1]
        found = Boxes(boxes[6:], np.zeros(8), scores)
        taken = matches(matched([objects], [found], 1, 100, ious=[0.5]), [objects], [found]).found
        expected = [list(taken).index(row) if row in taken else -1 for row in range(8)]
        pairs(work, overlaps(found, objects).round(3).tolist(), scores.tolist(), expected, f"COCO gives {expected}")


def curve(work: Any, right: list[bool], objects: int, expected: tuple[list[float], list[float]]) -> None:
    what = f"for {right} and {objects} objects"
    for name, given, wanted in zip(
        ("precision", "recall"), work.precision_recall(np.array(right, bool), objects), expected, strict=True
    ):
        values = np.asarray(given, float)
        assert values.shape == (len(right),), f"{what} your {name} has the shape {values.shape}; one value a detection"
        message = f"{what} your {name} is {values.round(3).tolist()}"
        reason = {
            "precision": "of those that are shown so far, which part is right?",
            "recall": "of all objects, which",
        }
        assert np.allclose(values, wanted), f"{message}; {reason[name]}{' part is found?' if name == 'recall' else ''}"


def test_precision_recall_of_two_detections(work: Any) -> None:
    curve(work, [True, False], 4, ([1.0, 0.5], [0.25, 0.25]))


def test_precision_recall_of_the_scene_by_hand(work: Any) -> None:
    precision = [1, 1 / 2, 2 / 3, 2 / 4, 3 / 5, 3 / 6]
    curve(work, [True, False, True, False, True, False], 4, (precision, [0.25, 0.25, 0.5, 0.5, 0.75, 0.75]))


def test_precision_recall_where_nothing_is_right_at_first(work: Any) -> None:
    curve(work, [False, False, True, True], 3, ([0, 0, 1 / 3, 1 / 2], [0, 0, 1 / 3, 2 / 3]))


def ap(work: Any, precision: list[float], recall: list[float], expected: float, why: str) -> None:
    given = float(work.interpolated_ap(np.array(precision), np.array(recall)))
    what = f"for precision {np.round(precision, 3).tolist()} and recall {np.round(recall, 3).tolist()}"
    assert math.isclose(given, expected, abs_tol=1e-6), f"{what} your function gives {given:.4f}; {why}"


def test_interpolated_ap_of_one_right_detection(work: Any) -> None:
    ap(
        work,
        [1.0],
        [0.5],
        51 / 101,
        "precision is 1 at the recalls 0, 0.01 .. 0.5, and 0 at those that are not reached",
    )
    ap(work, [1.0], [1.0], 1.0, "every recall is reached, the last one, 1, too")


def test_interpolated_ap_of_the_scene_by_hand(work: Any) -> None:
    precision, recall = [1, 1 / 2, 2 / 3, 2 / 4, 3 / 5, 3 / 6], [0.25, 0.25, 0.5, 0.5, 0.75, 0.75]
    expected = (26 + 25 * 2 / 3 + 25 * 3 / 5) / 101
    ap(work, precision, recall, expected, "count the points of each step of the staircase in the figure")


def test_interpolated_ap_of_a_late_rise(work: Any) -> None:
    why = "at each recall the best precision from there on counts, also one that comes much later"
    ap(work, [0.0, 0.5, 2 / 3, 0.75], [0.0, 1 / 3, 2 / 3, 1.0], 0.75, why)


def test_interpolated_ap_without_detections(work: Any) -> None:
    try:
        given = float(work.interpolated_ap(np.zeros(0), np.zeros(0)))
    except (ValueError, IndexError) as error:
        raise AssertionError(
            f"without any detection your function fails ({error}); no recall is reached then"
        ) from None
    assert given == 0, f"without any detection your function gives {given}; no recall is reached then"


def test_interpolated_ap_is_that_of_the_package(work: Any) -> None:
    draw = np.random.default_rng(7)
    for count in (5, 12, 30):
        right: NDArray[np.bool_] = draw.random(count) < 0.6
        objects = int(right.sum()) + 2
        boxes = np.array([[20 * i, 0, 20 * i + 10, 10] for i in range(objects)], float)
        found = np.array([boxes[right[:i].sum()] if ok else [0, 50, 9, 59] for i, ok in enumerate(right)])
        scores = np.linspace(0.9, 0.1, count)
        truth = Boxes(boxes, np.zeros(objects))
        expected = average_precision([truth], [Boxes(found, np.zeros(count), scores)], 1)["AP50"]
        assert expected is not None, "there are objects"
        tp = np.cumsum(right)
        precision, recall = (tp / np.arange(1, count + 1)).tolist(), (tp / objects).tolist()
        ap(work, precision, recall, expected, f"the package gives {expected:.4f}")


def needed(work: Any, arguments: tuple[int, float, float], expected: int, why: str) -> None:
    images, half_width, wanted = arguments
    given = int(work.images_needed(images, half_width, wanted))
    what = f"{images} images gave +-{half_width}, and +-{wanted} is wanted: your function gives {given} images"
    assert given == expected, f"{what}; {why}"


def test_images_needed_for_half_the_width(work: Any) -> None:
    needed(work, (50, 0.5, 0.25), 200, "look at the root in the formula")
    needed(work, (8, 0.5, 0.125), 128, "look at the root in the formula")


def test_images_needed_for_a_wider_interval(work: Any) -> None:
    needed(work, (400, 0.125, 0.25), 100, "a wider interval needs fewer images")


def test_images_needed_are_whole_images(work: Any) -> None:
    needed(work, (51, 0.04, 0.03), 91, "90.67 images are not enough with 90")
    needed(work, (10, 0.05, 0.04), 16, "15.6 images are not enough with 15")
    needed(work, (10, 0.09, 0.07), 17, "16.5 images are not enough with 16")
    needed(work, (10, 0.07, 0.06), 14, "13.6 images are not enough with 13")
    needed(work, (10, 0.11, 0.1), 13, "12.1 images are not enough with 12")
