"""COCO's metrics equal to pycocotools', and the explanations against counting by hand.

Covers `evaluation/coco.py`, `evaluation/thresholds.py`.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from random_detections import detections_of, metrics_of, oracle, random_set, truth_of

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.evaluation.average_precision import average_precision, evaluate, size_edges
from pocketrcnn.evaluation.coco import ANY_AREA, detection_limit

OBJECT, FAR = (10, 10, 20, 20, 0, 0), (60, 60, 70, 70, 0, 0)
CROWD = (40, 40, 80, 80, 0, 1)


def names(classes: int) -> list[str]:
    return [f"class {label}" for label in range(classes)]


def test_metrics_are_those_of_pycocotools_on_500_data_sets() -> None:
    for seed in range(500):
        truth, detected, classes = random_set(seed)
        limit = (2, 5, 100)[seed % 3]
        areas = [ANY_AREA, *((low**2, np.nextafter(high**2, 0)) for _, low, high in size_edges(truth))]
        expected = oracle(truth, detected, classes, limit, areas)
        precision, recall = expected["precision"], expected["recall"]
        got = evaluate(truth, detected, names(classes), max_detections=limit)
        same(got.overall, metrics_of(precision[..., 0], recall[..., 0]), seed)
        same(average_precision(truth, detected, classes, limit), got.overall, seed)
        for place, row in enumerate(got.sizes, start=1):
            same(row, metrics_of(precision[..., place], recall[..., place]), seed)
        for label, row in enumerate(got.classes):
            same(row, metrics_of(precision[:, :, [label], 0], recall[:, [label], 0]), seed)


def same(got: dict, expected: dict, seed: int) -> None:
    """Equal to 1e-9, and equally missing."""
    for name, value in expected.items():
        assert got[name] == (None if value is None else pytest.approx(value, abs=1e-9, rel=0)), (seed, name)


def test_random_sets_hold_what_is_difficult() -> None:
    sets = [random_set(seed) for seed in range(500)]
    images = [(one, other) for truth, detected, _ in sets for one, other in zip(truth, detected, strict=True)]
    assert any(one.crowd.any() for one, _ in images)
    assert any(not len(one.labels) and not len(other.labels) for one, other in images)
    assert any(len(np.unique(other.scores)) < len(other.scores) for _, other in images)
    assert any((one.boxes[:, :2] == one.boxes[:, 2:]).any() for one, _ in images), "no area"
    assert any(not sum(len(one.labels) for one in truth) for truth, _, _ in sets), "no objects at all"
    assert any(not sum(len(one.labels) for one in detected) for _, detected, _ in sets), "no detections at all"


def test_same_input_gives_the_same_metrics_to_the_bit() -> None:
    truth, detected, classes = random_set(7, images=30)
    first = json.dumps(vars(evaluate(truth, detected, names(classes))), allow_nan=False)
    assert json.dumps(vars(evaluate(truth, detected, names(classes)))) == first


def test_order_of_images_does_not_matter_where_scores_differ() -> None:
    truth, detected, classes = next(
        each for each in (random_set(seed, images=30) for seed in range(9)) if distinct(each[1])
    )
    order = np.random.default_rng(0).permutation(len(truth))
    shuffled = evaluate([truth[i] for i in order], [detected[i] for i in order], names(classes))
    straight = evaluate(truth, detected, names(classes))
    assert replace(straight, images=[]) == replace(shuffled, images=[])


def distinct(detected: list[Boxes]) -> bool:
    scores = np.concatenate([one.scores for one in detected])
    return len(np.unique(scores)) == len(scores)


def test_images_full_of_objects_are_not_capped_at_100_detections() -> None:
    corner = np.stack(np.meshgrid(np.arange(20), np.arange(15)), -1).reshape(-1, 2) * 10.0
    boxes, labels = np.concatenate((corner, corner + 8), axis=1), np.zeros(300, int)
    truth, detected = [Boxes(boxes, labels)], [Boxes(boxes, labels, np.linspace(0.5, 1, 300))]
    assert detection_limit(truth) == 600
    assert average_precision(truth, detected, 1)["AP"] == pytest.approx(1)
    assert evaluate(truth, detected, ["cell"]).max_detections == 600
    assert average_precision(truth, detected, 1, max_detections=100)["AR"] == pytest.approx(1 / 3)


def test_limit_is_never_below_that_of_coco() -> None:
    assert detection_limit([]) == detection_limit([truth_of(), truth_of(OBJECT)]) == 100


@pytest.mark.parametrize("images", [0, 3])
@pytest.mark.parametrize("detections", [(), ((10, 10, 20, 20, 0.9, 0),)])
def test_without_objects_no_metric_exists(images: int, detections: tuple) -> None:
    truth, detected = [truth_of()] * images, [detections_of(*detections)] * images
    got = evaluate(truth, detected, ["cell"])
    assert average_precision(truth, detected, 1) == got.overall == dict.fromkeys(("AP", "AP50", "AP75", "AR"))
    assert (got.sizes, got.best, got.tide, got.thresholds) == ([], None, None, None)
    assert sum(row["fp"] for row in got.images) == images * len(detections)
    json.dumps(vars(got), allow_nan=False)


def test_objects_that_are_all_missed_have_metrics_of_zero() -> None:
    got = evaluate([truth_of(OBJECT)], [detections_of()], ["cell", "debris"])
    assert set(got.overall.values()) == {0.0}
    assert got.classes[1]["AP"] is None
    assert got.classes[1]["objects"] == 0
    assert (got.best, got.images[0]["fn"]) == (None, 1)


def test_sizes_are_thirds_of_the_objects_with_borders_in_whole_pixels() -> None:
    sides = np.array([5, 9, 14, 15, 20, 21, 30, 40])
    boxes = np.stack((0 * sides, 0 * sides, sides, sides), -1).astype(float)
    truth = Boxes(boxes, np.zeros(8, int))
    rows = evaluate([truth], [Boxes(boxes, np.zeros(8, int), np.linspace(0.2, 0.9, 8))], ["cell"]).sizes
    assert [row["name"] for row in rows] == ["small (< 14 px)", "medium (14 to < 21 px)", "large (>= 21 px)"]
    assert [row["objects"] for row in rows] == [2, 3, 3], "an object on a border belongs to one bin"
    assert [row["AP"] for row in rows] == pytest.approx([1, 1, 1])


def test_bins_of_one_size_have_no_metrics_where_there_is_nothing() -> None:
    rows = evaluate([truth_of(OBJECT, FAR)], [detections_of((10, 10, 20, 20, 0.9, 0))], ["cell"]).sizes
    assert [(row["objects"], row["AP"] is None) for row in rows] == [(0, True), (2, False), (0, True)]


def test_mean_of_the_precision_recall_curve_is_ap50() -> None:
    truth, detected, classes = random_set(12, images=20)
    got = evaluate(truth, detected, names(classes))
    curves = got.precision_recall
    assert len(curves["recall"]) == len(curves["overall"]) == 101
    assert np.mean(curves["overall"]) == pytest.approx(got.overall["AP50"])
    for row, curve in zip(got.classes, curves["classes"], strict=True):
        assert np.mean(curve) == pytest.approx(row["AP50"])


@pytest.mark.parametrize("seed", range(20))
def test_threshold_of_best_f1_is_what_counting_above_it_gives(seed: int) -> None:
    truth, detected, classes = random_set(seed, images=6)
    got = evaluate(truth, detected, names(classes))
    for best, label in [(got.best, None), *((row["best"], row["name"]) for row in got.classes)]:
        if best is None:
            continue
        kept = evaluate(truth, [above(one, best["threshold"]) for one in detected], names(classes))
        everything = vars(kept) if label is None else kept.classes[names(classes).index(label)]
        assert everything["best"] is not None
        assert {**everything["best"], "threshold": 0} == {**best, "threshold": 0}, "what is left is all shown"
        curve = got.thresholds if label is None else got.classes[names(classes).index(label)]["thresholds"]
        assert max(curve["f1"]) == best["f1"]
        assert best["f1"] == pytest.approx(2 / (1 / best["precision"] + 1 / best["recall"]))


def above(detected: Boxes, threshold: float) -> Boxes:
    return detected[detected.scores >= threshold]


@pytest.mark.parametrize("seed", range(10))
def test_images_add_up_to_the_whole_and_the_worst_comes_first(seed: int) -> None:
    truth, detected, classes = random_set(seed, images=12)
    got = evaluate(truth, detected, names(classes), image_names=[f"{index}.png" for index in range(12)])
    assert got.best is not None
    for count in ("tp", "fp", "fn"):
        assert sum(row[count] for row in got.images) == got.best[count]
    assert [row["f1"] for row in got.images] == sorted(row["f1"] for row in got.images)
    assert all(row["name"] == f"{row['image']}.png" for row in got.images)


def test_confusion_counts_each_object_once_and_names_what_it_was_taken_for() -> None:
    truth = [truth_of(OBJECT, (40, 40, 50, 50, 1, 0), FAR)]
    detected = [detections_of((10, 10, 20, 20, 0.9, 0), (40, 40, 50, 50, 0.8, 0), (0, 80, 9, 89, 0.7, 1))]
    got = evaluate(truth, detected, ["cat", "dog"])
    assert got.confusion["names"] == ["cat", "dog", "background"]
    assert got.confusion["threshold"] == got.best["threshold"] == pytest.approx(0.85)
    assert got.confusion["matrix"] == [[1, 0, 1], [0, 0, 1], [0, 0, 0]], "above the threshold only one is left"
    sure = [detections_of((10, 10, 20, 20, 0.9, 0), (40, 40, 50, 50, 0.95, 0), (60, 60, 70, 70, 0.9, 0))]
    assert evaluate(truth, sure, ["cat", "dog"]).confusion["matrix"] == [[2, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_what_lies_in_a_crowd_is_neither_right_nor_wrong() -> None:
    detected = [detections_of((10, 10, 20, 20, 0.9, 0), (50, 50, 60, 60, 0.95, 0), (55, 50, 65, 60, 0.91, 0))]
    got = evaluate([truth_of(OBJECT, CROWD)], detected, ["cell"])
    assert got.overall["AP"] == pytest.approx(1)
    assert got.confusion["matrix"] == [[1, 0], [0, 0]]
    assert set(got.tide["errors"].values()) == {0}
    assert got.images == [{"image": 0, "name": "0", "tp": 1, "fp": 0, "fn": 0, "f1": 1.0}]
    assert got.counts == {"images": 1, "objects": 1, "crowds": 1, "detections": 3}


@pytest.mark.parametrize(
    ("kind", "detected", "gain"),
    [
        ("Cls", [(10, 10, 20, 20, 0.9, 1)], 101 - 51),
        ("Loc", [(10, 15, 20, 25, 0.9, 0)], 101 - 51 / 2),
        ("Both", [(10, 15, 20, 25, 0.9, 1)], 0),
        ("Dupe", [(10, 10, 20, 20, 0.9, 0), (10, 11, 20, 20, 0.8, 0)], 101 - (51 + 50 * 2 / 3)),
        ("Bkg", [(10, 80, 20, 90, 0.9, 0)], 51 - 51 / 2),
    ],
)
def test_errors_are_distinguished_and_cost_what_they_cost(kind: str, detected: list, gain: float) -> None:
    """Class a has two objects, the second is detected last. `gain`: of the sum over its 101 recall points, by hand."""
    truth = [truth_of(OBJECT, FAR), truth_of((0, 0, 9, 9, 1, 0))]
    got = evaluate(
        truth, [detections_of(*detected, (60, 60, 70, 70, 0.3, 0)), detections_of((0, 0, 9, 9, 0.99, 1))], ["a", "b"]
    )
    errors = {name: count for name, count in got.tide["errors"].items() if name != "Miss"}
    assert errors == {name: int(name == kind) for name in errors}
    assert got.tide["AP50"] == pytest.approx(got.overall["AP50"])
    assert got.tide["gain"][kind] == pytest.approx(gain / 101 / 2), "the mean over two classes"


def test_missed_objects_are_errors_of_their_own() -> None:
    got = evaluate([truth_of(OBJECT, FAR)], [detections_of((10, 10, 20, 20, 0.9, 0))], ["cell"]).tide
    assert got["errors"] == {"Cls": 0, "Loc": 0, "Both": 0, "Dupe": 0, "Bkg": 0, "Miss": 1}
    assert got["AP50"] + got["gain"]["Miss"] == pytest.approx(1)


def test_labels_scores_and_shapes_are_checked() -> None:
    with pytest.raises(AssertionError, match="class"):
        average_precision([truth_of((0, 0, 9, 9, 3, 0))], [detections_of()], 2)
    with pytest.raises(AssertionError, match="image"):
        average_precision([truth_of()], [], 2)
    with pytest.raises(AssertionError, match="probabilities"):
        detections_of((0, 0, 9, 9, float("nan"), 0))
    with pytest.raises(AssertionError, match="one box a label"):
        Boxes(np.zeros((1, 4)), np.zeros(2, int), crowd=np.zeros(2, bool))
