"""Scenes with many objects, for detectors of any number: CIFAR-10 images on an enlarged background, as a COCO data set.

Objects are squares of 24 to 40 pixels, resampled as in `scenes`; later ones lie on top of earlier ones. No object
appears in two splits, and no background is an object. Always the same for the same arguments.
Legend: B images, G object slots, T tries, S side of the image in pixels.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ...data.annotations import SPLITS, Example, Object
from ...data.files import new_folder
from ...data.formats.coco import NAME, document
from ...data.formats.writing import write_text
from ...errors import UserError
from ...model import boxes
from ...model.structures import PADDING, Batch
from .cifar import CLASSES, Labelled, cifar10_folder, load_cifar10, load_sample
from .course_layout import write_pictures
from .datasets import TEST, TEST_BACKGROUNDS, TRAIN, TRAIN_BACKGROUNDS
from .scenes import CHUNK, LARGEST, SMALLEST, Pools, corners, levels, resample, square

HIDDEN = 0.3  # largest part of an object that later ones hide, all together
TRIES = 200  # positions drawn for each object, of which the first good one is taken; else the object is skipped
SAME_SIDE = 150  # tries with one side; later ones draw the side anew, as a smaller object may fit
LARGEST_FRAME = 128  # pixels; see `resample`
MAX_OBJECTS = 100  # an image
SHARES = {"train": 1.0, "val": 0.1, "test": 0.2}  # images of each split, in parts of the training images


@dataclass(frozen=True)
class Crowd:
    """What scenes look like. objects: minimum and maximum an image; side: of the image in pixels.

    Raises UserError, in terms of the options of `pocketrcnn scenes`, for what cannot be.
    """

    objects: tuple[int, int] = (0, 6)
    side: int = 96

    def __post_init__(self) -> None:
        low, high = self.objects
        if not 0 <= low <= high <= MAX_OBJECTS:
            raise UserError(f"--objects {low}-{high}: use two numbers from 0 to {MAX_OBJECTS}, the smaller one first")
        if not LARGEST <= self.side <= LARGEST_FRAME:
            raise UserError(f"--side {self.side}: use {LARGEST} to {LARGEST_FRAME} pixels")


class Squares(NamedTuple):
    """Where the objects of B images go: side, upper and left edge int64 [B,G], and whether there is one, bool [B,G]."""

    width: Tensor
    top: Tensor
    left: Tensor
    present: Tensor


def write_crowded(out: Path, source: str, crowd: Crowd, images: int) -> dict[str, tuple[int, int]]:
    """Write `train/`, `val/` and `test/` with PNGs and COCO files to the folder `out`.

    source: `cifar10` or `sample`. images: of the training split; the others are a tenth and a fifth of it.
    Returns the numbers of images and objects of each split. Raises UserError when there are to be no images, when
    `out` holds something, and when the data are not there.
    """
    if images < 1:
        raise UserError(f"--images {images}: use 1 or more")
    with new_folder(out, cifar10_folder()) as folder:
        return {split: _write_split(folder / split, source, crowd, images) for split in SPLITS}


def pools(source: str, split: str) -> Pools:
    """Objects and backgrounds of a split, the last tenth of what training may use being kept for `val`.

    CIFAR-10: objects of training batch 1 or the test batch, backgrounds of the other training batches. The sample:
    three quarters of its training or test images are objects, the rest backgrounds.
    """
    test = split == "test"
    if source == "cifar10":
        objects = load_cifar10(TEST if test else TRAIN)
        backgrounds = load_cifar10(TEST_BACKGROUNDS if test else TRAIN_BACKGROUNDS)
    else:
        images = load_sample("test" if test else "train")
        border = len(images.images) * 3 // 4
        objects, backgrounds = images.part(slice(border)), images.part(slice(border, None))
    if not test:
        objects, backgrounds = _share(objects, split), _share(backgrounds, split)
    return Pools(*objects, backgrounds.images)


def _share(images: Labelled, split: str) -> Labelled:
    """All but the last tenth for `train`, the last tenth for `val`."""
    border = len(images.images) - len(images.images) // 10
    return images.part(slice(border) if split == "train" else slice(border, None))


def crowded(made_of: Pools, ids: Tensor, crowd: Crowd, generator: Generator) -> Batch:
    """Draw the scenes number `ids`, int64 [B]: images uint8 [B,3,S,S], with up to as many objects as `crowd` says.

    Backgrounds are taken in turn, so that scenes without objects are not the same by chance.
    """
    squares = place(len(ids), crowd, generator)
    shape = squares.width.shape
    chosen = torch.randint(len(made_of.objects), shape, generator=generator)  # [B,G]
    backgrounds = made_of.backgrounds[ids % len(made_of.backgrounds)]
    images = compose(made_of.objects[chosen], backgrounds, squares, crowd.side)
    labels = made_of.labels[chosen].where(squares.present, PADDING)
    return Batch(images, corners(*squares[:3]) * squares.present[..., None], labels, ids)


def place(count: int, crowd: Crowd, generator: Generator) -> Squares:
    """Draw positions, one object of all images after the other, so that none is hidden by more than HIDDEN."""
    low, high = crowd.objects
    wanted = torch.randint(low, high + 1, (count,), generator=generator)
    taken = Squares(*(torch.zeros(count, 0, dtype=kind) for kind in (torch.int64,) * 3 + (torch.bool,)))
    hidden = torch.zeros(count, 0)  # [B,G] part of each object
    for slot in range(high):
        width = torch.randint(SMALLEST, LARGEST + 1, (count, TRIES), generator=generator)
        width[:, :SAME_SIDE] = width[:, :1]
        top, left = torch.randint(1 << 24, (2, count, TRIES), generator=generator) % (crowd.side + 1 - width)
        tried = corners(width, top, left)  # [B,T,4]
        more = boxes.covered(corners(*taken[:3]), tried) * taken.present[..., None]  # [B,G,T]
        good = (hidden[..., None] + more <= HIDDEN).all(1)  # [B,T]
        first = good.int().argmax(1, keepdim=True)  # [B,1]
        present = good.any(1, keepdim=True) & (slot < wanted)[:, None]
        hidden = hidden + more.gather(2, first[:, None].expand(-1, slot, -1))[..., 0] * present
        hidden = torch.cat((hidden, torch.zeros(count, 1)), 1)
        new = Squares(width.gather(1, first), top.gather(1, first), left.gather(1, first), present)
        taken = Squares(*(torch.cat(pair, 1) for pair in zip(taken, new, strict=True)))
    return taken


def compose(objects: Tensor, backgrounds: Tensor, squares: Squares, side: int) -> Tensor:
    """Objects uint8 [B,G,3,32,32] over backgrounds uint8 [B,3,32,32], the last on top: uint8 [B,3,S,S]."""
    whole, corner = torch.tensor([side]), torch.zeros(1, dtype=torch.int64)
    canvas = levels(resample(backgrounds, whole, corner, corner, side), whole)
    for slot in range(objects.shape[1]):
        width, top, left, present = (part[:, slot] for part in squares)
        pasted = levels(resample(objects[:, slot], width, top, left, side), width[:, None, None, None])
        canvas = torch.where(square(width, top, left, side) & present[:, None, None, None], pasted, canvas)
    return canvas


def _write_split(folder: Path, source: str, crowd: Crowd, images: int) -> tuple[int, int]:
    """One split; returns its numbers of images and objects."""
    folder.mkdir()
    made_of, count = pools(source, folder.name), max(1, round(SHARES[folder.name] * images))
    generator = Generator().manual_seed(SPLITS.index(folder.name))
    examples: list[Example] = []
    for start in range(0, count, CHUNK):
        batch = crowded(made_of, torch.arange(start, min(start + CHUNK, count)), crowd, generator)
        names = [f"{folder.name}_{i:05d}.png" for i in batch.ids.tolist()]
        write_pictures(folder, names, batch.images.permute(0, 2, 3, 1))
        examples += [_example(folder / name, batch, i) for i, name in enumerate(names)]
    content = document(examples, CLASSES, [example.path.name for example in examples])
    write_text(folder / NAME, json.dumps(content, indent=1))
    return len(examples), len(content["annotations"])


def _example(path: Path, batch: Batch, i: int) -> Example:
    """Image `i` of a batch as the writers of formats take it."""
    keep = batch.valid[i]
    pairs = zip(batch.boxes[i][keep].tolist(), batch.labels[i][keep].tolist(), strict=True)
    objects = tuple(Object((x1, y1, x2, y2), CLASSES[label]) for (x1, y1, x2, y2), label in pairs)
    return Example(path, objects, path.parent.name, (batch.images.shape[-1], batch.images.shape[-2]))
