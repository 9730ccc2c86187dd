"""The script that kills runs: what counts as a kill, and what is printed of it. Small programs stand for runs."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "kill_and_resume.py"))
KillAfter = Callable[[list[str], float, Path], bool]


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_run_is_killed_only_while_it_runs(tmp_path: Path) -> None:
    kill_after: KillAfter = script["kill_after"]
    assert kill_after(program("import time; time.sleep(60)"), 0.1, tmp_path)
    assert not kill_after(program(""), 60, tmp_path)
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "metrics.json").touch()
    assert not kill_after(program("import time; time.sleep(60)"), 0.1, tmp_path), "its training was over"
    with pytest.raises(SystemExit, match="a run failed with exit code 3: try it by hand"):
        kill_after(program("import sys; sys.exit(3)"), 60, tmp_path)


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the script where kills succeed (k) or come too late (-), and runs end in the weights that are given."""

    def start(kills: str, weights: str = "a", words: str = "") -> int:
        moments = iter(kills)
        turns = iter(weights * len(kills))

        def kill_after(command: list[str], seconds: float, out: Path) -> bool:
            (out / "runs" / "a").mkdir(parents=True)
            (out / "runs" / "a" / "checkpoint.safetensors").touch()
            return next(moments) == "k"

        replaced: dict[str, Any] = {"kill_after": kill_after, "finish": lambda _: 1.0, "weights": lambda _: next(turns)}
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
