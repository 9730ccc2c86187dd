"""What an evaluation says: curves of precision, recall and F1, sizes, classes, confusions, kinds of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...evaluation.tables import ERRORS, NAMES, confused, number
from ...report import charts, phrases
from ...report.blocks import Block, Figure, Key, Panel, Row, Section, Table, Text
from . import charts as run_charts
from .training import colour_of

Facts = Mapping[str, Any]

CURVES = 7  # classes with a curve of their own; those with most objects
CELLS = 20  # classes of a confusion matrix, those with most objects; the others are put together
CONFUSED = 10  # pairs of classes that are listed
REST = "other classes"


def sections(judged: Mapping[str, Facts]) -> list[Section]:
    """One evaluation in full: that on test images where there is one, else on validation images."""
    split = phrases.in_order(judged)[-1]
    found = judged[split]
    counts = found["counts"]
    where = (
        f"Measured on {counts['images']:,} {phrases.SPLITS[split]} images with {phrases.count(counts['objects'])} "
        f"objects, `{found['data']}`; maxDets {found['max_detections']}."
    )
    blocks: list[Block | None] = [Text([where]), curves(found), sizes(found), classes(found)]
    quality = Section(
        "quality", "Precision and recall", [block for block in blocks if block], short="Precision, recall"
    )
    return [quality, errors(found)]


def curves(found: Facts) -> Figure | None:
    """Precision over recall, and precision, recall and F1 over the threshold."""
    panels = [panel for panel in (precision_recall(found), over_threshold(found)) if panel]
    if not panels:
        return None
    names = [found["classes"][place]["name"] for place in with_curve(found)]
    keys = [Key("all classes", charts.INK)] if len(names) > 1 else []
    keys += [Key(name, colour_of(place)) for place, name in enumerate(names)] if len(names) > 1 else []
    keys += [
        Key("precision", charts.BLUE, "dashed"),
        Key("recall", charts.GREEN, "dashed"),
        Key("F1", charts.ORANGE),
    ]
    best, used = found["best"], found["used"]
    text = "Left: the further up and to the right, the better; where a curve ends early, the rest is never found."
    if len(names) < sum(map(bool, found["precision_recall"]["classes"])):
        text += f" Of single classes, the {len(names)} with most objects have a curve."
    if best:
        text += (
            f" Right: `predict` shows detections from a score of {used['threshold']:.3f} on (dotted), chosen on "
            f"validation images: F1 is {used['f1']:.3f} there, with precision {used['precision']:.3f} and recall "
            f"{used['recall']:.3f}. The best F1 of these images, {best['f1']:.3f}, is at {best['threshold']:.3f}."
        )
    return Figure("Precision, recall and F1 at IoU 0.5", text, panels, keys)


def with_curve(found: Facts) -> list[int]:
    """The classes with curves that have most objects, in the order of the classes."""
    there = [place for place, curve in enumerate(found["precision_recall"]["classes"]) if curve]
    return sorted(sorted(there, key=lambda place: -found["classes"][place]["objects"])[:CURVES])


def precision_recall(found: Facts) -> Panel | None:
    """One curve a class and one for all."""
    known = found["precision_recall"]
    if not known["overall"]:
        return None
    chosen = with_curve(found)
    each = [(known["classes"][c], colour_of(i)) for i, c in enumerate(chosen)] if len(chosen) > 1 else []
    lines = [reached(known["recall"], curve, colour) for curve, colour in (*each, (known["overall"], charts.INK))]
    alt = f"Precision over recall at IoU 0.5 for {len(chosen)} classes; AP50 is {number(found['overall']['AP50'])}."
    return Panel(charts.fraction_chart(lines, "recall"), alt, "Precision over recall")


def reached(recall: Sequence[float], precision: Sequence[float], colour: str) -> charts.Line:
    """A curve up to the recall that is reached; beyond it the precision counts as 0."""
    count = max(1, sum(value > 0 for value in precision))
    return charts.Line(recall[:count], [precision[:count]], colour)


def over_threshold(found: Facts) -> Panel | None:
    """Precision, recall and F1 over the threshold, with the best one."""
    known, best, used = found["thresholds"], found["best"], found["used"]
    if not known:
        return None
    shown = (("precision", charts.BLUE, True), ("recall", charts.GREEN, True), ("f1", charts.ORANGE, False))
    lines = [charts.Line(known["threshold"], [known[name]], colour, dashed) for name, colour, dashed in shown]
    level = used["threshold"] if used else None
    alt = f"Precision, recall and F1 over the score threshold; F1 is best at {number(best and best['threshold'])}."
    return Panel(charts.fraction_chart(lines, "score threshold", level), alt, "Over the score threshold")


def sizes(found: Facts) -> Table | None:
    """AP by size."""
    if not found["sizes"]:
        return None
    rows = [
        Row([row["name"], phrases.count(row["objects"]), *(number(row[name]) for name in NAMES)])
        for row in found["sizes"]
    ]
    caption = "By size: the square root of an object's area, in pixels of its image; each bin has about a third."
    return Table(caption, ["size", "#objects", *(f"#{name}" for name in NAMES)], rows)


def classes(found: Facts) -> Table:
    """AP by class, with the best threshold of each."""
    rows = []
    for row in found["classes"]:
        best = row["best"] or {}
        own = [number(best.get(name)) for name in ("threshold", "precision", "recall", "f1")]
        rows.append(Row([row["name"], phrases.count(row["objects"]), *(number(row[name]) for name in NAMES), *own]))
    columns = ["class", "#objects", *(f"#{name}" for name in NAMES), "#threshold", "#precision", "#recall", "#F1"]
    return Table("By class, each with its own threshold of best F1 at IoU 0.5. n/a: no objects.", columns, rows)


def errors(found: Facts) -> Section:
    """Kinds of errors and confusions."""
    blocks = [*tide(found["tide"]), *confusion(found)]
    return Section("errors", "Errors", blocks or [Text(["There are no objects, and so no errors to explain."], "note")])


def tide(known: Facts | None) -> list[Block]:
    """What each kind of error costs (TIDE), as bars and as a table."""
    if not known:
        return []
    rows = []
    for kind, meaning in ERRORS.items():
        count = known["errors"].get(kind)
        rows.append(Row([kind, f"{known['gain'][kind]:+.3f}", "–" if count is None else phrases.count(count), meaning]))
    caption = "TIDE: what AP50 would gain if all errors of one kind were put right, and how many there are."
    table = Table(caption, ["error", "#gain in AP50", "#errors", "meaning"], rows)
    gains = {kind: max(0.0, known["gain"][kind]) for kind in ERRORS if kind in known["errors"]}
    if not any(gains.values()):
        return [table]
    bars = [charts.Bar(kind, gain, 0, f"+{gain:.3f}") for kind, gain in gains.items()]
    worst = max(gains, key=lambda kind: gains[kind])
    text = (
        f"The longest bar is what to work on first: {worst}, {ERRORS[worst]}. The gains do not add up to what is lost."
    )
    alt = "Bar chart of what AP50 would gain: " + ", ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    return [Figure("What each kind of error costs", text, [Panel(charts.bar_chart(bars), alt, "Gain in AP50")]), table]


def confusion(found: Facts) -> list[Block]:
    """The confusion matrix and the pairs of classes that are taken for each other most."""
    names, counts = gathered(found["confusion"]["names"], found["confusion"]["matrix"])
    threshold = found["confusion"]["threshold"]
    uri = run_charts.confusion_chart(names, counts)
    right = sum(counts[i][i] for i in range(len(names) - 1))
    alt = f"Confusion matrix of {len(names) - 1} classes and background: {right:,} on the diagonal."
    caption = (
        f"Detections from a score of {threshold:.3f} on, at IoU 0.5. A row is what is there, a column what was "
        "detected: the diagonal is right, the last column was not found, and the last row are detections where nothing "
        "is. The darker, the larger the part of the row; in the last row, of all detections."
    )
    figure = Figure("Confusion matrix", caption, [Panel(uri, alt, "Rows: truth. Columns: detections")])
    rows = [Row([there, said, phrases.count(count)]) for there, said, count, _ in confused(names, counts, CONFUSED)]
    table = Table("Classes taken for each other.", ["truth", "detected as", "#objects"], rows)
    return [figure, table] if rows else [figure]


def gathered(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> tuple[list[str], list[list[int]]]:
    """The classes with most objects; where there are more, the others in one row and one column before background."""
    classes = len(names) - 1
    if classes <= CELLS:
        return list(names), [list(row) for row in matrix]
    kept = sorted(sorted(range(classes), key=lambda i: -sum(matrix[i]))[: CELLS - 1])
    groups = [[place] for place in kept] + [[i for i in range(classes) if i not in kept], [classes]]
    counts = [[sum(matrix[y][x] for y in ys for x in xs) for xs in groups] for ys in groups]
    return [*(names[place] for place in kept), REST, names[-1]], counts


def comparison(names: Sequence[str], judged: Mapping[str, Facts]) -> Section:
    """Curves of several runs on top of each other, and what each kind of error costs them.

    names: all runs, in the order of their colours; judged: by name, those with an evaluation.
    """
    there = [(name, colour_of(place), judged[name]) for place, name in enumerate(names) if name in judged]
    blocks: list[Block | None] = [overlaid(there), classes_beside(there), errors_beside(there)]
    return Section("quality", "Precision, recall and errors", [block for block in blocks if block], short="Precision")


Named = Sequence[tuple[str, str, Facts]]


def overlaid(there: Named) -> Figure | None:
    """Precision over recall, and F1 over the threshold, one curve a run."""
    curves = [(f["precision_recall"]["recall"], f["precision_recall"]["overall"], colour) for _, colour, f in there]
    lines = [reached(x, y, colour) for x, y, colour in curves if y]
    scores = [(f["thresholds"], colour) for _, colour, f in there if f["thresholds"]]
    f1 = [charts.Line(known["threshold"], [known["f1"]], colour) for known, colour in scores]
    if not lines or not f1:
        return None
    named = ", ".join(f"{name} {number(found['overall']['AP50'])}" for name, _, found in there)
    panels = [
        Panel(
            charts.fraction_chart(lines, "recall"), f"Precision over recall; AP50: {named}.", "Precision over recall"
        ),
        Panel(
            charts.fraction_chart(f1, "score threshold"),
            f"F1 over the threshold for {named}.",
            "F1 over the threshold",
        ),
    ]
    keys = [Key(name, colour) for name, colour, _ in there]
    caption = (
        "At IoU 0.5; precision is a mean over the classes. Left, the area below a curve is AP50; right, a broad top "
        "forgives a threshold that is off."
    )
    return Figure("Precision, recall and F1 of the runs", caption, panels, keys)


def classes_beside(there: Named) -> Table | None:
    """AP of each class, one column a run."""
    names = list(dict.fromkeys(row["name"] for *_, found in there for row in found["classes"]))
    if len(names) < 2:
        return None
    of = [{row["name"]: row["AP"] for row in found["classes"]} for *_, found in there]
    rows = [Row([name, *(number(known.get(name)) for known in of)]) for name in names]
    return Table("AP by class.", ["class", *(f"#{name}" for name, *_ in there)], rows)


def errors_beside(there: Named) -> Table | None:
    """What each kind of error costs, one column a run."""
    known = [(name, found["tide"]) for name, _, found in there if found["tide"]]
    if not known:
        return None
    rows = [
        Row([f"{kind}: {meaning}", *(f"{tide['gain'][kind]:+.3f}" for _, tide in known)])
        for kind, meaning in ERRORS.items()
    ]
    return Table(
        "TIDE: what AP50 would gain without each kind of error.", ["error", *(f"#{name}" for name, _ in known)], rows
    )
