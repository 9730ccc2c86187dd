"""`pocketrcnn.sweep`. No torch when this is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import Precision
from ...training.threads import torch_threads
from ..options import Anchors, BBox, BoxUnits, DataPages, FollowOutside, Preset, Tiles, VocOrigin
from ..sweep.options import SweepOptions
from .telling import Place, path_of, told
from .training import TrainedRun


@dataclass(frozen=True)
class SweptTrial:
    """A trial of a sweep: its folder, its settings by name, `finished`, `failed` or `begun`, why it failed, and mean
    and standard deviation of each metric over its runs (None: fewer than two), on validation images."""

    path: Path
    settings: Mapping[str, Any]
    state: str
    reason: str
    mean: Mapping[str, float | None]
    deviation: Mapping[str, float | None]


@dataclass(frozen=True)
class Swept:
    """A sweep. path: its folder, which can be given wherever a run is named: the best trial is meant."""

    path: Path
    device: str = "auto"

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    @property
    def trials(self) -> list[SweptTrial]:
        """All trials that have begun, in their order."""
        from ..sweep.record import content_of

        kept = ("settings", "state", "reason", "mean", "deviation")
        rows = content_of(self.path)["trials"]
        return [SweptTrial(self.path / row["name"], **{name: row[name] for name in kept}) for row in rows]

    @property
    def failed(self) -> int:
        """How many trials failed."""
        return sum(trial.state == "failed" for trial in self.trials)

    @property
    def best(self) -> TrainedRun:
        """The trial with the highest mean AP on validation images. Raises UserError where none is finished."""
        from ..sweep.record import best_trial

        return TrainedRun(best_trial(self.path), self.device)


def sweep(
    data: Place,
    *,
    settings: tuple[str, ...] = (),
    trials: int | None = None,
    minutes: float | None = None,
    iterations: int | None = None,
    preset: Preset = "auto",
    out: Place | None = None,
    seed: int = 0,
    seeds: int | None = None,
    workers: int | None = None,
    anchors: Anchors | None = None,
    input_size: int | None = None,
    tiles: Tiles = "auto",
    batch: int | None = None,
    rotate: bool = False,
    force: bool = False,
    precision: Precision = "auto",
    patience: int = 0,
    tensorboard: bool = False,
    threads: int | None = None,
    device: str = "auto",
    voc_origin: VocOrigin = 0,
    bbox: BBox = "auto",
    units: BoxUnits = "auto",
    follow_outside: FollowOutside = False,
    pages: DataPages = "first",
    quiet: bool = False,
) -> Swept:
    """Train with several values of settings and compare them, as `pocketrcnn sweep` does: its options have the same
    names, and those of `train` mean the same.

    data: folder, archive or file of annotations. settings: lists and ranges, as `("optim.lr=0.002,0.005",
    "augment.paste=0..4")`. trials: how many; None: all combinations of lists. minutes, iterations: of each run. out:
    the folder, where the same call goes on or joins in. seed: of the random numbers; seeds: runs a trial. workers:
    trials at a time. preset, anchors, input_size, tiles, batch, rotate, force, precision, patience, tensorboard,
    threads, device, voc_origin, bbox, units, follow_outside, pages: as in `train`. quiet: say nothing but warnings.
    Raises UserError for what cannot be tried, where another sweep is in the folder, and where Optuna is needed and not
    installed.
    """
    given = {name: value for name, value in locals().items() if name not in ("data", "out", "quiet")}
    return run_sweep(SweepOptions(Path(data), out=path_of(out), **given), quiet)


def run_sweep(options: SweepOptions, quiet: bool = False) -> Swept:
    """Sweep with options that are given as one."""
    from ..sweep.working import sweep as work

    with told(quiet), torch_threads(options.threads):
        return Swept(work(options), options.device)
