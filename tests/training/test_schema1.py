"""Runs of schema 1: their settings, logs, metrics and states are read with the current names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import painted
import pytest
import torch

from pocketrcnn.config import CIFAR10, replace
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.course.report.records import read
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.train import resume
from pocketrcnn.errors import UserError
from pocketrcnn.training import schema1
from pocketrcnn.training.config_file import SCHEMA, dump, load
from pocketrcnn.training.run import open_run

OLD = Path(__file__).parent / "schema1"
LOSSES = {f"loss_{name}" for name in ("objectness", "box", "classification", "box_regression")}
KEPT = sorted((Path(__file__).parents[2] / "docs" / "results").glob("*.json"))
RESULTS = [path for path in KEPT if "experiments" in json.loads(path.read_text())]  # those of whole calls


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    """A run of 3 iterations, with its data beside it."""
    data = painted.write(tmp_path / "shapes", train=8, val=4)
    run = Path(shutil.copytree(OLD / "run", tmp_path / "run"))
    settings = run / "config.yaml"
    settings.write_text(settings.read_text().replace("/data/shapes", str(data)))
    return run


def read_old(name: str):
    path = OLD / name
    return load(path.read_text(), str(path))


def test_a_base_network_is_read_as_it_was_meant() -> None:
    wanted = EXPERIMENTS["B1"].config("pocket", 130, "cifar10", 0)
    assert read_old("base-network.yaml") == replace(wanted, train__precision="float32")
    assert read_old("base-network.yaml").data.classes == CIFAR10


def test_a_course_detector_on_other_backgrounds() -> None:
    source = "cifar10+cifar100:/data/cifar-100-binary"
    wanted = EXPERIMENTS["F2"].config("course", 2000, source, 1)
    config = read_old("course-detector.yaml")
    assert config == replace(wanted, train__precision="bfloat16")
    assert config.data.parts == ("cifar10", "/data/cifar-100-binary")


def test_a_custom_detector_keeps_every_value() -> None:
    config = read_old("run/config.yaml")
    assert config.model.rpn is not None
    assert config.model.roi is not None
    assert (config.model.input_size, config.model.rpn.training_fraction) == (32, 0.5)
    assert (config.model.roi.positive_fraction, config.train.evaluation_images) == (0.25, 50)
    assert (config.loss.classification, config.loss.box_regression) == (1.5, 0.5)
    assert config.data.classes == ("cat", "dog")
    assert config.train.overrides[-3:] == (
        "model.rpn.training_fraction=0.5",
        "loss.classification=1.5",
        "loss.box_regression=0.5",
    )


@pytest.mark.parametrize("name", ["base-network.yaml", "course-detector.yaml", "run/config.yaml"])
def test_what_is_read_is_written_in_the_current_schema(name: str) -> None:
    text = dump(read_old(name))
    assert text.startswith(f"schema: {SCHEMA}\n")
    assert load(text, name) == read_old(name)


def test_logs_and_metrics_have_the_current_names() -> None:
    run = open_run(OLD / "run", "cpu")
    metrics = run.metrics()
    assert metrics is not None
    for named in (metrics["metrics"], *(entry[split] for entry in run.log_entries() for split in ("train", "test"))):
        assert set(named) >= LOSSES
        assert not set(schema1.METRICS) & set(named)
    old = json.loads((OLD / "run" / "metrics.json").read_text())["metrics"]
    assert metrics["metrics"]["loss_classification"] == old["loss_object"]
    assert metrics["metrics"]["loss_box_regression"] == old["loss_refine"]


def test_names_in_curves_and_sums() -> None:
    old = {"loss_object_train": [1], "loss_objectness": 2, "a": [{"loss_refine": (3, 4)}], "loss_refine_test": {}}
    new = {"loss_classification_train": [1], "loss_objectness": 2, "a": [{"loss_box_regression": (3, 4)}]}
    assert schema1.current_names(old) == new | {"loss_box_regression_test": {}}


def test_old_weights_detect() -> None:
    detector = Detector.load(OLD / "run" / "weights.safetensors", "cpu")
    assert (detector.side, detector.classes) == (32, ("cat", "dog"))
    detections = detector(torch.full((3, 40, 60), 128, dtype=torch.uint8), 0.0)
    assert detections.boxes.shape[0] == 1


def test_an_old_run_goes_on(old_run: Path) -> None:
    """Its log has one set of names afterwards, and its options are those that it was started with."""
    before = open_run(old_run, "cpu").log_entries()
    resume(old_run, None, 5, "cpu")
    run = open_run(old_run, "cpu")
    entries = run.log_entries()
    assert entries[: len(before)] == before
    assert all(set(entry["test"]) >= LOSSES for entry in entries)
    assert "loss_object" not in (old_run / "log.jsonl").read_text().replace("loss_objectness", "")
    assert (run.config.train.iterations, run.config.loss.classification) == (5, 1.5)
    assert (old_run / "config.yaml").read_text().startswith(f"schema: {SCHEMA}\n")


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_old_results_are_read(path: Path) -> None:
    raw = json.loads(path.read_text())
    results = read(raw)
    assert [record.id for record in results.records] == [record["id"] for record in raw["experiments"]]
    for record, old in zip(results.records, raw["experiments"], strict=True):
        assert record.published is not None
        assert record.published.value == old["report"]["value"]
        if "loss_object" in old["metrics"]:
            assert record.metrics["loss_classification"].mean == old["metrics"]["loss_object"]["mean"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("train: {overruled: [1]}", r"here, train.overrides\[0\]: expected text, got a whole number"),
        ("train: {overruled: 5}", "here, train.overrides: expected a list, got a whole number"),
        ("model: {image: large}", "here, model.input_size: expected a whole number, got text"),
        ("data: 5", "here, data: expected settings, got a whole number"),
        ("model: {image_size: 5}", r"here, model has the unknown setting `image_size` \(did you mean `input_size`\?\)"),
    ],
)
def test_what_is_wrong_is_named(content: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(f"schema: 1\n{content}", "here")
