"""A user's own annotated images, from the path on the command line to a data set for each split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..config import DataConfig
from ..errors import UserError
from .annotations import SPLITS, Annotations
from .check import Report, inspect
from .folders import Folder, open_folder
from .formats import read
from .splits import with_splits


@dataclass(frozen=True)
class Own:
    """Checked annotations in which every image has a split, and what the check found."""

    annotations: Annotations
    report: Report

    def folder(self, split: str, side: int) -> Folder:
        """The images of a split in frames of `side` pixels. Raises UserError when it has none."""
        return open_folder(self.annotations, split, side)

    @property
    def splits(self) -> dict[str, int]:
        """Images in each split that has some."""
        found = {split: len(self.annotations.split(split)) for split in SPLITS}
        return {split: count for split, count in found.items() if count}


def open_own(config: DataConfig, whole: bool = False) -> Own:
    """Read, check and split the data of a configuration. Faulty objects are left out and are in the report.

    `whole`: data without splits are not divided; all of their images are test images.

    `config.classes`, if given, are the classes in their order; the data may lack some. Raises UserError for data that
    cannot be read, and for a class that is not among these.
    """
    report = inspect(read(Path(config.source), config.voc_origin))
    annotations = with_splits(all_for_test(report.clean) if whole else report.clean, config.seed)
    if config.classes:
        strange = sorted(set(annotations.classes) - set(config.classes))
        if strange:
            raise UserError(
                f"{config.source} has the class `{strange[0]}`, which the detector does not know "
                f"({', '.join(config.classes)}): rename or remove it"
            )
        annotations = replace(annotations, classes=config.classes)
    return Own(annotations, report)


def open_named(config: DataConfig, source: Path) -> Own:
    """The data that somebody names, judged by a detector: its own, split as in training, or others.

    Others that have no splits are test images, all of them.
    """
    named = replace(config, source=str(source.resolve()))
    return open_own(named, whole=named.source != config.source)


def all_for_test(annotations: Annotations) -> Annotations:
    """Data without any split as test images; others as they are."""
    if any(example.split for example in annotations.examples):
        return annotations
    return replace(annotations, examples=tuple(replace(one, split="test") for one in annotations.examples))
