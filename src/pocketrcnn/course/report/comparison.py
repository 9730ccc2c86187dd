"""The published numbers beside ours: the short table at the top, and the comparison at the end."""

from collections.abc import Sequence

from ...report import phrases
from ...report.blocks import Block, Figure, Items, Key, Panel, Row, Section, Table, Text
from ...report.colours import BLUE
from ...report.prose import Prose
from ..experiments import EXPERIMENTS
from . import metrics, tables
from .charts import Dot, dot_chart
from .records import Record, Results

prose = Prose(__name__, "comparison.md")


def ordered(results: Results) -> list[Record]:
    """All records, recipe by recipe, in the order of the course."""
    known = list(EXPERIMENTS)
    return results.find(*known, *(r.id for r in results.records if r.id not in known))


def summary_table(results: Results) -> Table:
    """One line an experiment: the published value, ours, whether it is beaten. Recipes one below the other."""
    columns = ["experiment", "#published", "#ours", "beaten", "#seeds", "#iterations", "metric"]
    rows: list[Row] = []
    for recipe in results.recipes:
        rows.append(Row([f"{recipe} recipe", *[""] * (len(columns) - 1)], "group"))
        rows += [tables.record_row(record, columns) for record in ordered(results) if record.recipe == recipe]
    return tables.comparable(results, Table(prose("summary"), columns, rows))


def verdicts(results: Results) -> list[str]:
    """A sentence a recipe: how many of the published numbers are beaten, and which are not."""
    if not results.comparable:
        return []
    return [text for recipe in results.recipes if (text := _verdict(results, recipe))]


def _verdict(results: Results, recipe: str) -> str:
    compared = [record for record in ordered(results) if record.recipe == recipe and record.published]
    lost = [record.id for record in compared if record.published and not record.published.beaten]
    return prose("verdict", recipe=recipe, total=len(compared), lost=lost)


def final(results: Results) -> Section:
    """Everything side by side, as a table, as a chart and in sentences."""
    sentences, observations = verdicts(results), _observations(results)
    columns = (
        "experiment", "recipe", "#published", "#ours", "#difference", "#training time", "#one iteration",
        "#multiplications",
    )  # fmt: skip
    rows = [tables.record_row(record, columns) for record in ordered(results)]
    blocks: list[Block | None] = [
        Text(sentences) if sentences else None,
        tables.comparable(results, Table("Every experiment of these results.", columns, rows)),
        _chart(results),
        Items(observations) if observations else None,
    ]
    return Section("final", "Final comparison", [block for block in blocks if block], "Conclusion", "Comparison")


def _chart(results: Results) -> Figure | None:
    fractions = [r for r in ordered(results) if metrics.is_fraction(r.headline)]
    groups = [(recipe, [r for r in fractions if r.recipe == recipe]) for recipe in results.recipes]
    panels = [_dots(results, recipe, records) for recipe, records in groups if records]
    if not panels:
        return None
    keys = [Key("ours, with the standard deviation of the seeds", BLUE, "dot")]
    if results.comparable:
        keys.append(Key("published in the report", "currentColor", "ring"))
    heading = "Ours and the report's" if results.comparable else "Ours"
    return Figure(heading, prose("chart", comparable=results.comparable), panels, keys)


def _dots(results: Results, recipe: str, records: Sequence[Record]) -> Panel:
    dots = [
        Dot(
            r.id,
            r.value.mean,
            r.value.std if r.value.n > 1 else 0.0,
            r.published.value if r.published and results.comparable else None,
        )
        for r in records
    ]
    values = "; ".join(
        f"{dot.name} {phrases.percent(dot.value, 1)}"
        + (f", published {phrases.percent(dot.published, 1)}" if dot.published is not None else "")
        for dot in dots
    )
    return Panel(dot_chart(dots), f"Dot chart, {recipe} recipe: {values}.", f"{phrases.sentence(recipe)} recipe")


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
    first, second = ranked[:2]
    apart = phrases.apart(first.id, first.value, second.id, second.value)
    as_long = phrases.as_long(slow.step_ms, fast.step_ms)
    return prose("ranking", name=name, recipe=recipe, order=order, fast=fast, slow=slow, as_long=as_long, apart=apart)
