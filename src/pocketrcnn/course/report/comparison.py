"""The published numbers beside ours: the short table at the top, and the comparison at the end."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from ...report import phrases
from ...report.blocks import Block, Figure, Items, Key, Panel, Row, Section, Table, Text
from ...report.colours import BLUE
from ...report.prose import Prose
from . import metrics, tables
from .charts import dot_chart
from .records import Record, Results, by_recipe

prose = Prose(__name__, "comparison.md")


def summary_table(results: Results) -> Table:
    """One line an experiment: the published value, ours, whether it is beaten. Recipes one below the other."""
    columns = ["experiment", "#published", "#ours", "beaten", "#seeds", "#iterations", "metric"]
    table = tables.record_table(prose("summary"), columns, results.records)
    rows: list[Row] = []
    for recipe, group in groupby(zip(results.records, table.rows, strict=True), key=lambda pair: pair[0].recipe):
        rows.append(Row([f"{recipe} recipe", *[""] * (len(table.columns) - 1)], "group"))
        rows += [row for _, row in group]
    return replace(table, rows=rows)


def verdicts(results: Results) -> list[str]:
    """A sentence a recipe: how many of the published numbers are beaten, and which are not."""
    sentences = []
    for recipe, records in by_recipe(results.records).items():
        beaten = {record.id: record.published.beaten for record in records if record.published}
        lost = [id for id, won in beaten.items() if not won]
        sentences.append(prose("verdict", recipe=recipe, total=len(beaten), lost=lost))
    return [sentence for sentence in sentences if sentence]


def final(results: Results) -> Section:
    """Everything side by side, as a table, as a chart and in sentences."""
    sentences, observations = verdicts(results), _observations(results)
    columns = (
        "experiment", "recipe", "#published", "#ours", "#difference", "#seeds", "#training time", "#one iteration",
        "#multiplications",
    )  # fmt: skip
    blocks: list[Block | None] = [
        Text(sentences) if sentences else None,
        tables.record_table("Every experiment of these results.", columns, results.records),
        _chart(results),
        Items(observations) if observations else None,
    ]
    return Section("final", "Final comparison", [block for block in blocks if block], "Conclusion", "Comparison")


def _chart(results: Results) -> Figure | None:
    fractions = [record for record in results.records if metrics.is_fraction(record.headline)]
    if not fractions:
        return None
    panels = [_dots(recipe, records) for recipe, records in by_recipe(fractions).items()]
    keys = [Key("ours, with the standard deviation of the seeds", BLUE, "dot")]
    if results.comparable:
        keys.append(Key("published in the report", "currentColor", "ring"))
    heading = "Ours and the report's" if results.comparable else "Ours"
    return Figure(heading, prose("chart", comparable=results.comparable), panels, keys)


def _dots(recipe: str, records: Sequence[Record]) -> Panel:
    values = "; ".join(
        f"{record.id} {phrases.percent(record.value.mean, 1)}"
        + (f", published {phrases.percent(record.published.value, 1)}" if record.published else "")
        for record in records
    )
    return Panel(dot_chart(records), f"Dot chart, {recipe} recipe: {values}.", f"{phrases.sentence(recipe)} recipe")


def _observations(results: Results) -> list[str]:
    """The report's observation that the ResNet base is best and the MobileNet base worst, put to the test."""
    parts = {"base networks": results.find("B1", "B2", "B3"), "detectors": results.find("F2", "F3", "F4")}
    return [
        _ranking(name, recipe, records)
        for recipe in by_recipe(results.records)
        for name, part in parts.items()
        if len(records := by_recipe(part).get(recipe, [])) > 1
    ]


def _ranking(name: str, recipe: str, records: Sequence[Record]) -> str:
    ranked = sorted(records, key=lambda r: -r.value.mean)
    fast, slow = min(records, key=lambda r: r.step_ms), max(records, key=lambda r: r.step_ms)
    order = ", ".join(f"{r.id} ({phrases.percent(r.value.mean, 1)})" for r in ranked)
    first, second = ranked[:2]
    apart = phrases.apart(first.id, first.value, second.id, second.value)
    as_long = phrases.as_long(slow.step_ms, fast.step_ms)
    return prose("ranking", name=name, recipe=recipe, order=order, fast=fast, slow=slow, as_long=as_long, apart=apart)
