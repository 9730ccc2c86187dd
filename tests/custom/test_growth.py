"""`bench growth`: what is measured at a point, the exponents, the table and the plot.

Covers `custom/growth_chart.py` and `training/shares.py`.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import torch
from shell import Shell

from pocketrcnn.config import replace
from pocketrcnn.course import bench
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.custom import growth
from pocketrcnn.custom.growth import MEASURES, Given, Point, exponents_of, slope
from pocketrcnn.custom.growth_chart import chart, require_plot, write_chart
from pocketrcnn.errors import UserError
from pocketrcnn.training import loop, shares
from pocketrcnn.training.loop import Trainer, order
from pocketrcnn.training.shares import Times, shares_of, times_of

POINTS = [Point("images", 10, 32, 2), Point("images", 1000, 32, 2), Point("side", 10, 32, 2), Point("side", 10, 64, 2)]
SHARES = {"data": 0.011, "augmentation": 0.022, "evaluation": 0.033, "at_the_end": 0.044}


def made_up(given: Given) -> dict[str, Any]:
    """A point at which all grows with the area, and nothing with the number."""
    return {**given.point._asdict(), **{name: given.point.side**2 / 1e4 for name in MEASURES}}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two axes of two points, which take no time."""
    axes = {axis: [point for point in POINTS if point.axis == axis] for axis in ("images", "side")}
    monkeypatch.setattr(growth, "in_a_process", made_up)
    monkeypatch.setattr(growth.growth, "__defaults__", (axes,))
    monkeypatch.setattr(growth, "shares", lambda *_: SHARES)
    monkeypatch.setattr(bench, "shares", lambda *_: {"B1": SHARES})


def test_an_exponent_is_the_power_with_which_something_grows() -> None:
    assert slope([1, 10, 100], [3, 30, 300]) == pytest.approx(1)
    assert slope([2, 4, 8], [5, 20, 80]) == pytest.approx(2)
    assert slope([2, 4, 8], [7, 7, 7]) == pytest.approx(0, abs=1e-9)
    assert slope([1, 10], [0.0, 5.0]) == 0, "nothing was taken at first"


def test_exponents_are_those_of_the_larger_half() -> None:
    """Where a fixed part hides the growth of small numbers, it is seen at large ones."""
    rows = [{"side": side, **dict.fromkeys(MEASURES, 1e2 + side**2)} for side in (1, 10, 100, 1_000, 10_000)]
    assert exponents_of("side", rows[::-1])["iteration"] == pytest.approx(1.95, abs=0.05)


@pytest.mark.slow
def test_a_process_is_charged_with_its_own_memory_alone() -> None:
    """Whatever its parent had, when it measures a point."""
    ballast = torch.ones(250_000_000)
    found = growth.in_a_process(Given(Point("images", 4, 32, 3), "small", 1))
    assert ballast.nbytes == 1e9
    assert set(found) == {*Point._fields, *MEASURES}
    assert all(found[name] > 0 for name in MEASURES)
    assert found["data"] + found["augmentation"] < found["iteration"]
    assert found["images"] == 4
    assert 0 < found["memory"] < 0.9


def test_shares_are_parts_of_the_training_time() -> None:
    config = replace(EXPERIMENTS["B1"].config("pocket", 100, "sample", 0), train__precision="bfloat16")
    trainer = Trainer(
        config, open_dataset(config.data, "train"), open_dataset(config.data, "test"), torch.device("cpu")
    )
    found = shares_of(trainer, Times(iteration=2.0, data=0.2, augmentation=0.1, evaluation=0.01))
    images = config.train.evaluations * 500  # the sample has so many test images
    assert found == pytest.approx(
        {"data": 0.1, "augmentation": 0.05, "evaluation": images * 0.01 / 200, "at_the_end": 2 * 500 * 0.01 / 200}
    )


def test_times_are_taken_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "WARM_UP", 0)
    config = replace(EXPERIMENTS["B1"].config("pocket", 100, "sample", 0), train__precision="float32", train__batch=2)
    trainer = Trainer(
        config, open_dataset(config.data, "train"), open_dataset(config.data, "test"), torch.device("cpu")
    )
    clock = iter([9.0, 3.0, 2.0, 4.0, 8.0, 1.0, 2.0, 4.0])
    monkeypatch.setattr(shares, "seconds", lambda work: next(clock))
    assert times_of(trainer, 2, evaluated=4) == Times(8.5, 2.0, 2.0, 1.0)


def test_the_order_of_an_epoch_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that drawing a batch does not take longer, the more images there are."""
    drawn, draw = list[int](), torch.randperm
    monkeypatch.setattr(loop.torch, "randperm", lambda count, **more: drawn.append(count) or draw(count, **more))
    loop.permutation.cache_clear()
    whole = torch.cat([order(10, 2, seed=5, iteration=i)[0] for i in range(5)])
    assert sorted(whole.tolist()) == list(range(10))
    assert drawn == [10]
    assert not torch.equal(order(10, 2, seed=5, iteration=5)[0], whole[:2])
    assert drawn == [10, 10]


@pytest.mark.usefixtures("quick")
def test_the_table_has_points_exponents_and_shares(shell: Shell, tmp_path: Path) -> None:
    code, out, err = shell("bench growth --data nuclei --plot", tmp_path / "growth.svg")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["1,000", "32", "2", "102", "102", "102", "102", "0.102", "0.10"] in lines
    assert ["images", *["0.00"] * 6] in lines
    assert ["side", *["2.00"] * 6] in lines
    assert ["nuclei", "1.1", "%", "2.2", "%", "3.3", "%", "4.4", "%"] in lines
    assert "1 threads" in out
    assert f"plot: {tmp_path / 'growth.svg'}" in out
    assert (tmp_path / "growth.svg").is_file()


@pytest.mark.usefixtures("quick")
def test_as_json(shell: Shell, tmp_path: Path) -> None:
    result = json.loads(shell("bench growth --json --rounds 2 --preset small --plot", tmp_path / "g.svg").out)
    assert (result["rounds"], result["preset"], result["hardware"]["threads"]) == (2, "small", 1)
    assert [point["images"] for point in result["points"]] == [10, 1000, 10, 10]
    assert result["exponents"]["side"]["memory"] == pytest.approx(2)
    assert result["shares"] == {"B1": SHARES}


def test_other_threads_are_refused(shell: Shell) -> None:
    assert "--threads 2: leave it out" in shell.refused("bench growth --threads 2")


def test_the_plot_names_its_axes_and_lines() -> None:
    points = [made_up(Given(point, "small", 1)) for point in POINTS]
    words = [text.text for text in ET.fromstring(chart(points)).iter("{http://www.w3.org/2000/svg}text")]
    named = {"images", "side in pixels", "milliseconds", "GB", "an iteration", "data in it", "1,000", "64"}
    assert named <= set(words)
    assert chart(points) == chart(points)


def test_what_is_no_plot_is_not_overwritten(tmp_path: Path) -> None:
    result = {"points": [made_up(Given(point, "small", 1)) for point in POINTS]}
    write_chart(result, tmp_path / "growth.svg")
    write_chart(result, tmp_path / "growth.svg")
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(UserError, match="is no plot: name another file, it is not overwritten"):
            write_chart(result, path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    write_chart(result, tmp_path / "new" / "folder" / "growth.svg")
    assert (tmp_path / "new" / "folder" / "growth.svg").is_file()
    with pytest.raises(UserError, match=r"cannot be written to .*: name another file with --plot"):
        require_plot(tmp_path / "notes.txt" / "growth.svg")  # noticed before anything is measured
