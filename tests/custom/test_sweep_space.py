"""What a sweep varies: how lists and ranges are written, checked, counted, and which values come next.

Covers `custom/sweep/space.py`, `custom/sweep/options.py`, `custom/sweep/sampling.py`.
"""

from __future__ import annotations

import builtins
import json
import math
import shlex
import statistics
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.cli.main import parser
from pocketrcnn.config import Config, ModelConfig, ROIConfig, RPNConfig
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.sweep import sampling
from pocketrcnn.custom.sweep.options import SweepOptions, command_of, from_saved
from pocketrcnn.custom.sweep.record import Trial
from pocketrcnn.custom.sweep.sampling import next_settings
from pocketrcnn.custom.sweep.space import Listed, Range, Settings, in_words, require_possible, space_of, texts
from pocketrcnn.errors import UserError
from pocketrcnn.training import config_file

DETECTOR = Config(model=ModelConfig(rpn=RPNConfig(candidates=250, proposals=100), roi=ROIConfig("max")))


def options(*sets: str, **changes: Any) -> SweepOptions:
    return SweepOptions(Path("data"), settings=sets, **{"iterations": 2, **changes})


def trials(opts: SweepOptions, score: Any = lambda _: 0.5) -> list[Trial]:
    """The trials of a sweep by one process, whose runs score as a function of their settings says."""
    done: list[Trial] = []
    while (tried := next_settings(opts, done)) is not None:
        runs = {"trial": {"AP": score(tried)}}
        done.append(Trial(len(done), tried, "finished", runs=runs))
    return done


