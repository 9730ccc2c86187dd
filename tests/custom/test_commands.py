"""The commands as functions: typed as the options are, quiet, with a result; and types that a user's checker sees.

Covers `custom/commands/data.py`, `custom/commands/training.py`, `custom/commands/detecting.py` and
`custom/commands/telling.py`.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from exported_runs import made_by_hand
from PIL import Image
from runs_in_seconds import metrics
from three_packages import environment
from tiny_detectors import tiny_run

import pocketrcnn
from pocketrcnn.custom.commands.detecting import predict
from pocketrcnn.custom.commands.sweeping import sweep
from pocketrcnn.custom.commands.telling import Place
from pocketrcnn.custom.commands.training import TrainedRun, train
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.options import PredictOptions, TrainOptions
from pocketrcnn.custom.sweep.options import SweepOptions
from pocketrcnn.errors import UserError

ROOT = Path(__file__).parents[2]
SCRIPT = """
from pathlib import Path

import numpy as np

import pocketrcnn
from pocketrcnn import Detector, UserError
from pocketrcnn import runtime


def tell(iteration: int, metrics: dict[str, float]) -> None:
    print(iteration, metrics["AP50"])


run = pocketrcnn.train("photos", minutes=5, rotate=True, quiet=True, callback=tell)
reveal_type(run)
reveal_type(run.metrics)
detector = run.detector
reveal_type(detector)
found = detector([Path("a.png"), np.zeros((4, 4, 3), np.uint8)], threshold=0.5, order="bgr")
reveal_type(found)
reveal_type(found[0].names)
reveal_type(pocketrcnn.evaluate(run, split="val"))
for one in runtime.Detector.load("model.onnx").stream(["a.png"]):
    reveal_type(one.counts().by_class)
try:
    Detector.load(run).stream([b"png"])
except UserError as error:
    print(error)
