"""Base networks: one section each for B1, B2 and B3, and B4, which sets them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...report import charts, phrases
from ...report.blocks import Block, Figure, Items, Key, Panel, Row, Section, Table, Text
from ...report.colours import GREEN, ORANGE
from ...report.prose import Prose
from . import curves, tables
from .records import EXPERIMENTS, Record, Results

NETWORKS = ("B1", "B2", "B3")
PRINTED, CORRECT = 44_921_856, 59_179_008  # multiplications of the ResNet, in the report and in truth
prose = Prose(__name__, "networks.md")


def sections(results: Results) -> list[Section]:
    """B1, B2, B3 and B4, present or not."""
    return [*(base(results, id) for id in NETWORKS), compare(results)]


def missing(results: Results, id: str, title: str) -> Section:
    """One line in place of a section without data."""
    text = prose("missing", id=id, command=results.adding(id))
    return Section(id.lower(), title, [Text([text], "note")], short=id)


def base(results: Results, id: str) -> Section:
    """One network: what it is, its figures, its curves, its layers."""
    title = f"{id}: {EXPERIMENTS[id]}"
    records = results.find(id)
    if not records:
        return missing(results, id, title)
    blocks: list[Block | None] = [
        Text(prose.paragraphs(id, printed=PRINTED, correct=CORRECT)),
        tables.run_table(results, records),
        *(_curves(results, record) for record in records),
        tables.layer_table(records[0]),
    ]
    return Section(id.lower(), title, [block for block in blocks if block], short=id)


def _curves(results: Results, record: Record) -> Figure | None:
    told = (
        curves.passing(results, record, curves.ACCURACY),
        curves.gap(record),
        curves.fall(record, "loss_total", "The training loss"),
    )
    heading = f"Accuracy and loss of {record.id}, {record.recipe} recipe"
    return curves.figure(results, record, heading, (curves.ACCURACY, curves.TRAINING_LOSS), curves.join(*told))


def compare(results: Results) -> Section:
    """B4: accuracy, time and multiplications of the networks that were run under the same recipe."""
    groups = [group for recipe in results.recipes if len(group := _of_recipe(results, recipe)) > 1]
    title = "B4: the networks side by side"
    if not groups:
        text = prose("B4 is missing", command=results.adding("B1,B2,B3"))
        return Section("b4", title, [Text([text], "note")], short="B4")
    blocks: list[Block] = []
    for records in groups:
        blocks += [_table(records), _figure(records), Items(explain(records))]
    return Section("b4", title, blocks, short="B4")


def _of_recipe(results: Results, recipe: str) -> list[Record]:
    return [record for record in results.find(*NETWORKS) if record.recipe == recipe]


def _table(records: Sequence[Record]) -> Table:
    columns = [
        "network", "#test accuracy", "#training time", "#one iteration", "#multiplications", "#parameters",
        "#accuracy per million",
    ]  # fmt: skip
    rows = [
        Row(
            [
                f"{r.id} {r.title}",
                phrases.metric(r.headline, r.value),
                phrases.spread_seconds(r.seconds),
                f"{r.step_ms:.1f} ms",
                phrases.count(r.multiplications),
                phrases.count(r.parameters),
                f"{_yield(r):.2f} points",
            ]
        )
        for r in records
    ]
    return Table(prose("table", recipe=records[0].recipe), columns, rows)


def _yield(record: Record) -> float:
    """Percentage points of accuracy for a million multiplications."""
    return 100 * record.value.mean / (record.multiplications / 1e6)


def _figure(records: Sequence[Record]) -> Figure:
    names = list(dict.fromkeys(stage for r in records for stage in tables.stages(r)))
    keys = [Key(name, colour, "square") for name, colour in zip(names, charts.shades(len(names)), strict=True)]
    panels = [_accuracy_panel(records), _time_panel(records), *([_cost_panel(records, names)] if names else [])]
    recipe = records[0].recipe
    return Figure(
        f"Accuracy, time and multiplications, {recipe} recipe",
        _caption(records),
        [*panels, _yield_panel(records)],
        keys,
    )


def _caption(records: Sequence[Record]) -> str:
    return prose(
        "figure",
        best=max(records, key=lambda r: r.value.mean),
        fastest=min(records, key=lambda r: r.step_ms),
        dearest=max(records, key=lambda r: r.multiplications),
        thrifty=max(records, key=_yield),
    )


def _accuracy_panel(records: Sequence[Record]) -> Panel:
    bars = [
        charts.Bar(r.title, 100 * r.value.mean, 100 * r.value.std * (r.value.n > 1), f"{100 * r.value.mean:.1f}")
        for r in records
    ]
    return _bars("Test accuracy", bars, "%")


def _time_panel(records: Sequence[Record]) -> Panel:
    bars = [charts.Bar(r.title, r.step_ms, 0, f"{r.step_ms:.0f}", ORANGE) for r in records]
    return _bars("One iteration of training", bars, "ms")


def _yield_panel(records: Sequence[Record]) -> Panel:
    bars = [charts.Bar(r.title, _yield(r), 0, f"{_yield(r):.1f}", GREEN) for r in records]
    return _bars("Points of accuracy per million multiplications", bars, "")


def _bars(heading: str, bars: Sequence[charts.Bar], unit: str) -> Panel:
    told = "; ".join(f"{bar.name} {bar.text} {unit}".strip() for bar in bars)
    return Panel(charts.bar_chart(bars, unit), f"Bar chart, {heading.lower()}: {told}.", heading)


def _cost_panel(records: Sequence[Record], names: Sequence[str]) -> Panel:
    values = [[tables.stages(record).get(name, 0) / 1e6 for name in names] for record in records]
    uri = charts.stacked_chart([r.title for r in records], names, values)
    told = "; ".join(f"{r.title} {phrases.millions(r.multiplications)}" for r in records)
    return Panel(
        uri, f"Stacked bar chart, multiplications for an image by stage: {told}.", "Multiplications for an image"
    )


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
    light = min(records, key=lambda r: r.multiplications)
    others = [
        prose(
            "other cost",
            title=r.title,
            times=phrases.ratio(r.multiplications, light.multiplications),
            as_long=phrases.as_long(r.step_ms, light.step_ms),
        )
        for r in records
        if r is not light
    ]
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
    return curves.join(text, _reuse(slow, fast))


def _reuse(slow: Record, fast: Record) -> str:
    """The usual reason for slow multiplications, given only where the layers confirm it."""
    written = [tables.values_written(record) for record in (slow, fast)]
    if not all(written):
        return ""
    few, many = (r.multiplications / values for r, values in zip((slow, fast), written, strict=True))
    kernels = [layer.kernel for layer in slow.layers if layer.kind == "depthwise" and layer.kernel]
    depthwise = min((kernel[0] * kernel[-1] for kernel in kernels), default=0)
    return prose("reuse", slow=slow, fast=fast, few=few, many=many, depthwise=depthwise) if few < many else ""


def _where(records: Sequence[Record]) -> str:
    parts = []
    for record in records:
        stages = tables.stages(record)
        if stages:
            name = max(stages, key=lambda stage: stages[stage])
            parts.append(f"{record.title} in {name} ({phrases.share(stages[name], record.multiplications)})")
    return prose("costliest", stages=parts) if parts else ""


def _return(records: Sequence[Record]) -> str:
    best, worst = max(records, key=_yield), min(records, key=_yield)
    return prose("return", best=best, worst=worst, best_yield=_yield(best), worst_yield=_yield(worst))
