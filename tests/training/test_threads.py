"""`--threads`: what uses the processor, what is written down, and what is left as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from shell import Shell
from tiny_detectors import tiny_run

import pocketrcnn
from pocketrcnn import Detector
from pocketrcnn.data.images.pixels import Pixels
from pocketrcnn.model.interchange import Detections
from pocketrcnn.training.threads import require_threads, torch_threads

TRAIN = "train --preset small --input-size 32 --batch 2 --iterations 1 --device cpu"


def test_threads_are_those_that_are_asked_for_as_long_as_the_block_lasts() -> None:
    before = torch.get_num_threads()
    with torch_threads(3):
        assert torch.get_num_threads() == 3
        with torch_threads(None):
            assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == before


def test_without_torch_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    with torch_threads(3):
        assert "torch" not in sys.modules


@pytest.mark.parametrize("command", ["train DATA", "resume RUN", "eval RUN", "predict RUN", "reproduce", "bench step"])
def test_impossible_numbers_are_refused(command: str, shell: Shell) -> None:
    assert "--threads 0: use 1 or more" in shell.refused(f"{command} --threads 0")


def test_more_threads_than_any_processor_has_are_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million ended in a crash, a thousand took the whole machine for minutes."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert "--threads 1000: this machine has 2 cores, use at most 8" in shell.refused("train DATA --threads 1000")
    require_threads(8)
    monkeypatch.setattr("os.cpu_count", lambda: 128)
    require_threads(128)


@pytest.mark.parametrize(
    "command", ["train DATA --seeds 2 --iterations 9", "resume RUN", "predict RUN --out OUT", "reproduce"]
)
def test_workers_have_one_thread_each(command: str, shell: Shell) -> None:
    message = "--threads 2 and --workers 3: leave one out, each of the workers has one thread"
    assert message in shell.refused(f"{command} --threads 2 --workers 3")


@pytest.mark.slow
def test_a_run_says_with_how_many_threads_it_was_trained(shapes: Path, tmp_path: Path, shell: Shell) -> None:
    before, run = torch.get_num_threads(), tmp_path / "run"
    assert shell(f"{TRAIN} --threads 3", shapes, "--out", run).code == 0
    known = json.loads((run / "env.json").read_text(encoding="utf-8"))
    assert known["hardware"]["threads"] == 3
    assert " --threads 3 " in known["command"]
    assert torch.get_num_threads() == before
    other = shell(f"resume {run} --iterations 2 --threads 1").out
    assert "the run began with 3 threads, and goes on with 1, which changes last digits: `--threads 3`" in other


@pytest.mark.slow
def test_predictions_use_them_too(
    tmp_path_factory: pytest.TempPathFactory, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, network = list[int](), Detector.network

    def counted(self: Detector, inputs: Pixels) -> Detections:
        seen.append(torch.get_num_threads())
        return network(self, inputs)

    monkeypatch.setattr(Detector, "network", counted)
    before, run = torch.get_num_threads(), tiny_run(tmp_path_factory)
    image = next((shapes / "test").glob("*.png"))
    pocketrcnn.predict(run, image, out=tmp_path / "out", threads=3, quiet=True)
    assert seen == [3]
    assert torch.get_num_threads() == before
