"""Annotated images as a data set: `open_folder` makes a `Folder` of annotations, which returns batches.

Shapes: N images, B in a batch, G object slots, S the side of the input in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import Pages
from ..errors import UserError
from ..model.structures import Batch
from .annotations import Annotations, Example, Fault
from .boxes import Boxes, padded
from .images.image_cache import CachedImages, open_cached_images
from .images.letterbox import scale_of


@dataclass(frozen=True, eq=False)
class Folder:
    """Images of one split, each in the upper left corner of an input of S x S pixels (see `letterbox`).

    name: for people. classes: names of the labels. size: S. frames: the pixels of all images, in the cache.
    indices: int64 [N], of the images of this data set among them. paths: the N image files. shapes: int64 [N,2], width
    and height of each, in pixels. scales: float64 [N,2], pixels of the input for one of the image. objects: the ground
    truth of each image, crowds included. skipped: images that could not be read, and are not among the N. pages: what
    is read of a file of several.
    """

    name: str
    classes: list[str]
    size: int
    frames: CachedImages
    indices: NDArray[np.int64]
    paths: tuple[Path, ...]
    shapes: NDArray[np.int64]
    scales: NDArray[np.float64]
    objects: tuple[Boxes, ...]
    skipped: tuple[Fault, ...] = ()
    pages: Pages = "first"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __len__(self) -> int:
        return len(self.paths)

    def to(self, device: torch.device) -> Folder:
        """The same data set with its batches on another device."""
        return replace(self, device=device)

    def take(self, indices: Sequence[int]) -> Folder:
        """The images at these indices alone, in this order; nothing is copied on disk."""
        chosen = np.asarray(indices, np.int64)
        return replace(
            self,
            indices=self.indices[chosen],
            paths=tuple(self.paths[i] for i in chosen),
            shapes=self.shapes[chosen],
            scales=self.scales[chosen],
            objects=tuple(self.objects[i] for i in chosen),
        )

    def ground_truth(self, index: int) -> Boxes:
        """The objects of an image, crowds included, in pixels of the image."""
        return self.objects[index]

    def batch(self, indices: Tensor) -> Batch:
        """The images at `indices`, int64 [B]: a function of these alone.

        Images are uint8 [B,3,S,S] in channels_last order in memory; boxes are in pixels of the input, without crowds.
        G is the largest number of objects in an image of this batch, and at least 1.
        Raises UserError when the file in the cache has gone or is damaged.
        """
        rows = indices.tolist()
        frames = torch.from_numpy(self.frames.read(self.indices[rows])).permute(0, 3, 1, 2)
        objects = [self.objects[row][~self.objects[row].crowd] for row in rows]
        factors = np.tile(self.scales[rows], 2)  # [B,4]: x, y, x, y
        scaled = [Boxes(one.boxes * factor, one.labels) for one, factor in zip(objects, factors, strict=True)]
        inputs = padded(scaled, min_slots=1)
        boxes, labels = torch.from_numpy(inputs.boxes), torch.from_numpy(inputs.labels)
        return Batch(frames, boxes, labels, indices.cpu()).to(self.device)


def open_folder(annotations: Annotations, split: str, side: int, cache: Path | None = None) -> Folder:
    """The images of a split as inputs of `side` pixels: decoded and stored the first time, afterwards there at once.

    `annotations`: checked, with the real size of every image. `cache`: a folder in place of `folders/` in the cache.
    An image whose file or size has changed is decoded again. Several processes may call this at once. An image that
    cannot be read is skipped and listed in `skipped`.
    Raises UserError when the split is empty, none of its images can be read, or the cache cannot be written.
    """
    examples = annotations.split(split)
    if not examples:
        raise UserError(f"{annotations.root} has no {split or 'unassigned'} images: name a folder that has some")
    frames = open_cached_images(examples, side, cache, annotations.pages)
    skipped = tuple(Fault("broken", examples[index].path, "", why, True) for index, why in frames.broken.items())
    indices = [index for index in range(len(examples)) if index not in frames.broken]
    if not indices:
        raise UserError(f"{annotations.root}: none of the {split or 'unassigned'} images can be read ({skipped[0]})")
    labels = {name: label for label, name in enumerate(annotations.classes)}
    kept = [examples[index] for index in indices]
    shapes = np.array([example.size for example in kept], np.int64)
    return Folder(
        f"{annotations.root.name}, {split or 'all'} images",
        list(annotations.classes),
        side,
        frames,
        np.array(indices, np.int64),
        tuple(example.path for example in kept),
        shapes,
        np.array([scale_of(width, height, side) for width, height in shapes.tolist()], np.float64),
        tuple(_boxes(example, labels) for example in kept),
        skipped,
        annotations.pages,
    )


def _boxes(example: Example, labels: dict[str, int]) -> Boxes:
    """The ground truth of an image."""
    objects = example.objects
    corners = np.array([obj.box for obj in objects]).reshape(-1, 4)
    return Boxes(corners, [labels[obj.name] for obj in objects], crowd=[obj.crowd for obj in objects])
