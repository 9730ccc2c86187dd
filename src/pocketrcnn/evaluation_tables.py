"""`evaluation.json` as tables for the terminal, each number with a few words on what it means. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

NAMES = ("AP", "AP50", "AP75", "AR")
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
    """What `evaluate` returned: overall, by size, by class, errors. Print each with `show.print_table`."""
    yield overall(evaluation)
    if evaluation["sizes"]:
        yield by_size(evaluation["sizes"])
    yield by_class(evaluation["classes"])
    if evaluation["tide"]:
        yield errors(evaluation["tide"])


def number(value: float | None) -> str:
    """Three digits, or n/a for what does not exist."""
    return "n/a" if value is None else f"{value:.3f}"


def columns(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    """An empty table: words to the left, numbers to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def overall(evaluation: dict[str, Any]) -> Table:
    """The figures of the whole set with their meanings, and the threshold that `predict` uses."""
    counts, limit = evaluation["counts"], evaluation["max_detections"]
    title = f"{counts['images']:,} images, {counts['objects']:,} objects, {counts['detections']:,} detections"
    table = columns(title, ("",), ("value",))
    table.add_column("meaning", no_wrap=True)
    meanings = {
        "AP": f"average precision, mean over IoU 0.50 to 0.95; maxDets {limit} an image and class",
        "AP50": "a detection is right from IoU 0.5 on",
        "AP75": "a detection is right from IoU 0.75 on",
        "AR": "part of the objects found, mean over IoU 0.50 to 0.95",
    }
    for name, meaning in meanings.items():
        table.add_row(name, number(evaluation["overall"][name]), meaning)
    best = evaluation["best"] or {}
    table.add_row(
        "threshold", number(best.get("threshold")), "score of the best F1 at IoU 0.5; predict shows from here"
    )
    table.add_row("precision", number(best.get("precision")), "part of these detections that are right")
    table.add_row("recall", number(best.get("recall")), "part of the objects that are found by them")
    table.add_row("F1", number(best.get("f1")), "harmonic mean of the two")
    return table


def by_size(sizes: list[dict[str, Any]]) -> Table:
    """One row a bin of sizes."""
    table = columns("By size, the square root of an object's area", ("size",), ("objects", *NAMES))
    for row in sizes:
        table.add_row(row["name"], f"{row['objects']:,}", *(number(row[name]) for name in NAMES))
    return table


def by_class(classes: list[dict[str, Any]]) -> Table:
    """One row a class, with its own threshold of best F1."""
    own = ("threshold", "precision", "recall", "f1")
    table = columns("By class, with its own threshold of best F1", ("class",), ("objects", "images", *NAMES, *own))
    for row in classes:
        counts = f"{row['objects']:,}", f"{row['images']:,}"
        best = row["best"] or {}
        table.add_row(
            row["name"], *counts, *(number(row[name]) for name in NAMES), *(number(best.get(name)) for name in own)
        )
    return table


def errors(tide: dict[str, Any]) -> Table:
    """One row a kind of error. FP and FN put several kinds together and have no count of their own."""
    table = columns("What AP50 would gain without each kind of error (TIDE)", ("error",), ("gain", "errors"))
    table.add_column("meaning", no_wrap=True)
    for kind, meaning in ERRORS.items():
        count = tide["errors"].get(kind)
        table.add_row(kind, f"{tide['gain'][kind]:+.3f}", "" if count is None else f"{count:,}", meaning)
    return table
