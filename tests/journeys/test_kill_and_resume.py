"""The script that kills runs: what counts as a kill, and what is printed of it. Small programs stand for runs.

And a detector trained in phases through the command line, interrupted in each of them.
"""

from __future__ import annotations

import random
import runpy
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs_in_seconds import interrupt_after

from pocketrcnn.cli.main import main
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.run import open_run

script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "kill_and_resume.py"))
Moment: Callable[..., Any] = script["Moment"]
KillAfter = Callable[[list[str], Any, Path], bool]


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_run_is_killed_only_while_it_runs(tmp_path: Path) -> None:
    kill_after: KillAfter = script["kill_after"]
    assert kill_after(program("import time; time.sleep(60)"), Moment(0.1), tmp_path)
    assert not kill_after(program(""), Moment(60), tmp_path)
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "metrics.json").touch()
    assert not kill_after(program("import time; time.sleep(60)"), Moment(0.1), tmp_path), "its training was over"
    with pytest.raises(SystemExit, match="a run failed with exit code 3: try it by hand"):
        kill_after(program("import sys; sys.exit(3)"), Moment(60), tmp_path)


def test_a_moment_may_wait_for_an_iteration(tmp_path: Path) -> None:
    kill_after: KillAfter = script["kill_after"]
    (tmp_path / "runs" / "a").mkdir(parents=True)
    assert not kill_after(program(""), Moment(0, 3), tmp_path), "it never came so far"
    save_tensors(tmp_path / "runs" / "a" / "checkpoint.safetensors", {}, {"iteration": 3, "phase": 1})
    assert kill_after(program("import time; time.sleep(60)"), Moment(0.1, 3), tmp_path)
    assert script["saved"](tmp_path) == {"iteration": 3, "phase": 1}


def test_moments_are_drawn_in_the_phase_with_the_fewest_kills() -> None:
    moments, kills = random.Random(0), Counter[int]()
    for _ in range(10):
        moment = script["drawn"](moments, 20.0, [10, 20, 30, 40], kills)
        assert 0 <= moment.seconds <= 0.5
        assert moment.iteration % 10, "inside, not at the end"
        kills[moment.iteration // 10] += 1
    assert sorted(kills.values()) == [2, 2, 3, 3]
    assert script["drawn"](moments, 20.0, [40], kills).iteration == 0


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the script where kills succeed (k) or come too late (-), and runs end in the weights that are given."""

    def start(kills: str, weights: str = "a", words: str = "", ends: tuple[int, ...] = (40,), fell: str = "0") -> int:
        moments = iter(kills)
        turns, phases = iter(weights * len(kills)), iter(fell * len(kills))

        def kill_after(command: list[str], moment: Any, out: Path) -> bool:
            (out / "runs" / "a").mkdir(parents=True)
            return next(moments) == "k"

        replaced: dict[str, Any] = {"kill_after": kill_after, "finish": lambda _: 1.0, "weights": lambda _: next(turns)}
        replaced["saved"] = lambda _: {"iteration": 7, "phase": int(next(phases))}
        replaced["ends_of_phases"] = lambda *_: list(ends)
        for name, function in replaced.items():
            monkeypatch.setitem(script["main"].__globals__, name, function)
        monkeypatch.setattr(sys, "argv", ["kill_and_resume.py", *words.split()])
        return script["main"]()

    return start


def test_runs_that_ended_before_their_kill_are_no_kills(
    killing: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert killing("k--kk-k", words="--kills 2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "a run ended before" in line]) == 3
    assert len([line for line in lines if "resumed: same weights" in line]) == 4
    late = "runs ended before theirs and were started again"
    assert lines[-3:] == [
        f"B1: 2 kills, 2 after a checkpoint, 0 with other weights; 2 {late}",
        f"F2: 2 kills, 2 after a checkpoint, 0 with other weights; 1 {late}",
        f"all: 4 kills, 4 after a checkpoint, 0 with other weights; 3 {late}",
    ]


def test_other_weights_fail(killing: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert killing("kk", weights="aab", words="--kills 2 --experiments B1") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "all: 2 kills, 2 after a checkpoint, 1 with other weights"


def test_a_run_that_is_never_killed_is_a_failure(
    killing: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"no run of 20 was killed before its end: use more --iterations"):
        killing("-" * 50, words="--kills 1")
    assert "kills," not in capsys.readouterr().out


def test_every_phase_is_killed_and_the_phases_are_reported(
    killing: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert killing("kkkkk", words="--kills 4 --experiments F2", ends=(10, 20, 30, 40), fell="0123") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "(checkpoint of iteration 7, in phase 3), resumed: same weights" in lines[4]
    assert "F2: 1 in phase 1, 1 in phase 2, 1 in phase 3, 1 in phase 4" in lines
    with pytest.raises(SystemExit, match="no kill in some of the phases"):
        killing("kkkkk", words="--kills 4 --experiments F2", ends=(10, 20, 30, 40), fell="0113")


FOUR_STEPS = "train.phases=" + script["FOUR_STEPS"].replace("\n", " ")


@pytest.mark.slow
def test_a_detector_trained_in_phases_goes_on_after_ctrl_c_in_each_of_them(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its regions are sampled, in the second phase among the proposals of the network as the first one left it."""
    length = ["--iterations", "8", "--preset", "small", "--batch", "2", "--input-size", "32", "--device", "cpu"]
    words = ["train", str(shapes), *length, "--set", FOUR_STEPS, "--out"]
    assert main([*words, str(tmp_path / "whole")]) == 0
    for stop in (1, 3, 5, 7):
        with monkeypatch.context() as patch:
            interrupt_after(patch, stop)
            assert main([*words, str(tmp_path / "parts")]) == 130
        assert load_tensors(tmp_path / "parts" / "checkpoint.safetensors")[1]["phase"] == stop // 2
    assert main(["resume", str(tmp_path / "parts"), "--device", "cpu"]) == 0
    for name in ("weights.safetensors", "last.safetensors", "log.jsonl"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert main(["resume", str(tmp_path / "parts"), "--iterations", "12", "--device", "cpu"]) == 0
    assert load_tensors(tmp_path / "parts" / "checkpoint.safetensors")[1]["phase"] == 3, "what is over stays over"
    assert [phase.trained for phase in open_run(tmp_path / "parts").config.train.phases][2:] == [("rpn",), ("head",)]
    capsys.readouterr()
    assert main([*words[:-3], "--set", "train.phases=[{train_box: trut}]", "--out", str(tmp_path / "new")]) == 2
    error = capsys.readouterr().err
    assert "expected one of '', 'truth', 'predicted', 'jittered', 'sampled'; use another value" in error
    assert not (tmp_path / "new").exists()
