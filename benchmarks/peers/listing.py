"""The data sets: one listing of images and objects for all programs, and a copy in YOLO format with the same split.

The listing is what `pocketrcnn` reads, in plain JSON: name, classes, the limit on detections of each split (maxDets),
and for each split its images with id, path, width, height, boxes xyxy in pixels, labels from 0 and crowd flags.
`curve` are the validation images that are evaluated on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pocketrcnn.cli.main import main as pocketrcnn
from pocketrcnn.config import DataConfig
from pocketrcnn.custom.tiling import choose_side
from pocketrcnn.data.annotations import Annotations, Example
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.custom_data import CustomData, open_custom_data
from pocketrcnn.data.files import write_atomically
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError
from pocketrcnn.evaluation.coco import detection_limit
from pocketrcnn.training.run import encode

SPLITS = ("train", "val", "test")
ON_CURVE = 200  # validation images, at most
DRY = 40  # test and validation images of a dry run


@dataclass(frozen=True)
class Prepared:
    """A data set for all programs: the source and its copy for YOLO, the listing, the input size, what is in it."""

    source: Path
    yolo: Path
    listing: Path
    side: int
    about: dict[str, Any]


def prepare(name: str, source: Path, folder: Path, dry: bool = False) -> Prepared:
    """Read a data set, copy it, list it. Raises UserError where it has no split of its own, or the copy has another.

    dry: list a few test and validation images only.
    """
    named = {example.split for example in read(source).examples}
    if missing := [split for split in SPLITS if split not in named]:  # `train` would divide the images by its seed
        raise UserError(f"{source} names no {missing[0]} images: name data with a split into {', '.join(SPLITS)}")
    data = opened(source)
    yolo, path = folder / f"{name}-yolo", folder / f"{name}{'-dry' if dry else ''}.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not yolo.exists() and pocketrcnn(["convert", str(source), str(yolo), "--to", "yolo"]):
        raise UserError(f"{source} could not be converted: see above")
    require_same_split(data.split_of, opened(yolo).split_of, str(yolo))
    listing = listed(name, data.annotations, DRY if dry else None)
    write_atomically(path, encode(listing))
    side = choose_side(data.annotations.split("train"))
    images = {split: len(rows) for split, rows in listing["images"].items()}
    about = {"images": images, "classes": len(listing["classes"]), "side": side, "limit": listing["limit"]}
    return Prepared(source, yolo, path, side, about)


def opened(source: Path) -> CustomData:
    """Data as `pocketrcnn train` reads them."""
    return open_custom_data(DataConfig(str(source.resolve()), "folder"))


def require_same_split(ours: Mapping[str, str], theirs: Mapping[str, str], where: str) -> None:
    """Raises UserError where an image, known by the hash of its content, is not in the same split."""
    different = [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)]
    if different:
        raise UserError(
            f"{where}: {len(different)} of {len(ours)} images are in another split than in the source: "
            "delete it and call this again"
        )


def listed(name: str, annotations: Annotations, most: int | None = None) -> dict[str, Any]:
    """The listing of annotated images, of at most so many that are evaluated."""
    labels = {one: label for label, one in enumerate(annotations.classes)}
    images = {split: [image(one, labels) for one in annotations.split(split)] for split in SPLITS}
    images |= {split: images[split][:most] for split in ("val", "test")} | {"curve": images["val"][: most or ON_CURVE]}
    numbered = {
        split: [{"id": number, **one} for number, one in enumerate(rows, start=1)] for split, rows in images.items()
    }
    limits = {split: detection_limit([objects(one) for one in rows]) for split, rows in images.items()}
    return {"name": name, "classes": list(annotations.classes), "limit": limits, "images": numbered}


def image(example: Example, labels: Mapping[str, int]) -> dict[str, Any]:
    """An image with its objects."""
    assert example.size is not None, "it was checked"
    return {
        "path": str(example.path.resolve()),
        "width": example.size[0],
        "height": example.size[1],
        "boxes": [list(map(float, one.box)) for one in example.objects],
        "labels": [labels[one.name] for one in example.objects],
        "crowd": [int(one.crowd) for one in example.objects],
    }


def objects(row: Mapping[str, Any]) -> Boxes:
    """The ground truth of a listed image."""
    return Boxes(np.array(row["boxes"]).reshape(-1, 4), row["labels"], crowd=[bool(one) for one in row["crowd"]])
