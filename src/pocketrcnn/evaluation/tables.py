"""An evaluation as tables for the terminal; each number comes with its meaning. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ..terminal import columns

if TYPE_CHECKING:
    from .average_precision import Evaluation

NAMES = ("AP", "AP50", "AP75", "AR")
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
RATES = ("threshold", "precision", "recall", "f1")


def tables(evaluation: Evaluation) -> Iterator[Table]:
    """An evaluation: overall, by size, by class, confusions, errors. Print each with `terminal.print_table`."""
    yield overall(evaluation)
    if evaluation.sizes:
        yield by_size(evaluation.sizes)
    yield by_class(evaluation.classes)
    confusion = evaluation.confusion
    if pairs := confused(confusion["names"], confusion["matrix"], CONFUSED):
        yield confusions(pairs, confusion["threshold"])
    if evaluation.tide:
        yield errors(evaluation.tide)


def number(value: float | None) -> str:
    """Three digits, or n/a for what does not exist."""
    return "n/a" if value is None else f"{value:.3f}"


def overall(evaluation: Evaluation) -> Table:
    """The metrics of the whole set with their meanings, and the threshold that `predict` uses."""
    counts, best, used = evaluation.counts, evaluation.best or {}, evaluation.used or {}
    title = f"{counts['images']:,} images, {counts['objects']:,} objects, {counts['detections']:,} detections"
    table = columns(("", "value", "meaning"), ("", "meaning"), title)
    limit = f"maxDets {evaluation.max_detections} an image and class"
    meanings = {
        "AP": f"average precision, mean over IoU 0.50 to 0.95; {limit}",
        "AP50": "a detection is right from IoU 0.5 on",
        "AP75": "a detection is right from IoU 0.75 on",
        "AR": "part of the objects detected, mean over IoU 0.50 to 0.95",
    }
    highest = f"the highest here is {number(best.get('f1'))}, from {number(best.get('threshold'))} on"
    chosen = {
        "threshold": "predict shows detections from this score on; the best F1 on validation images",
        "precision": "part of these detections that are right, at IoU 0.5",
        "recall": "part of the objects that these detections find",
        "f1": f"harmonic mean of the two; {highest}",
    }
    for name, meaning in meanings.items():
        table.add_row(name, number(evaluation.overall[name]), meaning)
    for name, meaning in chosen.items():
        table.add_row("F1" if name == "f1" else name, number(used.get(name)), meaning)
    return table


def by_size(sizes: list[dict[str, Any]]) -> Table:
    """One row a bin of sizes."""
    table = columns(("size", "objects", *NAMES), ["size"], "By size, the square root of an object's area")
    for row in sizes:
        table.add_row(row["name"], f"{row['objects']:,}", *(number(row[name]) for name in NAMES))
    return table


def by_class(classes: list[dict[str, Any]]) -> Table:
    """One row a class, with its threshold of best F1."""
    names = "class", "objects", "images", *NAMES, *RATES
    table = columns(names, ["class"], "By class, each with its threshold of best F1")
    for row in classes:
        counts = f"{row['objects']:,}", f"{row['images']:,}"
        best = row["best"] or {}
        values = [*(row[name] for name in NAMES), *(best.get(name) for name in RATES)]
        table.add_row(row["name"], *counts, *map(number, values))
    return table


def confused(names: Sequence[str], counts: Sequence[Sequence[int]], limit: int) -> list[tuple[str, str, int, float]]:
    """The pairs of classes that are confused most, of a confusion matrix whose last name is background: the true class,
    the predicted class, how often, and which part of the objects of the true class that is."""
    n = len(names) - 1
    pairs = sorted(((counts[y][x], y, x) for y in range(n) for x in range(n) if x != y), reverse=True)
    return [(names[y], names[x], count, count / sum(counts[y])) for count, y, x in pairs[:limit] if count]


def confusions(pairs: list[tuple[str, str, int, float]], threshold: float) -> Table:
    """One row a pair of classes; the whole matrix is in evaluation-SPLIT.json and in the report."""
    title = f"Confused most, from score {threshold:.3f} on, at IoU 0.5"
    words = "true class", "predicted as"
    table = columns((*words, "count", "part of its objects"), words, title)
    for true, predicted, count, part in pairs:
        table.add_row(true, predicted, f"{count:,}", f"{part:.1%}")
    return table


def errors(tide: dict[str, Any]) -> Table:
    """One row a kind of error. FP and FN put several kinds together and have no count."""
    title = "What AP50 would gain without each kind of error (TIDE)"
    table = columns(("error", "gain", "errors", "meaning"), ("error", "meaning"), title)
    for kind, meaning in ERRORS.items():
        count = tide["errors"].get(kind)
        table.add_row(kind, f"{tide['gain'][kind]:+.3f}", "" if count is None else f"{count:,}", meaning)
    return table
