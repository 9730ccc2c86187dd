"""The live line of a run, where there is no terminal: one line at every evaluation."""

import re
from collections.abc import Callable

import pytest

from pocketrcnn.config import Config
from pocketrcnn.training import progress
from pocketrcnn.training.progress import Progress, SetProgress, duration
from pocketrcnn.training.state import State
from pocketrcnn.training.watchers import heard_by


def state(iteration: int, seconds: float) -> State:
    """A state without a network, of a run of 6 iterations."""
    log = [{"train": {"loss_total": 1.25}}]
    return State(None, [], None, iteration=iteration, seconds=seconds, planned=6, log=log)  # type: ignore[arg-type]


def test_a_line_at_every_evaluation_and_none_between(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("run", Config(), 0, 0.0) as line:
        line.update(state(1, 1.0), due=False)
        line.say("evaluating on all test images")
        assert capsys.readouterr().out == ""
        line.update(state(3, 2.0), due=True)
    speed = 3 * Config().train.batch / 2
    assert re.fullmatch(rf"run  3/6  loss 1.25  {speed:.0f} images/s  0 s left\n", capsys.readouterr().out)


def test_a_run_that_goes_on_says_where_and_counts_its_speed_from_there(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("run", Config(), 2, 10.0) as line:
        assert capsys.readouterr().out == "run: going on at iteration 2\n"
        assert f"{Config().train.batch:.0f} images/s" in line.rate(state(3, 11.0))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


def test_the_time_that_is_left_for_a_set_follows_from_the_iterations_done(clock: Callable[[float], None]) -> None:
    runs = SetProgress([("small", 10), ("large", 10), ("small", 10)], workers=1)
    assert runs.left_in_words() == ""
    runs.begin(0)
    clock(20.0)
    runs.update(0, 1, 10)
    runs.update(0, 5, 10)  # 4 s each
    assert runs.left() == 5 * 4 + 10 * 4 + 10 * 4
    clock(40.0)
    runs.end(0)
    runs.begin(1)
    clock(60.0)
    runs.update(1, 1, 10)  # 20 s each
    assert runs.left() == 9 * 20 + 10 * 4
    assert runs.left_in_words() == ", 4 min left"


def test_runs_side_by_side_share_the_time_that_is_left(clock: Callable[[float], None]) -> None:
    runs = SetProgress([("", 10)] * 3, workers=2)
    runs.begin(0)
    runs.begin(1)
    clock(10.0)
    runs.update(0, 1, 10)
    runs.update(1, 1, 10)
    assert runs.left() == 9 * 10 + 10 * 10
    runs.end(0)
    runs.begin(2)
    assert runs.finished == 1


def test_what_a_run_had_done_before_took_no_time_now(clock: Callable[[float], None]) -> None:
    runs = SetProgress([("", 100)], workers=1)
    runs.begin(0)
    clock(3.0)
    runs.update(0, 91, 100)
    assert runs.left() == 9 * 3


def test_a_listener_hears_of_every_iteration_of_its_block() -> None:
    heard: list[tuple[int, int]] = []
    with Progress("run", Config(), 0, 0.0) as line:
        with heard_by(lambda *numbers: heard.append(numbers)):
            line.update(state(1, 1.0), due=False)
            line.update(state(2, 2.0), due=False)
        line.update(state(3, 3.0), due=False)
    assert heard == [(1, 6), (2, 6)]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (1440, "24 min"), (9000, "2.5 h")])
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