pocketrcnn.train("photos", epochs=3)
"""
REVEALED = [
    "pocketrcnn.custom.commands.training.TrainedRun",
    "dict[str, float]",
    "pocketrcnn.custom.detector.Detector",
    "pocketrcnn.custom.detector.Detections",
    "list[str]",
    "pocketrcnn.evaluation.average_precision.Evaluation",
    "dict[str, int]",
]


def plain(hint: Any) -> Any:
    """A type without the notes for the command line, with `Path` where a path may be given as text."""
    if get_origin(hint) is Annotated:
        return plain(get_args(hint)[0])
    if set(get_args(hint)) & {Path, os.PathLike[str]}:
        return Path
    return Path if hint == Place else hint


def parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """The type and the default of each parameter."""
    hints, signature = get_type_hints(function, include_extras=True), inspect.signature(function)
    return {name: (plain(hints[name]), one.default) for name, one in signature.parameters.items()}


OURS = {"quiet", "callback", "command", "detector", "images", "timeout", "device"}  # of the function or of the command


@pytest.mark.parametrize(
    ("function", "options"), [(train, TrainOptions), (predict, PredictOptions), (sweep, SweepOptions)]
)
def test_functions_take_what_options_are(function: Callable[..., Any], options: Any) -> None:
    hints = get_type_hints(options, include_extras=True)
    fields = {field.name: (plain(hints[field.name]), field.default) for field in dataclasses.fields(options)}
    fields = {name: (hint, inspect.Parameter.empty if name == "data" else of) for name, (hint, of) in fields.items()}
    given = parameters(function)
    assert {name: of for name, of in given.items() if name not in OURS} == {
        name: of for name, of in fields.items() if name not in OURS
    }


def test_data_are_checked_and_converted(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked = pocketrcnn.check(shapes, quiet=True)
    assert (checked.report.summary["images"], checked.loses, checked.refused) == (38, False, "")
    report = pocketrcnn.convert(shapes, tmp_path / "copy", to="csv", quiet=True)
    assert report.summary == checked.report.summary
    assert capsys.readouterr() == ("", "")
    assert pocketrcnn.check(tmp_path / "copy").report.summary["objects"] == report.summary["objects"]
    assert "csv, 38 images" in capsys.readouterr().out
    with pytest.raises(UserError, match="is not empty"):
        pocketrcnn.convert(shapes, tmp_path / "copy", to="voc")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pocketrcnn.check("d", bbox="xyhw"), r"--bbox xyhw: use auto, xyxy, .*did you mean"),
        (lambda: pocketrcnn.check("d", voc_origin=2), "--voc-origin 2: use 0, 1"),
        (lambda: pocketrcnn.convert("d", "o", to="json"), "--to json: use coco, voc, yolo, csv"),
        (lambda: pocketrcnn.train("d", units="mm"), "--units mm: use auto, pixels, fractions"),
        (lambda: pocketrcnn.train("d", settings="a.b=1"), r"settings are several: write settings=\('a\.b=1',\)"),
        (lambda: pocketrcnn.train("d", callback=3), "callback is no function"),
        (lambda: pocketrcnn.predict("r", pages="last"), "--pages last: use first, all, max, mean"),
        (lambda: pocketrcnn.predict("r", ["a", 7]), r"images\[1\]: an object of type `int` is no path"),
        (lambda: pocketrcnn.predict("r", "gone.png"), r"^gone\.png is not there"),
        (lambda: TrainedRun("gone").metrics, "gone is not the folder of a run"),
        (pocketrcnn.write_report, "write_report needs the folder of a run"),
    ],
)  # fmt: skip
def test_what_a_checker_of_types_would_find(call: Callable[[], object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        call()


def test_predictions_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_bytes(b"text")
    file = made_by_hand(tmp_path / "model.onnx")
    done = pocketrcnn.predict(file, [tmp_path], out=tmp_path / "out", batch=1, pictures=False, quiet=True)
    assert (done.path, done.images, done.skipped) == (tmp_path / "out", 2, 1)
    assert (done.by_class, done.objects) == ({"cat": 2, "dog": 0}, 2)
    assert (tmp_path / "out" / "counts.csv").is_file()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skipped: "), "what went wrong is said"
    with pytest.raises(UserError, match="--timeout 0: use a time above 0"):
        pocketrcnn.predict(file, [tmp_path], timeout=0)


def test_training_in_one_call(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[TrainOptions] = []
    made = tiny_run(tmp_path_factory)
    monkeypatch.setattr("pocketrcnn.custom.train.train", lambda options: calls.append(options) or made)
    run = pocketrcnn.train("photos", iterations=3, out="there", input_size=128, device="cpu", quiet=True)
    wanted = TrainOptions(Path("photos"), iterations=3, out=Path("there"), input_size=128, device="cpu")
    assert calls == [wanted]
    assert isinstance(run.detector, Detector)
    assert (run.path, Path(run)) == (made, made)
    assert run.metrics == metrics(made)["metrics"]
    with pytest.raises(UserError, match="use only one of them"):
        pocketrcnn.train("photos", minutes=1, iterations=3)


@pytest.mark.slow
def test_quiet_or_to_the_logger(
    learned: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    found = pocketrcnn.evaluate(learned, split="val", quiet=True)
    assert found.split == "val"
    page = pocketrcnn.write_report(TrainedRun(learned), out=tmp_path / "page.html", quiet=True)
    assert page.is_file()
    assert capsys.readouterr() == ("", "")
    with caplog.at_level(logging.INFO, "pocketrcnn"):
        pocketrcnn.write_report(learned, out=page)
    assert [record.getMessage() for record in caplog.records] == [f"report: {page}"]
    assert capsys.readouterr() == ("", "")
    with pytest.raises(UserError, match="is a folder: name a file in it"):
        pocketrcnn.write_report(learned, out=tmp_path)


def test_a_run_is_exported(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Path, Path | None]] = []
    run = tiny_run(tmp_path_factory)
    monkeypatch.setattr(
        "pocketrcnn.custom.onnx.export.export", lambda best, _, out: calls.append((best, out)) or best / "model.onnx"
    )
    assert pocketrcnn.export(TrainedRun(run)) == run / "model.onnx"
    assert capsys.readouterr().out == f"next: pocketrcnn predict {run / 'model.onnx'} IMAGES\n"
    pocketrcnn.export(run, out="a.onnx", quiet=True)
    assert capsys.readouterr().out == ""
    assert calls == [(run, None), (run, Path("a.onnx"))]
    with pytest.raises(UserError, match="belongs to --page"):
        pocketrcnn.export(run, examples=False)


@pytest.mark.slow
def test_the_script_of_a_user_is_checked_by_its_types(tmp_path: Path) -> None:
    """As in an environment in which the package is installed; without torch there, which would take a minute."""
    python = environment(tmp_path / "environment")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    notes = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    assert [note.replace("builtins.", "") for note in notes] == REVEALED, done.stdout
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, done.stdout
    assert 'Unexpected keyword argument "epochs" for "train"' in errors[0]
