"""What an evaluation says: curves of precision, recall and F1, sizes, classes, confusions, kinds of errors."""

from collections.abc import Mapping, Sequence

from ...evaluation import tables
from ...evaluation.tables import ERRORS, number
from ...report import charts, phrases
from ...report.blocks import Bar, Bars, Block, Figure, Key, Matrix, Panel, Row, Section, Table, Text
from ...report.colours import BLUE, GREEN, INK, ORANGE
from ...report.prose import Prose
from .compare import Summary
from .training import colour_of

CURVES = 7  # classes that have a curve: those with most objects
CELLS = 20  # classes of a confusion matrix: those with most objects; the others are one row
CONFUSED = 10  # pairs of classes that are listed
REST = "other classes"
prose = Prose(__name__, "quality.md")


def sections(split: str, one: Summary, shown: Mapping[str, int] | None) -> list[Section]:
    """One evaluation in full. shown: errors by kind from the threshold on, where the page has the images to them."""
    where = {"split": phrases.SPLITS[split], "data": one["data"], "limit": one["max_detections"]}
    text = Text([prose("measured", counts=one["counts"], **where)])
    sizes = table_of(prose("sizes"), tables.by_size(one["sizes"])) if one["sizes"] else None
    classes = table_of(prose("classes"), tables.by_class(one["classes"]))
    blocks = [block for block in (text, curves(one), sizes, classes) if block]
    errors = [*tide(one["tide"], shown), *confusion(one, shown is not None)]
    precision = Section("quality", "Precision and recall", blocks, short="Precision, recall")
    return [precision, Section("errors", "Errors", errors)]


def curves(one: Summary) -> Figure | None:
    """Precision over recall, and precision, recall and F1 over the threshold."""
    if not one["precision_recall"]["overall"]:
        return None
    panels = [panel for panel in (precision_recall(one), over_threshold(one)) if panel]
    names = [one["classes"][label]["name"] for label in with_curve(one)]
    keys = [Key("all classes", INK), *(Key(name, colour_of(i)) for i, name in enumerate(names))]
    measures = [Key("precision", BLUE, "dashed"), Key("recall", GREEN, "dashed"), Key("F1", ORANGE)]
    count = sum(map(bool, one["precision_recall"]["classes"]))
    caption = prose("curves", names=names, classes=count, best=one["best"], used=one["used"])
    heading = "Precision, recall and F1 at IoU 0.5"
    return Figure(heading, caption, panels, [*keys, *measures] if len(names) > 1 else measures)


def with_curve(one: Summary) -> list[int]:
    """The classes with curves that have most objects, in the order of the classes."""
    labels = [label for label, curve in enumerate(one["precision_recall"]["classes"]) if curve]
    return sorted(sorted(labels, key=lambda label: -one["classes"][label]["objects"])[:CURVES])


def precision_recall(one: Summary) -> Panel:
    """One curve a class and one for all."""
    known, chosen = one["precision_recall"], with_curve(one)
    each = [(known["classes"][c], colour_of(i)) for i, c in enumerate(chosen)] if len(chosen) > 1 else []
    lines = [reached(known["recall"], curve, colour) for curve, colour in (*each, (known["overall"], INK))]
    alt = f"Precision over recall at IoU 0.5 for {len(chosen)} classes; AP50 is {number(one['overall']['AP50'])}."
    return Panel(charts.fraction_chart(lines, "recall"), alt, "Precision over recall")


def reached(recall: Sequence[float], precision: Sequence[float], colour: str) -> charts.Line:
    """A curve up to the recall that is reached; beyond it the precision counts as 0."""
    count = max(1, sum(value > 0 for value in precision))
    return charts.Line(recall[:count], [precision[:count]], colour)


def over_threshold(one: Summary) -> Panel | None:
    """Precision, recall and F1 over the threshold, with the best one."""
    known, best, used = one["thresholds"], one["best"], one["used"]
    if not known:
        return None
    shown = (("precision", BLUE, True), ("recall", GREEN, True), ("f1", ORANGE, False))
    lines = [charts.Line(known["threshold"], [known[name]], colour, dashed) for name, colour, dashed in shown]
    level = used["threshold"] if used else None
    alt = f"Precision, recall and F1 over the score threshold; F1 is best at {number(best and best['threshold'])}."
    return Panel(charts.fraction_chart(lines, "score threshold", level), alt, "Over the score threshold")


def table_of(caption: str, content: tables.Rows) -> Table:
    """The rows that the terminal shows, too."""
    return Table(caption, content.columns, [Row(cells) for cells in content.rows])


def tide(known: Summary | None, shown: Mapping[str, int] | None) -> list[Block]:
    """What each kind of error costs (TIDE), as bars."""
    if not known:
        return []
    rows = tables.errors(known).rows
    gains = {kind: max(0.0, known["gain"][kind]) for kind, *_ in rows}
    longest = max(gains.values()) or 1.0
    worst = max(known["errors"], key=lambda kind: gains[kind])
    text = prose("costs", worst=worst if gains[worst] else "", meaning=ERRORS[worst], picks=shown is not None)
    columns = ["error", "gain in AP50", "#all", "meaning"]
    cells = {kind: [count, meaning] for kind, _, count, meaning in rows}
    if shown is not None:
        columns.insert(2, "#shown")
        cells = {kind: [phrases.count(shown[kind]), *rest] for kind, rest in cells.items()}
    bars = [Bar(kind, gains[kind] / longest, gain, cells[kind]) for kind, gain, *_ in rows]
    return [Bars("What each kind of error costs (TIDE)", text, columns, bars, shown is not None)]


