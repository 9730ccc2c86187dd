"""The options of `pocketrcnn sweep`: those of `train`, of which `--set` may name several values. No torch here."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ...errors import UserError, require
from ..options import Anchors, TrainOptions

if TYPE_CHECKING:
    from .space import Space

VALUES = (
    "values of a setting to try: a list (optim.lr=0.002,0.005), or a range (optim.lr=0.001..0.01, or on a logarithmic "
    "scale optim.lr=0.001..0.01,log), from which Optuna chooses; one value holds for all; of "
    "several lists all combinations"
)
TRIALS = "trials in all (default: all combinations of lists; a range needs it; fewer than there are: chosen at random)"
EACH = "N runs a trial that differ in the seed alone (SEED, SEED + 1, ..): trials are compared by their mean"
FOLDER = "folder of the sweep (default: runs/NAME-sweep of the data); the same command joins in there"
SIDE_BY_SIDE = "with --iterations: trials at a time, a process of one thread each (default: what is faster)"
LARGEST_GRID = 1000  # trials that are not asked for by their number
FREE = ("trials", "workers", "out", "device", "tensorboard", "threads")
"""What may differ between the calls of a sweep: it changes no trial that there is."""


@dataclass(frozen=True, kw_only=True)
class SweepOptions(TrainOptions):
    """What `sweep` is given. minutes, iterations: of each run. trials: how many, see `Space`."""

    function: ClassVar[str] = "sweep"
    minutes: Annotated[float | None, "M", "time for each run (default: 5)"] = None
    iterations: Annotated[int | None, "N", "train each run for N iterations instead of a time"] = None
    out: Annotated[Path | None, "SWEEP", FOLDER] = None
    seeds: Annotated[int | None, "N", EACH] = None
    workers: Annotated[int | None, "N", SIDE_BY_SIDE] = None
    settings: Annotated[tuple[str, ...], "--set", "NAME=VALUES", VALUES] = ()
    trials: Annotated[int | None, "N", TRIALS] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        space = self.space
        require(self.trials is None or self.trials >= 1, f"--trials {self.trials}: use 1 or more")
        if self.trials is None and space.ranges:
            name = space.ranges[0].name
            raise UserError(f"--set {name}: a range has no end of values, say how many trials: add --trials 20")
        many = f"--set: these are {self.planned:,} combinations: name fewer values, or add --trials N to try N of them"
        require(self.trials is not None or self.planned <= LARGEST_GRID, many)

    def require_workers(self) -> None:
        """Raises UserError where trials are given minutes and are to be trained side by side."""
        whole = f"--workers {self.workers}: leave it out, runs of minutes have the whole machine, or use --iterations"
        require(self.workers is None or self.iterations is not None, whole)

    @property
    def space(self) -> Space:
        """What is varied. Raises UserError where a setting cannot be read."""
        from .space import space_of  # with YAML, which no other command needs to print its help

        return space_of(self.settings)

    @property
    def planned(self) -> int:
        """How many trials there are in all."""
        return self.space.planned(self.trials)

    @property
    def identity(self) -> str:
        """The options as a call, without those that may change from call to call: who differs is another sweep."""
        return dataclasses.replace(self, data=self.data.resolve()).call_without(*FREE)

    def trial(self, settings: tuple[str, ...], **changes: Any) -> TrainOptions:
        """The options of `train` for a trial with these settings. changes: other options."""
        kept = {field.name: getattr(self, field.name) for field in dataclasses.fields(TrainOptions)}
        return TrainOptions(**kept | {"settings": settings, "workers": None, "threads": None, "command": ""} | changes)

    def saved(self) -> dict[str, Any]:
        """As JSON holds it."""
        return dataclasses.asdict(self) | {
            "data": str(self.data.resolve()),
            "out": None,
            "device": "auto",
            "threads": None,
        }


def from_saved(content: dict[str, Any]) -> SweepOptions:
    """What `saved` made. Raises TypeError or UserError where it is something else."""
    anchors: Anchors | None = content["anchors"] and tuple((width, height) for width, height in content["anchors"])
    lists = {"data": Path(content["data"]), "settings": tuple(content["settings"]), "anchors": anchors}
    return SweepOptions(**content | lists)


def command_of(options: TrainOptions) -> str:
    """`pocketrcnn train` with these options, as it is typed."""
    words = ["pocketrcnn", "train", str(options.data)]
    for field in dataclasses.fields(options):
        value, flag = getattr(options, field.name), f"--{field.name.replace('_', '-')}"
        if value == field.default or field.name in ("data", "command"):
            continue
        if field.name == "settings":
            words += [word for one in value for word in ("--set", one)]
        elif field.name == "anchors":
            words += [flag, ",".join(f"{width:g}x{height:g}" for width, height in value)]
        else:
            words += [flag] if value is True else [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
