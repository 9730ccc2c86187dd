"""A user's annotated images, from the path on the command line to a data set for each split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import DataConfig
from ..errors import UserError, shown
from .annotations import SPLITS, Annotations, Example, Report
from .check import inspect, require_clear
from .class_names import learnable
from .conventions import Asked
from .formats import read
from .formats.boundary import require_inside
from .splits import with_splits

if TYPE_CHECKING:
    from .folders import Folder


@dataclass(frozen=True)
class CustomData:
    """Checked annotations in which every image has a split, where they come from, and the result of the check."""

    source: str
    annotations: Annotations
    report: Report

    def folder(self, split: str, side: int, overlap: int = 0) -> Folder:
        """The images of a split, padded to `side` pixels, or in tiles that overlap by so many. Raises UserError when it
        has none."""
        from .folders import open_folder  # torch

        return open_folder(self.annotations, split, side, overlap=overlap)

    @property
    def split_of(self) -> dict[str, str]:
        """The split of each image, by the hash of its content."""
        return {example.digest: example.split for example in self.annotations.examples}

    @property
    def splits(self) -> dict[str, int]:
        """Images in each split that has some."""
        return {split: count for split in SPLITS if (count := len(self.annotations.split(split)))}


def inspected(config: DataConfig) -> Report:
    """The data of a configuration, read and checked. Raises UserError for what cannot be read at all."""
    found = read(Path(config.source), config.voc_origin, config.follow_outside)
    return inspect(replace(found, pages=config.pages), Asked(config.bbox, config.units))


def open_custom_data(config: DataConfig, known: Mapping[str, str] | None = None, moved: str = "") -> CustomData:
    """Read, check and split the data of a configuration. Faulty objects are skipped and are in the report.

    `known`: the splits of images that a run was trained with, by the hash of their content; see `as_before`.
    `config.classes`, if given, are the classes in their order, of which the data may lack some; else they are those of
    all objects. `moved`: the command that helps where the data of a run are no longer there.
    Raises UserError for data that cannot be read, lead out of their folder, or whose numbers are not
    clear, and for a class that is not among these.
    """
    if moved and not Path(config.source).exists():
        raise UserError(f"{config.source} does not exist any more: if the data are elsewhere now, `{moved}`")
    report = inspected(config)
    require_inside(report.clean)
    require_clear(report)
    annotations = learnable(report.clean)
    annotations = with_splits(annotations, config.seed) if known is None else as_before(annotations, known)
    if config.classes:
        if strange := sorted(set(annotations.classes) - set(config.classes)):
            raise UserError(
                f"{config.source} has the class `{shown(strange[0])}`, which the detector does not know "
                f"({shown(', '.join(config.classes))}): rename or remove it"
            )
        annotations = replace(annotations, classes=config.classes)
    return CustomData(config.source, annotations, report)


@dataclass(frozen=True)
class RunData:
    """The data of a run, which are opened when they are first asked for, and once: that takes seconds.

    known: the splits of its images, by the hash of their content (`run.saved_splits`), where it has some.
    """

    config: DataConfig
    known: Mapping[str, str] | None = None

    @cached_property
    def opened(self) -> CustomData:
        """The data. Raises UserError as `open_custom_data`."""
        return open_custom_data(self.config, self.known)


def as_before(annotations: Annotations, known: Mapping[str, str]) -> Annotations:
    """Each image in the split where a run had it, wherever its file is now and whatever was added since.

    Images without a split that the run never saw are test images. Where the data have splits these count, but for
    training images that the run kept for validation.
    """

    def split_of(example: Example) -> str:
        before = known.get(example.digest, "")
        if not example.split:
            return before or "test"
        return before if example.split == "train" and before == "val" else example.split

    examples = tuple(replace(example, split=split_of(example)) for example in annotations.examples)
    return replace(annotations, examples=examples)