def confusion(one: Summary, picks: bool) -> list[Block]:
    """The confusion matrix and the pairs of classes that are confused most."""
    known = one["confusion"]
    names, counts = gathered(known["names"], known["matrix"])
    caption = prose("confusion", threshold=known["threshold"], picks=picks)
    matrix = Matrix("Confusion matrix", caption, names, counts, shades(counts), picks)
    pairs = tables.confusions(names, counts, CONFUSED)
    return [matrix, table_of("Confused classes, at the threshold of the run.", pairs)] if pairs.rows else [matrix]


def shades(counts: Sequence[Sequence[int]]) -> list[list[int]]:
    """How dark each cell is, 0 to 10: its fraction of its row; in the last row, its fraction of all detections."""
    totals = [*map(sum, counts[:-1]), sum(sum(row[:-1]) for row in counts)]
    return [[-(-10 * count // max(total, 1)) for count in row] for row, total in zip(counts, totals, strict=True)]


def rows_of(matrix: Sequence[Sequence[int]]) -> list[int]:
    """The row of each class in the matrix that is shown, and, last, that of background."""
    classes = len(matrix) - 1
    if classes <= CELLS:
        return list(range(classes + 1))
    kept = sorted(sorted(range(classes), key=lambda label: -sum(matrix[label]))[: CELLS - 1])
    return [kept.index(label) if label in kept else CELLS - 1 for label in range(classes)] + [CELLS]


def gathered(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> tuple[list[str], list[list[int]]]:
    """The classes with most objects; where there are more, the others in one row and one column before background."""
    rows = rows_of(matrix)
    side = rows[-1] + 1
    counts = [[0] * side for _ in range(side)]
    for y, row in enumerate(matrix):
        for x, count in enumerate(row):
            counts[rows[y]][rows[x]] += count
    shown = {row: name for row, name in zip(rows, names, strict=True)}
    return [REST if rows.count(row) > 1 else shown[row] for row in range(side)], counts


def comparison(names: Sequence[str], evaluations: Mapping[str, Summary]) -> Section:
    """Curves of several runs on top of each other, and what each kind of error costs them.

    names: all runs, in the order of their colours; evaluations: by name, of those that have one.
    """
    runs = [(name, colour_of(i), evaluations[name]) for i, name in enumerate(names) if name in evaluations]
    blocks = [block for block in (overlaid(runs), classes_beside(runs), errors_beside(runs)) if block]
    return Section("quality", "Precision, recall and errors", blocks, short="Precision")


Named = Sequence[tuple[str, str, Summary]]


def overlaid(runs: Named) -> Figure | None:
    """Precision over recall, and F1 over the threshold, one curve a run."""
    curves = [(e["precision_recall"]["recall"], e["precision_recall"]["overall"], colour) for _, colour, e in runs]
    lines = [reached(x, y, colour) for x, y, colour in curves if y]
    scores = [(e["thresholds"], colour) for _, colour, e in runs if e["thresholds"]]
    f1 = [charts.Line(known["threshold"], [known["f1"]], colour) for known, colour in scores]
    if not lines or not f1:
        return None
    named = ", ".join(f"{name} {number(e['overall']['AP50'])}" for name, _, e in runs)
    recall, threshold = charts.fraction_chart(lines, "recall"), charts.fraction_chart(f1, "score threshold")
    panels = [
        Panel(recall, f"Precision over recall; AP50: {named}.", "Precision over recall"),
        Panel(threshold, f"F1 over the threshold for {named}.", "F1 over the threshold"),
    ]
    keys = [Key(name, colour) for name, colour, _ in runs]
    return Figure("Precision, recall and F1 of the runs", prose("runs"), panels, keys)


def classes_beside(runs: Named) -> Table | None:
    """AP of each class, one column a run."""
    names = list(dict.fromkeys(row["name"] for *_, e in runs for row in e["classes"]))
    if len(names) < 2:
        return None
    precisions = [{row["name"]: row["AP"] for row in e["classes"]} for *_, e in runs]
    rows = [Row([name, *(number(known.get(name)) for known in precisions)]) for name in names]
    return Table("AP by class.", ["class", *(f"#{name}" for name, *_ in runs)], rows)


def errors_beside(runs: Named) -> Table | None:
    """What each kind of error costs, one column a run."""
    known = [(name, e["tide"]) for name, _, e in runs if e["tide"]]
    if not known:
        return None
    rows = [
        Row([f"{kind}: {meaning}", *(f"{tide['gain'][kind]:+.3f}" for _, tide in known)])
        for kind, meaning in ERRORS.items()
    ]
    caption = "TIDE: what AP50 would gain without each kind of error."
    return Table(caption, ["error", *(f"#{name}" for name, _ in known)], rows)
