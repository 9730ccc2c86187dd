"""`bench step`: what is counted, what is timed, and what is printed.

Covers `training/timing.py`.
"""

import json

import pytest
from shell import Shell

from pocketrcnn.course import bench
from pocketrcnn.course.bench import training_flops
from pocketrcnn.course.experiments import EXPERIMENTS, NETWORKS
from pocketrcnn.model import costs
from pocketrcnn.training import timing
from pocketrcnn.training.timing import WARM_UP, alternate


def test_operations_of_an_iteration_are_three_times_those_of_a_prediction() -> None:
    """Two a multiplication, for the output, the weights' gradient and the input's; images need no gradient."""
    rows = costs.layers(NETWORKS["convnet"])
    first, rest = rows[0].multiplications, sum(row.multiplications for row in rows[1:])
    assert training_flops(NETWORKS["convnet"], 100) == 100 * 2 * (2 * first + 3 * rest)


def test_frozen_filters_have_no_gradient_to_compute() -> None:
    course, pocket = (EXPERIMENTS["B1"].config(recipe, 20, "sample", 0).model for recipe in ("course", "pocket"))
    saved = training_flops(course, 1) - training_flops(pocket, 1)
    assert saved == 2 * costs.layers(course)[0].multiplications


def test_two_functions_are_called_in_turn_and_the_first_calls_do_not_count() -> None:
    clock, calls = [0.0], ""

    def take(name: str, seconds: list[float]) -> None:
        nonlocal calls
        calls += name
        clock[0] += seconds.pop(0)

    slow = [1e6] * WARM_UP
    mine, other = [*slow, 1.0, 2.0, 9.0], [*slow, 4.0, 3.0, 5.0]
    found = alternate(lambda: take("a", mine), lambda: take("b", other), 3, lambda: clock[0])
    assert found == pytest.approx((2.0, 4.0))
    assert calls == "ab" * (WARM_UP + 3)


def test_bench_step_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "WARM_UP", 0)
    monkeypatch.setattr(bench, "PRODUCT", 64)
    code, out, _ = Shell(capsys)("bench step --json --rounds 1 --data sample")
    measured = json.loads(out)
    assert code == 0
    assert (measured["rounds"], measured["recipe"]) == (1, "pocket")
    assert {"processor", "threads", "precision"} <= set(measured["hardware"])
    assert "torch" in measured["versions"]
    assert [row["experiment"] for row in measured["rows"]] == ["B1", "B2", "B3", "F2"]
    for row in measured["rows"]:
        assert row["images_per_second"] * row["milliseconds"] == pytest.approx(100 * 1000)
        assert row["ratio"] == pytest.approx(row["gflops"] / row["matrix_product_gflops"])


def test_bench_step_as_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"milliseconds": 108.2, "images_per_second": 924.0, "gflops": 260.0, "matrix_product_gflops": 400.0}
    measured = {
        "rows": [row | {"experiment": "B1", "ratio": 0.65}],
        "rounds": 20,
        "hardware": {"processor": "A processor", "threads": 2, "precision": "bfloat16"},
    }
    monkeypatch.setattr(bench, "step", lambda *_: measured)
    code, out, _ = Shell(capsys)("bench step")
    assert code == 0
    assert out.splitlines()[1].split() == ["B1", "108", "924", "260", "400", "0.65"]
    assert "A processor, 2 threads, bfloat16; medians of 20 rounds" in out
