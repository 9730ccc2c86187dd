"""Which image is explained, and what is known to be in it: a file, a page of one, or a test image by its number.

Legend: H and W rows and columns of the image.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import torch

from ...config import DataConfig
from ...data.annotations import SPLITS, Example, content_hash
from ...data.boxes import Boxes
from ...data.custom_data import CustomData, RunData
from ...data.dataset import Dataset
from ...data.folders import boxes_of
from ...data.images.pixels import Pixels, read_image
from ...data.overview import counted
from ...errors import UserError, require
from ...report.phrases import SPLITS as IN_WORDS
from ...training.run import CONFIG, open_run, saved_splits
from ..builtin import examples_of, is_builtin

OpenDataset: TypeAlias = Callable[[DataConfig, Literal["train", "test"]], Dataset]
"""Opens a split of data that are no folder, as `pocketrcnn.open_dataset`."""


@dataclass(frozen=True)
class Subject:
    """An image uint8 [H,W,3], its name and where it is from, for people; its objects in its pixels, None where they are
    not known, and `named`, the class of each."""

    name: str
    source: str
    pixels: Pixels
    truth: Boxes | None = None
    named: tuple[str, ...] = ()


def subject(
    run: Path,
    image: str,
    classes: tuple[str, ...],
    *,
    truth: bool = False,
    data: Path | None = None,
    open_dataset: OpenDataset | None = None,
) -> Subject:
    """The image that was asked for.

    run: a run, a file of weights in it, or the name of a detector inside the package. image: a path, or a number among
    test images: those of `data`, else of the run. classes: names of the detector's labels. truth: whether the objects
    of a file are looked up there; those of a number are known. Raises UserError for what is not there.
    """
    known = data_of(run, data, classes)
    if is_number(image):
        return numbered(run, int(image), known, open_dataset)
    path = Path(image)
    pages = known.config.pages if known else "first"
    pixels = read_image(path, pages)
    found = looked_up(path, run, known) if truth or data else (None, ())
    return Subject(path.name, "", pixels, *found)


def is_number(image: str) -> bool:
    """Whether a word is the number of an image; a file of that name comes first."""
    return bool(re.fullmatch(r"[0-9]{1,9}", image)) and not Path(image).exists()


def data_of(run: Path, data: Path | None, classes: tuple[str, ...]) -> RunData | None:
    """The data of a run, or those at a path with the classes of the run; None for a detector without data."""
    folder = run.parent if run.is_file() else run
    inside = is_builtin(run) or not (folder / CONFIG).is_file()
    if data:
        config = DataConfig() if inside else open_run(folder, "cpu").config.data
        known = None if inside else saved_splits(folder)
        source = str(data.resolve())
        config = replace(config, source=source, kind="folder", classes=classes, bbox="auto", units="auto", holdout=0)
        return RunData(config, known)
    return None if inside else RunData(open_run(folder, "cpu").config.data, saved_splits(folder))


def numbered(run: Path, number: int, data: RunData | None, open_dataset: OpenDataset | None) -> Subject:
    """A test image by its number, 0 for the first, with its objects."""
    if data is None:
        paths = examples_of(run) if is_builtin(run) else []
        require(bool(paths), f"{run} has no images of its own: name an image file, or data with --data")
        path = paths[within(number, len(paths), f"examples of {run}")]
        return Subject(path.name, f"example {number} of `{run}`", read_image(path))
    if data.config.kind == "folder":
        return of_folder(opened(run, data), number)
    remedy = "name an image file, or use the command line or `dataset=pocketrcnn.open_dataset`"
    require(open_dataset is not None, f"the images of {run} are made, and their number needs `dataset`: {remedy}")
    return of_dataset(open_dataset(data.config, "test"), number)  # type: ignore[misc]


def opened(run: Path, data: RunData) -> CustomData:
    """The data, read and checked. Raises UserError where they are no longer there."""
    source = data.config.source
    require(
        Path(source).exists(), f"{source}, the data of {run}, is not there: name the data, as they are now, with --data"
    )
    return data.opened


def within(number: int, count: int, what: str) -> int:
    """The number, where there are so many. Raises UserError where there are fewer."""
    require(number < count, f"there is no image {number} among the {count:,} {what}: use 0 to {count - 1}")
    return number


def of_folder(data: CustomData, number: int) -> Subject:
    """An image of the test split, or else of the validation or training split."""
    split = next((name for name in reversed(SPLITS) if name in data.splits), "")
    examples = data.annotations.split(split)
    require(bool(examples), f"{data.source} has no images: name an image file")
    words = f"{IN_WORDS.get(split, split)} images of {Path(data.source).name}"
    example = examples[within(number, len(examples), words)]
    pixels = read_image(example.path, data.annotations.pages)
    return Subject(example.path.name, f"image {number} of the {words}", pixels, *objects_of(example, data))


def of_dataset(dataset: Dataset, number: int) -> Subject:
    """An image of a data set whose images have the size of the input."""
    within(number, len(dataset), f"images ({dataset.name})")
    batch = dataset.batch(torch.tensor([number]))
    objects = batch.valid[0]
    truth = Boxes(batch.boxes[0][objects].cpu(), batch.labels[0][objects].cpu())
    pixels = batch.images[0].permute(1, 2, 0).contiguous().cpu().numpy()
    named = tuple(dataset.classes[label] for label in truth.labels.tolist())
    return Subject(f"test image {number}", dataset.name, pixels, truth, named)


def looked_up(path: Path, run: Path, data: RunData | None) -> tuple[Boxes, tuple[str, ...]]:
    """The objects of an image file in the annotations of data, by the content of the file, wherever it is."""
    require(data is not None, f"{run} has no data here: name those that {path.name} is of with --data")
    assert data is not None
    if data.config.kind != "folder":
        raise UserError(f"the images of {run} are made and have no files: name one by its number, or leave out --truth")
    digest, custom = content_hash(path), opened(run, data)
    for example in custom.annotations.examples:
        if example.digest == digest:
            return objects_of(example, custom)
    there = counted(len(custom.annotations.examples), "image")
    raise UserError(
        f"{path} is none of the {there} of {custom.source}: leave out --truth, or name its data with --data"
    )


def objects_of(example: Example, data: CustomData) -> tuple[Boxes, tuple[str, ...]]:
    """The objects of an image, without crowds, in its pixels, with the labels of the detector; and their classes."""
    names = data.annotations.classes
    objects = boxes_of(example, {name: label for label, name in enumerate(names)})
    objects = objects[~objects.crowd]
    return objects, tuple(names[label] for label in objects.labels)
