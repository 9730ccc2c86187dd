"""`resume` with another length: the rest is planned as for a run that was so long from the start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from runs_in_seconds import interrupt_after

from pocketrcnn.config import Config, DataConfig
from pocketrcnn.custom import train as training
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.report.summary import recorded
from pocketrcnn.custom.train import both, lengthened, prepared, resume, total, train
from pocketrcnn.data.custom_data import CustomData, open_custom_data
from pocketrcnn.data.folders import Folder
from pocketrcnn.evaluation import average_precision
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.run import Run, open_run, saved_splits
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow


def options(data: Path, **changes: Any) -> TrainOptions:
    """A small network on small images."""
    return TrainOptions(data, **{"preset": "small", "batch": 2, "input_size": 32, "device": "cpu", **changes})


def points(folder: Path) -> list[int]:
    """The iterations of the points of the curves."""
    return [point["iteration"] for point in open_run(folder).log_entries()]


@pytest.fixture(scope="module")
def short(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of four iterations. It is read, never changed: copy it before."""
    return train(options(shapes, iterations=4, out=tmp_path_factory.mktemp("short") / "run"))


@pytest.fixture
def run(short: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short, tmp_path / "run"))


def test_the_distance_between_points_suits_the_new_length(run: Path) -> None:
    resume(run, None, 30, "cpu")
    assert points(run) == [1, 2, 3, 4, 6, 9, 12, 15, 18, 21, 24, 27, 30]


def test_the_distance_between_points_suits_new_minutes(run: Path) -> None:
    """It stayed that of the old length: a run that began with ten iterations was evaluated after every one."""
    minutes = 4 * (open_run(run).metrics() or {})["elapsed"] / 60
    resume(run, minutes, None, "cpu")
    settings, iterations = open_run(run).config.train, points(run)
    assert (settings.minutes, settings.evaluations) == (minutes, 3)
    assert iterations[:4] == [1, 2, 3, 4]
    assert 1 <= len(iterations[4:]) <= 3, "a quarter of the minutes is over: at one and two thirds, and at the end"


def longer(
    folder: Path, minutes: float | None, iterations: int | None
) -> tuple[Config, tuple[CustomData, Folder, Folder]]:
    """The configuration of a run for another length, and what it learns from."""
    one = open_run(folder, "cpu")
    custom = open_custom_data(one.config.data, saved_splits(folder))
    sets = both(custom, one.config)
    return lengthened(one, custom, sets, minutes, iterations), (custom, *sets)


@pytest.mark.parametrize("settings", [(), ("augment.zoom=[0.9, 1.3]", "augment.rotate=true", "optim.lr=1e-3")])
@pytest.mark.parametrize("rotate", [False, True])
def test_a_longer_run_is_configured_as_one_that_was_so_long_from_the_start(
    shapes: Path, tmp_path: Path, rotate: bool, settings: tuple[str, ...]
) -> None:
    """Its augmentation follows from the epochs, too."""
    custom = open_custom_data(DataConfig(str(shapes.resolve()), "folder", seed=3))
    given = options(shapes, iterations=2, rotate=rotate, settings=settings, seed=3, patience=5)
    few, many = (prepared(replace(given, iterations=n), custom, torch.device("cpu"))[0] for n in (2, 600))
    assert few.augment != many.augment, "mild, and not"
    with Run(tmp_path / "run", few, torch.device("cpu")) as made:
        made.keep_splits(custom.split_of)
    config, _ = longer(tmp_path / "run", None, 600)
    precision = open_run(tmp_path / "run").config.train.precision
    same = {"precision": precision, "evaluation_images": few.train.evaluation_images}
    assert config == replace(many, train=replace(many.train, **same))
    assert longer(tmp_path / "run", None, 3)[0].augment == few.augment


def test_points_and_iterations_follow_from_new_minutes(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "total", lambda *_: 700)
    config, _ = longer(run, 5.0, None)
    assert (config.train.minutes, config.train.iterations, config.train.evaluations) == (5.0, 700, 4)
    assert longer(run, 60.0, None)[0].train.evaluations == 12


