"""Training images larger than the input as random crops at their own resolution, drawn anew in every iteration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..model.structures import Batch
from .folders import Folder

MOVED = 0.5  # of the crops that would show no object, though the image has one, this part is moved to an object


@dataclass(frozen=True, eq=False)
class Crops:
    """A folder of images as crops of S x S pixels: of each image as many an epoch as tiles without an overlap cover it.

    So an epoch sees about all of the area, and each pixel as often as any other. Images that are no larger than the
    input are themselves, as in the folder.
    """

    folder: Folder

    def __len__(self) -> int:
        return int(self.first[-1])

    @property
    def name(self) -> str:
        """What is in it, for people."""
        return self.folder.name

    @property
    def classes(self) -> list[str]:
        """Names of the labels."""
        return self.folder.classes

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return self.folder.size

    @property
    def paths(self) -> tuple[Path, ...]:
        """The image file of each crop."""
        return tuple(self.folder.paths[image] for image in self.image_of(np.arange(len(self))).tolist())

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The index of the first crop of each image, and the number of all crops: [N+1]."""
        return np.concatenate(([0], np.cumsum((-(-self.folder.shapes // self.size)).prod(1))))

    def image_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The image of each crop."""
        return np.searchsorted(self.first, indices, "right") - 1

    def to(self, device: torch.device) -> Crops:
        """The same data set with its batches on another device."""
        return replace(self, folder=self.folder.to(device))

    def batch(self, indices: Tensor) -> Batch:
        """The crops at `indices`, int64 [B]: a function of these and of torch's global generator of the processor.

        Every position is equally likely. Half of those without an object, where the image has one, are given up for a
        position that shows a random object of the image as wholly as it can. Every crop takes six random numbers.
        """
        draws = torch.rand(len(indices), 6, dtype=torch.float64).numpy()
        images = self.image_of(indices.cpu().numpy()).tolist()
        origins = [self.origin(image, numbers) for image, numbers in zip(images, draws, strict=True)]
        return self.folder.part(images, np.array(origins, np.int64).reshape(-1, 2), indices)

    def origin(self, image: int, draws: NDArray[np.float64]) -> NDArray[np.int64]:
        """The column and row where a crop begins. draws: six numbers in 0..1."""
        last = np.maximum(self.folder.shapes[image] - self.size, 0)  # the last column and row where a crop may begin
        anywhere = between(np.zeros(2), last, draws[:2])
        objects = self.folder.objects[image]
        boxes = objects.boxes[~objects.crowd]
        if draws[2] >= MOVED or not len(boxes) or len(self.folder.placed(image, anywhere)):
            return anywhere
        box = boxes[int(draws[3] * len(boxes))]
        low, high = np.sort([np.floor(box[:2]), np.ceil(box[2:]) - self.size], axis=0)
        return between(low.clip(0, last), high.clip(0, last), draws[4:])


def between(low: NDArray[np.float64], high: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers from `low` to `high`, both included, by draws in 0..1."""
    return np.floor(low + draws * (high - low + 1)).astype(np.int64)
