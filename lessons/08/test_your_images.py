"""The hidden tests of lesson 8.

What they catch, each tried:

- `from_yolo`: the centre taken for a corner; the whole size in place of half of it; centre and size in pixels as the
  result; fractions as the result; width and height exchanged; one side of the image for both axes; rounded numbers.
- `worst_confusion`: the diagonal; the background, as a row or as a column; rows and columns exchanged; the sum of both
  directions; a part of a row in place of the number; the caller's matrix changed.
- `threshold_for`: the highest threshold; the threshold of the best precision; that before the first one which is too
  low, although precision rises again; one that depends on the order; "above" in place of "at least"; none.
- `count_errors`: real minus counted; the absolute value of the mean; sums in place of means; squares; a fraction of the
  real number.
"""

import math
from typing import Any

import numpy as np

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.evaluation.average_precision import confusion


def corners(work: Any, box: list[float], width: int, height: int, expected: list[float]) -> None:
    given = [float(value) for value in work.from_yolo(list(box), width, height)]
    what = f"for the box {box} in an image of {width} x {height} pixels your function gives {given}"
    assert len(given) == 4, f"{what}; four numbers are asked for"
    assert max(given) > 1 or max(expected) <= 1, f"{what}; these are fractions still, not pixels"
    names = ("x1", "y1", "x2", "y2")
    pairs = zip(names, given, expected, strict=True)
    wrong = [name for name, a, b in pairs if not math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)]
    why = "a corner lies half of the size away from the centre"
    if set(wrong) <= {"y1", "y2"}:
        why = "cy and h are fractions of the height"
    assert not wrong, f"{what}; look at {', '.join(wrong)}: {why}"


def test_from_yolo_of_a_box_in_the_middle(work: Any) -> None:
    corners(work, [0.5, 0.5, 0.25, 0.5], 64, 32, [24, 8, 40, 24])


def test_from_yolo_of_the_whole_image(work: Any) -> None:
    corners(work, [0.5, 0.5, 1, 1], 640, 480, [0, 0, 640, 480])


def test_from_yolo_of_a_box_in_a_corner(work: Any) -> None:
    corners(work, [0.125, 0.75, 0.25, 0.5], 100, 200, [0, 100, 25, 200])


def test_from_yolo_keeps_fractions_of_pixels(work: Any) -> None:
    corners(work, [0.5, 0.25, 0.125, 0.0625], 10, 20, [4.375, 4.375, 5.625, 5.625])


def worst(work: Any, names: list[str], matrix: list[list[int]], expected: tuple[str, str, int], why: str) -> None:
    given = np.array(matrix)
    true, taken, count = work.worst_confusion(list(names), given)
    what = f"for {', '.join(names)} and the matrix {matrix} your function gives {(true, taken, int(count))}"
    assert given.tolist() == matrix, f"{what}, and afterwards the matrix is {given.tolist()}: work on a copy"
    exchanged = f"{what}; {count} is right, but which one is the true class, and which one was it taken for?"
    assert (taken, true, int(count)) != expected, exchanged
    assert (true, taken, int(count)) == expected, f"{what}; {why}"


def test_worst_confusion_of_two_classes(work: Any) -> None:
    names = ["a", "b", "background"]
    why = "right detections are no confusion, and the background is no class"
    worst(work, names, [[9, 2, 5], [1, 9, 7], [8, 8, 0]], ("a", "b", 2), why)
    worst(
        work, names, [[9, 1, 5], [3, 9, 7], [8, 8, 0]], ("b", "a", 3), "true objects are in rows, detections in columns"
    )


