"""Annotated images as a data set: `open_folder` makes a `Folder` of annotations, which returns batches.

Shapes: N images, V views of them, B in a batch, G object slots, S the side of the input in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import Pages
from ..errors import UserError
from ..model.structures import Batch
from .annotations import Annotations, Example, Fault
from .augment.geometry import seen
from .augment.mixing import compact
from .boxes import Boxes, padded
from .images.image_cache import OWN, CachedImages, open_cached_images
from .images.views import Views


@dataclass(frozen=True, eq=False)
class Folder:
    """Images of one split, each with its views of S x S pixels: one, in whose upper left corner it is, downscaled where
    it is larger (see `letterbox`), or tiles, where these overlap.

    name: for people. classes: names of the labels. size: S. frames: the pixels of all images, in the cache.
    indices: int64 [N], of the images of this data set among them. paths: the N image files. shapes: int64 [N,2], width
    and height of each, in pixels. objects: the ground truth of each image, crowds included. skipped: images that could
    not be read, and are not among the N. overlap: of tiles, in pixels; 0: none. pages: what is read of a file of
    several.
    """

    name: str
    classes: list[str]
    size: int
    frames: CachedImages
    indices: NDArray[np.int64]
    paths: tuple[Path, ...]
    shapes: NDArray[np.int64]
    objects: tuple[Boxes, ...]
    skipped: tuple[Fault, ...] = ()
    overlap: int = 0
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
            objects=tuple(self.objects[i] for i in chosen),
        )

    def ground_truth(self, index: int) -> Boxes:
        """The objects of an image, crowds included, in pixels of the image."""
        return self.objects[index]

    def seen(self, index: int) -> Views:
        """How the network sees an image."""
        width, height = self.shapes[index].tolist()
        return Views.of((width, height), self.size, self.overlap)

    @cached_property
    def first_views(self) -> NDArray[np.int64]:
        """The index of the first view of each image, and the number of all, V: [N+1]."""
        if not self.overlap:
            return np.arange(len(self) + 1)
        return np.cumsum([0, *(len(self.seen(index).origins) for index in range(len(self)))])

    def views_of(self, indices: Tensor) -> Tensor:
        """The indices of all views of these images, int64, one image after the other."""
        first = self.first_views
        return torch.cat([torch.arange(first[i], first[i + 1]) for i in indices.tolist()] or [indices])

    def image_of(self, view: int) -> int:
        """The image that a view is of."""
        return int(np.searchsorted(self.first_views, view, "right")) - 1

    def batch(self, indices: Tensor) -> Batch:
        """The views at `indices`, int64 [B]: a function of these alone; see `part`."""
        images = [self.image_of(view) for view in indices.tolist()]
        numbers = [view - int(self.first_views[image]) for view, image in zip(indices.tolist(), images, strict=True)]
        origins = [self.seen(image).origins[number] for image, number in zip(images, numbers, strict=True)]
        return self.part(images, np.array(origins, np.int64).reshape(-1, 2), indices)

    def part(self, images: Sequence[int], origins: NDArray[np.int64], ids: Tensor) -> Batch:
        """Squares of these images, which begin at the columns and rows `origins`, [B,2].

        Images are uint8 [B,3,S,S] in channels_last order in memory; boxes are in pixels of the input, without crowds.
        Objects that a tile cuts are as in `geometry.seen`. G is the largest number of objects in an image of this
        batch, and at least 1. Raises UserError when the file in the cache has gone or is damaged.
        """
        rows = [*images]
        frames = torch.from_numpy(self.frames.read(self.indices[rows], origins, self.size)).permute(0, 3, 1, 2)
        inputs = padded([self.placed(*one) for one in zip(rows, origins, strict=True)], min_slots=1)
        boxes, labels = torch.from_numpy(inputs.boxes), torch.from_numpy(inputs.labels)
        batch = Batch(frames, boxes, labels, ids.cpu())
        return (compact(seen(frames, boxes, batch)) if self.overlap else batch).to(self.device)

    def placed(self, image: int, origin: NDArray[np.int64]) -> Boxes:
        """The objects of an image, without crowds, in pixels of the square that begins at `origin`; not yet cut, and
        without those beside it."""
        objects = self.objects[image][~self.objects[image].crowd]
        if not self.overlap:
            return Boxes(objects.boxes * np.tile(self.seen(image).scales, 2), objects.labels)
        boxes = objects.boxes - np.tile(origin, 2)
        there = ((boxes[:, 2:] > 0) & (boxes[:, :2] < self.size)).all(1)
        return Boxes(boxes[there], objects.labels[there])


def open_folder(annotations: Annotations, split: str, side: int, cache: Path | None = None, overlap: int = 0) -> Folder:
    """The images of a split as inputs of `side` pixels: decoded and stored the first time, afterwards there at once.

    `annotations`: checked, with the real size of every image. `overlap`: of tiles, in pixels; 0: none. `cache`: a
    folder in place of `folders/` in the cache. An image whose file or size has changed is decoded again. Several
    processes may call this at once. An image that cannot be read is skipped and listed in `skipped`.
    Raises UserError when the split is empty, none of its images can be read, or the cache cannot be written.
    """
    examples = annotations.split(split)
    if not examples:
        raise UserError(f"{annotations.root} has no {split or 'unassigned'} images: name a folder that has some")
    frames = open_cached_images(examples, OWN if overlap else side, cache, annotations.pages)
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
        tuple(boxes_of(example, labels) for example in kept),
        skipped,
        overlap,
        annotations.pages,
    )


def boxes_of(example: Example, labels: dict[str, int]) -> Boxes:
    """The ground truth of an image, in its pixels. labels: of the names of classes."""
    objects = example.objects
    corners = np.array([obj.box for obj in objects]).reshape(-1, 4)
    return Boxes(corners, [labels[obj.name] for obj in objects], crowd=[obj.crowd for obj in objects])
