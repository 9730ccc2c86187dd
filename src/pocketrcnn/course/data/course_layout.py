"""The folder layout of the course's Transformed CIFAR-10, written and read.

    imgs/NAME.png     48x48 RGB
    masks/NAME.png    6x6, one value a cell: 1 object, 0 background, 2 ignored
    devkit/train.txt  one line an image: NAME.png LABEL ROW COLUMN WIDTH (centre and side of the object in pixels)
    devkit/test.txt

Shapes: N images, each with one object.
"""

import math
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...config import RPNConfig
from ...data.dataset import Dataset
from ...data.files import new_folder
from ...data.images.pixels import Pixels, read_image
from ...errors import UserError
from ...model import boxes
from .cifar import CLASSES, cifar10_folder
from .scenes import FRAME

Split = Literal["train", "test"]
CHUNK = 500  # images at a time
STRIDE = 8  # pixels a cell, that of Table 2's network
MASK_IGNORED = 2  # the value of ignored cells in a mask
HALF = 0.5  # pixels by which a box may leave the image: the centre of an odd width, rounded


def write_course_layout(folder: Path, train: Dataset, test: Dataset) -> None:
    """Write two data sets in the course's layout; `folder` appears when it is whole.

    Images are 48x48 with one square object each. Raises UserError when `folder` holds something already, or cannot be
    written.
    """
    with new_folder(folder, cifar10_folder()) as made:  # not flushed file by file: 40,000 flushes would take minutes
        for part in ("imgs", "masks", "devkit"):
            (made / part).mkdir()
        _write_split(made, "train", train)
        _write_split(made, "test", test)


def _write_split(folder: Path, split: Split, data: Dataset) -> None:
    lines: list[str] = []
    for start in range(0, len(data), CHUNK):
        indices = torch.arange(start, min(start + CHUNK, len(data)))
        batch = data.batch(indices)
        assert batch.boxes.shape[1:] == (1, 4), "the layout has room for one object an image"
        objects = batch.boxes[:, 0].cpu()  # [N,4]
        names = [f"{split}_{index:05d}.png" for index in indices.tolist()]
        write_pictures(folder / "imgs", names, batch.images.permute(0, 2, 3, 1))
        write_pictures(folder / "masks", names, cell_labels(objects))
        for name, label, box in zip(names, batch.labels[:, 0].tolist(), objects.tolist(), strict=True):
            left, top, right, bottom = box
            lines.append(f"{name} {label} {(top + bottom) / 2:g} {(left + right) / 2:g} {right - left:g}\n")
    (folder / "devkit" / f"{split}.txt").write_text("".join(lines), encoding="utf-8")


def write_pictures(folder: Path, names: list[str], pictures: Tensor) -> None:
    """Write pictures, uint8 [N,H,W,3] or [N,H,W], as PNG."""
    for name, picture in zip(names, pictures.to("cpu", torch.uint8).numpy(), strict=True):
        Image.fromarray(picture).save(folder / name)


def cell_labels(objects: Tensor) -> Tensor:
    """What each cell's anchor stands for, 1 object, 0 background, 2 ignored: boxes [N,4] -> int64 [N,6,6].

    By the thresholds of `RPNConfig`; the best anchor of an object is always positive (Ren et al. 2015, 3.1.2).
    """
    config, cells = RPNConfig(), FRAME // STRIDE
    anchors = boxes.anchors(cells, cells, STRIDE, config.anchors)  # [6,6,1,4]
    valid = torch.ones(len(objects), 1, dtype=torch.bool)
    labels, _ = boxes.match(anchors, objects[:, None], valid, config.positive_iou, config.negative_iou)  # [N,36]
    return labels.masked_fill(labels == boxes.IGNORED, MASK_IGNORED).view(-1, cells, cells)


def read_course_layout(folder: Path, split: Split) -> tuple[Tensor, Tensor, Tensor]:
    """Read one half: images uint8 [N,3,48,48], boxes float32 [N,1,4], labels int64 [N,1].

    The masks are not read: they follow from the boxes. Raises UserError that names the file, and the line, when
    a file is missing or broken, a line cannot be read, or a box lies outside the image.
    """
    listing = folder / "devkit" / f"{split}.txt"
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UserError(f"{listing} cannot be read ({reason}): name a folder in the course's layout") from error
    entries = [_parse(line, f"{listing}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not entries:
        raise UserError(f"{listing} lists no image: add a line `NAME.png LABEL ROW COLUMN WIDTH` for each")
    images = np.empty((len(entries), FRAME, FRAME, 3), dtype=np.uint8)
    for index, (name, _, _) in enumerate(entries):
        images[index] = _read_picture(folder / "imgs" / name, listing)
    objects = torch.tensor([box for _, _, box in entries], dtype=torch.float32)[:, None]  # [N,1,4]
    labels = torch.tensor([label for _, label, _ in entries])[:, None]  # [N,1]
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), objects, labels


def _parse(line: str, where: str) -> tuple[str, int, list[float]]:
    """A line as name, label and box xyxy."""
    try:
        name, label_text, *numbers = line.split()
        label, (row, column, width) = int(label_text), map(float, numbers)
    except ValueError:
        raise UserError(f"{where} is not `NAME.png LABEL ROW COLUMN WIDTH` but {line!r}: correct it") from None
    if not 0 <= label < len(CLASSES):
        raise UserError(f"{where} has the label {label}: correct it to 0..{len(CLASSES) - 1}")
    box = [column - width / 2, row - width / 2, column + width / 2, row + width / 2]
    if not (all(map(math.isfinite, box)) and width > 0 and min(box) >= -HALF and max(box) <= FRAME + HALF):
        raise UserError(f"{where} has a box outside the {FRAME}x{FRAME} frame, {line!r}: correct ROW, COLUMN and WIDTH")
    return name, label, box


def _read_picture(path: Path, listing: Path) -> Pixels:
    """One image, uint8 [48,48,3]."""
    if not path.exists():
        raise UserError(f"{path} is missing, though {listing} lists it: restore it or delete its line")
    pixels = read_image(path)
    height, width, _ = pixels.shape
    if (width, height) != (FRAME, FRAME):
        raise UserError(f"{path} is {width}x{height} pixels: the layout has {FRAME}x{FRAME}")
    return pixels
