"""Tables that several sections share: the metrics of a record, and the costs of its layers."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from ...model.architectures import Layer
from ...report import phrases
from ...report.blocks import Cell, Row, Table
from ...report.prose import Prose
from . import metrics
from .records import Record, Results

UNCOUNTED = "linear"  # the course counts convolutions only
prose = Prose(__name__, "tables.md")


def record_row(record: Record, columns: Sequence[str]) -> Row:
    """The cells of an experiment under one recipe, by the titles in COLUMNS."""
    return Row([COLUMNS[title](record) for title in columns])


def comparable(results: Results, table: Table) -> Table:
    """The table, without published values where these results cannot be compared with them."""
    return table if results.comparable else table.without(*PUBLISHED)


def run_table(results: Results, records: Sequence[Record]) -> Table:
    """The headline metric of an experiment and what it cost, one line a recipe."""
    columns = (
        "recipe", "#ours", "#published", "#seeds", "#iterations", "#batch", "#training time", "#one iteration",
        "#multiplications", "#parameters",
    )  # fmt: skip
    caption = prose("run", id=records[0].id, trained_on=_trained_on(records))
    titles = [f"#{metrics.NAMES[records[0].headline]}" if title == "#ours" else title for title in columns]
    return comparable(results, Table(caption, titles, [record_row(record, columns) for record in records]))


def _trained_on(records: Sequence[Record]) -> list[str]:
    """The training data, recipe by recipe where they differ; nothing for files that do not say."""
    names = {record.recipe: record.data["train"] for record in records if "train" in record.data}
    if len(set(names.values())) > 1:
        return [f"{name} ({recipe} recipe)" for recipe, name in names.items()]
    return list(names.values())[:1]


def accuracy_per_million(record: Record) -> float:
    """Percentage points of accuracy for a million multiplications."""
    return 100 * record.value.mean / (record.multiplications / 1e6)


def _published(record: Record) -> str:
    return metrics.published_value(record.headline, record.published.value) if record.published else "–"


def _beaten(record: Record) -> str:
    return "–" if record.published is None else "yes" if record.published.beaten else "no"


def _difference(record: Record) -> str:
    known = record.published
    return metrics.margin(record.headline, record.value.mean, known.value) if known else "–"


COLUMNS: Mapping[str, Callable[[Record], str | Cell]] = {
    "experiment": lambda r: Cell(f"{r.id} {r.title}", r.id.lower()),
    "network": lambda r: f"{r.id} {r.title}",
    "recipe": lambda r: r.recipe,
    "metric": lambda r: metrics.NAMES[r.headline],
    "#ours": lambda r: Cell(metrics.shown(r.headline, r.value), strong=True),
    "#test accuracy": lambda r: metrics.shown(r.headline, r.value),
    "#published": _published,
    "beaten": _beaten,
    "#difference": _difference,
    "#seeds": lambda r: str(r.value.n),
    "#iterations": lambda r: phrases.count(r.iterations),
    "#batch": lambda r: phrases.count(r.batch),
    "#training time": lambda r: phrases.spread_seconds(r.seconds),
    "#one iteration": lambda r: f"{r.step_ms:.1f} ms",
    "#multiplications": lambda r: phrases.count(r.multiplications),
    "#parameters": lambda r: phrases.count(r.parameters),
    "#accuracy per million": lambda r: f"{accuracy_per_million(r):.2f} points",
}
PUBLISHED = ("#published", "beaten", "#difference")


def proposal_tables(records: Sequence[Record]) -> list[Table]:
    """How well the cells are classified and how good the best proposals are, one line a recipe."""
    tables = []
    known = [(record, metrics.with_pixels(record.metrics)) for record in records]
    for text, names in (("cells", metrics.CELLS), ("boxes", metrics.BOXES)):
        shown = [name for name in names if any(name in values and name != r.headline for r, values in known)]
        rows = [
            Row([record.recipe, *(metrics.shown(n, values[n]) if n in values else "–" for n in shown)])
            for record, values in known
        ]
        columns = ["recipe", *(f"#{names[name]}" for name in shown)]
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
        rows.append(Row(["BatchNorm", "scale and shift", "", "", "", "–", "–", phrases.count(rest)]))
    total = [phrases.count(record.multiplications), "100.0" + phrases.NBSP + "%", phrases.count(record.parameters)]
    rows.append(Row(["all", "", "", "", "", *total], "total"))
    columns = ["layer", "kind", "#kernel", "#channels", "#output", "#multiplications", "#share", "#parameters"]
    fixed = [_short(layer.name) for layer in record.layers if not layer.trained]
    caption = prose("layers", id=record.id, recipe=record.recipe, fixed=fixed)
    return Table(caption, columns, rows, f"Layers of {record.id}, with their costs" if folded else "")


def _stage(record: Record, stage: str, layers: list[Layer]) -> list[Row]:
    if len(layers) == 1:
        return [_layer(record, layers[0], "")]
    cost, parameters = sum(map(counted, layers)), sum(layer.parameters for layer in layers)
    part = phrases.percent(cost / record.multiplications, 1)
    head = Row(
        [stage, f"{len(layers)} layers", "", "", "", phrases.count(cost), part, phrases.count(parameters)], "group"
    )
    return [head, *(_layer(record, layer, "member") for layer in layers)]


def _short(name: str) -> str:
    """Without the indices of containers of one: `conv1.depthwise.0` -> `conv1.depthwise`."""
    while name.endswith(".0"):
        name = name.removesuffix(".0")
    return name


def _layer(record: Record, layer: Layer, kind: str) -> Row:
    cost = counted(layer)
    return Row(
        [
            _short(layer.name),
            layer.kind,
            " × ".join(map(str, layer.kernel)) if counted(layer) else "–",
            f"{layer.in_channels} → {layer.out_channels}",
            " × ".join(map(str, layer.output)) if counted(layer) else "–",
            phrases.count(cost) if cost else "–",
            phrases.percent(cost / record.multiplications, 1) if cost else "–",
            phrases.count(layer.parameters),
        ],
        kind,
    )


def counted(layer: Layer) -> int:
    """The multiplications that the course counts."""
    return 0 if layer.kind == UNCOUNTED else layer.multiplications


def stages(record: Record) -> dict[str, int]:
    """Multiplications by stage, in order, without stages that have none."""
    sums: dict[str, int] = {}
    for layer in record.layers:
        sums[layer.stage] = sums.get(layer.stage, 0) + counted(layer)
    return {stage: cost for stage, cost in sums.items() if cost}


def values_written(record: Record) -> int:
    """Output values of all convolutions, for one image."""
    return sum(math.prod(layer.output) * layer.out_channels for layer in record.layers if counted(layer))