def test_lists_ranges_and_what_holds_for_all() -> None:
    space = space_of(["optim.lr=0.002, 5e-3", "augment.paste=0..4", "optim.filter_lr=0.05..0.2,log", "optim.name=adam"])
    assert space.fixed == ("optim.name=adam",)
    assert space.varied == (
        Listed("optim.lr", (0.002, 0.005)),
        Range("augment.paste", 0, 4, False),
        Range("optim.filter_lr", 0.05, 0.2, True),
    )
    assert [one.whole for one in space.ranges] == [True, False]
    assert space_of(["augment.zoom=[0.8, 1.6],[1, 1]"]).varied == (Listed("augment.zoom", ([0.8, 1.6], [1, 1])),)
    assert space_of(["augment.rotate=true,false"]).varied == (Listed("augment.rotate", (True, False)),)
    assert space_of(["augment.aspect=0..1", "augment.zoom=[1,2]"]).fixed == ("augment.zoom=[1,2]",)
    assert space_of(["optim.lr=1e-4..1e-2,log"]).ranges[0].low == 1e-4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optim.lr", "write NAME=VALUES"),
        ("optim.lr=", "write NAME=VALUES"),
        ("=0.1,0.2", "write NAME=VALUES"),
        ("optim.lr=0.1,,0.2", "a value is missing beside a comma"),
        ("optim.lr=0.1,", "a value is missing beside a comma"),
        ("optim.lr=,", "a value is missing beside a comma"),
        ("optim.lr=0.1, ,0.2", "a value is missing beside a comma"),
        ("optim.lr=0.1,0.10", "0.1 is there twice"),
        ("augment.paste=1,1.0", "1.0 is there twice"),
        ("optim.name=adam,adam", '"adam" is there twice'),
        ("optim.lr=.nan,0.1", ".nan is not a finite number"),
        ("optim.lr=[0.1,0.2", "write numbers, words or [lists]"),
        ("optim.lr=0.2..0.05", "the smaller number comes first: 0.05..0.2"),
        ("optim.lr=0.1..0.1", "that is one value: write optim.lr=0.1"),
        ("optim.lr=0..1,log", "a logarithmic range begins above 0"),
        ("optim.lr=-1..1,log", "a logarithmic range begins above 0"),
        ("optim.lr=0.1..0.2,linear", "write a range as LOW..HIGH, or LOW..HIGH,log"),
        ("optim.lr=0.1..0.2,0.3", "write a range as LOW..HIGH, or LOW..HIGH,log"),
        ("optim.lr=0.3,0.1..0.2", "write either a list or a range"),
        ("optim.lr=0.1..", "a range goes from one finite number to another"),
        ("optim.lr=0.1...0.2", "a range goes from one finite number to another"),
        ("optim.lr=.nan..0.2", "a range goes from one finite number to another"),
        ("optim.lr=0.1...inf", "a range goes from one finite number to another"),
        ("optim.lr=a..b", "a range goes from one finite number to another"),
        ("augment.zoom=[0.8,1]..[1,2]", "write numbers, words or [lists]"),
        ("augment.paste=0..2.5", "augment.paste is a whole number"),
        ("optim.name=1..2", "optim.name has words or a few numbers alone"),
        ("model.backbone.merge=0..8", "model.backbone.merge has words or a few numbers alone"),
        ("augment.rotate=0..1", "augment.rotate has words or a few numbers alone"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        options(text, trials=3)
    assert message in str(refused.value)
    assert text in str(refused.value)


def test_all_faults_are_in_one_line() -> None:
    with pytest.raises(UserError) as refused:
        options("optim.lr=2..1", "augment.paste=1,1", "optim.lr=3,4", trials=3)
    assert str(refused.value) == (
        "--set optim.lr=2..1: the smaller number comes first: 1..2; --set augment.paste=1,1: 1.0 is there twice; "
        "--set optim.lr is there twice"
    )


def test_the_number_of_trials() -> None:
    assert options("optim.lr=1,2,3", "augment.paste=1,2").planned == 6
    assert options("optim.lr=1,2,3", "augment.paste=1,2", trials=4).planned == 4
    assert options("optim.lr=1,2,3", "augment.paste=1,2", trials=40).planned == 6
    assert options("augment.paste=0..4", trials=40).planned == 5
    assert options("optim.lr=0.1..0.2", trials=40).planned == 40
    ten = ",".join(map(str, range(10)))
    many = [f"{name}={ten}" for name in ("augment.paste", "augment.noise", "augment.shift", "augment.cutout")]
    with pytest.raises(UserError, match="these are 10,000 combinations: name fewer values, or add --trials N"):
        options(*many)
    assert options(*many, trials=5000).planned == 5000
    for changes, message in (
        ({"trials": 0}, "--trials 0: use 1 or more"),
        ({}, "optim.lr: a range has no end of values"),
        ({"trials": 2, "workers": 2, "iterations": None}, "--workers 2: leave it out, runs of minutes have the whole"),
        ({"trials": 2, "workers": 0}, "--workers 0: use 1 or more"),
    ):
        with pytest.raises(UserError, match=message):
            options("optim.lr=0.1..0.2", **changes)
    with pytest.raises(UserError, match="nothing varies: give a setting several values"):
        options("optim.lr=0.1")


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
    st.integers(1, 70),
    st.integers(1, 70),
)
@settings(max_examples=40, deadline=None)
def test_each_combination_comes_once_and_more_trials_go_on(sizes: list[int], seed: int, fewer: int, more: int) -> None:
    names = ("augment.paste", "augment.shift", "augment.cutout")
    sets = [f"{name}=0..{size}" for name, size in zip(names, sizes, strict=False)]
    every = [dict(zip(names, values, strict=False)) for values in product(*(range(size + 1) for size in sizes))]
    space, taken = space_of(sets), list[Settings]()
    assert [space.at(index) for index in range(int(space.combinations))] == every
    for asked in sorted((fewer, more)):
        while len(taken) < space.planned(asked):
            taken.append(space.next_combination(taken, asked, seed))
    assert len(taken) == min(len(every), max(fewer, more))
    assert all(one in every for one in taken)
    assert all(taken.count(one) == 1 for one in taken)


