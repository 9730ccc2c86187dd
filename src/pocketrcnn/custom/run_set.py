"""The folder of a set of runs that differ in the seed alone.

It holds a run in each of `seed-0`, `seed-1`, .., `report.html`, which compares them, and `set.json`: everything that
they have in common, planned once, from which the set goes on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ..config import Config, replace
from ..data import files
from ..data.files import LOCK, OUT, is_unfinished, require_writable, write_atomically
from ..data.overview import counted
from ..errors import UserError
from ..evaluation.tables import number
from ..model.costs import parameters
from ..training import config_file
from ..training.run import CONFIG, COPIES, ELSEWHERE, encode, open_run, parse
from .sweep.record import best_trial, finished_trials, is_sweep

SET, PREFIX = "set.json", "seed-"
BYTES = 4  # of a weight


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the runs of a set have in common.

    config: that of the first seed. seeds: number of runs. asked: the options, as a call, without what may change.
    splits: the split of each image, by hash. spent: seconds of planning, which count in the minutes of each run.
    """

    config: dict[str, Any]
    seeds: int
    asked: str
    command: str
    splits: dict[str, str]
    spent: float

    def configs(self) -> dict[str, Config]:
        """The configuration of each run by the name of its folder; the images are split as for the first."""
        first = config_file.from_dict(self.config, SET)
        seeds = range(first.train.seed, first.train.seed + self.seeds)
        return {f"{PREFIX}{seed}": replace(first, train__seed=seed) for seed in seeds}


def is_set(folder: Path) -> bool:
    """Whether a folder is that of a set of runs."""
    return (folder / SET).is_file()


def runs_of(folder: Path) -> list[Path]:
    """The folders of the runs of a set, or of the finished trials of a sweep, that have begun; for any other folder
    itself alone."""
    if is_sweep(folder):
        return [run for trial in finished_trials(folder) for run in runs_of(trial)]
    if not is_set(folder):
        return [folder]
    begun = [folder / name for name in load(folder).configs() if (folder / name / CONFIG).is_file()]
    if not begun:
        raise UserError(f"{folder} has no run yet: `pocketrcnn resume {folder}` goes on with it")
    return begun


def best_run(folder: Path, tell: Callable[[str], object] = lambda _: None) -> Path:
    """The finished run of a set with the highest AP on validation images, the first of equals, in a sweep of the best
    trial; any other path itself.

    tell: gets a line that says which. Raises UserError where no run is finished.
    """
    if is_sweep(folder):
        return best_run(best_trial(folder, tell), tell)
    if not is_set(folder):
        return folder
    found = [(run, done["metrics"]["AP"]) for run in runs_of(folder) if (done := open_run(run, "cpu").metrics(True))]
    if not found:
        raise UserError(f"no run of {folder} is finished: `pocketrcnn resume {folder}` goes on with them")
    best, score = max(found, key=lambda one: -1.0 if one[1] is None else one[1])
    tell(f"{best.name} of {folder}, the best of {counted(len(found), 'run')} on validation images: AP {number(score)}")
    return best


def load(folder: Path) -> Plan:
    """What the runs of a set have in common. Raises UserError where the file is damaged."""
    path = folder / SET
    try:
        return msgspec.convert(parse(path), Plan)
    except msgspec.ValidationError as error:
        raise UserError(f"{path} is damaged ({error}): restore it, or train again with another --out") from error


def keep(folder: Path, plan: Plan) -> None:
    """Write down what the runs of a set have in common."""
    write_atomically(folder / SET, encode(dataclasses.asdict(plan)), ELSEWHERE if is_set(folder) else OUT)


def require_place(folder: Path) -> None:
    """Raises UserError where a set can neither begin nor go on."""
    if is_set(folder):
        return
    if folder.exists() and not (
        folder.is_dir() and all(p.name == LOCK or is_unfinished(p.name) for p in folder.iterdir())
    ):
        raise UserError(f"{folder} holds something else than a set of runs: choose another folder with --out")
    require_writable(folder)


def require_room(folder: Path, plan: Plan) -> None:
    """Raises UserError where the disk has no room for the runs that have not begun."""
    begun = len(list(folder.glob(f"{PREFIX}*/{CONFIG}")))
    model = config_file.from_dict(plan.config, SET).model
    needed = max(0, plan.seeds - begun) * parameters(model) * BYTES * COPIES
    files.require_room(folder, needed, f"--seeds {plan.seeds}: the runs take", f"make room, use fewer seeds, or {OUT}")
