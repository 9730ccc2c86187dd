"""K1 notices work that was lost, and K2 an end that was not one: the promises that their short forms cannot break.

Covers `signalled.py` of the campaigns.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from campaigns import kills, prepared, signalled
from campaigns.campaign import Broken, Trial
from campaigns.commands import Answer, Desk
from pocketrcnn.training.checkpoint import save_tensors


@pytest.fixture
def one(tmp_path: Path) -> Trial:
    return Trial(0, random.Random(0), tmp_path, tmp_path)


def trace(folder: Path, seconds: dict[int, float], saved: int) -> tuple[Desk, Path]:
    """A run that was killed: when each iteration began, and of which one its checkpoint is."""
    desk, file = Desk(folder / "desk", folder / "cache"), folder / "iterations"
    (desk.folder / "run").mkdir()
    save_tensors(desk.folder / "run" / "checkpoint.safetensors", {}, {"iteration": saved})
    file.write_text("".join(f"{number} {second}\n" for number, second in seconds.items()))
    assert prepared.iterations_begun(file) == seconds
    return desk, file


def test_one_iteration_may_be_lost_where_each_is_saved(one: Trial) -> None:
    desk, file = trace(one.folder, {0: 0.1, 1: 0.2, 2: 0.3}, saved=2)
    assert kills.lost_little(one, kills.KINDS["train"], desk, file)
    (desk.folder / "run").rename(one.folder / "before")
    desk, file = trace(one.folder, {0: 0.1, 1: 0.2, 2: 0.3}, saved=1)
    with pytest.raises(Broken, match="killed in iteration 2, the checkpoint is of 1"):
        kills.lost_little(one, kills.KINDS["train"], desk, file)


def test_one_interval_may_be_lost_where_time_decides(one: Trial) -> None:
    phases = kills.KINDS["phases"]
    desk, file = trace(one.folder, {0: 0.0, 1: 0.05, 2: phases.interval}, saved=0)
    assert kills.lost_little(one, phases, desk, file)
    assert one.counts["iterations begun anew"] == 2
    file.write_text("0 0.0\n1 0.5\n2 1.0\n")
    with pytest.raises(Broken, match=r"1\.00 s are lost"):
        kills.lost_little(one, phases, desk, file)


def test_a_state_that_was_not_saved_and_an_end_without_a_word_are_noticed(one: Trial) -> None:
    desk, _ = trace(one.folder, {0: 0.1}, saved=1)
    (desk.folder / "run" / "config.yaml").touch()
    said = Answer(130, "", "pocketrcnn: interrupted at iteration 1 of run, state saved; go on", 1.0)
    signalled.nothing_lost(one, desk, said, last=0, number=2)
    with pytest.raises(Broken, match="stopped in iteration 3, the checkpoint is of 1"):
        signalled.nothing_lost(one, desk, said, last=3, number=2)
    with pytest.raises(Broken, match="exit code 130"):
        signalled.nothing_lost(one, desk, said._replace(err=""), last=0, number=2)
    with pytest.raises(Broken, match="exit code 1"):
        signalled.ended_well(one, Answer(1, "", "", 0.0), 2)
    with pytest.raises(Broken, match="Traceback"):
        signalled.ended_well(one, Answer(0, "", "Traceback", 0.0), 2)
