"""What several runs have in common: which evaluations can be compared, and mean and spread over seeds. No torch."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...report import phrases
from ...report.phrases import Stat

Summary = Mapping[str, Any]
"""A run, or a part of what is known about it, as in `report.json`."""


@dataclass(frozen=True)
class Seeds:
    """AP50 and AP of runs that differ in the seed alone. `timed`: they trained for minutes, not for iterations."""

    half: Stat
    mean: Stat
    timed: bool


@dataclass(frozen=True)
class Comparison:
    """Runs under names that are not repeated, each with its evaluation on a split that all of them have, if any.

    evaluations: by name and split; without: names of runs that have none; seeds: None where the runs differ in more.
    """

    runs: Sequence[Summary]
    evaluations: Mapping[tuple[str, str], Summary]
    without: Sequence[str]
    same_images: bool
    same_limit: bool
    seeds: Seeds | None

    @property
    def names(self) -> list[str]:
        """The names of all runs, in their order."""
        return [run["name"] for run in self.runs]

    @property
    def differing(self) -> dict[str, list[str]]:
        """The settings in which the runs differ, with the value of each run."""
        names = sorted({name for run in self.runs for name in run["settings"]})
        values = {name: [str(run["settings"].get(name, "–")) for run in self.runs] for name in names}
        return {name: row for name, row in values.items() if len(set(row)) > 1}


def compare(runs: Sequence[Summary]) -> Comparison:
    """Runs side by side, a pure function of their `report.json`."""
    runs = [{**run, "name": name} for run, name in zip(runs, distinct([run["name"] for run in runs]), strict=True)]
    shared = set.intersection(*(set(run["evaluations"]) for run in runs))
    splits = {run["name"]: phrases.in_order(shared or run["evaluations"])[-1:] for run in runs}
    evaluations = {(run["name"], split): run["evaluations"][split] for run in runs for split in splits[run["name"]]}
    same_images = len({_images(split, one) for (_, split), one in evaluations.items()}) <= 1
    same_limit = len({one["max_detections"] for one in evaluations.values()}) <= 1
    comparable = same_images and same_limit and len(evaluations) == len(runs)
    return Comparison(
        runs=runs,
        evaluations=evaluations,
        without=[run["name"] for run in runs if not run["evaluations"]],
        same_images=same_images,
        same_limit=same_limit,
        seeds=_seeds(runs, list(evaluations.values())) if comparable else None,
    )


def distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one is repeated."""
    return [f"{name} ({i})" if names.count(name) > 1 else name for i, name in enumerate(names, 1)]


def _images(split: str, evaluation: Summary) -> tuple[Any, ...]:
    """What tells apart the images of two evaluations."""
    names = sorted(row["name"] for row in evaluation["images"])
    return evaluation["data"], split, evaluation["counts"]["objects"], *names


def _seeds(runs: Sequence[Summary], evaluations: Sequence[Summary]) -> Seeds | None:
    timed = bool(runs[0]["settings"].get("train.minutes"))
    follow = {"train.seed", "data.seed"}  # from the seed and, in a run of so many minutes, from the machine's speed
    if timed:
        follow |= {"train.iterations", "train.evaluation_images"}
    settings = [{k: v for k, v in run["settings"].items() if k not in follow} for run in runs]
    half, mean = ([one["overall"][name] for one in evaluations] for name in ("AP50", "AP"))
    if None in half or any(one != settings[0] for one in settings):
        return None
    return Seeds(_stat(half), _stat(mean), timed)


def _stat(values: Sequence[float]) -> Stat:
    return Stat(len(values), statistics.fmean(values), statistics.stdev(values), values)
