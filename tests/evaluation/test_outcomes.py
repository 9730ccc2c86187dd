"""Outcomes of single detections and objects, against the counts of the evaluation, from any threshold on."""

from __future__ import annotations

import numpy as np
import pytest
from random_detections import detections_of, random_set, truth_of

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.evaluation.average_precision import KINDS, evaluate, tide
from pocketrcnn.evaluation.coco import matched
from pocketrcnn.evaluation.outcomes import IGNORED, NONE, OUTCOMES, Outcomes, outcomes

THRESHOLDS = (0.0, 0.25, 0.5, 0.8, 1.0)


def matrix(known: list[Outcomes], classes: int, threshold: float) -> list[list[int]]:
    counts = np.zeros((classes + 1, classes + 1), int)
    for one in known:
        shown = int((one.detections.scores >= threshold).sum())
        counted = one.kinds[:shown] != IGNORED
        np.add.at(counts, (one.truths[:shown][counted], one.detections.labels[:shown][counted]), 1)
        missed = ~one.objects.crowd & ((one.met == NONE) | (one.met >= shown))
        np.add.at(counts[:, classes], one.objects.labels[missed], 1)
    return counts.tolist()


def kinds(known: list[Outcomes], threshold: float) -> dict[str, int]:
    """How many errors there are of each kind, as TIDE counts them."""
    counts = dict.fromkeys(KINDS, 0)
    for one in known:
        shown = int((one.detections.scores >= threshold).sum())
        for kind in one.kinds[:shown]:
            counts |= {OUTCOMES[kind]: counts.get(OUTCOMES[kind], 0) + 1}
        hit = [(rows != NONE) & (rows < shown) for rows in (one.found, one.blamed)]
        counts["Miss"] += int((~one.objects.crowd & ~hit[0] & ~hit[1]).sum())
    return {kind: counts[kind] for kind in KINDS}


@pytest.mark.parametrize("seed", range(40))
def test_outcomes_add_up_to_the_evaluation_at_any_threshold(seed: int) -> None:
    truth, detected, classes = random_set(seed, images=3)
    known = outcomes(truth, detected, classes, 100)
    names = list(map(str, range(classes)))
    for threshold in THRESHOLDS:
        evaluation = evaluate(truth, detected, names, max_detections=100, threshold=threshold)
        for row in evaluation.images:
            one = known[row["image"]]
            shown = one.kinds[one.detections.scores >= threshold]
            tp = int((shown == OUTCOMES.index("right")).sum())
            assert tp == sum((one.found != NONE) & (one.found < len(shown)))
            fp = sum(shown != IGNORED) - tp
            assert (tp, fp, int((~one.objects.crowd).sum()) - tp) == (row["tp"], row["fp"], row["fn"])
        if evaluation.used:  # without objects nothing is shown
            assert matrix(known, classes, threshold) == evaluation.confusion["matrix"]
        above = [one[one.scores >= threshold] for one in detected]
        if evaluation.counts["objects"]:
            expected = tide(matched(truth, above, classes, 100, ious=[0.5]))["errors"]
            assert kinds(known, threshold) == expected


def test_each_kind_of_error() -> None:
    truth = truth_of((0, 0, 10, 10, 0, 0), (40, 0, 50, 10, 1, 0), (60, 0, 70, 10, 0, 0), (0, 50, 30, 80, 0, 1))
    detected = detections_of(
        (0, 0, 10, 10, 0.9, 0),
        (0, 0, 10, 9, 0.8, 0),
        (40, 0, 50, 10, 0.7, 0),
        (66, 0, 76, 10, 0.6, 0),
        (47, 0, 57, 10, 0.5, 0),
        (90, 90, 99, 99, 0.4, 0),
        (5, 55, 10, 60, 0.3, 0),
    )
    (one,) = outcomes([truth], [detected], 2, 100)
    assert [OUTCOMES[kind] for kind in one.kinds] == ["right", "Dupe", "Cls", "Loc", "Both", "Bkg", ""]
    assert one.found.tolist() == [0, -1, -1, -1]
    assert one.blamed.tolist() == [-1, 2, 3, -1]
    assert one.met.tolist() == [0, 2, -1, -1], "the matrix has the wrong class where the object is"
    assert one.truths.tolist() == [0, 2, 1, 2, 2, 2, 2]


def test_detections_beyond_the_limit_do_not_count() -> None:
    box = (0, 0, 10, 10)
    detected = detections_of(*((*box, score, 0) for score in (0.1, 0.9, 0.5)))
    (one,) = outcomes([truth_of((*box, 0, 0))], [detected], 1, 2)
    assert one.detections.scores.tolist() == [0.9, 0.5, 0.1]
    assert [OUTCOMES[kind] for kind in one.kinds] == ["right", "Dupe", ""]


def test_images_without_anything() -> None:
    empty = Boxes(np.zeros((0, 4)), [])
    assert outcomes([], [], 1, 100) == []
    (one,) = outcomes([empty], [empty], 1, 100)
    assert len(one.kinds) == len(one.found) == 0
