"""E1: evaluation equals pycocotools on random data sets, to the last bits, and is defined where that fails."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np
from random_detections import metrics_of, oracle, random_set

from pocketrcnn.evaluation.average_precision import average_precision, evaluate, size_edges
from pocketrcnn.evaluation.coco import ANY_AREA

from .campaign import Broken, Campaign, Trial

NEAR = 1e-9
LIMITS = (1, 2, 5, 100)  # detections of a class in an image that count


def trial(one: Trial) -> None:
    """One data set of up to 40 images: crowds, ties, copies, boxes without area, nothing at all."""
    seed = one.random.randrange(2**32)
    truth, detected, classes = random_set(seed, images=one.random.choice((None, None, None, 12, 40)))
    limit = one.random.choice(LIMITS)
    areas = [ANY_AREA, *((low**2, np.nextafter(high**2, 0)) for _, low, high in size_edges(truth))]
    got = evaluate(truth, detected, [f"class {label}" for label in range(classes)], max_detections=limit)
    text = json.dumps(vars(got), allow_nan=False)  # defined: no NaN, no infinity
    one.counts["without objects or detections"] += not sum(map(len, truth)) or not sum(map(len, detected))
    expected = oracle(truth, detected, classes, limit, areas)
    precision, recall = expected["precision"], expected["recall"]
    same(got.overall, metrics_of(precision[..., 0], recall[..., 0]), f"overall of seed {seed}")
    same(average_precision(truth, detected, classes, limit), got.overall, f"the metrics alone of seed {seed}")
    for place, row in enumerate(got.sizes, start=1):
        same(row, metrics_of(precision[..., place], recall[..., place]), f"size {place} of seed {seed}")
    for label, row in enumerate(got.classes):
        same(row, metrics_of(precision[:, :, [label], 0], recall[:, [label], 0]), f"class {label} of seed {seed}")
    if json.dumps(vars(evaluate(truth, detected, [row["name"] for row in got.classes], max_detections=limit))) != text:
        raise Broken(f"seed {seed} evaluated twice gives two results")


def same(got: Mapping[str, object], expected: Mapping[str, float | None], what: str) -> None:
    """Raises Broken where a metric differs, or is there in one of the two only."""
    for name, value in expected.items():
        mine = got[name]
        both = isinstance(mine, float) and value is not None and math.isclose(mine, value, rel_tol=0, abs_tol=NEAR)
        if not both and not (mine is None and value is None):
            raise Broken(f"{what}: {name} is {mine}, pycocotools has {value}")


CAMPAIGN = Campaign(long=2000, short=60, trial=trial)
