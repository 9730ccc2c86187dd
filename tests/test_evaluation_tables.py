"""What the terminal says of an evaluation."""

from typing import Any

from random_detections import found_of, random_set, truth_of
from rich.console import Console

from pocketrcnn.evaluation import evaluate
from pocketrcnn.evaluation_tables import tables


def text_of(evaluation: dict[str, Any]) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        for table in tables(evaluation):
            console.print(table)
    return capture.get()


def test_every_figure_stands_there_with_its_limit_and_its_number_of_objects() -> None:
    truth, found, classes = random_set(3, images=20)
    got = evaluate(truth, found, [f"class {label}" for label in range(classes)], max_detections=123)
    lines = text_of(got).splitlines()
    first = {line.split()[0]: line for line in lines if line.strip()}
    for name, value in got["overall"].items():
        assert f"{value:.3f}" in first[name]
    assert "maxDets 123" in first["AP"]
    assert f"{got['best']['threshold']:.3f}" in first["threshold"]
    for row in (*got["sizes"], *got["classes"]):
        line = next(line for line in lines if line.startswith(row["name"]))
        assert f"{row['objects']:,}" in line
        assert f"{row['AP50']:.3f}" in line
    for kind, count in got["tide"]["errors"].items():
        assert first[kind].split()[2] == f"{count:,}"


def test_what_does_not_exist_is_not_a_number() -> None:
    nothing = text_of(evaluate([truth_of()], [found_of()], ["cell"]))
    assert nothing.count("n/a") == 4 + 4 + 8
    assert "nan" not in nothing.lower()
    assert "-1" not in nothing
    assert "TIDE" not in nothing
