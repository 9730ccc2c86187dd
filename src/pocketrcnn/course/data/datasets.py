"""Data sets as batches: `open_dataset` turns a `DataConfig` into one of the two classes here.

Shapes: N images in the set, B in a batch, G object slots, S the side of an image in pixels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ...config import DataConfig
from ...data.dataset import Dataset
from ...errors import UserError, nearest
from ...model.structures import Batch
from ..options import SOURCES
from .cifar import CLASSES, SIDE, Labelled, load_cifar10, load_cifar100_images, load_sample
from .course_layout import Split, read_course_layout
from .scenes import FRAME, Pools

TRAIN, TEST = ["data_batch_1.bin"], ["test_batch.bin"]
TRAIN_BACKGROUNDS, TEST_BACKGROUNDS = ["data_batch_2.bin", "data_batch_3.bin"], ["data_batch_4.bin", "data_batch_5.bin"]


@dataclass(frozen=True)
class Images:
    """A data set that always shows the same: images uint8 [N,3,S,S], boxes float32 [N,G,4], labels int64 [N,G]."""

    name: str
    images: Tensor
    boxes: Tensor
    labels: Tensor
    classes: list[str] = field(default_factory=lambda: list(CLASSES))

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.images.shape[-1]

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> Images:
        """The same data set on another device."""
        tensors = {name: getattr(self, name).to(device) for name in ("images", "boxes", "labels")}
        return replace(self, **tensors)

    def batch(self, indices: Tensor) -> Batch:
        """The images at the positions `indices`, int64 [B]: a function of these alone."""
        indices = indices.to(self.images.device)
        return Batch(self.images[indices], self.boxes[indices], self.labels[indices], indices)


@dataclass(frozen=True)
class FreshScenes:
    """Transformed CIFAR-10 with a new position, size and background for each object every time."""

    size = FRAME
    name: str
    pools: Pools
    classes: list[str] = field(default_factory=lambda: list(CLASSES))

    def __len__(self) -> int:
        return len(self.pools.objects)

    def to(self, device: torch.device) -> FreshScenes:
        """The same data set on another device."""
        return replace(self, pools=self.pools.to(device))

    def batch(self, indices: Tensor) -> Batch:
        """The objects at the positions `indices`, int64 [B]: a function of these and torch's global CPU generator."""
        indices = indices.to(self.pools.objects.device)
        placement = self.pools.place(len(indices)).to(indices.device)
        images = self.pools.compose(indices, placement)  # [B,3,48,48]
        return Batch(images, placement.boxes, self.pools.labels[indices][:, None], indices)


def open_dataset(config: DataConfig, split: Split) -> Dataset:
    """Open the training or the test half of what `config` names.

    With `config.holdout`, "test" is the last images of the training set, and the test set is never opened.
    Raises UserError when there is no such source, or when its files are missing or damaged.
    """
    source, backgrounds = config.parts
    if source not in SOURCES:
        return _course_folder(config, split)
    name, objects = _name(config, split), _objects(config, split)
    if config.kind == "images":
        return whole_images(name, objects)
    pools = _pools(config, split, objects)
    name += ", backgrounds of CIFAR-100" if backgrounds else ""
    if split == "train" and config.fresh:
        return FreshScenes(f"{name}, fresh scenes", pools)
    return fixed_scenes(name, pools)


def whole_images(name: str, objects: Labelled) -> Images:
    """Images of one object each, which fills them."""
    whole = torch.tensor([0.0, 0.0, SIDE, SIDE]).expand(len(objects.images), 1, 4)
    return Images(name, objects.images, whole.contiguous(), objects.labels[:, None])


def fixed_scenes(name: str, pools: Pools) -> Images:
    """One scene of each object, always the same."""
    images, boxes = pools.fixed()
    return Images(f"{name}, fixed scenes", images, boxes, pools.labels[:, None])


def _name(config: DataConfig, split: Split) -> str:
    """Which images these are, in words."""
    names = {
        "cifar10": {"train": "CIFAR-10, training batch 1", "test": "CIFAR-10, test batch"},
        "sample": {"train": "sample of CIFAR-10, 1,000 training images", "test": "sample of CIFAR-10, 500 test images"},
    }[config.parts[0]]
    if not config.holdout:
        return names[split]
    part = "without its" if split == "train" else "only the"
    return f"{names['train']}, {part} last {config.holdout:,}"


def _objects(config: DataConfig, split: Split) -> Labelled:
    kept: Split = "train" if config.holdout else split
    objects = load_sample(kept) if config.parts[0] == "sample" else load_cifar10(TRAIN if kept == "train" else TEST)
    return objects.part(_kept(config, split, len(objects.images)))


def _kept(config: DataConfig, split: Split, count: int) -> slice:
    """Which of `count` images belong to a split: all, or those before or behind the hold-out's border."""
    if config.holdout >= count:
        raise UserError(f"data.holdout is {config.holdout}, but there are only {count} training images: use fewer")
    border = count - config.holdout
    return slice(border) if not config.holdout or split == "train" else slice(border, count)


def _pools(config: DataConfig, split: Split, objects: Labelled) -> Pools:
    source, backgrounds = config.parts
    if backgrounds:
        return Pools(*objects, _cifar100(Path(os.path.expanduser(backgrounds)), split, bool(config.holdout)))
    if source == "cifar10":
        files = TRAIN_BACKGROUNDS if split == "train" else TEST_BACKGROUNDS
        return Pools(*objects, load_cifar10(files).images)
    if len(objects.images) == 1:
        raise UserError("data.holdout leaves 1 image of the sample and no other as its background: hold out more")
    return Pools(*objects, objects.images, shared=True)


def _cifar100(folder: Path, split: Split, holdout: bool) -> Tensor:
    """Backgrounds from CIFAR-100: its test file only for the test set, its last fifth of training for a hold-out."""
    images = load_cifar100_images(folder, "train.bin" if holdout else f"{split}.bin")
    border = len(images) - len(images) // 5
    return images if not holdout else images[:border] if split == "train" else images[border:]


def _course_folder(config: DataConfig, split: Split) -> Images:
    folder = Path(os.path.expanduser(config.source))
    if not folder.is_dir():
        known = f"{nearest(config.source, SOURCES)}: use {', '.join(SOURCES)}, or a folder in the course's layout"
        raise UserError(f"data.source `{config.source}` is unknown{known}")
    if config.kind == "images":
        raise UserError(f"data.source {folder} holds scenes: use it for an experiment on scenes, or another source")
    scenes = read_course_layout(folder, "train" if config.holdout else split)
    kept = _kept(config, split, len(scenes[0]))
    images, boxes, labels = (tensor[kept] for tensor in scenes)
    if split == "train" and len(images) < 2:
        raise UserError(f"{folder} has {len(images)} training images: use 2 or more, BatchNorm needs them")
    part = f", {'without' if split == 'train' else 'only'} the last {config.holdout:,}" if config.holdout else ""
    name = f"{folder.name}, {'training' if split == 'train' or config.holdout else 'test'} images{part}, fixed scenes"
    return Images(name, images, boxes, labels)
