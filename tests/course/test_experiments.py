"""The course's experiments as data: published numbers, recipes, and which of them a list of ids means."""

import dataclasses

import pytest

from pocketrcnn.course.experiments import EXPERIMENTS, FULL, NETWORKS, RECIPES, Published
from pocketrcnn.course.only import DERIVED, chosen
from pocketrcnn.errors import UserError
from pocketrcnn.model import costs
from pocketrcnn.training import optim

PUBLISHED = {
    "B1": 0.646,
    "B2": 0.516,
    "B3": 0.684,
    "B5": 0.68,
    "R2": 0.000727,
    "F2": 0.5846,
    "F3": 0.4353,
    "F4": 0.6366,
}
CLASSIFIERS, PROPOSERS, DETECTORS = ("B1", "B2", "B3", "B5"), ("R1", "R2"), ("F2", "F3", "F4")
ALL = [*CLASSIFIERS, *PROPOSERS, *DETECTORS]


def config(experiment: str, recipe: str, iterations: int = FULL):
    return EXPERIMENTS[experiment].config(recipe, iterations, "cifar10", 0)


def test_by_default_everything_of_the_report_is_trained() -> None:
    assert [e.id for e in chosen("")[0]] == ALL


def test_published_numbers_are_the_reports() -> None:
    assert {name: EXPERIMENTS[name].published.value for name in PUBLISHED} == PUBLISHED
    assert [EXPERIMENTS[name].published.better for name in ALL] == ["higher"] * 5 + ["lower"] + ["higher"] * 3
    assert EXPERIMENTS["R1"].published == Published("objectness_accuracy", 0.99)


def test_to_equal_a_number_is_not_to_beat_it() -> None:
    assert not Published("accuracy", 0.5).beaten_by(0.5)
    assert Published("accuracy", 0.5).beaten_by(0.51)
    assert not Published("box_loss", 0.5, "lower").beaten_by(0.5)
    assert Published("box_loss", 0.5, "lower").beaten_by(0.49)


@pytest.mark.parametrize(
    ("only", "meant"),
    [
        ("B1", ["B1"]),
        ("f2,b1", ["B1", "F2"]),
        (" R1 , R1 ", ["R1"]),
        ("B4", ["B1", "B2", "B3"]),
        ("F1", ["R2"]),
        ("F1,B4,B2", ["B1", "B2", "B3", "R2"]),
        ("F1M", ["F1M"]),
    ],
)
def test_ids_in_any_order_and_case_once_each(only: str, meant: list[str]) -> None:
    assert [e.id for e in chosen(only)[0]] == meant


@pytest.mark.parametrize("only", ["B9", "B1,convnet", "F22"])
def test_unknown_experiments_are_refused_with_all_that_there_are(only: str) -> None:
    with pytest.raises(
        UserError, match=r"no such experiment.*there are A, A1, .*, B1, B2, B3, B4, B5, F1, F1M, F2, F3, F4, R1, R2"
    ):
        chosen(only)


@pytest.mark.parametrize("only", [",", "B1,", "B1,,F2", " "])
def test_a_comma_without_an_experiment_beside_it(only: str) -> None:
    with pytest.raises(UserError, match=rf"^--only {only}: an experiment is missing .*: write them as in B1,F2; there"):
        chosen(only)


def test_the_nearest_experiment_is_named() -> None:
    with pytest.raises(UserError, match=r"--only F2M: no such experiment \(did you mean `F2`\?\)"):
        chosen("F2M")


def test_derived_parts_are_made_from_experiments() -> None:
    assert all(name in EXPERIMENTS for parts in DERIVED.values() for name in parts)
    assert not set(DERIVED) & set(EXPERIMENTS)


@pytest.mark.parametrize("experiment", ALL)
def test_an_experiment_names_a_network_and_a_metric_that_exist(experiment: str) -> None:
    e = EXPERIMENTS[experiment]
    assert e.network in NETWORKS
    assert 0 < e.short <= FULL
    assert (e.pictures == "rois") == (experiment == "R2")
    assert (e.pictures == "detections") == (experiment in DETECTORS)


@pytest.mark.parametrize("experiment", ALL)
def test_both_recipes_train_the_same_network(experiment: str) -> None:
    """Same architecture, images, batch and iterations; only how it is trained differs."""
    mine, theirs = (config(experiment, recipe) for recipe in ("pocket", "course"))
    assert costs.parameters(mine.model) == costs.parameters(theirs.model)
    rows = [[dataclasses.replace(row, trained=True) for row in costs.layers(c.model)] for c in (mine, theirs)]
    assert rows[0] == rows[1]
    assert mine.train == theirs.train
    assert (mine.data.source, mine.data.kind) == (theirs.data.source, theirs.data.kind)
    assert mine.data.holdout == theirs.data.holdout == 0


@pytest.mark.parametrize("experiment", ALL)
def test_the_course_recipe_is_the_published_procedure(experiment: str) -> None:
    c = config(experiment, "course")
    assert (c.train.iterations, c.train.batch) == (2000, 100)
    assert (c.optim.name, c.optim.lr, c.optim.schedule, c.optim.warmup, c.optim.average) == (
        "adam",
        1e-3,
        "exponential",
        0,
        0,
    )
    assert c.optim.lr * optim.schedule(c.optim, 0, 2000) == pytest.approx(1e-3)
    assert c.optim.lr * optim.schedule(c.optim, 1000, 2000) == pytest.approx(10**-3.5)
    assert c.optim.lr * optim.schedule(c.optim, 2000, 2000) == pytest.approx(1e-4)
    assert not c.data.fresh or c.data.kind == "images"
    assert not c.model.backbone.whiten
    assert c.loss.label_smoothing == 0


def test_the_course_recipe_of_each_part() -> None:
    assert config("B1", "course").optim.weight_decay == config("B1", "course").optim.bias_decay == 0.05
    for name in (*PROPOSERS, *DETECTORS):
        c = config(name, "course")
        assert c.optim.weight_decay == c.optim.bias_decay == 0
        assert (c.model.rpn.output, c.model.rpn.anchors, c.model.rpn.proposals) == ("pixels", ((32.0, 32.0),), 1)
        assert (c.model.rpn.positive_iou, c.model.rpn.negative_iou) == (0.7, 0.1)
        weights = (c.loss.objectness, c.loss.box, c.loss.classification)
        assert weights == ((1, 100, 1) if name in DETECTORS else (1, 1, 1))
    assert all(config(name, "course").model.roi.train_box == "truth" for name in DETECTORS)
    assert config("R1", "course").model.rpn.box_dims == 0


def test_our_recipe_says_that_its_scenes_are_fresh() -> None:
    assert all(config(name, "pocket").data.fresh for name in (*PROPOSERS, *DETECTORS))


@pytest.mark.parametrize("iterations", [1, 150, 2000])
@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_hold_for_every_length(recipe: str, iterations: int) -> None:
    for name in ALL:
        c = config(name, recipe, iterations)
        assert c.train.iterations == iterations
        assert 0 < c.optim.filter_lr < 1
