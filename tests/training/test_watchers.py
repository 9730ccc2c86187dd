"""Who hears of every evaluation: a program's callback, and TensorBoard, whose files have the figures of log.jsonl."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from runs_in_seconds import quick

from pocketrcnn.cli.main import main
from pocketrcnn.custom.train import resume
from pocketrcnn.training.watchers import calling, has_events, watched_by

pytestmark = pytest.mark.slow  # it trains


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def events_of(run: Path) -> dict[tuple[str, int], float]:
    """The scalars of all event files: records of a length (8 bytes), its checksum (4), data and their checksum (4)."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = {}
    for path in sorted(run.glob("events.out.tfevents.*")):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack_from("<Q", content)
            event = event_pb2.Event.FromString(content[12 : 12 + length])
            for value in event.summary.value:
                assert (value.tag, event.step) not in found, "each figure once"
                found[value.tag, event.step] = value.simple_value
            content = content[16 + length :]
    return found


def test_a_callback_hears_of_every_evaluation(shapes: Path, tmp_path: Path) -> None:
    heard: list[tuple[int, dict[str, float]]] = []
    with watched_by(calling(lambda iteration, metrics: heard.append((iteration, metrics)))):
        run = quick(shapes, tmp_path / "run", 2)
    log = log_of(run)
    assert [iteration for iteration, _ in heard] == [entry["iteration"] for entry in log]
    assert heard[-1][1]["AP50"] == log[-1]["test"]["AP50"]
    assert heard[0][1]["train/loss_total"] == log[0]["train"]["loss_total"]


def test_tensorboard_gets_the_figures_of_the_log(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a run is resumed within a second: tensorboardX names its files by that."""
    pytest.importorskip("tensorboardX")
    monkeypatch.setattr("tensorboardX.event_file_writer.time", SimpleNamespace(time=lambda: 1e9))
    run = quick(shapes, tmp_path / "run", 2, tensorboard=True)
    assert has_events(run)
    resume(run, None, 4, "cpu")
    figures = {
        (f"{part}/{name}", entry["iteration"]): value
        for entry in log_of(run)
        for part in ("train", "test")
        for name, value in entry[part].items()
    }
    assert len(log_of(run)) > 2
    assert events_of(run) == pytest.approx(figures, rel=1e-6)


def test_runs_of_a_set_are_written_too(shapes: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    words = "--seeds 1 --iterations 1 --preset small --batch 2 --input-size 32 --device cpu --tensorboard"
    assert main(["train", str(shapes), "--out", str(tmp_path / "set"), *words.split(" ")]) == 0
    assert has_events(tmp_path / "set" / "seed-0")


def test_a_missing_package_is_named_before_anything_begins(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    for seeds in ([], ["--seeds", "2"]):
        words = ["train", str(shapes), "--tensorboard", "--iterations", "1", "--out", str(tmp_path / "run"), *seeds]
        assert main(words) == 2
        assert capsys.readouterr().err == (
            "pocketrcnn: tensorboardX is not installed: `pip install '.[tensorboard]'` in a clone of the project, "
            "or leave out --tensorboard\n"
        )
    assert not (tmp_path / "run").exists()
