"""Observations put to the test by `reproduce`: runs of arms, verdicts, and their part of the page.

Covers `course/decided.py`, `course/observed.py`, `course/plan.py`, `course/quantities.py`, `course/shown.py`,
`course/report/observations.py`, `course/report/measures.py`, `course/report/explained.py`.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fake_results import observed, results
from pages import Page
from shell import Shell, few_evaluations, reproduced

from pocketrcnn.course import bench, decided
from pocketrcnn.course.observations import ARMS, OBSERVATIONS, ON_PROCESSOR
from pocketrcnn.course.options import Options
from pocketrcnn.course.plan import plan, runs_of_claims
from pocketrcnn.course.quantities import ninety
from pocketrcnn.course.report.page import render
from pocketrcnn.training.loop import Trainer

WORDS = "reproduce --data sample --only A4 --recipe course --iterations 2 --batch 8 --workers 1 --seeds 1 --out"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    few_evaluations(monkeypatch)
    return Shell(capsys)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one call, with one seed."""
    return reproduced(WORDS, tmp_path_factory.mktemp("observed") / "out")


def read(out: Path) -> dict[str, Any]:
    return json.loads((out / "results.json").read_text())


def a4(out: Path) -> dict[str, Any]:
    """The observation that was asked for. A1 needs no other run, but has too few for a verdict, and is not there."""
    (one,) = read(out)["observations"]
    assert isinstance(one, dict)
    return one


def claims(words: str, recipe: str = "course") -> list[tuple[str, Any]]:
    return plan(Options(only=words, recipe=recipe)).claims


# Where a curve has come nine tenths of its way.


@pytest.mark.parametrize(
    ("y", "at"),
    [
        ([1.0, 0.5, 0.1, 0.0], 30.0),  # at a point
        ([0.0, 0.0, 1.0, 1.0], 29.0),  # between two points
        ([0.0, 1.2, 0.9, 1.0], 17.5),  # the first time counts
        ([0.5, 0.5, 0.5, 0.5], 10.0),  # nowhere to go
        ([0.7], 10.0),
    ],
)
def test_nine_tenths_of_the_way(y: list[float], at: float) -> None:
    assert ninety([10, 20, 30, 40][: len(y)], y) == pytest.approx(at)


# Which runs are needed.


def test_arms_that_observations_share_are_trained_once() -> None:
    runs = runs_of_claims(Options(recipe="course"), claims("A"), seeds=3)
    folders = [run.folder.name for run in runs]
    assert len(folders) == len(set(folders))
    arms = {arm for _, one in claims("A") if not one.timed for arm in one.arms}
    assert len(folders) == 3 * len(
        {arm for arm in arms if not ARMS[arm].is_plain("course")} | {"F2", "F3", "F4", "B1", "B2", "B3"}
    )
    assert folders[0].endswith("seed0")
    assert folders[-1].endswith("seed2")


def test_a_base_arm_is_the_run_of_its_experiment() -> None:
    names = {run.folder.name for run in runs_of_claims(Options(recipe="course", iterations=7), claims("A4"), seeds=1)}
    arms = ("", "-predicted-box", "-jittered-box", "-predicted-later")
    assert names == {f"F2-course-7{arm}-seed0" for arm in arms}


# What a call does.


@pytest.mark.slow
def test_one_seed_decides_nothing_and_says_so(out: Path) -> None:
    one = a4(out)
    assert (one["id"], one["verdict"], one["seeds"]) == ("A4", "undecided", 1)
    assert "undecided (1 seed: a verdict needs three)" in " ".join(Page((out / "report.html").read_text()).text.split())


@pytest.mark.slow
def test_a_record_has_every_arm_with_every_seed(out: Path) -> None:
    one = a4(out)
    assert set(one["arms"]) == {"true-box", "predicted-box", "jittered-box", "predicted-later"}
    assert all(len(arm["measures"]["accuracy"]) == 1 for arm in one["arms"].values())
    assert one["arms"]["predicted-box"]["settings"] == {"model.roi.train_box": "predicted", "model.roi.jitter": "0.0"}
    assert one["arms"]["true-box"]["settings"] == {}, "the published procedure"
    words = "--only A4 --recipe course --iterations 2 --batch 8 --precision"
    assert words in one["command"]


