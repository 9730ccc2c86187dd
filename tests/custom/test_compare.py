"""What several runs have in common, as numbers and names; the page on them is tested with the other pages."""

from __future__ import annotations

import copy
from typing import Any

import fake_runs
import pytest

from pocketrcnn.custom.report.compare import compare, distinct


def pair(**changes: Any) -> list[dict[str, Any]]:
    """Two runs with the same evaluation and other seeds."""
    runs = [fake_runs.run(name="a"), fake_runs.run(name="b", seed=1)]
    runs[1]["evaluations"] = copy.deepcopy(runs[0]["evaluations"])
    runs[1]["settings"] |= changes
    return runs


def test_mean_and_deviation_over_seeds() -> None:
    runs = pair()
    for run, ap in zip(runs, (0.25, 0.35), strict=True):
        run["evaluations"]["val"]["overall"] |= {"AP50": 2 * ap, "AP": ap}
    seeds = compare(runs).seeds
    assert seeds
    assert (seeds.mean.n, seeds.mean.mean, seeds.timed) == (2, pytest.approx(0.3), False)
    assert seeds.half.std == pytest.approx(0.2 / 2**0.5)


def test_another_setting_another_limit_or_a_missing_evaluation_leaves_no_mean() -> None:
    assert compare(pair()).seeds
    assert compare(pair(**{"model.input_size": 64})).seeds is None
    runs = pair()
    runs[1]["evaluations"]["val"]["max_detections"] += 1
    assert (compare(runs).seeds, compare(runs).same_limit, compare(runs).same_images) == (None, False, True)
    runs[1]["evaluations"] = {}
    assert (compare(runs).seeds, compare(runs).without) == (None, ["b"])


def test_the_split_that_all_runs_have_is_compared() -> None:
    runs = pair()
    runs[0]["evaluations"]["test"] = copy.deepcopy(runs[0]["evaluations"]["val"])
    assert list(compare(runs).evaluations) == [("a", "val"), ("b", "val")]
    runs[1]["evaluations"] = {}
    assert list(compare(runs).evaluations) == [("a", "test")]


def test_settings_that_differ_have_the_value_of_each_run() -> None:
    runs = pair(**{"loss.box": 3.0})
    del runs[0]["settings"]["augment.flip"]
    differing = compare(runs).differing
    assert differing["train.seed"] == ["0", "1"]
    assert differing["augment.flip"][0] == "–"
    assert "train.batch" not in differing


def test_names_that_are_repeated_are_numbered() -> None:
    assert distinct(["a", "b", "a"]) == ["a (1)", "b", "a (3)"]
    assert compare([fake_runs.run(name="a"), fake_runs.run(name="a")]).names == ["a (1)", "a (2)"]
