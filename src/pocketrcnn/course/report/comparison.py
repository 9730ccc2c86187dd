"""The published numbers beside ours: the short table at the top, and the comparison at the end."""

from __future__ import annotations

from collections.abc import Sequence

from ...report import charts, phrases
from ...report.blocks import Block, Cell, Figure, Items, Key, Panel, Row, Section, Table, Text
from .records import EXPERIMENTS, Record, Results

CAREFUL = (
    "Two remarks on the published numbers. Each is of a single run, so its spread is not known; and the test "
    "images of the report went through the random augmentation of training, which costs accuracy. The rest is "
    "under “Errata of the report”."
)


def ordered(results: Results) -> list[Record]:
    """All records, recipe by recipe, in the order of the course."""
    known = list(EXPERIMENTS)
    return results.find(*known, *(r.id for r in results.records if r.id not in known))


def summary_table(results: Results) -> Table:
    """One line an experiment: what was published, what we found, whether it is beaten. Recipes one below the other."""
    columns = ["experiment", "#published", "#ours", "beaten", "#seeds", "#iterations", "measure"]
    rows: list[Row] = []
    for recipe in results.recipes:
        rows.append(Row([f"{recipe} recipe", *[""] * (len(columns) - 1)], "group"))
        rows += [_summary_row(record) for record in ordered(results) if record.recipe == recipe]
    caption = "Ours: mean ± standard deviation over the seeds, on all test images, boxes predicted."
    table = Table(caption, columns, rows)
    return table if results.comparable else table.without("#published", "beaten")


def _summary_row(record: Record) -> Row:
    name = Cell(f"{record.id} {record.title}", record.id.lower())
    ours = Cell(phrases.metric(record.headline, record.value), strong=True)
    shown, verdict = "–", "–"
    if record.published:
        shown = phrases.published_value(record.headline, record.published.value)
        verdict = "yes" if record.published.beaten else "no"
    costs = str(record.value.n), phrases.count(record.iterations), phrases.METRICS[record.headline]
    return Row([name, shown, ours, verdict, *costs])


def verdicts(results: Results) -> list[str]:
    """A sentence a recipe: how many of the published numbers are beaten, and which are not."""
    if not results.comparable:
        return []
    return [text for recipe in results.recipes if (text := _verdict(results, recipe))]


def _verdict(results: Results, recipe: str) -> str:
    compared = [record for record in ordered(results) if record.recipe == recipe and record.published]
    lost = [record.id for record in compared if record.published and not record.published.beaten]
    if not compared:
        return ""
    won = len(compared) - len(lost)
    behind = f"; {phrases.listed(lost)} {'falls' if len(lost) == 1 else 'fall'} short" if lost else ""
    what = "number is" if len(compared) == 1 else "numbers are"
    return f"With the {recipe} recipe, {won} of {len(compared)} published {what} beaten{behind}."


def final(results: Results) -> Section:
    """Everything side by side, as a table, as a chart and in sentences."""
    blocks: list[Block | None] = [
        Text(verdicts(results)) if verdicts(results) else None,
        _final_table(results),
        _chart(results),
        Items(found) if (found := _observations(results)) else None,
    ]
    return Section("final", "Final comparison", [block for block in blocks if block], "Conclusion", "Comparison")


def _final_table(results: Results) -> Table:
    columns = [
        "experiment",
        "recipe",
        "#published",
        "#ours",
        "#difference",
        "#training time",
        "#one iteration",
        "#multiplications",
    ]
    rows = [_final_row(record) for record in ordered(results)]
    table = Table("Every experiment of these results.", columns, rows)
    return table if results.comparable else table.without("#published", "#difference")


def _final_row(record: Record) -> Row:
    published = record.published
    return Row(
        [
            Cell(f"{record.id} {record.title}", record.id.lower()),
            record.recipe,
            phrases.published_value(record.headline, published.value) if published else "–",
            Cell(phrases.metric(record.headline, record.value), strong=True),
            phrases.margin(record.headline, record.value.mean, published.value) if published else "–",
            phrases.spread_seconds(record.seconds),
            f"{record.step_ms:.1f} ms",
            phrases.count(record.multiplications),
        ]
    )


def _chart(results: Results) -> Figure | None:
    groups = [(recipe, _fractions(results, recipe)) for recipe in results.recipes]
    panels = [_dots(results, recipe, records) for recipe, records in groups if records]
    if not panels:
        return None
    keys = [Key("ours, with the standard deviation of the seeds", charts.BLUE, "dot")]
    caption = "All results that are percentages; the regression loss of R2 has another unit and stands in the table."
    if results.comparable:
        keys.append(Key("published in the report", "currentColor", "ring"))
        caption = "A dot to the right of its ring beats the published number. " + caption
    return Figure("Ours and the report's" if results.comparable else "Ours", caption, panels, keys)


def _fractions(results: Results, recipe: str) -> list[Record]:
    return [r for r in ordered(results) if r.recipe == recipe and phrases.is_fraction(r.headline)]


def _dots(results: Results, recipe: str, records: Sequence[Record]) -> Panel:
    dots = [
        charts.Dot(
            r.id,
            r.value.mean,
            r.value.std if r.value.n > 1 else 0.0,
            r.published.value if r.published and results.comparable else None,
        )
        for r in records
    ]
    told = "; ".join(
        f"{dot.name} {phrases.percent(dot.value, 1)}"
        + (f", published {phrases.percent(dot.published, 1)}" if dot.published is not None else "")
        for dot in dots
    )
    return Panel(charts.dot_chart(dots), f"Dot chart, {recipe} recipe: {told}.", f"{phrases.sentence(recipe)} recipe")


def _observations(results: Results) -> list[str]:
    """The report's observation that the ResNet base is best and the MobileNet base worst, put to the test."""
    parts = (("base networks", ("B1", "B2", "B3")), ("detectors", ("F2", "F3", "F4")))
    groups = [
        (name, recipe, [r for r in results.find(*ids) if r.recipe == recipe])
        for recipe in results.recipes
        for name, ids in parts
    ]
    return [_ranking(name, recipe, records) for name, recipe, records in groups if len(records) > 1]


def _ranking(name: str, recipe: str, records: Sequence[Record]) -> str:
    ranked = sorted(records, key=lambda r: -r.value.mean)
    fast, slow = min(records, key=lambda r: r.step_ms), max(records, key=lambda r: r.step_ms)
    order = ", ".join(f"{r.id} ({phrases.percent(r.value.mean, 1)})" for r in ranked)
    return (
        f"{phrases.sentence(name)}, {recipe} recipe: by accuracy {order}. An iteration is shortest in {fast.id} "
        f"({fast.step_ms:.0f} ms) and takes {phrases.as_long(slow.step_ms, fast.step_ms)} in {slow.id}. Of the "
        f"first two, {_apart(ranked[0], ranked[1])}."
    )


def _apart(better: Record, other: Record) -> str:
    return phrases.apart(better.id, better.value, other.id, other.value)
