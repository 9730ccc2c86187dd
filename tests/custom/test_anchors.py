"""Anchors: as few as fit, and one for each class and size that these miss."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.custom.anchors import (
    GOOD_FIT,
    MAX_ANCHORS,
    MAX_IN_ALL,
    Floats,
    choose_anchors,
    describe_anchors,
    fit_anchors,
    groups_of,
    names_of,
    shape_iou,
    sides_and_boxes,
)
from pocketrcnn.custom.options import Anchors
from pocketrcnn.data.annotations import Example, Object


def around(shape: tuple[float, float], count: int, seed: int) -> Floats:
    """Boxes that differ from a shape by a few percent."""
    return np.array(shape) * np.random.default_rng(seed).uniform(0.95, 1.05, (count, 2))


def test_clear_clusters_are_recovered_whatever_their_size() -> None:
    shapes = [(10.0, 10.0), (60.0, 20.0), (50.0, 110.0)]
    boxes = np.concatenate(
        [around(shape, count, i) for i, (shape, count) in enumerate(zip(shapes, (30, 30, 30), strict=True))]
    )
    anchors, fit = fit_anchors(boxes, 3)
    for anchor, shape in zip(anchors, shapes, strict=True):
        assert anchor == pytest.approx(shape, rel=0.03)
    assert fit > 0.94


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(5, 60))
def test_anchors_do_not_depend_on_the_order_of_the_boxes(seed: int, count: int, boxes: int) -> None:
    generator = np.random.default_rng(seed)
    some = generator.uniform(4, 100, (boxes, 2))
    anchors, fit = fit_anchors(some, count)
    again, same = fit_anchors(some[generator.permutation(boxes)], count)
    assert again == anchors
    assert same == pytest.approx(fit)
    assert len(anchors) == count
    assert 0 < fit <= 1
    areas = [width * height for width, height in anchors]
    assert areas == pytest.approx(sorted(areas), rel=0.01), "small ones first, but for rounding"


def test_one_box_is_its_own_anchor() -> None:
    assert fit_anchors(np.array([[17.0, 31.0]]), 1) == (((17.0, 31.0),), 1.0)


def test_shape_iou_is_that_of_boxes_with_one_centre() -> None:
    overlaps = shape_iou(np.array([[10.0, 10], [20, 5]]), np.array([[10.0, 10], [20, 20]]))
    assert overlaps.tolist() == [[1, 0.25], [50 / 150, 0.25]]


def test_as_few_anchors_as_fit() -> None:
    boxes = around((20, 20), 50, 0)
    anchors = choose_anchors(boxes, ["cat"] * 50, 128, 4)
    assert len(anchors) == 1
    words = describe_anchors(anchors, boxes, groups_of(boxes, ["cat"] * 50))
    assert words.startswith("anchors 20x20 px; best possible recall 100.0% at IoU 0.5, 100.0% at IoU 0.7 (mean IoU")
    assert words.endswith(")"), "no group is missed"
    wide = np.exp(np.random.default_rng(0).uniform(1, 6, (500, 2)))
    assert MAX_ANCHORS <= len(choose_anchors(wide, ["cat"] * 500, 512, 8)) <= MAX_IN_ALL
    assert len(choose_anchors(np.array([[4.0, 100], [100, 4]]), ["cat"] * 2, 128, 4)) == 2, "no more anchors than boxes"


def test_no_objects_no_fit() -> None:
    assert choose_anchors(np.zeros((0, 2)), [], 128, 4) == ((32.0, 32.0),)


def test_boxes_shrink_with_their_images_and_crowds_do_not_count() -> None:
    shapes = [((400, 200), "cat", (40, 20), False), ((50, 50), "dog", (5, 6), False), ((50, 50), "dog", (9, 9), True)]
    examples = [
        Example(Path("x.png"), (Object((1.0, 1.0, 1.0 + width, 1.0 + height), name, crowd=crowd),), "train", size)
        for size, name, (width, height), crowd in shapes
    ]
    assert sides_and_boxes(examples, 100).tolist() == [[10, 5], [5, 6]]
    assert names_of(examples) == ["cat", "dog"]
    assert sides_and_boxes([], 100).shape == (0, 2)


def three_sizes(seed: int = 0) -> tuple[Floats, list[str]]:
    """Boxes of a frequent class of 40 to 60 px, and of two rare ones of 10 to 20 and 90 to 145 px."""
    generator = np.random.default_rng(seed)
    counts = {"red": ((40, 60), 800), "platelet": ((10, 20), 120), "white": ((90, 145), 40)}
    boxes = [generator.uniform(*sides, count)[:, None] * [1.0, 1.05] for sides, count in counts.values()]
    return np.concatenate(boxes), [name for name, (_, count) in counts.items() for _ in range(count)]


def lost(boxes: Floats, names: list[str], anchors: Anchors) -> dict[str, float]:
    """The fraction of each class's boxes that no anchor matches at IoU 0.5."""
    matched = shape_iou(boxes, np.array(anchors)).max(1) >= 0.5
    return {name: 1 - float(matched[[one == name for one in names]].mean()) for name in set(names)}