def test_minutes_are_counted_at_the_pace_of_training_so_far(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of many evaluations and of the start is spent, and says nothing about the pace."""
    _, (_, *sets) = longer(run, None, 9)
    so_far = {"iteration": 10, "seconds": 10.0, "elapsed": 60.0}
    monkeypatch.setattr(training, "load_tensors", lambda _: ({}, so_far))
    one = open_run(run, "cpu")
    assert total(one, (sets[0], sets[1]), 30.0) == 10 + round((1800 - 60) * 0.95)
    assert total(one, (sets[0], sets[1]), 0.5) == 10, "time is over"


def test_where_nothing_is_done_the_pace_is_measured(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (_, *sets) = longer(run, None, 9)
    monkeypatch.setattr(training, "seconds_of_an_iteration", lambda config, *_: config.train.minutes)
    empty = SimpleNamespace(folder=run / "elsewhere", config=open_run(run).config, device=torch.device("cpu"))
    assert total(empty, (sets[0], sets[1]), 2.0) == round(120 * 0.95 / 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("stop", [5, 7, 9])
def test_a_longer_run_that_is_interrupted_ends_in_the_same_bytes(run: Path, tmp_path: Path, stop: int) -> None:
    parts = Path(shutil.copytree(run, tmp_path / "parts"))
    resume(run, None, 9, "cpu")
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, stop)
        with pytest.raises(Interrupted):
            resume(parts, None, 9, "cpu")
    resume(parts, None, 9 if stop == 7 else None, "cpu")
    for name in ("config.yaml", "weights.safetensors", "last.safetensors", "log.jsonl", "evaluation-val.json"):
        assert (parts / name).read_bytes() == (run / name).read_bytes(), name


@pytest.mark.parametrize("writing", [1, 2, 3])
def test_a_longer_run_that_is_killed_between_two_files_goes_on(run: Path, tmp_path: Path, writing: int) -> None:
    """Killed after config.yaml was written and before metrics.json was removed, it was taken for done for ever."""
    parts = Path(shutil.copytree(run, tmp_path / "parts"))
    resume(run, None, 6, "cpu")
    count, write = 0, Run.write

    def killed(self: Run, name: str, content: bytes) -> None:
        nonlocal count
        count += 1
        if count == writing:
            raise SystemExit(9)
        write(self, name, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "write", killed)
        with pytest.raises(SystemExit):
            resume(parts, None, 6, "cpu")
    assert (open_run(parts).metrics() is not None) == (writing < 3), "finished as it was, or not"
    assert Detector.load(parts, "cpu").classes
    resume(parts, None, 6 if writing < 3 else None, "cpu")
    assert (open_run(parts).metrics() or {})["iterations"] == 6
    for name in ("config.yaml", "weights.safetensors", "last.safetensors", "log.jsonl", "evaluation-val.json"):
        assert (parts / name).read_bytes() == (run / name).read_bytes(), name
    assert set(open_run(parts).metrics() or {}) == set(open_run(run).metrics() or {})


def test_a_finished_run_is_finished_until_its_longer_version_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its network predicts meanwhile. Where the disk has no room to go on, `predict` refused it from then on."""
    before = {name: (run / name).read_bytes() for name in ("weights.safetensors", "evaluation-val.json")}
    with monkeypatch.context() as patch:
        interrupt_after(patch, 5)
        with pytest.raises(Interrupted):
            resume(run, None, 6, "cpu")
    one = open_run(run)
    assert one.metrics() is None
    assert (one.metrics(any_length=True) or {})["iterations"] == 4
    assert {name: (run / name).read_bytes() for name in before} == before
    assert Detector.load(run, "cpu")(np.zeros((32, 32, 3), np.uint8)).labels.shape[0] == 1
    assert (recorded(one)["metrics"] or {})["iterations"] == 4
    resume(run, None, None, "cpu")
    assert "requested" not in (open_run(run).metrics() or {"requested": 0})


def test_a_run_with_the_length_that_it_has_is_left_as_it_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir() if not path.name.startswith("report")}
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("trained again"))
    resume(run, None, 4, "cpu")
    assert {name: (run / name).read_bytes() for name in before} == before


def evaluations_of(patch: pytest.MonkeyPatch, values: Iterator[float]) -> None:
    """Evaluations with these metrics."""
    names = ("AP", "AP50", "AP75", "AR")
    patch.setattr(average_precision, "average_precision", lambda *_: dict.fromkeys(names, next(values, 0.0)))


def test_patience_begins_anew_with_the_new_length(shapes: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        evaluations_of(patch, iter([0.1, 0.5, 0.2, 0.1]))
        run = train(options(shapes, iterations=12, patience=2, out=tmp_path / "run"))
    assert points(run) == [1, 2, 3, 4]
    with pytest.MonkeyPatch.context() as patch:
        evaluations_of(patch, iter([0.2, 0.3, 0.2, 0.1]))
        resume(run, None, 24, "cpu")
    assert points(run) == [1, 2, 3, 4, 6, 8, 10, 12], "two points after the best new one"
