"""`evaluation.json` as tables for the terminal, each number with a few words on what it means. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from ..terminal import columns

NAMES = ("AP", "AP50", "AP75", "AR")
CONFUSED = 8  # pairs of classes that are listed
ERRORS = {
    "Cls": "right place, wrong class",
    "Loc": "right class, IoU only 0.1 to 0.5",
    "Both": "wrong class and wrong place",
    "Dupe": "an object found once more",
    "Bkg": "nothing is there",
    "Miss": "an object that was not found",
    "FP": "all false detections",
    "FN": "all objects that were not found",
}


def tables(evaluation: dict[str, Any]) -> Iterator[Table]:
    """What `evaluate` returned: overall, by size, by class, confusions, errors. Print each with `show.print_table`."""
    yield overall(evaluation)
    if evaluation["sizes"]:
        yield by_size(evaluation["sizes"])
    yield by_class(evaluation["classes"])
    known = evaluation["confusion"]
    if pairs := confused(known["names"], known["matrix"], CONFUSED):
        yield confusions(pairs, known["threshold"])
    if evaluation["tide"]:
        yield errors(evaluation["tide"])


def number(value: float | None) -> str:
    """Three digits, or n/a for what does not exist."""
    return "n/a" if value is None else f"{value:.3f}"


def overall(evaluation: dict[str, Any]) -> Table:
    """The figures of the whole set with their meanings, and the threshold that `predict` uses."""
    counts, limit = evaluation["counts"], evaluation["max_detections"]
    title = f"{counts['images']:,} images, {counts['objects']:,} objects, {counts['detections']:,} detections"
    table = columns(("", "value", "meaning"), ("", "meaning"), title)
    meanings = {
        "AP": f"average precision, mean over IoU 0.50 to 0.95; maxDets {limit} an image and class",
        "AP50": "a detection is right from IoU 0.5 on",
        "AP75": "a detection is right from IoU 0.75 on",
        "AR": "part of the objects found, mean over IoU 0.50 to 0.95",
    }
    for name, meaning in meanings.items():
        table.add_row(name, number(evaluation["overall"][name]), meaning)
    best, used = evaluation["best"] or {}, evaluation["used"] or {}
    chosen = "score from which on predict shows detections; the best F1 on validation images"
    table.add_row("threshold", number(used.get("threshold")), chosen)
    table.add_row("precision", number(used.get("precision")), "part of these detections that are right, at IoU 0.5")
    table.add_row("recall", number(used.get("recall")), "part of the objects that are found by them")
    highest = (
        f"harmonic mean of the two; here {number(best.get('f1'))} at best, from {number(best.get('threshold'))} on"
    )
    table.add_row("F1", number(used.get("f1")), highest)
    return table


def by_size(sizes: list[dict[str, Any]]) -> Table:
    """One row a bin of sizes."""
    table = columns(("size", "objects", *NAMES), ["size"], "By size, the square root of an object's area")
    for row in sizes:
        table.add_row(row["name"], f"{row['objects']:,}", *(number(row[name]) for name in NAMES))
    return table


def by_class(classes: list[dict[str, Any]]) -> Table:
    """One row a class, with its own threshold of best F1."""
    own = ("threshold", "precision", "recall", "f1")
    names = "class", "objects", "images", *NAMES, *own
    table = columns(names, ["class"], "By class, with its own threshold of best F1")
    for row in classes:
        counts = f"{row['objects']:,}", f"{row['images']:,}"
        best = row["best"] or {}
        table.add_row(
            row["name"], *counts, *(number(row[name]) for name in NAMES), *(number(best.get(name)) for name in own)
        )
    return table


def confused(names: Sequence[str], counts: Sequence[Sequence[int]], most: int) -> list[tuple[str, str, int, float]]:
    """The pairs of classes that are taken for each other most, of a confusion matrix whose last name is background:
    what is there, what was said, how often, and which part of the objects of its class that is."""
    n = len(names) - 1
    pairs = sorted(((counts[y][x], y, x) for y in range(n) for x in range(n) if x != y), reverse=True)
    return [(names[y], names[x], count, count / sum(counts[y])) for count, y, x in pairs[:most] if count]


def confusions(pairs: list[tuple[str, str, int, float]], threshold: float) -> Table:
    """One row a pair of classes; the whole matrix is in evaluation-SPLIT.json and in the report."""
    title = f"Confused most, from score {threshold:.3f} on, at IoU 0.5"
    words = "true class", "predicted as"
    table = columns((*words, "count", "part of its objects"), words, title)
    for there, said, count, part in pairs:
        table.add_row(there, said, f"{count:,}", f"{part:.1%}")
    return table


def errors(tide: dict[str, Any]) -> Table:
    """One row a kind of error. FP and FN put several kinds together and have no count of their own."""
    title = "What AP50 would gain without each kind of error (TIDE)"
    table = columns(("error", "gain", "errors", "meaning"), ("error", "meaning"), title)
    for kind, meaning in ERRORS.items():
        count = tide["errors"].get(kind)
        table.add_row(kind, f"{tide['gain'][kind]:+.3f}", "" if count is None else f"{count:,}", meaning)
    return table