@pytest.mark.slow
def test_more_seeds_go_on_and_fewer_use_those(
    shell: Shell, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    assert shell(WORDS.replace("--seeds 1", "--seeds 2"), copy).code == 0
    more = a4(copy)
    assert more["seeds"] == 2
    before = a4(out)
    for arm, known in before["arms"].items():
        assert more["arms"][arm]["measures"]["accuracy"][:1] == known["measures"]["accuracy"]
    monkeypatch.setattr(Trainer, "__init__", lambda *_: pytest.fail("trained again"))
    assert shell(WORDS, copy).code == 0
    assert a4(copy) == before


def test_three_seeds_that_decide_nothing_become_five(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without training: what the command would train, when the first three seeds leave the claim open, or decide it."""
    from pocketrcnn.course import reproduce

    for verdict, seeds in (("undecided", {0, 1, 2, 3, 4}), ("confirmed", {0, 1, 2})):
        trained: list[int] = []
        monkeypatch.setattr(
            reproduce, "train", lambda _, runs, __, to=trained: to.extend(r.config.train.seed for r in runs)
        )
        monkeypatch.setattr(decided, "measured", lambda *_: {})
        monkeypatch.setattr(decided, "outcomes", lambda *_: [])
        monkeypatch.setattr(decided, "overall", lambda _, verdict=verdict: verdict)
        monkeypatch.setattr(reproduce, "results", lambda *_: pytest.fail("enough"))
        with pytest.raises(pytest.fail.Exception):
            shell("reproduce --data sample --only A4 --recipe course --out", tmp_path / verdict)
        assert set(trained) == seeds


@pytest.mark.slow
def test_times_are_taken_once(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "STEPS", dict.fromkeys(bench.STEPS, 1))
    monkeypatch.setattr(bench, "ARM_ROUNDS", 3)
    monkeypatch.setattr(
        bench, "ON_PROCESSOR", [t for t in ON_PROCESSOR if (t.batch, t.where) in ((2, "one"), (1, "all"))]
    )
    words = "reproduce --data sample --only A7 --recipe pocket --out"
    assert shell(words, tmp_path / "out").code == 0
    (one,) = read(tmp_path / "out")["observations"]
    assert one["seeds"] == bench.ARM_ROUNDS
    assert {arm: len(known["measures"]["training_2_one"]) for arm, known in one["arms"].items()} == {
        "B1": 3,
        "B2": 3,
        "B3": 3,
    }
    measured = {outcome["left"]["measure"]: outcome["verdict"] for outcome in one["outcomes"]}
    assert measured["training_100_gpu"] == "not measured"
    assert measured["prediction_1_all"] != "not measured"
    monkeypatch.setattr(decided, "arm_times", lambda *_: pytest.fail("timed again"))
    assert shell(words, tmp_path / "out").code == 0


def test_bad_input_is_one_line(shell: Shell, tmp_path: Path) -> None:
    assert "did you mean" in shell.refused("reproduce --data sample --only A8 --out", tmp_path / "o")
    assert "add --recipe course" in shell.refused("reproduce --data sample --only A5 --out", tmp_path / "o")
    assert "--seeds -1: use 1 or more" in shell.refused("reproduce --only A4 --seeds -1 --out", tmp_path / "o")
    assert "--workers 0: use 1 or more" in shell.refused("reproduce --only A4 --workers 0 --out", tmp_path / "o")
    assert not (tmp_path / "o").exists()


# The page.


def page_of(*observations: dict[str, Any]) -> Page:
    return Page(render(results(("B1", "F2"), recipes=("course",)) | {"observations": list(observations)}))


def test_verdicts_come_first_with_their_n() -> None:
    text = " ".join(page_of(observed("A2", seeds=5), observed("A6")).text.split())
    assert text.index("the report's claim") < text.index("experiment published ours")
    assert "undecided (n = 5)" in text
    assert "(n = 3)" in text


@pytest.mark.parametrize("id", OBSERVATIONS)
def test_every_observation_has_its_section(id: str) -> None:
    one = observed(id)
    text = " ".join(page_of(one).text.split())
    assert f"“{OBSERVATIONS[id].claim}”" in text
    assert f"Course recipe: {one['verdict']}." in text
    assert "95 % interval" in text
    assert "was not put to the test in these results" in text, "the others say how to add them"


def test_the_three_verdicts_on_the_page() -> None:
    """A known effect, the opposite, and none."""
    up, down = {"accuracy": [0.60, 0.61, 0.62]}, {"accuracy": [0.50, 0.51, 0.52]}
    same = {"accuracy": [0.505, 0.50, 0.53]}
    for true_box, verdict in ((up, "confirmed"), (same, "undecided")):
        one = observed("A4", values={"true-box": true_box, "predicted-box": down})
        assert one["verdict"] == verdict
    assert observed("A4", values={"true-box": down, "predicted-box": up})["verdict"] == "refuted"


def test_no_observation_is_one_line_on_how_to_get_them() -> None:
    text = " ".join(page_of().text.split())
    assert (
        "has seven observations, A1 to A7. pocketrcnn reproduce --only A --recipe course puts them to the test" in text
    )
    assert "the report's claim" not in text
