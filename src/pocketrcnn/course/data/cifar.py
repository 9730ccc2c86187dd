"""CIFAR on disk: where the files are, what they must contain, and how their records become tensors.

A record is one label byte (CIFAR-100: two), then 1,024 red, 1,024 green and 1,024 blue bytes, row by row
(Krizhevsky 2009). Whatever is read is checked first: a damaged file never becomes training data.

Shapes: N images.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...config import CIFAR10
from ...data.images.cache import cache_root
from ...errors import UserError

CLASSES = CIFAR10
SIDE = 32  # pixels
PIXEL_BYTES = 3 * SIDE * SIDE
RECORDS = 10_000  # in each file of CIFAR-10

CHECKSUMS = {  # md5 of the official record files
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
CIFAR100_RECORDS = {"train.bin": 50_000, "test.bin": 10_000}

COMMAND = "`pocketrcnn download cifar10`"


class Labelled(NamedTuple):
    """Images with one class each: uint8 [N,3,32,32] and int64 [N], 0..9."""

    images: Tensor
    labels: Tensor

    def part(self, kept: slice) -> Labelled:
        """The images of a slice, without copying."""
        return Labelled(self.images[kept], self.labels[kept])


def cifar10_folder() -> Path:
    """The folder of the six record files, which may not exist yet."""
    return cache_root() / "cifar-10-batches-bin"


def fault(name: str, content: bytes) -> str:
    """What is wrong with the content of the record file `name`; empty when it is the official file."""
    expected_size = RECORDS * (1 + PIXEL_BYTES)
    if len(content) != expected_size:
        return f"{expected_size} bytes expected, {len(content)} found"
    checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return "" if checksum == CHECKSUMS[name] else f"md5 {CHECKSUMS[name]} expected, {checksum} found"


def load_cifar10(names: Iterable[str]) -> Labelled:
    """Read record files, one after the other, from the cache.

    Raises UserError when a file is missing, truncated or has another checksum than the official one.
    """
    parts = [_read_checked(cifar10_folder() / name) for name in names]
    return Labelled(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))


def _read_checked(path: Path) -> Labelled:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"CIFAR-10 is not there yet, {path} is missing: run {COMMAND}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the file's permissions") from error
    if problem := fault(path.name, content):
        raise UserError(f"{path} is damaged ({problem}): run {COMMAND}, which replaces it")
    return parse_records(content)


def parse_records(content: bytes, label_bytes: int = 1) -> Labelled:
    """Records as tensors; of several label bytes the last is kept (CIFAR-100: the fine class)."""
    records = np.frombuffer(content, np.uint8).reshape(-1, label_bytes + PIXEL_BYTES)
    pixels = records[:, label_bytes:].copy().reshape(-1, 3, SIDE, SIDE)  # [N,3,32,32]
    return Labelled(torch.from_numpy(pixels), torch.from_numpy(records[:, label_bytes - 1].astype(np.int64)))


def load_cifar100_images(folder: Path, name: str) -> Tensor:
    """The images of CIFAR-100's `train.bin` or `test.bin`, for backgrounds: uint8 [N,3,32,32].

    Raises UserError when the file is missing or has another size than 3,074 bytes for each record.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"backgrounds: {path} cannot be read ({error.strerror}): "
            f"name a folder with CIFAR-100's {' and '.join(CIFAR100_RECORDS)}"
        ) from error
    expected = CIFAR100_RECORDS[name] * (2 + PIXEL_BYTES)
    if len(content) != expected:
        raise UserError(
            f"backgrounds: {path} is not CIFAR-100's ({expected} bytes expected, {len(content)} found): "
            "take it from the binary version of CIFAR-100 again"
        )
    return parse_records(content, label_bytes=2).images


def load_sample(split: Literal["train", "test"]) -> Labelled:
    """The sample inside the package: 1,000 training or 500 test images, the ten classes in turn.

    Image i has the label i % 10, so that every run of images is balanced.
    """
    folder = resources.files(__package__) / "sample"
    count = len(json.loads((folder / "records.json").read_text(encoding="ascii"))[split]["records"][CLASSES[0]])
    with Image.open(io.BytesIO((folder / f"{split}.png").read_bytes())) as mosaic:
        tiles = split_mosaic(np.asarray(mosaic.convert("RGB")))  # [10*count,3,32,32], by class
    by_class = tiles.reshape(len(CLASSES), count, 3, SIDE, SIDE)
    images = torch.from_numpy(by_class.swapaxes(0, 1).reshape(-1, 3, SIDE, SIDE))  # [count*10,3,32,32]
    return Labelled(images, torch.arange(len(CLASSES)).repeat(count))


def split_mosaic(mosaic: np.ndarray) -> np.ndarray:
    """Tiles of a picture, row by row: uint8 [R*32,C*32,3] to [R*C,3,32,32]."""
    rows, columns = mosaic.shape[0] // SIDE, mosaic.shape[1] // SIDE
    tiles = mosaic.reshape(rows, SIDE, columns, SIDE, 3)
    return np.ascontiguousarray(tiles.transpose(0, 2, 4, 1, 3)).reshape(-1, 3, SIDE, SIDE)