@pytest.mark.parametrize("seed", range(4))
def test_rare_classes_of_other_sizes_get_their_anchors(seed: int) -> None:
    """Those of the frequent class alone fit well on average, and matched no object of the others."""
    boxes, names = three_sizes(seed)
    mean, _ = fit_anchors(boxes, 2)
    assert lost(boxes, names, mean) == {"red": 0.0, "platelet": 1.0, "white": 1.0}
    anchors = choose_anchors(boxes, names, 320, 4)
    assert max(lost(boxes, names, anchors).values()) < 0.15
    assert len(anchors) <= MAX_ANCHORS
    assert [w * h for w, h in anchors] == sorted(w * h for w, h in anchors)


@pytest.mark.parametrize("seed", range(4))
def test_no_anchor_is_added_that_is_small_for_the_cells(seed: int) -> None:
    """Anchors of 11 and 17 px on cells of 8 px halved the AP50 of the class that they were for."""
    boxes, names = three_sizes(seed)
    anchors = choose_anchors(boxes, names, 320, 8)
    assert anchors[0] == (20.0, 20.0)
    assert lost(boxes, names, anchors)["white"] < 0.05
    tiny = np.concatenate([around((40, 40), 300, 0), around((6, 6), 30, 1)])
    assert choose_anchors(tiny, ["cat"] * 300 + ["dog"] * 30, 128, 4)[0] == (10.0, 10.0)


def test_anchors_that_miss_no_class_and_no_size_stay_as_they_are() -> None:
    boxes = np.concatenate([around((20, 20), 50, 0), around((60, 40), 50, 1), around((30, 90), 50, 2)])
    fitted = next(anchors for anchors, fit in (fit_anchors(boxes, count) for count in range(1, 6)) if fit >= GOOD_FIT)
    for names in (["cat"] * 150, ["cat"] * 50 + ["dog"] * 50 + ["cow"] * 50, ["cat", "dog", "cow"] * 50):
        assert choose_anchors(boxes, names, 128, 4) == fitted


def test_a_few_strange_objects_get_no_anchor() -> None:
    boxes = np.concatenate([around((20, 20), 200, 0), around((90, 90), 9, 1), [[1.0, 300.0]] * 30])
    names = ["cat"] * 200 + ["dog"] * 9 + ["cat"] * 30
    anchors = choose_anchors(boxes, names, 320, 4)
    assert len(anchors) == 1, "fewer than ten of a class; less than 2 px wide, which is not learned"


def test_all_of_a_tiny_data_set_count() -> None:
    boxes, names = np.repeat([[10.0, 10], [50, 50], [50, 51], [140, 130]], 3, 0), [*"aaabbbbbbccc"]
    assert max(lost(boxes, names, choose_anchors(boxes, names, 160, 4)).values()) == 0


def test_groups_are_classes_in_equal_parts_by_size() -> None:
    boxes = np.array([[float(side), side] for side in range(2, 102)])
    names = ["many"] * 70 + ["some"] * 24 + ["few"] * 6
    groups = dict(groups_of(boxes, names))
    assert [*groups] == [
        "the smallest fifth of `many`",
        "the second fifth of `many`",
        "the third fifth of `many`",
        "the fourth fifth of `many`",
        "the largest fifth of `many`",
        "the smallest half of `some`",
        "the largest half of `some`",
    ]
    assert [len(group) for group in groups.values()] == [14] * 5 + [12] * 2
    assert groups["the largest half of `some`"].tolist() == [*range(82, 94)]
    assert groups_of(np.zeros((0, 2)), []) == []


def test_what_the_anchors_miss_most_is_named() -> None:
    boxes, names = three_sizes()
    words = describe_anchors(((50.0, 50.0),), boxes, groups_of(boxes, names))
    assert words.endswith("; of the smallest fifth of `platelet` 0% at IoU 0.5")


def test_many_classes_get_no_more_anchors() -> None:
    generator = np.random.default_rng(0)
    boxes = np.exp(generator.uniform(1, 6, (3_000, 2)))
    names = [f"class {i}" for i in generator.integers(0, 200, 3_000)]
    assert len(choose_anchors(boxes, names, 512, 8)) <= MAX_IN_ALL
