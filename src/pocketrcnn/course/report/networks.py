"""Base networks: one section each for B1, B2 and B3, and B4, which sets them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...report import charts, phrases
from ...report.blocks import Block, Figure, Items, Key, Panel, Row, Section, Table, Text
from . import curves, tables
from .records import EXPERIMENTS, Record, Results

ABOUT = {
    "B1": "Five convolutions (5 × 5 four times, then 3 × 3) with 32, 64, 128, 256 and 512 channels. Each keeps "
    "the resolution, has no bias, and is followed by BatchNorm, ReLU and a maximum over 2 × 2 pixels. What is "
    "left of the 32 × 32 pixels is one cell with 512 channels, from which a linear layer tells the ten classes "
    "apart.",
    "B2": "The network of B1 with its first four convolutions taken apart: a 5 × 5 convolution within each "
    "channel (depthwise), BatchNorm, ReLU, then a 1 × 1 convolution across the channels (pointwise), BatchNorm, "
    "ReLU. Space and channels are mixed one after the other instead of together.",
    "B3": "The network of B1 with its first four convolutions replaced by residual blocks: 3 × 3, BatchNorm, "
    "ReLU, 3 × 3, BatchNorm on the main path, a 1 × 1 convolution with BatchNorm on the shortcut, their sum, ReLU.",
}
NOTES = {
    "B3": "The multiplications that the report printed for this network are wrong, see the errata below: "
    "it counted 44,921,856 where there are 59,179,008.",
}


def sections(results: Results) -> list[Section]:
    """B1, B2, B3 and B4, present or not."""
    return [*(base(results, id) for id in ABOUT), compare(results)]


def missing(results: Results, id: str, title: str) -> Section:
    """One line in place of a section without data."""
    text = f"{id} is not among these results. `{results.adding(id)}` adds it."
    return Section(id.lower(), title, [Text([text], "note")], short=id)


def base(results: Results, id: str) -> Section:
    """One network: what it is, its figures, its curves, its layers."""
    title = f"{id}: {EXPERIMENTS[id]}"
    records = results.find(id)
    if not records:
        return missing(results, id, title)
    blocks: list[Block | None] = [
        Text([ABOUT[id], *([NOTES[id]] if id in NOTES else [])]),
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
        text = f"A comparison needs two networks under one recipe. `{results.adding('B1,B2,B3')}` makes it."
        return Section("b4", title, [Text([text], "note")], short="B4")
    blocks: list[Block] = []
    for records in groups:
        blocks += [_table(records), _figure(records), Items(explain(records))]
    return Section("b4", title, blocks, short="B4")


def _of_recipe(results: Results, recipe: str) -> list[Record]:
    return [record for record in results.find(*ABOUT) if record.recipe == recipe]


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
    caption = (
        f"The base networks under the {records[0].recipe} recipe. The last column divides the accuracy, in "
        "percentage points, by the millions of multiplications for one image."
    )
    return Table(caption, columns, rows)


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
    best, fastest = max(records, key=lambda r: r.value.mean), min(records, key=lambda r: r.step_ms)
    dearest, thrifty = max(records, key=lambda r: r.multiplications), max(records, key=_yield)
    return (
        f"{best.title} is the most accurate, {fastest.title} the fastest in an iteration, {dearest.title} needs "
        f"the most multiplications, and {thrifty.title} has the most accuracy for each of them. The shades of the "
        "third chart are the stages of a network, from the first (light) to the last (dark)."
    )


def _accuracy_panel(records: Sequence[Record]) -> Panel:
    bars = [
        charts.Bar(r.title, 100 * r.value.mean, 100 * r.value.std * (r.value.n > 1), f"{100 * r.value.mean:.1f}")
        for r in records
    ]
    return _bars("Test accuracy", bars, "%")


def _time_panel(records: Sequence[Record]) -> Panel:
    bars = [charts.Bar(r.title, r.step_ms, 0, f"{r.step_ms:.0f}", charts.ORANGE) for r in records]
    return _bars("One iteration of training", bars, "ms")


def _yield_panel(records: Sequence[Record]) -> Panel:
    bars = [charts.Bar(r.title, _yield(r), 0, f"{_yield(r):.1f}", charts.GREEN) for r in records]
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
    """What the figures say, in sentences whose numbers, order and direction are computed from them."""
    return [
        text for text in (_order(records), _costs(records), _why(records), _where(records), _return(records)) if text
    ]


def _order(records: Sequence[Record]) -> str:
    ranked = sorted(records, key=lambda r: -r.value.mean)
    steps = [
        f"{a.title} is {phrases.points(a.value.mean, b.value.mean)} {b.title} "
        f"({phrases.apart(a.title, a.value, b.title, b.value)})"
        for a, b in pairwise(ranked)
    ]
    named = phrases.listed([f"{r.title} ({phrases.percent(r.value.mean, 1)})" for r in ranked])
    return f"Accuracy, best first: {named}. {'. '.join(steps)}."


def _costs(records: Sequence[Record]) -> str:
    light = min(records, key=lambda r: r.multiplications)
    others = [r for r in records if r is not light]
    parts = [
        f"{r.title} {phrases.ratio(r.multiplications, light.multiplications)} times as many, and an iteration takes it "
        f"{phrases.as_long(r.step_ms, light.step_ms)}"
        for r in others
    ]
    return (
        f"{light.title} needs the fewest multiplications, {phrases.millions(light.multiplications)} for an image, and "
        f"{light.step_ms:.0f} ms an iteration; {'; '.join(parts)}."
    )


def _why(records: Sequence[Record]) -> str:
    """Time against multiplications, and the reuse of numbers (multiplications for each value written) behind it."""
    light, heavy = min(records, key=lambda r: r.multiplications), max(records, key=lambda r: r.multiplications)
    work, time = heavy.multiplications / light.multiplications, heavy.step_ms / light.step_ms
    if not phrases.compare(work, time, "more", "less", ""):
        return f"From {light.title} to {heavy.title} time grows as the multiplications do."
    slow, fast = (light, heavy) if work > time else (heavy, light)
    return (
        f"From {light.title} to {heavy.title} the multiplications grow by a factor of {work:.1f} and the time by "
        f"one of {time:.1f}: a single multiplication takes {slow.title} {phrases.ratio(work, time)} times as long "
        f"as {fast.title}.{_reuse(slow, fast)}"
    )


def _reuse(slow: Record, fast: Record) -> str:
    """The usual reason for slow multiplications, told only where the layers bear it out."""
    written = [tables.values_written(record) for record in (slow, fast)]
    if not all(written):
        return ""
    few, many = (r.multiplications / values for r, values in zip((slow, fast), written, strict=True))
    if few >= many:
        return ""
    return (
        f" For each value that its convolutions write to memory, {slow.title} does {few:.0f} multiplications on "
        f"average and {fast.title} {many:.0f}{_depthwise(slow)}. The fewer there are, the larger is the part of "
        "the time that goes into moving numbers instead of multiplying them."
    )


def _depthwise(record: Record) -> str:
    layers = [layer for layer in record.layers if layer.kind == "depthwise" and layer.kernel]
    if not layers:
        return ""
    least = min(layer.kernel[0] * layer.kernel[-1] for layer in layers)
    return f"; in a depthwise convolution there are only {least}"


def _where(records: Sequence[Record]) -> str:
    parts = []
    for record in records:
        stages = tables.stages(record)
        if stages:
            name = max(stages, key=lambda stage: stages[stage])
            parts.append(f"{record.title} in {name} ({phrases.share(stages[name], record.multiplications)})")
    return f"The costliest stage of each network: {phrases.listed(parts)}." if parts else ""


def _return(records: Sequence[Record]) -> str:
    best, worst = max(records, key=_yield), min(records, key=_yield)
    return (
        f"A million multiplications go with {_yield(best):.1f} points of accuracy in {best.title} and with "
        f"{_yield(worst):.1f} in {worst.title}. The ratio favours small networks, since guessing alone scores 10 "
        "points without a multiplication; it tells how much is paid, and not what the last points cost."
    )
