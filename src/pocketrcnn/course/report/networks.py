"""B4: the base networks B1, B2 and B3 side by side."""

import math
from collections.abc import Sequence
from itertools import pairwise

from ...report import phrases
from ...report.blocks import Block, Figure, Items, Key, Panel, Section, Text
from ...report.charts import Bar, bar_chart
from ...report.colours import GREEN, ORANGE
from ...report.prose import Prose
from . import tables
from .charts import shades, stacked_chart
from .records import Record, Results, by_recipe

NETWORKS = ("B1", "B2", "B3")
CLASSIFIERS = (*NETWORKS, "B5")
COLUMNS = (
    "network", "#test accuracy", "#seeds", "#training time", "#one iteration", "#multiplications", "#parameters",
    "#accuracy per million",
)  # fmt: skip
prose = Prose(__name__, "networks.md")


def compare(results: Results) -> Section:
    """B4: accuracy, time and multiplications of the networks that were run under the same recipe."""
    blocks: list[Block] = []
    for recipe, records in by_recipe(results.find(*NETWORKS)).items():
        if len(records) > 1:
            table = tables.record_table(prose("table", recipe=recipe), COLUMNS, records)
            blocks += [table, _figure(records), Items(explain(records))]
    if not blocks:
        blocks = [Text([prose("B4 is missing", command=results.adding("B1,B2,B3"))], "note")]
    return Section("b4", "B4: the networks side by side", blocks, short="B4")


def _figure(records: Sequence[Record]) -> Figure:
    names = list(dict.fromkeys(stage for r in records for stage in tables.stages(r)))
    keys = [Key(name, colour, "square") for name, colour in zip(names, shades(len(names)), strict=True)]
    caption = prose(
        "figure",
        best=max(records, key=lambda r: r.value.mean),
        fastest=min(records, key=lambda r: r.step_ms),
        dearest=max(records, key=lambda r: r.multiplications),
        thrifty=max(records, key=lambda r: r.accuracy_per_million),
    )
    accuracies = [Bar(r.title, 100 * r.value.mean, 100 * r.value.std, f"{100 * r.value.mean:.1f}") for r in records]
    times = [Bar(r.title, r.step_ms, 0, f"{r.step_ms:.0f}", ORANGE) for r in records]
    yields = [Bar(r.title, r.accuracy_per_million, 0, f"{r.accuracy_per_million:.1f}", GREEN) for r in records]
    panels = [
        _bars("Test accuracy", accuracies, "%"),
        _bars("One iteration of training", times, "ms"),
        *([_cost_panel(records, names)] if names else []),
        _bars("Points of accuracy per million multiplications", yields, ""),
    ]
    return Figure(f"Accuracy, time and multiplications, {records[0].recipe} recipe", caption, panels, keys)


def _bars(heading: str, bars: Sequence[Bar], unit: str) -> Panel:
    values = "; ".join(f"{bar.name} {bar.text} {unit}".strip() for bar in bars)
    return Panel(bar_chart(bars, unit), f"Bar chart, {heading.lower()}: {values}.", heading)


def _cost_panel(records: Sequence[Record], names: Sequence[str]) -> Panel:
    costs = [[tables.stages(record).get(name, 0) / 1e6 for name in names] for record in records]
    uri = stacked_chart([r.title for r in records], names, costs)
    values = "; ".join(f"{r.title} {phrases.millions(r.multiplications)}" for r in records)
    alt = f"Stacked bar chart, multiplications for an image by stage: {values}."
    return Panel(uri, alt, "Multiplications for an image")


def explain(records: Sequence[Record]) -> list[str]:
    """What the numbers say, in sentences whose order and direction are computed from them."""
    made = (_order(records), _costs(records), _why(records), _where(records), _return(records))
    return [text for text in made if text]


def _order(records: Sequence[Record]) -> str:
    ranked = sorted(records, key=lambda r: -r.value.mean)
    steps = [
        f"{a.title} is {phrases.points(a.value.mean, b.value.mean)} {b.title} "
        f"({phrases.apart(a.title, a.value, b.title, b.value)})"
        for a, b in pairwise(ranked)
    ]
    return prose("order", ranked=[f"{r.title} ({phrases.percent(r.value.mean, 1)})" for r in ranked], steps=steps)


def _costs(records: Sequence[Record]) -> str:
    light, *heavier = sorted(records, key=lambda r: r.multiplications)
    others = []
    for r in heavier:
        times = phrases.ratio(r.multiplications, light.multiplications)
        others.append(
            prose("other cost", title=r.title, times=times, as_long=phrases.as_long(r.step_ms, light.step_ms))
        )
    return prose("costs", light=light, others=others)


def _why(records: Sequence[Record]) -> str:
    """Time against multiplications, and the reuse of numbers (multiplications for each value written) behind it."""
    light, heavy = min(records, key=lambda r: r.multiplications), max(records, key=lambda r: r.multiplications)
    work, time = heavy.multiplications / light.multiplications, heavy.step_ms / light.step_ms
    if not phrases.compare(work, time, "more", "less", ""):
        return prose("same growth", light=light, heavy=heavy)
    slow, fast = (light, heavy) if work > time else (heavy, light)
    times = phrases.ratio(work, time)
    text = prose("growth", light=light, heavy=heavy, work=work, time=time, slow=slow, fast=fast, times=times)
    return f"{text} {_reuse(slow, fast)}".rstrip()


def _reuse(slow: Record, fast: Record) -> str:
    """The usual reason for slow multiplications, given only where the layers confirm it."""
    written = [
        sum(math.prod(layer.output) * layer.out_channels for layer in record.layers if tables.counted(layer))
        for record in (slow, fast)
    ]
    if not all(written):
        return ""
    few, many = (r.multiplications / values for r, values in zip((slow, fast), written, strict=True))
    kernels = [layer.kernel for layer in slow.layers if layer.kind == "depthwise" and layer.kernel]
    depthwise = min((kernel[0] * kernel[-1] for kernel in kernels), default=0)
    return prose("reuse", slow=slow, fast=fast, few=few, many=many, depthwise=depthwise) if few < many else ""


def _where(records: Sequence[Record]) -> str:
    parts = []
    for record in records:
        if stages := tables.stages(record):
            name, cost = max(stages.items(), key=lambda stage: stage[1])
            parts.append(f"{record.title} in {name} ({phrases.percent(cost / record.multiplications, 1)})")
    return prose("costliest", stages=parts) if parts else ""


def _return(records: Sequence[Record]) -> str:
    ranked = sorted(records, key=lambda r: r.accuracy_per_million)
    return prose("return", best=ranked[-1], worst=ranked[0])
