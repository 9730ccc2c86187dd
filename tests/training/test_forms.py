"""Files of a run that are JSON, YAML or tensors, and not what they should be: one line each, never a traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from shell import Shell
from tiny_detectors import tiny_run

from pocketrcnn.config import TrainConfig
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.report.summary import evaluation, recorded
from pocketrcnn.errors import UserError
from pocketrcnn.training import forms
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.forms import require_form
from pocketrcnn.training.run import open_run
from pocketrcnn.training.state import State

pytestmark = pytest.mark.slow

DEEP = '{"a":' * 100_000
HARDWARE = {"processor": "p", "cores": 2, "threads": 1, "precision": "float32"}


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(tiny_run(tmp_path_factory), tmp_path / "run"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", DEEP),
        ("metrics.json", {"metrics": 3, "seconds": 1, "iterations": 1}),
        ("metrics.json", {"metrics": {"AP": "high"}, "seconds": 1, "iterations": 1}),
        ("metrics.json", {"metrics": {"AP": 1}, "seconds": None, "iterations": 1}),
        ("metrics.json", {"metrics": {"AP": 1}, "seconds": 1, "iterations": "many"}),
        ("metrics.json", {"metrics": {"AP": 1}, "seconds": 1, "iterations": 1, "requested": 3}),
        ("env.json", DEEP),
        ("env.json", {"versions": {}, "hardware": 1}),
        ("env.json", {"versions": {}, "hardware": {}}),
        ("env.json", {"versions": True, "hardware": HARDWARE}),
        ("env.json", {"versions": {}, "hardware": HARDWARE | {"memory_gb": "\ud800"}}),
        ("env.json", {"versions": {"python": "\ud800"}, "hardware": HARDWARE}),
        ("env.json", {"versions": {}, "hardware": HARDWARE, "command": []}),
        ("log.jsonl", DEEP),
        ("log.jsonl", {"iteration": "x", "train": {}, "test": {}}),
        ("log.jsonl", {"iteration": 1, "train": {"loss": []}, "test": {}}),
        ("evaluation-val.json", DEEP),
        ("evaluation-val.json", {"data": "x"}),
    ],
)
def test_a_file_of_another_form_is_named(run: Path, name: str, content: Any) -> None:
    (run / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        recorded(open_run(run, "cpu"))
    message = str(caught.value)
    assert message.startswith(f"{run / name} is ")
    assert "\n" not in message
    assert len(message) < 400


def test_what_a_run_writes_is_of_these_forms(run: Path) -> None:
    one = open_run(run, "cpu")
    assert one.metrics() is not None
    assert evaluation(run, "val").images
    entries = one.log_entries()
    assert entries
    assert set(one.environment()["hardware"]) >= set(HARDWARE)
    numbers = load_tensors(run / "checkpoint.safetensors")[1]
    require_form(numbers, forms.Numbers, run, "")
    assert set(numbers) == set(forms.Numbers.__annotations__)


@pytest.mark.parametrize("facts", [None, 1, [], "text", {"config": 3}, {"config": None}, {"threshold": 0.5}])
def test_weights_with_other_metadata_are_refused(run: Path, facts: Any) -> None:
    """The checksum is right."""
    tensors = load_tensors(run / "weights.safetensors")[0]
    save_tensors(run / "weights.safetensors", tensors, facts)
    with pytest.raises(UserError, match=r"weights\.safetensors") as caught:
        Detector.load(run, "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("threshold", ["high", 7, -1, float("nan"), []])
def test_a_threshold_that_is_no_score_is_refused(run: Path, threshold: Any) -> None:
    tensors, facts = load_tensors(run / "weights.safetensors")
    save_tensors(run / "weights.safetensors", tensors, facts | {"threshold": threshold})
    with pytest.raises(UserError, match=r"weights\.safetensors is damaged \(its threshold is no score\)"):
        Detector.load(run, "cpu")
    with pytest.raises(UserError, match=r"weights\.safetensors is damaged \(its threshold is no score\)"):
        open_run(run, "cpu").load_model()


@pytest.mark.parametrize("change", [{"iteration": "x"}, {"log": 3}, {"log": [1]}, {"means": []}, {"requested": None}])
def test_a_checkpoint_with_other_numbers_is_refused(run: Path, change: dict[str, Any]) -> None:
    tensors, numbers = load_tensors(run / "checkpoint.safetensors")
    for changed in (numbers | change, {k: v for k, v in numbers.items() if k not in change}):
        with pytest.raises(UserError, match=r"x is damaged \(.*\): delete it to start over"):
            State.restore(None, tensors, changed, Path("x"), TrainConfig())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iteration": -1}, "its iteration is -1"),
        ({"earlier": 99}, "its earlier is 99"),
        ({"earlier": -1}, "its earlier is -1"),
        ({"phase": 1}, "its phase is 1"),
        ({"phase_began": 10**9}, "its phase_began is 1000000000"),
        ({"log": [{"iteration": 1, "train": {}, "test": {}}]}, "an evaluation has no AP"),
        ({"log": [{"iteration": 1, "train": {}, "test": {"AP": None}}]}, "an evaluation has no AP"),
    ],
)
def test_a_checkpoint_whose_numbers_cannot_be_is_refused(run: Path, change: dict[str, Any], reason: str) -> None:
    """Before anything of it is in place. The checksum is right."""
    tensors, numbers = load_tensors(run / "checkpoint.safetensors")
    with pytest.raises(UserError, match=rf"^x is damaged \({reason}\): delete it to start over$"):
        State.restore(None, tensors, numbers | change, Path("x"), TrainConfig(monitor="AP"))  # type: ignore[arg-type]


def test_a_file_of_tensors_with_deep_metadata(run: Path, tmp_path: Path) -> None:
    from safetensors.torch import save

    for entry in (DEEP, json.dumps({"facts": DEEP, "sha256": ""}), "3", "[]", '{"facts": 3}'):
        (tmp_path / "x.safetensors").write_bytes(save({}, {"pocketrcnn": entry}))
        with pytest.raises(UserError, match="damaged or not one of pocketrcnn's files"):
            load_tensors(tmp_path / "x.safetensors")


def test_the_command_line_says_it_in_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)
    (run / "config.yaml").write_text("schema: 2\ntrain: {iterations: !!int ''}")
    for words in ("predict", "report", "resume", "eval"):
        line = shell.refused(words, run, *(["x.png"] if words == "predict" else []))
        assert f"{run / 'config.yaml'} is not YAML" in line or "x.png" in line
