"""The parts that lack, made one after the other, beside any other process that does the same. No torch here."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...config import Pages
from ...data.files import being_made, open_atomically, write_errors
from ...data.images.opening import pages_of
from ...errors import UserError
from ...model.interchange import Detections
from ...terminal import tracked
from ...training.signals import Interrupted, signals_noted
from ..options import PredictOptions, Shard
from ..picture_files import PictureFiles, name_below
from ..predict import Predictor, Readable, looked_at, readable
from .names import Images
from .plan import PARTS, Plan, part_file
from .records import FORMS, Record


@dataclass(frozen=True)
class Job:
    """What whoever makes parts knows: their folder, the plan, and where the images are, with a separator behind it."""

    out: Path
    plan: Plan
    images: str

    @property
    def options(self) -> PredictOptions:
        """What decides how images are looked at."""
        return PredictOptions(threshold=self.plan.threshold, batch=self.plan.batch)


@dataclass
class Made:
    """What was done: parts, images with results and without, objects of each class."""

    parts: int = 0
    images: int = 0
    skipped: int = 0
    by_class: Counter[str] = field(default_factory=Counter)

    def add(self, other: Made) -> None:
        """What was done besides."""
        self.parts += other.parts
        self.images += other.images
        self.skipped += other.skipped
        self.by_class += other.by_class


def lacking(out: Path, plan: Plan, shard: Shard = (0, 1)) -> list[int]:
    """The parts of a share that are not there."""
    folder, (index, count) = out / PARTS, shard
    with write_errors(folder):
        there = set(os.listdir(folder)) if folder.is_dir() else set()
    return [part for part in range(index, plan.parts, count) if part_file(out, plan, part).name not in there]


def make_parts(detector: Predictor, job: Job, images: Images, parts: Sequence[int]) -> Made:
    """Make parts in this process. Raises Interrupted after Ctrl-C or SIGTERM: the part that was begun is given up."""
    total = Made()
    with signals_noted() as signals:
        for part in tracked(parts, "predict"):
            made = make_part(detector, job, part, images.names[job.plan.images_of(part)], signals)
            total.add(made or Made())
        if signals:
            raise interrupted(job, signals[0])
    return total


def interrupted(job: Job, number: int) -> Interrupted:
    """After a signal: what is there, and that nothing of it is lost."""
    count, there = job.plan.parts, job.plan.parts - len(lacking(job.out, job.plan))
    return Interrupted(f"with {there:,} of {count:,} parts in {job.out}; the same command goes on from here", number)


def make_part(detector: Predictor, job: Job, part: int, names: Sequence[str], signals: list[int]) -> Made | None:
    """A part: what is known of each image, in their order. None where it is there, or another program makes it.

    names: of its images. Raises Interrupted when a signal is noted meanwhile, and UserError where it cannot be written.
    """
    plan, path = job.plan, part_file(job.out, job.plan, part)
    with being_made(path) as mine:
        if not mine:
            return None
        form = FORMS[plan.part_format]
        with open_atomically(path, form.mode) as file, form.writing(file, plan) as write:
            lines = Lines(write, job)
            images = readable(lines.paths(names, plan.pages), pages=plan.pages, skipped=lines.skip)  # type: ignore[arg-type]
            for one, detections in looked_at(detector, images, job.options, signals):
                lines.add(one, detections)
            if signals:
                raise interrupted(job, signals[0])
    return lines.made


class Lines:
    """The images of a part in their order: of those of a batch one may be skipped before others are done.

    written: hears of each. made: what was written.
    """

    def __init__(self, written: Callable[[dict[str, Any]], object], job: Job) -> None:
        self.written, self.job, self.made = written, job, Made(parts=1)
        plan = job.plan
        self.pictures = PictureFiles(job.out, plan.classes, plan.pictures, plan.save_crops)
        self.waiting: dict[int, dict[str, Any]] = {}
        self.next = 1

    def paths(self, names: Sequence[str], pages: Pages) -> Iterator[Path]:
        """The files of the images of a part, or all their pages."""
        for name in names:
            path = Path(self.job.images + name)
            yield from pages_of(path) if pages == "all" else [path]

    def name(self, path: Path) -> str:
        """The name of an image."""
        return str(path)[len(self.job.images) :].replace(os.sep, "/")

    def add(self, one: Readable, detections: Detections) -> None:
        """An image and its detections."""
        name, rows = self.name(one.path), detections.rows()
        self.made.images += 1
        self.made.by_class.update(self.job.plan.classes[label] for _, _, label in rows)
        self.pictures.draw(name_below(name), one.image, rows)
        self.write(one.ident, Record(name, one.size, detections, one.notes))

    def skip(self, number: int, path: Path, reason: UserError) -> None:
        """An image without results; what is said of it is the same wherever the images are."""
        self.made.skipped += 1
        self.write(number, Record(self.name(path), skipped=str(reason).replace(self.job.images, "")))

    def write(self, number: int, record: Record) -> None:
        """What is known of an image, counted from 1, once those before it are there."""
        self.waiting[number] = record.content(self.job.plan.classes)
        while content := self.waiting.pop(self.next, None):
            self.written(content)
            self.next += 1
