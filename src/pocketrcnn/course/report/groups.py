"""The numbers of a class by experiment and settings: those with other settings are another group, never averaged."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import shown
from ...report import phrases
from ...report.phrases import Stat
from ..experiments import EXPERIMENTS, FULL, Experiment
from ..students import Student
from . import metrics
from .records import Record, Results

DATA = {"cifar10": "CIFAR-10", "sample": "the sample of CIFAR-10"}


@dataclass(frozen=True)
class Number:
    """What a student got: mean and deviation over the seeds."""

    student: str
    record: Record

    @property
    def value(self) -> float:
        """The student's number."""
        return self.record.value.mean


@dataclass(frozen=True)
class Group:
    """Numbers of one experiment with the same settings, the best first. settings: by name, in words."""

    experiment: Experiment
    settings: Mapping[str, str]
    numbers: Sequence[Number]

    @property
    def metric(self) -> str:
        """The metric that is compared."""
        return self.experiment.published.metric

    @property
    def stat(self) -> Stat:
        """Over the students."""
        return metrics.spread([number.value for number in self.numbers])

    @property
    def comparable(self) -> bool:
        """Whether these numbers may stand beside the report's: those on all of CIFAR-10."""
        return all(number.record.published for number in self.numbers)

    @property
    def beaten_by(self) -> int:
        """How many students have a better number than the report."""
        return sum(self.experiment.published.beaten_by(number.value) for number in self.numbers)

    @property
    def same(self) -> list[list[str]]:
        """Students whose seeds and metrics are all the same, to the last digit: no independent measurements."""
        by_numbers: dict[str, list[str]] = {}
        for number in self.numbers:
            record = number.record
            measured = {name: list(stat.values) for name, stat in sorted(record.metrics.items())}
            by_numbers.setdefault(repr((list(record.seeds), measured)), []).append(number.student)
        return [students for students in by_numbers.values() if len(students) > 1]

    def of(self, student: str) -> Number | None:
        """The number of a student."""
        return next((number for number in self.numbers if number.student == student), None)


def groups(students: Sequence[Student]) -> dict[str, list[Group]]:
    """By experiment, in the order of the course: its groups, the largest first."""
    found: dict[str, list[Group]] = {}
    for id, experiment in EXPERIMENTS.items():
        by_settings: dict[tuple[tuple[str, str], ...], list[Number]] = {}
        for student in students:
            for record in student.results.records:
                if record.id == id:
                    key = tuple(settings(student.results, record).items())
                    by_settings.setdefault(key, []).append(Number(student.name, record))
        made = [Group(experiment, dict(key), ranked(experiment, numbers)) for key, numbers in by_settings.items()]
        if made:
            found[id] = sorted(made, key=lambda group: (-len(group.numbers), *group.settings.values()))
    return found


def ranked(experiment: Experiment, numbers: Sequence[Number]) -> list[Number]:
    """The best first."""
    sign = -1 if experiment.published.better == "higher" else 1
    return sorted(numbers, key=lambda number: sign * number.value)


def settings(results: Results, record: Record) -> dict[str, str]:
    """What has to be the same for numbers to be averaged, in words."""
    experiment = EXPERIMENTS[record.id]
    known = {FULL: " (as in the report)", experiment.short: " (short schedule)"}.get(record.iterations, "")
    images = [record.data[split] for split in ("train", "test") if split in record.data]
    return {
        "recipe": f"{shown(record.recipe)} recipe",
        "iterations": f"{phrases.count(record.iterations)} iterations{known}",
        "batch": f"batches of {phrases.count(record.batch)}",
        "data": data_words(results.data),
        "images": shown(" and ".join(images)),
        "precision": shown(record.hardware.get("precision", "an unknown number format")),
        "version": f"version {shown(record.versions.get('pocketrcnn', results.version))}",
    }


def data_words(data: str) -> str:
    """The data in words; a folder by its last part, without those of the student's disk."""
    return DATA.get(data) or f"the folder {shown(os.path.basename(data.replace(chr(92), '/')))}"


def difference(group: Group, others: Sequence[Group]) -> str:
    """The settings of a group that not all groups of its experiment have; empty where it is the only one."""
    return ", ".join(
        value for name, value in group.settings.items() if len({other.settings[name] for other in others}) > 1
    )


def common(of_experiment: Sequence[Group]) -> str:
    """The settings that all groups of an experiment have."""
    first = of_experiment[0].settings
    return ", ".join(
        value
        for name, value in first.items()
        if value and name != "images" and all(group.settings[name] == value for group in of_experiment)
    )
