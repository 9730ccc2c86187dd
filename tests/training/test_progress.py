"""The live line of a run, where there is no terminal: one line at every evaluation."""

import re

import pytest

from pocketrcnn.config import Config
from pocketrcnn.training.progress import Progress
from pocketrcnn.training.state import State


def state(iteration: int, seconds: float) -> State:
    """A state without a network, of a run of 6 iterations."""
    log = [{"train": {"loss_total": 1.25}}]
    return State(None, [], None, iteration=iteration, seconds=seconds, planned=6, log=log)  # type: ignore[arg-type]


def test_a_line_at_every_evaluation_and_none_between(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("run", Config(), 0, 0.0) as progress:
        progress.update(state(1, 1.0), due=False)
        progress.say("evaluating on all test images")
        assert capsys.readouterr().out == ""
        progress.update(state(3, 2.0), due=True)
    speed = 3 * Config().train.batch / 2
    assert re.fullmatch(rf"run  3/6  loss 1.25  {speed:.0f} images/s  0 s left\n", capsys.readouterr().out)


def test_a_run_that_goes_on_says_where_and_counts_its_speed_from_there(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("run", Config(), 2, 10.0) as progress:
        assert capsys.readouterr().out == "run: going on at iteration 2\n"
        assert f"{Config().train.batch:.0f} images/s" in progress.rate(state(3, 11.0))
