"""The observations of the report as tables in Markdown, from `docs/results/observations-RECIPE.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from markdown_tables import table

from pocketrcnn.course.experiments import RECIPES
from pocketrcnn.course.observations import OBSERVATIONS
from pocketrcnn.course.report import observations as page
from pocketrcnn.course.report.explained import explanation
from pocketrcnn.course.report.records import Observed
from pocketrcnn.report import phrases
from pocketrcnn.report.blocks import Cell
from pocketrcnn.report.blocks import Table as Block
from pocketrcnn.report.phrases import machine

Kept = dict[str, Any]


def section(folder: Path) -> str:
    """The verdicts under both recipes, then every comparison, recipe by recipe."""
    paths = {recipe: folder / f"observations-{recipe}.json" for recipe in reversed(RECIPES)}
    kept = {recipe: json.loads(path.read_text(encoding="utf-8")) for recipe, path in paths.items() if path.is_file()}
    if not kept:
        return "The observations have not been put to the test yet.\n"
    made = {recipe: msgspec.convert(one["observations"], list[Observed]) for recipe, one in kept.items()}
    parts = [verdicts(made), *(comparisons(kept[recipe], made[recipe]) for recipe in kept)]
    return "\n".join(parts)


def verdicts(made: dict[str, list[Observed]]) -> str:
    """One line an observation, a column a recipe."""
    by_id = {(one.id, recipe): one for recipe, all_of in made.items() for one in all_of}
    rows = [
        [o.id, o.claim, *(text(page.verdict_cell(by_id.get((o.id, recipe)))) for recipe in made)]
        for o in OBSERVATIONS.values()
    ]
    return table(("", "the report's claim", *(f"{recipe} recipe" for recipe in made)), rows)


def comparisons(kept: Kept, made: list[Observed]) -> str:
    """Every comparison of a recipe with its interval, and one sentence on each observation."""
    lengths = sorted({arm.iterations for one in made for arm in one.arms.values() if arm.iterations}) or [0]
    size = " to ".join(phrases.count(n) for n in dict.fromkeys((lengths[0], lengths[-1])))
    what = f"{made[0].recipe.capitalize()} recipe, `{kept['command']}`, {kept['created'][:10]}: {size} iterations."
    head = f"{what} {machine(made[0].hardware)}.\n"
    rows = [[one.id, *row] for one in made for row in cells(page.outcome_table(one))]
    columns = ("", "claimed", ">first", ">second", ">difference", ">95 % interval", ">n", "verdict")
    items = "".join(f"- {one.id}: {explanation(one)}\n" for one in made)
    return "\n".join((head, table(columns, rows), items.replace(phrases.NBSP, " ")))


def cells(block: Block) -> list[list[str]]:
    """The cells of a table of the page as text."""
    return [[text(cell) for cell in row.cells] for row in block.rows]


def text(cell: str | Cell) -> str:
    """A cell without its link; the most important one of its row in bold."""
    if isinstance(cell, str):
        return cell
    return f"**{cell.text}**" if cell.strong else cell.text