def test_a_whole_grid_is_tried_in_its_order_and_a_part_of_it_at_random() -> None:
    whole = options("optim.lr=1,2", "augment.paste=1,2")
    assert [tuple(one.settings.values()) for one in trials(whole)] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    ten = ",".join(map(str, range(10)))
    part = [one.settings for one in trials(options(f"augment.paste={ten}", trials=5))]
    assert [one["augment.paste"] for one in part] != sorted(one["augment.paste"] for one in part)
    assert part == [one.settings for one in trials(options(f"augment.paste={ten}", trials=5))]
    assert part != [one.settings for one in trials(options(f"augment.paste={ten}", trials=5, seed=1))]
    assert part == [one.settings for one in trials(options(f"augment.paste={ten}", trials=8))][:5]


def test_lists_need_no_optuna_and_ranges_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "optuna":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert len(trials(options("optim.lr=1,2,3", trials=2))) == 2
    assert len(trials(options("augment.paste=0..3", trials=9))) == 4
    with pytest.raises(UserError, match=r"Optuna, which is not installed: `pip install '.\[sweep\]'` in a clone"):
        sampling.require_optuna()


def test_optuna_finds_what_is_better_and_the_same_again() -> None:
    """The score is best at 0.08 on a logarithmic scale, with 3 objects pasted, and in the word `muon`."""

    def score(tried: Settings) -> float:
        distance = math.log(tried["optim.filter_lr"] / 0.08) ** 2 + 0.1 * (tried["augment.paste"] - 3) ** 2
        return math.exp(-distance) - 0.3 * (tried["optim.name"] == "adam")

    asked = "optim.filter_lr=0.01..1,log", "augment.paste=0..6", "optim.name=adam,muon"
    done = trials(options(*asked, trials=40), score)
    assert [one.settings for one in done] == [one.settings for one in trials(options(*asked, trials=40), score)]
    assert [one.settings for one in done][:10] == [one.settings for one in trials(options(*asked, trials=10), score)]
    first, last = ([one.mean or 0.0 for one in part] for part in (done[:10], done[-10:]))
    assert statistics.fmean(last) > statistics.fmean(first) + 0.2
    assert all(0.01 <= one.settings["optim.filter_lr"] <= 1 for one in done)
    assert all(type(one.settings["augment.paste"]) is int for one in done)
    assert {one.settings["optim.name"] for one in done} == {"adam", "muon"}
    assert all(len(texts(one.settings)[0]) < len("optim.filter_lr=0.12345678") for one in done)


def test_a_trial_that_failed_or_is_being_worked_on_is_known() -> None:
    asked = options("optim.lr=0.1..0.2", "augment.paste=0..1", trials=60)
    done = trials(replace_trials(asked, 12), lambda tried: tried["optim.lr"])
    before = next_settings(asked, done)
    failed = [*done[:-1], Trial(11, done[-1].settings, "failed", "not finite")]
    begun = [*done[:-1], Trial(11, done[-1].settings)]
    found = [next_settings(asked, rows) for rows in (done, failed, begun)]
    assert found[0] == before
    assert None not in found


def replace_trials(asked: SweepOptions, count: int) -> SweepOptions:
    return options(*asked.settings, trials=count)


def test_the_rest_of_few_values_is_drawn() -> None:
    """Of 12 combinations Optuna would try the good ones again and again."""
    done = trials(
        options("augment.paste=0..5", "optim.name=adam,muon", trials=11), lambda tried: tried["augment.paste"]
    )
    assert len({json.dumps(one.settings) for one in done}) == 11


@pytest.mark.parametrize(
    ("low", "high", "value", "rounded"),
    [(0.05, 0.2, 0.123456, 0.1235), (0.0, 100.0, 12.34567, 12.3), (0.999, 0.99999, 0.9994567, 0.9994567)],
)
def test_values_can_be_read(low: float, high: float, value: float, rounded: float) -> None:
    assert Range("optim.lr", low, high, False).rounded(value) == rounded
    assert Range("optim.lr", 0.12345, 0.2, False).rounded(0.12345) >= 0.12345
    assert Range("optim.lr", 0.0012345, 0.5, True).rounded(0.00123451) >= 0.0012345
    assert Range("optim.lr", 0.001, 0.5, True).rounded(0.00123456) == 0.001235


