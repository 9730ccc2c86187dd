"""`results.json` as typed objects: what the report reads, and nothing else."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...errors import UserError
from ...report.phrases import Stat

SCHEMA = 1
EXPERIMENTS = {
    "B1": "ConvNet",
    "B2": "MobileNet",
    "B3": "ResNet",
    "R1": "proposal classifier",
    "R2": "proposal regressor",
    "F2": "detector, ConvNet base",
    "F3": "detector, MobileNet base",
    "F4": "detector, ResNet base",
    "F1M": "detector, ROI max pooling",
}
RECIPES = ("pocket", "course")

T = TypeVar("T")


@dataclass(frozen=True)
class Published:
    """The report's value, whether larger or smaller is better, and whether ours beats it."""

    value: float
    better: str
    beaten: bool


@dataclass(frozen=True)
class Layer:
    """One layer with its costs for one image; `output` is height and width in cells."""

    name: str
    stage: str
    kind: str
    kernel: Sequence[int]
    in_channels: int
    out_channels: int
    output: Sequence[int]
    multiplications: int
    parameters: int
    trained: bool = True


@dataclass(frozen=True)
class Curve:
    """A measure over the iterations: x [N], y one row of N values for each seed."""

    x: Sequence[float]
    y: Sequence[Sequence[float]]

    @property
    def mean(self) -> list[float]:
        """The mean over the seeds, [N]."""
        return [sum(column) / len(column) for column in zip(*self.y, strict=True)]


@dataclass(frozen=True)
class Record:
    """One experiment under one recipe."""

    id: str
    title: str
    recipe: str
    iterations: int
    batch: int
    seeds: Sequence[int]
    data: Mapping[str, str]
    """Names of the data sets `train` and `test`; empty in files from before they were written down."""
    metrics: Mapping[str, Stat]
    headline: str
    published: Published | None
    seconds: Stat
    multiplications: int
    parameters: int
    layers: Sequence[Layer]
    curves: Mapping[str, Curve]
    pictures: Mapping[str, Any]
    command: str
    versions: Mapping[str, str]
    hardware: Mapping[str, Any]

    @property
    def value(self) -> Stat:
        """The headline metric."""
        return self.metrics[self.headline]

    @property
    def step_ms(self) -> float:
        """Training time of one iteration in milliseconds."""
        return 1000 * self.seconds.mean / self.iterations


@dataclass(frozen=True)
class Results:
    """The whole file."""

    version: str
    created: str
    data: str
    schedule: str
    command: str
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds_total: float
    peak_memory_gb: float | None
    """None where no run says it."""
    records: Sequence[Record]

    @property
    def comparable(self) -> bool:
        """Whether any number may stand beside the report's: only those on the whole of CIFAR-10.

        Beside scenes from a folder not even the base networks are compared, though their images are CIFAR-10's.
        """
        return self.data == "cifar10" and any(record.published for record in self.records)

    def adding(self, ids: str) -> str:
        """The command that adds experiments to these results: the one that made them, with another `--only`."""
        words = shlex.split(self.command)
        if "--only" in words:
            del words[(place := words.index("--only")) : place + 2]
        return shlex.join([*(word for word in words if not word.startswith("--only=")), "--only", ids])

    def find(self, *ids: str) -> list[Record]:
        """The records of these experiments, one recipe after the other, each in the order of the ids."""
        found = [(record.recipe, ids.index(record.id), record) for record in self.records if record.id in ids]
        order = {recipe: place for place, recipe in enumerate(RECIPES)}
        return [record for *_, record in sorted(found, key=lambda f: (order.get(f[0], len(order)), f[0], f[1]))]

    @property
    def recipes(self) -> list[str]:
        """The recipes that were run, ours first."""
        return list(dict.fromkeys(record.recipe for record in self.find(*{r.id: None for r in self.records})))


def read(results: Mapping[str, Any]) -> Results:
    """`results.json`, already parsed. Raises UserError for another schema or a missing part."""
    if results.get("schema") != SCHEMA:
        raise UserError(
            f"results.json has schema {results.get('schema')!r}, this report reads schema {SCHEMA}: "
            "run `pocketrcnn reproduce` with this version again"
        )
    experiments = _part(lambda raw: list(raw["experiments"]), results, "the top level")
    records = [_part(_record, raw, f"experiment {place}") for place, raw in enumerate(experiments, 1)]
    return _part(lambda raw: _results(raw, records), results, "the top level")


def _part(build: Callable[[Any], T], raw: Any, where: str) -> T:
    try:
        return build(raw)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"results.json, {where}: missing or of another form: {error}; remove the file and run "
            "`pocketrcnn reproduce` again, finished runs are kept"
        ) from error


def _known(kind: type[T], raw: Any) -> T:
    """Build a dataclass from the fields that it has; what else a record says is for other readers."""
    names = (field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
    return kind(**{name: raw[name] for name in names if name in raw})


def _results(raw: Any, records: list[Record]) -> Results:
    names = ("version", "created", "data", "schedule", "command", "hardware", "versions")
    return Results(
        **{name: raw[name] for name in names},
        seconds_total=raw["seconds_total"],
        peak_memory_gb=raw["peak_memory_gb"],
        records=records,
    )


def _record(raw: Any) -> Record:
    plain = ("id", "title", "recipe", "iterations", "batch", "seeds", "headline", "multiplications", "parameters")
    own = ("command", "versions", "hardware")
    return Record(
        **{name: raw[name] for name in (*plain, *own)},
        metrics={name: _known(Stat, stat) for name, stat in raw["metrics"].items()},
        published=None if raw["report"] is None else _known(Published, raw["report"]),
        seconds=_known(Stat, raw["seconds"]),
        layers=[_known(Layer, layer) for layer in raw["layers"]],
        curves={name: _known(Curve, curve) for name, curve in raw["curves"].items()},
        pictures=raw.get("pictures", {}),
        data=raw.get("data", {}),
    )
