"""What a sweep keeps in its folder, and what others read of it. No torch here.

`sweep.json`: what the sweep is, and the settings of every trial that has begun. `results/trial-000.json`: how a trial
ended, one file each; while it is made, its lock says that somebody works on the trial. Everything else follows from
these: `trials.json` and `trials.csv`, the page, and what the next trial tries.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from ...data.files import OUT, write_atomically
from ...data.json_text import decoded
from ...data.overview import counted
from ...errors import UserError
from ...evaluation.tables import number
from ...version import __version__
from .options import SweepOptions, command_of, from_saved
from .space import Settings, in_words, texts

SWEEP, RESULTS = "sweep.json", "results"
TABLE, CONTENT = "trials.csv", "trials.json"
METRICS = ("AP", "AP50", "AP75")  # those of the tables; the first one decides
METRIC = METRICS[0]
GO_ON = "the same `pocketrcnn sweep` goes on with it"
LONGER = 4  # times as long is what is proposed for the best trial
State = Literal["begun", "finished", "failed"]


@dataclass(frozen=True)
class Plan:
    """What all trials have in common, decided once.

    options: of the sweep, as JSON. preset, precision: those of all trials. splits: of the images, by the hash of their
    content. trials: the settings of each trial that has begun.
    """

    version: str
    options: dict[str, Any]
    command: str
    preset: str
    precision: str
    splits: dict[str, str]
    trials: list[Settings] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """One trial. runs: the metrics of each run, on validation images, by its name. reason: why it failed."""

    number: int
    settings: Settings
    state: State = "begun"
    reason: str = ""
    runs: dict[str, dict[str, float | None]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"trial-{self.number:03d}"

    @property
    def title(self) -> str:
        """Its name and its settings."""
        return f"{self.name} ({in_words(self.settings)})"

    def values(self, metric: str = METRIC) -> list[float]:
        """A metric of each run that has it."""
        return [value for run in self.runs.values() if (value := run.get(metric)) is not None]

    def mean_of(self, metric: str = METRIC) -> float | None:
        """The mean of a metric over the runs; None where one lacks it."""
        values = self.values(metric)
        return statistics.fmean(values) if values and len(values) == len(self.runs) else None

    @property
    def mean(self) -> float | None:
        """What decides: the higher, the better."""
        return self.mean_of()

    def in_words(self, metric: str = METRIC) -> str:
        """A metric: `0.512 ± 0.010` over several runs."""
        values = self.values(metric)
        mean = number(self.mean_of(metric))
        return f"{mean} ± {number(statistics.stdev(values))}" if len(values) > 1 else mean


def is_sweep(folder: Path) -> bool:
    """Whether a folder is that of a sweep."""
    return (folder / SWEEP).is_file()


def result_file(folder: Path, trial: Trial) -> Path:
    """Where it stands how a trial ended."""
    return folder / RESULTS / f"{trial.name}.json"


def read_plan(folder: Path) -> Plan:
    """What the trials of a sweep have in common. Raises UserError where the file is missing or damaged."""
    plan: Plan = read(folder / SWEEP, Plan)
    return plan


def read_options(folder: Path, plan: Plan) -> SweepOptions:
    """The options of a sweep. Raises UserError where they are damaged."""
    try:
        return from_saved(plan.options)
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{folder / SWEEP} is damaged ({error}): {RESTORE}") from error


RESTORE = "restore it, or sweep again with another --out"


def read(path: Path, form: Any) -> Any:
    """The content of a JSON file, of a form. Raises UserError where it is not."""
    try:
        return msgspec.convert(decoded(path.read_text(encoding="utf-8")), form)
    except (OSError, ValueError) as error:  # msgspec's is a ValueError
        raise UserError(f"{path} cannot be read ({error}): {RESTORE}") from error


def write(path: Path, content: Any) -> None:
    """A JSON file, whole or not at all."""
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode(), OUT)


def read_trials(folder: Path, plan: Plan) -> list[Trial]:
    """All trials that have begun, in their order."""
    begun = [Trial(number, settings) for number, settings in enumerate(plan.trials)]
    paths = [result_file(folder, trial) for trial in begun]
    return [read(path, Trial) if path.is_file() else trial for trial, path in zip(begun, paths, strict=True)]


def best_of(trials: Iterable[Trial]) -> Trial | None:
    """The finished trial with the highest mean, the first of equals."""
    known = [trial for trial in trials if trial.mean is not None]
    return max(known, key=lambda trial: trial.mean or 0.0, default=None)


def finished_trials(folder: Path) -> list[Path]:
    """The folders of the trials of a sweep that are finished. Raises UserError where there is none."""
    found = [folder / trial.name for trial in read_trials(folder, read_plan(folder)) if trial.state == "finished"]
    if not found:
        raise UserError(f"no trial of {folder} is finished: {GO_ON}")
    return found


def best_trial(folder: Path, tell: Callable[[str], object] = lambda _: None) -> Path:
    """The folder of the best trial of a sweep. tell: gets a line that says which. Raises UserError without any."""
    trials = read_trials(folder, read_plan(folder))
    best = best_of(trials)
    if best is None:
        raise UserError(f"no trial of {folder} is finished: {GO_ON}")
    finished = sum(trial.state == "finished" for trial in trials)
    many = counted(finished, "trial")
    tell(f"{best.title} of {folder}, the best of {many} on validation images: {METRIC} {best.in_words()}")
    return folder / best.name


def longer(options: SweepOptions, preset: Any, folder: Path, best: Trial) -> str:
    """The command that trains the network of a trial for longer, with its settings."""
    minutes = None if options.iterations else LONGER * options.budget
    iterations = options.iterations and LONGER * options.iterations
    out = folder.with_name(f"{folder.name}-best")
    settings = (*options.space.fixed, *texts(best.settings))
    changes = {"preset": preset, "minutes": minutes, "iterations": iterations, "seeds": None, "out": out}
    return command_of(options.trial(settings, **changes))


def content_of(folder: Path) -> dict[str, Any]:
    """All that is known of a sweep, for other programs and for its page."""
    plan = read_plan(folder)
    options, trials = read_options(folder, plan), read_trials(folder, plan)
    best = best_of(trials)
    return {
        "version": plan.version,
        "name": folder.resolve().name,
        "command": plan.command,
        "planned": options.planned,
        "seeds": options.seeds or 1,
        "minutes": options.budget or None,
        "iterations": options.iterations,
        "metric": METRIC,
        "fixed": list(options.space.fixed),
        "varied": {one.name: dataclasses.asdict(one) for one in options.space.varied},
        "best": best and best.name,
        "longer": best and longer(options, plan.preset, folder, best),
        "trials": [row_of(trial) for trial in trials],
    }


def row_of(trial: Trial) -> dict[str, Any]:
    """A trial with what follows from its runs."""
    means = {metric: trial.mean_of(metric) for metric in METRICS}
    values = {metric: trial.values(metric) for metric in METRICS}
    spread = {metric: statistics.stdev(row) if len(row) > 1 else None for metric, row in values.items()}
    return {"name": trial.name, **dataclasses.asdict(trial), "mean": means, "deviation": spread}


def write_tables(folder: Path) -> Mapping[str, Any]:
    """Write trials.json and trials.csv; returns what they hold."""
    content = content_of(folder)
    write(folder / CONTENT, content)
    rows = [columns_of(row, list(content["varied"])) for row in content["trials"]]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["trial"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(folder / TABLE, text.getvalue().encode(), OUT)
    return content


def columns_of(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A trial as a row of a table."""
    settings = {name: in_cell(row["settings"][name]) for name in names}
    found = {
        f"{metric}{kind}": row[key][metric] for metric in METRICS for kind, key in (("", "mean"), (" sd", "deviation"))
    }
    known = {"runs": len(row["runs"]), **found, "seconds": round(row["seconds"], 1), "reason": row["reason"]}
    return {"trial": row["name"], "state": row["state"], **settings, **known}


def in_cell(value: Any) -> Any:
    """A value in a table of text."""
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else json.dumps(value)


def new_plan(options: SweepOptions, command: str, preset: str, precision: str, splits: dict[str, str]) -> Plan:
    """A sweep of this version, none of whose trials has begun."""
    return Plan(__version__, options.saved(), command, preset, precision, splits)