def test_values_are_checked_on_the_plan_of_the_data_with_all_faults_at_once() -> None:
    bad = ["optim.filter_lrr=1,2", "optim.lr=-1,a", "optim.betas=[0.9,0.98],[0.5,2]", "zoom=1", "model.classes=2,3"]
    with pytest.raises(UserError) as refused:
        require_possible(bad, DETECTOR)
    for part in (
        "(did you mean `optim.filter_lr`?)",
        "(did you mean `augment.zoom`?)",
        "model.classes is not set by name",
        "optim.lr is -1.0: use a learning rate above 0",
        "--set optim.lr: expected a number, got text",
        "optim.betas is [0.5, 2.0]",
    ):
        assert str(refused.value).count(part) >= 1, part
    with pytest.raises(UserError, match=r"rpn.candidates is 200: use rpn.proposals or more"):
        require_possible(["model.rpn.proposals=100,300", "model.rpn.candidates=200,400"], DETECTOR)
    with pytest.raises(UserError, match=r"augment.noise is -0.1"):
        require_possible(["augment.noise=-0.1..0.2"], DETECTOR)
    require_possible(["model.rpn.proposals=100,200", "model.rpn.candidates=200,400"], DETECTOR)
    require_possible(["optim.schedule=exponential", "optim.final_lr=0.0001..0.001,log"], DETECTOR)


@pytest.mark.parametrize("value", [0.1, 3, 1e-7, True, "adam", "true", "1", [0.8, 1.6], [{"fraction": 1.0}]])
def test_a_value_comes_back_through_the_command_line(value: Any) -> None:
    (text,) = texts({"optim.lr": value})
    assert config_file.parsed(text.partition("=")[2], config_file.Loader) == value
    assert "optim.lr" in in_words({"optim.lr": value})


def test_options_come_back_from_a_file_and_from_the_command_that_is_proposed() -> None:
    given = options("optim.lr=1,2", trials=2, anchors=((8.0, 12.5), (16.0, 16.0)), rotate=True, seeds=2, tiles=64)
    back = from_saved(json.loads(json.dumps(given.saved())))
    assert back.identity == given.identity
    assert back.planned == 2
    trial = given.trial(("optim.lr=1", "augment.zoom=[0.8, 1.6]"), out=Path("a folder"), iterations=8)
    words = shlex.split(command_of(trial))
    parsed = parser().parse_args(words[1:])
    assert (parsed.settings, parsed.iterations, parsed.rotate) == (["optim.lr=1", "augment.zoom=[0.8, 1.6]"], 8, True)
    assert (parsed.anchors, parsed.tiles, parsed.out) == ("8x12.5,16x16", "64", Path("a folder"))
    assert "--workers" not in words


def test_what_another_call_may_change_and_what_is_another_sweep() -> None:
    first = options("optim.lr=1,2")
    for changes in ({"trials": 1}, {"workers": 2}, {"out": Path("x")}, {"device": "cpu"}, {"command": "pocketrcnn"}):
        assert options("optim.lr=1,2", **changes).identity == first.identity
    for changes in ({"seed": 1}, {"iterations": 3}, {"preset": "small"}, {"seeds": 2}):
        assert options("optim.lr=1,2", **changes).identity != first.identity
    assert options("optim.lr=1,3").identity != first.identity
    assert options("optim.lr=1..3", trials=2).identity == options("optim.lr=1..3", trials=3).identity
    assert first.identity.startswith("pocketrcnn.sweep(")
    assert isinstance(first.trial(()), TrainOptions)
    assert first.trial(()).call.startswith("pocketrcnn.train(")