def test_worst_confusion_of_several_classes(work: Any) -> None:
    names = ["cat", "dog", "ship", "background"]
    matrix = [[50, 6, 0, 9], [7, 90, 1, 30], [0, 0, 2, 8], [20, 40, 9, 0]]
    worst(work, names, matrix, ("dog", "cat", 7), "7 is the largest number of one class for another")
    matrix = [[2, 6, 4, 0], [7, 90, 1, 0], [0, 8, 99, 0], [0, 0, 0, 0]]
    worst(work, names, matrix, ("ship", "dog", 8), "count, and do not add up both directions or take parts of a row")


def test_worst_confusion_of_an_evaluation(work: Any) -> None:
    boxes = [[20 * i, 0, 20 * i + 10, 10] for i in range(6)]
    truth, found = Boxes(boxes, [0, 0, 0, 1, 1, 2]), Boxes(boxes, [0, 1, 1, 1, 0, 2])
    table = confusion([truth], [found], ["cell", "dust", "fibre"], np.arange(6))
    worst(work, table["names"], table["matrix"], ("cell", "dust", 2), "two cells were taken for dust")


def lowest(work: Any, precision: float, curve: dict[float, float], expected: float, why: str) -> None:
    given = float(work.threshold_for(precision, list(curve), list(curve.values())))
    what = f"a precision of {precision} is wanted, and thresholds with their precisions are {curve}"
    assert math.isclose(given, expected), f"{what}: your function gives {given:g}; {why}"


def test_threshold_for_a_rising_precision(work: Any) -> None:
    lowest(
        work,
        0.9,
        {0.8: 1.0, 0.5: 0.95, 0.2: 0.4},
        0.5,
        "of those with enough precision, which one shows most detections?",
    )
    lowest(work, 0.9, {0.2: 0.4, 0.5: 0.95, 0.8: 1.0}, 0.5, "they may come in any order")
    lowest(work, 0.3, {0.8: 1.0, 0.5: 0.95, 0.2: 0.4}, 0.2, "all of them are good enough")


def test_threshold_for_exactly_this_precision(work: Any) -> None:
    lowest(work, 0.75, {0.8: 1.0, 0.5: 0.75, 0.2: 0.4}, 0.5, "just as much is enough")


def test_threshold_for_a_precision_with_steps_down(work: Any) -> None:
    curve = {0.9: 0.5, 0.7: 0.8, 0.5: 0.7, 0.3: 0.85, 0.1: 0.6}
    lowest(work, 0.8, curve, 0.3, "precision goes down and up again: look at all thresholds")


def test_threshold_for_a_precision_that_is_not_reached(work: Any) -> None:
    why = "where none is good enough, 1.0 is asked for"
    try:
        lowest(work, 0.9, {0.8: 0.6, 0.5: 0.5}, 1.0, why)
    except (ValueError, IndexError) as error:
        said = f"with a wanted precision of 0.9, where 0.6 is the best, your function fails ({error}); {why}"
        raise AssertionError(said) from None


def counts(work: Any, counted: list[int], real: list[int], expected: tuple[float, float]) -> None:
    bias, error = (float(one) for one in work.count_errors(list(counted), list(real)))
    what = f"for the counts {counted} where there are {real}"
    assert math.isclose(bias, expected[0], abs_tol=1e-9), (
        f"{what} your bias is {bias:g}; it is the mean of the differences, above 0 where too many are counted"
    )
    assert math.isclose(error, expected[1], abs_tol=1e-9), (
        f"{what} your mean absolute error is {error:g}; how far off is each image, whatever the direction?"
    )


def test_count_errors_of_two_images(work: Any) -> None:
    counts(work, [3, 1], [1, 2], (0.5, 1.5))


def test_count_errors_that_cancel(work: Any) -> None:
    counts(work, [5, 0, 4], [0, 5, 4], (0.0, 10 / 3))


def test_count_errors_of_too_few(work: Any) -> None:
    counts(work, [7, 2, 0, 1], [9, 2, 4, 1], (-1.5, 1.5))


def test_count_errors_where_all_is_right(work: Any) -> None:
    counts(work, [0, 3], [0, 3], (0.0, 0.0))
