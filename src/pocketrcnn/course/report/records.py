"""`results.json` as typed objects: what `reproduce` writes, and what its report reads."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from ...errors import UserError
from ...model.architectures import Layer
from ...report.phrases import Stat
from ...training import schema1
from ..experiments import EXPERIMENTS, RECIPES
from ..observations import ARMS
from ..verdicts import Outcome, Verdict

SCHEMA = 1
RESULTS, REPORT = "results.json", "report.html"
"""What `reproduce` writes into its output folder."""


@dataclass(frozen=True)
class Compared:
    """The report's value, whether `higher` or `lower` is better, and whether ours beats it."""

    value: float
    better: str
    beaten: bool


@dataclass(frozen=True)
class Curve:
    """A measure over the iterations: x [N], y one row of N values for each seed."""

    x: Sequence[int]
    y: Sequence[Sequence[float]]

    @property
    def mean(self) -> list[float]:
        """The mean over the seeds, [N]."""
        return [sum(column) / len(column) for column in zip(*self.y, strict=True)]


class Record(msgspec.Struct, frozen=True, kw_only=True, rename={"published": "report"}):
    """One experiment under one recipe. Older files lack what has a default."""

    id: str
    title: str
    network: str = ""
    recipe: str
    iterations: int
    batch: int
    seeds: Sequence[int]
    data: Mapping[str, str] = msgspec.field(default_factory=dict)  # names of the data sets `train` and `test`
    metrics: Mapping[str, Stat]
    headline: str
    published: Compared | None
    seconds: Stat
    multiplications: int
    parameters: int
    layers: Sequence[Layer] = ()
    curves: Mapping[str, Curve] = msgspec.field(default_factory=dict)
    pictures: Mapping[str, Any] = msgspec.field(default_factory=dict)
    command: str
    versions: Mapping[str, Any]
    hardware: Mapping[str, Any]

    @property
    def value(self) -> Stat:
        """The headline metric."""
        return self.metrics[self.headline]

    @property
    def step_ms(self) -> float:
        """Training time of one iteration in milliseconds."""
        return 1000 * self.seconds.mean / self.iterations

    @property
    def accuracy_per_million(self) -> float:
        """Percentage points of accuracy for a million multiplications."""
        return 100 * self.value.mean / (self.multiplications / 1e6)

    def curve(self, name: str) -> Curve | None:
        """A curve by its name; None where the record has no point of it."""
        curve = self.curves.get(name)
        return curve if curve and curve.x else None


class ObservedArm(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one arm: what it is, in words and settings, and its measures seed by seed."""

    words: str
    experiment: str
    settings: Mapping[str, Any]
    iterations: int
    multiplications: int
    measures: Mapping[str, Sequence[float]]


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """An observation of the report under one recipe: its verdict, and the runs behind it."""

    id: str
    claim: str
    recipe: str
    verdict: Verdict
    seeds: int
    """Runs of an arm; of a timed observation, rounds."""
    outcomes: Sequence[Outcome]
    arms: Mapping[str, ObservedArm]
    command: str
    versions: Mapping[str, Any]
    hardware: Mapping[str, Any]

    @property
    def missing(self) -> list[Outcome]:
        """Comparisons without a measurement."""
        return [one for one in self.outcomes if one.verdict == "not measured"]


class Results(msgspec.Struct, frozen=True, kw_only=True, rename={"records": "experiments"}):
    """The whole file."""

    schema: int = SCHEMA
    version: str
    created: str
    data: str
    schedule: str
    command: str
    hardware: Mapping[str, Any]
    versions: Mapping[str, Any]
    seconds_total: float
    peak_memory_gb: float | None  # None where no run says it
    records: Sequence[Record]
    observations: Sequence[Observed] = ()

    @property
    def comparable(self) -> bool:
        """Whether any number may stand beside the report's: only those on the whole of CIFAR-10.

        Beside scenes from a folder not even the base networks are compared, though their images are CIFAR-10's.
        """
        return self.data == "cifar10" and any(record.published for record in self.records)

    def adding(self, ids: str, recipe: str = "") -> str:
        """The command that adds to these results: the one that made them, with another `--only`, and another recipe."""
        words = shlex.split(self.command)
        for option, value in {"--only": ids, "--recipe": recipe}.items():
            if value and option in words:
                del words[(start := words.index(option)) : start + 2]
            if value:
                words = [*(word for word in words if not word.startswith(f"{option}=")), option, value]
        return shlex.join(words)

    def find(self, *ids: str) -> list[Record]:
        """The records of these experiments, in the order of the file."""
        return [record for record in self.records if record.id in ids]


def by_recipe(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records in the order of `read`, by recipe."""
    return {recipe: list(group) for recipe, group in groupby(records, key=lambda record: record.recipe)}


def read(results: Mapping[str, Any]) -> Results:
    """`results.json`, already parsed: our recipe first, each recipe in the order of the course.

    Published values are kept only where the results are `comparable`. Raises UserError for another schema or a
    missing part.
    """
    if (schema := results.get("schema")) != SCHEMA:
        raise UserError(
            f"results.json has schema {schema!r}, this report reads schema {SCHEMA}: "
            "run `pocketrcnn reproduce` with this version again"
        )
    try:
        known = msgspec.convert(schema1.current_names(results), Results)
    except msgspec.ValidationError as error:
        number = re.search(r"experiments\[(\d+)\]", str(error))
        where = f"experiment {int(number[1]) + 1}" if number else "the top level"
        raise UserError(
            f"results.json, {where}: missing or of another form: {error}; remove the file and run "
            "`pocketrcnn reproduce` again, finished runs are kept"
        ) from error
    named = {record.recipe for record in known.records} | {one.recipe for one in known.observations}
    recipes = [*RECIPES, *sorted(named - {*RECIPES})]
    order = {id: position for position, id in enumerate(EXPERIMENTS)}
    records = sorted(known.records, key=lambda r: (recipes.index(r.recipe), order.get(r.id, len(order))))
    if not known.comparable:
        records = [msgspec.structs.replace(record, published=None) for record in records]
    observations = [
        msgspec.structs.replace(one, arms={name: one.arms[name] for name in ARMS if name in one.arms})
        for one in sorted(known.observations, key=lambda o: (o.id, recipes.index(o.recipe)))
    ]
    return msgspec.structs.replace(known, records=records, observations=observations)
