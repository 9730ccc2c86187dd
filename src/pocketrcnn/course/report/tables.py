"""Tables that several sections share: the metrics of a record, and the costs of its layers."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from ...model.architectures import Layer
from ...report import phrases
from ...report.blocks import Cell, Row, Table
from ...report.prose import Prose
from . import metrics
from .records import Record

prose = Prose(__name__, "tables.md")


def record_table(caption: str, columns: Sequence[str], records: Sequence[Record]) -> Table:
    """A line a record, by the titles in COLUMNS. Without published values where no record has one."""
    if not any(record.published for record in records):
        columns = [title for title in columns if title not in PUBLISHED]
    return Table(caption, columns, [Row([COLUMNS[title](record) for title in columns]) for record in records])


def run_table(records: Sequence[Record]) -> Table:
    """The headline metric of an experiment and what it cost, one line a recipe."""
    columns = (
        "recipe", "#ours", "#published", "#seeds", "#iterations", "#batch", "#training time", "#one iteration",
        "#multiplications", "#parameters",
    )  # fmt: skip
    table = record_table(prose("run", id=records[0].id, trained_on=_trained_on(records)), columns, records)
    name = f"#{metrics.NAMES[records[0].headline]}"
    return replace(table, columns=[name if title == "#ours" else title for title in table.columns])


def _trained_on(records: Sequence[Record]) -> list[str]:
    """The training data, recipe by recipe where they differ; nothing for files that do not say."""
    names = {record.recipe: record.data["train"] for record in records if "train" in record.data}
    if len(set(names.values())) > 1:
        return [f"{name} ({recipe} recipe)" for recipe, name in names.items()]
    return list(names.values())[:1]


COLUMNS: Mapping[str, Callable[[Record], str | Cell]] = {
    "experiment": lambda r: Cell(f"{r.id} {r.title}", r.id.lower()),
    "network": lambda r: f"{r.id} {r.title}",
    "recipe": lambda r: r.recipe,
    "metric": lambda r: metrics.NAMES[r.headline],
    "#ours": lambda r: Cell(metrics.shown(r.headline, r.value), strong=True),
    "#test accuracy": lambda r: metrics.shown(r.headline, r.value),
    "#published": lambda r: metrics.published_value(r.headline, r.published.value) if r.published else "–",
    "beaten": lambda r: "–" if r.published is None else "yes" if r.published.beaten else "no",
    "#difference": lambda r: metrics.margin(r.headline, r.value.mean, r.published.value) if r.published else "–",
    "#seeds": lambda r: str(r.value.n),
    "#iterations": lambda r: phrases.count(r.iterations),
    "#batch": lambda r: phrases.count(r.batch),
    "#training time": lambda r: phrases.spread_seconds(r.seconds),
    "#one iteration": lambda r: f"{r.step_ms:.1f} ms",
    "#multiplications": lambda r: phrases.count(r.multiplications),
    "#parameters": lambda r: phrases.count(r.parameters),
    "#accuracy per million": lambda r: f"{r.accuracy_per_million:.2f} points",
}
PUBLISHED = ("#published", "beaten", "#difference")


def proposal_tables(records: Sequence[Record]) -> list[Table]:
    """How well the cells are classified and how good the best proposals are, one line a recipe."""
    tables, whose = [], ("recipe", "#seeds")
    known = [(record, metrics.with_pixels(record.metrics)) for record in records]
    for text, names in (("cells", metrics.CELLS), ("boxes", metrics.BOXES)):
        shown = [name for name in names if any(name in values and name != r.headline for r, values in known)]
        rows = [
            Row(
                [
                    *(COLUMNS[title](record) for title in whose),
                    *(metrics.shown(n, values[n]) if n in values else "–" for n in shown),
                ]
            )
            for record, values in known
        ]
        columns = [*whose, *(f"#{names[name]}" for name in shown)]
        tables += [Table(prose(text, id=records[0].id), columns, rows)] if shown else []
    return tables


def layer_table(record: Record, folded: bool = False) -> Table | None:
    """Multiplications and parameters of every layer, summed up by stage; None where the layers are not listed."""
    if not record.layers:
        return None
    stages = groupby(record.layers, lambda layer: layer.stage)
    rows = [row for stage, layers in stages for row in _stage(record, stage, [*layers])]
    rest = record.parameters - sum(layer.parameters for layer in record.layers)
    if rest:
        rows.append(Row(["BatchNorm", "scale and shift", "", "", "", *_costs(record, 0, rest)]))
    rows.append(Row(["all", "", "", "", "", *_costs(record, record.multiplications, record.parameters)], "total"))
    columns = ["layer", "kind", "#kernel", "#channels", "#output", "#multiplications", "#share", "#parameters"]
    fixed = [_short(layer.name) for layer in record.layers if not layer.trained]
    caption = prose("layers", id=record.id, recipe=record.recipe, fixed=fixed)
    return Table(caption, columns, rows, f"Layers of {record.id}, with their costs" if folded else "")


def _stage(record: Record, stage: str, layers: list[Layer]) -> list[Row]:
    if len(layers) == 1:
        return [_layer(record, layers[0], "")]
    costs = _costs(record, sum(map(counted, layers)), sum(layer.parameters for layer in layers))
    head = Row([stage, f"{len(layers)} layers", "", "", "", *costs], "group")
    return [head, *(_layer(record, layer, "member") for layer in layers)]


def _short(name: str) -> str:
    """Without the indices of containers of one: `conv1.depthwise.0` -> `conv1.depthwise`."""
    return re.sub(r"(\.0)+$", "", name)


def _layer(record: Record, layer: Layer, kind: str) -> Row:
    cost = counted(layer)
    kernel, output = (" × ".join(map(str, sides)) if cost else "–" for sides in (layer.kernel, layer.output))
    channels = f"{layer.in_channels} → {layer.out_channels}"
    return Row(
        [_short(layer.name), layer.kind, kernel, channels, output, *_costs(record, cost, layer.parameters)], kind
    )


def _costs(record: Record, multiplications: int, parameters: int) -> list[str]:
    """Cells: multiplications and their share, dashes for 0, and parameters."""
    share = phrases.percent(multiplications / record.multiplications, 1)
    counts = [phrases.count(multiplications), share] if multiplications else ["–", "–"]
    return [*counts, phrases.count(parameters)]


def counted(layer: Layer) -> int:
    """The multiplications that the course counts: those of convolutions."""
    return 0 if layer.kind == "linear" else layer.multiplications


def stages(record: Record) -> dict[str, int]:
    """Multiplications by stage, in order, without stages that have none."""
    sums = Counter[str]()
    for layer in record.layers:
        sums[layer.stage] += counted(layer)
    return {stage: cost for stage, cost in sums.items() if cost}
