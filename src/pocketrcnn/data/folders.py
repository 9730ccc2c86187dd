"""People's own images as a data set: `open_folder` makes a `Folder` of annotations, which hands out batches.

Shapes: N images, B in a batch, G object slots, n objects of an image, S the side of a frame in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError
from ..model.structures import PADDING, Batch
from .annotations import Annotations, Example, Fault
from .images.image_cache import CachedImages, open_cached_images
from .images.letterbox import scale_of


class Objects(NamedTuple):
    """The objects of one image: boxes float64 [n,4] xyxy in its own pixels, labels int64 [n], crowd bool [n]."""

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    crowd: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Folder:
    """Images of one split, each in the upper left corner of a frame of S x S pixels (see `letterbox`).

    name: what it is, for people. classes: names of the labels. size: S. frames: the pixels, in the cache.
    places: int64 [N], where among these. paths: the N image files. shapes: int64 [N,2], width and height of each, in
    pixels. scales: float64 [N,2], frame pixels for one of the image. objects: what is in each image.
    skipped: images that could not be read, and are not among the N.
    """

    name: str
    classes: list[str]
    size: int
    frames: CachedImages
    places: NDArray[np.int64]
    paths: tuple[Path, ...]
    shapes: NDArray[np.int64]
    scales: NDArray[np.float64]
    objects: tuple[Objects, ...]
    skipped: tuple[Fault, ...] = ()
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __len__(self) -> int:
        return len(self.paths)

    def to(self, device: torch.device) -> Folder:
        """The same data set, whose batches are handed out on another device."""
        return replace(self, device=device)

    def take(self, indices: Sequence[int]) -> Folder:
        """The images at these places alone, in this order; nothing is copied on disk."""
        chosen = np.asarray(indices, np.int64)
        return replace(
            self,
            places=self.places[chosen],
            paths=tuple(self.paths[i] for i in chosen),
            shapes=self.shapes[chosen],
            scales=self.scales[chosen],
            objects=tuple(self.objects[i] for i in chosen),
        )

    def truth(self, index: int) -> Objects:
        """What is in an image, crowds included, in the image's own pixels."""
        return self.objects[index]

    def batch(self, indices: Tensor) -> Batch:
        """The images at the places `indices`, int64 [B]: a function of these alone.

        Images are uint8 [B,3,S,S] in channels_last order in memory; boxes are in pixels of the frame, without crowds.
        G is the most objects of an image of this batch, and at least 1.
        Raises UserError when the file in the cache has gone or is damaged.
        """
        rows = indices.tolist()
        frames = torch.from_numpy(self.frames.read(self.places[rows])).permute(0, 3, 1, 2)
        boxes, labels = _padded([self.objects[row] for row in rows], self.scales[rows])
        return Batch(frames, torch.from_numpy(boxes), torch.from_numpy(labels), indices.cpu()).to(self.device)


def open_folder(annotations: Annotations, split: str, side: int, cache: Path | None = None) -> Folder:
    """The images of a split as frames of `side` pixels: decoded and stored the first time, afterwards there at once.

    `annotations`: checked, with the real size of every image. `cache`: a folder of ours in place of `folders/` in the
    cache. An image whose file or whose size has changed is decoded again. Several processes may call this at once: one
    writes, the others wait for it. An image that cannot be read is left out and listed in `skipped`.
    Raises UserError when the split is empty, none of its images can be read, or the cache cannot be written.
    """
    examples = annotations.split(split)
    named = f"{annotations.root.name}, {split or 'all'} images"
    if not examples:
        raise UserError(f"{annotations.root} has no {split or 'unassigned'} images: name a folder that has some")
    frames = open_cached_images(examples, side, cache)
    skipped = tuple(Fault("broken", examples[place].path, "", why, True) for place, why in frames.broken.items())
    places = [place for place in range(len(examples)) if place not in frames.broken]
    if not places:
        raise UserError(f"{annotations.root}: none of the {split or 'unassigned'} images can be read ({skipped[0]})")
    numbers = {name: number for number, name in enumerate(annotations.classes)}
    kept = [examples[place] for place in places]
    shapes = np.array([example.size for example in kept], np.int64)
    return Folder(
        named,
        list(annotations.classes),
        side,
        frames,
        np.array(places, np.int64),
        tuple(example.path for example in kept),
        shapes,
        np.array([scale_of(width, height, side) for width, height in shapes.tolist()], np.float64),
        tuple(_objects(example, numbers) for example in kept),
        skipped,
    )


def _objects(example: Example, numbers: dict[str, int]) -> Objects:
    return Objects(
        np.array([thing.box for thing in example.objects], np.float64).reshape(-1, 4),
        np.array([numbers[thing.name] for thing in example.objects], np.int64),
        np.array([thing.crowd for thing in example.objects], bool),
    )


def _padded(objects: list[Objects], scales: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Boxes [B,G,4] in pixels of the frame, and labels [B,G], of what is no crowd."""
    slots = max([1, *((~one.crowd).sum() for one in objects)])
    boxes = np.zeros((len(objects), slots, 4), np.float32)
    labels = np.full((len(objects), slots), PADDING, np.int64)
    for row, one in enumerate(objects):
        single = ~one.crowd
        boxes[row, : single.sum()] = one.boxes[single] * np.tile(scales[row], 2)  # x, y, x, y
        labels[row, : single.sum()] = one.labels[single]
    return boxes, labels
