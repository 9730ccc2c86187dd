"""An evaluation on the terminal."""

from random_detections import detections_of, random_set, truth_of
from rich.console import Console

from pocketrcnn.evaluation.average_precision import Evaluation, evaluate
from pocketrcnn.evaluation.tables import CONFUSED, confused, tables


def text_of(evaluation: Evaluation) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        for table in tables(evaluation):
            console.print(table)
    return capture.get()


def test_every_metric_is_there_with_its_limit_and_its_number_of_objects() -> None:
    truth, detected, classes = random_set(3, images=20)
    got = evaluate(truth, detected, [f"class {label}" for label in range(classes)], max_detections=123)
    lines = text_of(got).splitlines()
    first = {line.split()[0]: line for line in lines if line.strip()}
    for name, value in got.overall.items():
        assert f"{value:.3f}" in first[name]
    assert "maxDets 123" in first["AP"]
    assert f"{got.best['threshold']:.3f}" in first["threshold"]
    for row in (*got.sizes, *got.classes):
        line = next(line for line in lines if line.startswith(row["name"]))
        assert f"{row['objects']:,}" in line
        assert f"{row['AP50']:.3f}" in line
    for kind, count in got.tide["errors"].items():
        assert first[kind].split()[2] == f"{count:,}"


def test_what_does_not_exist_is_not_a_number() -> None:
    nothing = text_of(evaluate([truth_of()], [detections_of()], ["cell"]))
    assert nothing.count("n/a") == 4 + 6 + 8
    assert "nan" not in nothing.lower()
    assert "-1" not in nothing
    assert "TIDE" not in nothing
    assert "Confused" not in nothing


def test_the_pairs_of_classes_that_are_confused_most() -> None:
    box, other = (0, 0, 10, 10), (20, 20, 30, 30)
    truth = [truth_of((*box, 0, 0), (*other, 1, 0))] * 3 + [truth_of((*box, 0, 0))]
    detected = [detections_of((*box, 0.9, 1), (*other, 0.9, 1))] * 3 + [detections_of((*box, 0.9, 0), (*other, 0.9, 1))]
    lines = text_of(evaluate(truth, detected, ["cat", "dog", "cow"])).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Confused most, from score 0."))
    assert lines[first + 1].split() == ["true", "class", "predicted", "as", "count", "part", "of", "its", "objects"]
    assert lines[first + 2].split() == ["cat", "dog", "3", "75.0%"]
    assert "background" not in "\n".join(lines)


def test_few_pairs_are_listed_the_most_frequent_first() -> None:
    names = [f"class {i}" for i in range(5)]
    matrix = [[5 * i + j for j in range(5)] + [7] for i in range(5)] + [[9] * 5 + [0]]
    pairs = confused([*names, "background"], matrix, CONFUSED)
    assert len(pairs) == CONFUSED == 8
    assert pairs[0] == ("class 4", "class 3", 23, 23 / (20 + 21 + 22 + 23 + 24 + 7))
    assert [pair[2] for pair in pairs] == sorted((pair[2] for pair in pairs), reverse=True)
    assert confused(["cell", "background"], [[4, 1], [2, 0]], CONFUSED) == []
