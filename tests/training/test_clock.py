"""A run of so many minutes takes so many minutes, however fast the machine turns out to be. Time is simulated."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.config import Config, TrainConfig, replace
from pocketrcnn.training import fit
from pocketrcnn.training.clock import RESERVE, TOLERANCE, Clock
from pocketrcnn.training.fit import iterations
from pocketrcnn.training.state import State

NOTHING = SimpleNamespace(folder=Path(), update=lambda *_: None, log=lambda *_: None, save=lambda *_: None)


def state(config: TrainConfig, **changes: Any) -> State:
    """A state without a network."""
    return State(None, [], None, planned=config.iterations, **changes)  # type: ignore[arg-type]


@dataclass
class Machine:
    """A trainer that computes nothing and takes its time: `pace(i)` seconds for iteration i, `point` for a point."""

    config: Config
    pace: Callable[[int], float]
    seconds_of_a_point: float
    test_set: range = range(10)
    state: State = field(init=False)
    now: float = 1000.0
    plans: list[int] = field(default_factory=list)
    """The plan at each point."""
    points: list[float] = field(default_factory=list)
    """Seconds after which a point began."""

    def train(self, iterations: Iterable[int]) -> None:
        for iteration in iterations:
            self.now += self.pace(iteration)
            self.state.means.add({"loss_total": (torch.tensor(1.0), torch.tensor(1))})
            self.state.iteration = iteration + 1

    def point(self) -> dict[str, Any]:
        self.points.append(self.now - 1000)
        self.now += self.seconds_of_a_point
        self.plans.append(self.state.planned)
        return {"iteration": self.state.iteration}


def run(pace: Callable[[int], float], point: float, spent: float = 0.0, held: int = 10, **train: Any) -> Machine:
    """A whole run on such a machine, with `held` validation images."""
    config = replace(Config(), **{f"train__{name}": value for name, value in train.items()})
    machine = Machine(config, pace, point, range(held))
    machine.state = state(config.train, elapsed=spent)
    with (
        mock.patch.object(time, "perf_counter", side_effect=lambda: machine.now),
        mock.patch.object(fit, "log_entry", Machine.point),
    ):
        machine.train(iterations(machine, NOTHING, NOTHING, []))  # type: ignore[arg-type]
    return machine


def lasted(machine: Machine, slower: float = 1.0) -> float:
    """Seconds of the whole run, the last evaluation, of all images, included: it is `slower` than a point."""
    evaluated = min(machine.config.train.evaluation_images, len(machine.test_set))
    return machine.now - 1000 + slower * machine.seconds_of_a_point * len(machine.test_set) / evaluated


@settings(deadline=None, max_examples=60)
@given(st.floats(0.05, 2), st.floats(0, 6), st.floats(0.4, 2.5))
def test_the_minutes_are_kept_within_a_tenth_however_wrong_the_first_plan(
    pace: float, point: float, slower: float
) -> None:
    guess = max(1, round(300 * 0.95 / pace))
    machine = run(lambda _: pace * slower, point, minutes=5.0, iterations=guess, evaluations=12)
    assert lasted(machine) == pytest.approx(300, rel=0.1)
    assert machine.state.iteration == machine.state.planned


def test_the_last_evaluation_takes_longer_than_points_in_bfloat16() -> None:
    """It is in float32, with all images: a minute of five here."""
    machine = run(lambda _: 0.5, 3.0, held=100, minutes=5.0, iterations=500, evaluation_images=10, precision="bfloat16")
    assert lasted(machine, slower=2.0) == pytest.approx(300, rel=0.05)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.5, 2), min_size=8, max_size=8))
def test_a_machine_with_other_work_in_between_is_no_excuse(loads: list[float]) -> None:
    machine = run(lambda i: 0.2 * loads[i // 200 % 8], 2.0, minutes=5.0, iterations=1400, evaluations=12)
    assert lasted(machine) == pytest.approx(300, rel=0.1)


def test_a_machine_that_becomes_faster_near_the_end_uses_the_time() -> None:
    """The plan of the last point was made for a slow machine, and once ended the run a tenth too early."""
    machine = run(
        lambda i: 0.2 * [1, 1.5, 1.75, 1.75, 0.5, 1, 1, 1][i // 200 % 8],
        2.0,
        minutes=5.0,
        iterations=1400,
        evaluations=12,
    )
    assert lasted(machine) == pytest.approx(300, rel=0.06)


@pytest.mark.parametrize("held", [100, 600, 2000])
def test_the_last_evaluation_of_many_images_is_inside_the_minutes(held: int) -> None:
    machine = run(lambda _: 0.5, 5.0, held=held, minutes=5.0, iterations=570, evaluations=4, evaluation_images=100)
    assert lasted(machine) == pytest.approx(300, rel=0.05)


def test_time_that_was_spent_before_counts() -> None:
    machine = run(lambda _: 0.5, 1.0, spent=60, minutes=5.0, iterations=570, evaluations=12)
    assert lasted(machine) == pytest.approx(240, rel=0.05)


def test_a_run_whose_minutes_are_over_ends_with_a_point() -> None:
    machine = run(lambda _: 7.0, 1.0, minutes=1.0, iterations=10_000, evaluations=2)
    assert machine.state.iteration == 8
    assert len(machine.plans) == 2


@pytest.mark.parametrize("slower", [0.1, 0.5, 1, 3, 10])
def test_points_are_spread_over_the_minutes_whatever_the_pace(slower: float) -> None:
    """They once were so many iterations of the first plan apart: a slow machine had two in ten minutes."""
    machine = run(lambda _: 0.5 * slower, 1.0, minutes=10.0, iterations=1100, evaluations=8)
    assert len(machine.points) == 8
    apart = [after - before for before, after in pairwise([0.0, *machine.points])]
    assert apart[:-1] == pytest.approx([600 * (1 - RESERVE) / 8] * 7, rel=0.15)
    assert apart[-1] <= 600 / 8


def test_a_machine_that_becomes_slow_is_still_evaluated() -> None:
    machine = run(lambda i: 0.2 if i < 400 else 2.0, 1.0, minutes=10.0, iterations=2800, evaluations=8)
    assert len(machine.points) == 8


def test_points_go_on_where_a_run_stopped() -> None:
    config = TrainConfig(iterations=1000, minutes=10.0, evaluations=10)
    one = state(config, iteration=500, elapsed=200.0)
    clock = Clock(one, config)
    assert not clock.due()
    one.elapsed = 231.0
    assert not clock.due()
    one.elapsed, one.seconds, one.iteration = 233.0, 33.0, 580
    assert clock.due()
    clock.evaluated()
    assert not clock.due()


def test_without_minutes_the_iterations_decide() -> None:
    machine = run(lambda _: 100.0, 50.0, minutes=0.0, iterations=24, evaluations=12)
    assert (machine.state.iteration, len(machine.plans)) == (24, 12)
    assert machine.state.seconds == 2400
    assert machine.state.elapsed == 2400 + 12 * 50


def test_a_plan_that_fits_is_left_alone() -> None:
    """The schedule of the learning rate follows the plan: small corrections would only shake it."""
    fits = round(1000 * (1 - RESERVE) * (1 - TOLERANCE / 2))
    machine = run(lambda _: 1.0, 0.0, minutes=1000 / 60, iterations=fits, evaluations=12)
    assert set(machine.plans[:6]) == {fits}
    assert machine.state.iteration == pytest.approx(fits, rel=TOLERANCE)


def test_only_training_is_training_time() -> None:
    config = TrainConfig(iterations=10, minutes=1.0, evaluations=2)
    now = [0.0]
    with mock.patch.object(time, "perf_counter", side_effect=lambda: now[0]):
        one = state(config)
        clock = Clock(one, config)
        now[0], one.iteration = 3.0, 5
        clock.trained()
        now[0] = 10.0
        clock.evaluated()
    assert (one.seconds, one.elapsed) == (3.0, 10.0)
    assert one.planned == 5 + round((60 * (1 - RESERVE) - 10 - 7 * (2 * 0.5 + 1)) / (3 / 5))


def plan(settings_: TrainConfig, **changes: Any) -> State:
    return state(settings_, **changes).plan(settings_)


def test_a_new_wish_is_the_plan_where_there_is_not_more_already() -> None:
    assert plan(TrainConfig(iterations=50)).planned == 50
    assert plan(TrainConfig(iterations=50, minutes=5.0), iteration=20).planned == 50
    assert plan(TrainConfig(iterations=50, minutes=1.0), iteration=100).planned == 100, "time is over"


def kept(values: list[float], patience: int = 0, before: Sequence[float] = ()) -> tuple[float, bool]:
    """The metric of the network that is kept after these points, and whether the run was ended.

    `before`: metrics of points from before the run was given another length; the best of them is kept so far.
    """
    settings_ = TrainConfig(iterations=1000, monitor="AP", patience=patience)
    network = torch.nn.Linear(1, 1)
    one = state(settings_, best=torch.nn.Linear(1, 1), log=[{"test": {"AP": value}} for value in before])
    torch.nn.init.constant_(one.best.weight, max(before, default=0.0))  # type: ignore[union-attr,arg-type]
    one.plan(settings_)
    one.model = network  # type: ignore[assignment]
    for value in values:
        one.iteration += 1
        torch.nn.init.constant_(network.weight, value)
        one.log.append({"test": {"AP": value}})
        one.keep_best(settings_)
        if one.planned == one.iteration:
            break
    return round(one.kept.weight.item(), 6), one.planned == one.iteration  # type: ignore[arg-type]


def test_the_best_network_is_kept() -> None:
    assert kept([0.1, 0.5, 0.4]) == (0.5, False)
    assert kept([0.0, 0.0]) == (0.0, False)
    assert kept([0.3]) == (0.3, False)


def test_of_equal_networks_the_later_one_is_kept_and_counts_as_better() -> None:
    one = [0.5, 0.4, 0.5, 0.4]
    assert kept(one, patience=2) == (0.5, False)
    assert kept([*one, 0.4], patience=2) == (0.5, True)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6]), min_size=1, max_size=12), st.integers(1, 4))
def test_patience_ends_a_run_so_many_points_after_its_best(values: list[float], patience: int) -> None:
    best, since, ended = -1.0, 0, False
    for value in values:  # the same in a plain loop
        best, since = (value, 0) if value >= best else (best, since + 1)
        if since == patience:
            ended = True
            break
    assert kept(values, patience) == (best, ended)


def test_patience_begins_anew_where_another_length_is_asked() -> None:
    """A run that had ended for want of a better point once ended again at its first new one."""
    before = [0.1, 0.5, 0.4, 0.3]
    assert kept([0.2], 2, before) == (0.5, False)
    assert kept([0.2, 0.3, 0.4], 2, before) == (0.5, False), "on its way up again"
    assert kept([0.2, 0.1, 0.1], 2, before) == (0.5, True)
    assert kept([0.2, 0.6], 2, before) == (0.6, False)


def test_without_a_metric_to_watch_the_last_network_is_kept() -> None:
    one = state(TrainConfig())
    one.model = torch.nn.Linear(1, 1)  # type: ignore[assignment]
    one.keep_best(TrainConfig())
    assert one.kept is one.model
