"""An evaluation as tables, for the terminal and for the page; each number comes with its meaning. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from ..screen import table_of

if TYPE_CHECKING:
    from .average_precision import Evaluation

NAMES = ("AP", "AP50", "AP75", "AR")
RATES = ("threshold", "precision", "recall", "f1")
CONFUSED = 8  # pairs of classes that are listed
ERRORS = {
    "Cls": "right position, wrong class",
    "Loc": "right class, IoU only 0.1 to 0.5",
    "Both": "wrong class and wrong position",
    "Dupe": "a second detection of an object",
    "Bkg": "there is no object",
    "Miss": "an object without a detection",
    "FP": "all false detections",
    "FN": "all objects that are missed",
}


class Rows(NamedTuple):
    """The content of a table; columns whose title begins with `#` hold numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(evaluation: Evaluation) -> Iterator[Table]:
    """An evaluation: overall, by size, by class, confusions, errors. Print each with `screen.print_table`."""
    yield overall(evaluation)
    confusion = evaluation.confusion
    parts = {
        "By size, the square root of an object's area": by_size(evaluation.sizes),
        "By class, each with its threshold of best F1": by_class(evaluation.classes),
        f"Confused most, from score {confusion['threshold']:.3f} on, at IoU 0.5": confusions(
            confusion["names"], confusion["matrix"]
        ),
        "What AP50 would gain without each kind of error (TIDE)": errors(evaluation.tide or {}),
    }
    yield from (table_of(*part, title) for title, part in parts.items() if part.rows)


def number(value: float | None) -> str:
    """Three digits, or n/a for what does not exist."""
    return "n/a" if value is None else f"{value:.3f}"


def overall(evaluation: Evaluation) -> Table:
    """The metrics of the whole set with their meanings, and the threshold that `predict` uses."""
    counts, best, used = evaluation.counts, evaluation.best or {}, evaluation.used or {}
    title = f"{counts['images']:,} images, {counts['objects']:,} objects, {counts['detections']:,} detections"
    limit = f"maxDets {evaluation.max_detections} an image and class"
    highest = f"the highest here is {number(best.get('f1'))}, from {number(best.get('threshold'))} on"
    meanings = {
        "AP": f"average precision, mean over IoU 0.50 to 0.95; {limit}",
        "AP50": "a detection is right from IoU 0.5 on",
        "AP75": "a detection is right from IoU 0.75 on",
        "AR": "part of the objects detected, mean over IoU 0.50 to 0.95",
        "threshold": "predict shows detections from this score on; the best F1 on validation images",
        "precision": "part of these detections that are right, at IoU 0.5",
        "recall": "part of the objects that these detections find",
        "f1": f"harmonic mean of the two; {highest}",
    }
    values = evaluation.overall | {name: used.get(name) for name in RATES}
    rows = [(name.replace("f1", "F1"), number(values[name]), meaning) for name, meaning in meanings.items()]
    return table_of(("", "#value", "meaning"), rows, title)


def by_size(sizes: Sequence[dict[str, Any]]) -> Rows:
    """One row a bin of sizes."""
    rows = [(row["name"], f"{row['objects']:,}", *(number(row[name]) for name in NAMES)) for row in sizes]
    return Rows(("size", "#objects", *(f"#{name}" for name in NAMES)), rows)


def by_class(classes: Sequence[dict[str, Any]]) -> Rows:
    """One row a class, with its threshold of best F1."""
    rows = []
    for row in classes:
        values = row | dict.fromkeys(RATES) | (row["best"] or {})
        counts = f"{row['objects']:,}", f"{row['images']:,}"
        rows.append((row["name"], *counts, *(number(values[name]) for name in (*NAMES, *RATES))))
    return Rows(("class", "#objects", "#images", *(f"#{name}" for name in (*NAMES, *RATES[:-1], "F1"))), rows)


def confused(names: Sequence[str], counts: Sequence[Sequence[int]], limit: int) -> list[tuple[str, str, int, float]]:
    """The pairs of classes that are confused most, of a confusion matrix whose last name is background: the true class,
    the predicted class, how often, and which part of the objects of the true class that is."""
    n = len(names) - 1
    pairs = sorted(((counts[y][x], y, x) for y in range(n) for x in range(n) if x != y), reverse=True)
    return [(names[y], names[x], count, count / sum(counts[y])) for count, y, x in pairs[:limit] if count]


def confusions(names: Sequence[str], counts: Sequence[Sequence[int]], limit: int = CONFUSED) -> Rows:
    """One row a pair of classes; the whole matrix is in evaluation-SPLIT.json and in the report."""
    rows = [(true, other, f"{count:,}", f"{part:.1%}") for true, other, count, part in confused(names, counts, limit)]
    return Rows(("true class", "predicted as", "#count", "#part of its objects"), rows)


def errors(tide: Mapping[str, Any]) -> Rows:
    """One row a kind of error, none without objects. FP and FN put several kinds together and have no count."""
    rows = []
    for kind, meaning in ERRORS.items() if tide else ():
        count = tide["errors"].get(kind)
        rows.append((kind, f"{tide['gain'][kind]:+.3f}", "–" if count is None else f"{count:,}", meaning))
    return Rows(("error", "#gain in AP50", "#errors", "meaning"), rows)
