"""What `predict` draws: images with their boxes, and objects cut out, as PNG files. No torch here."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..data.files import write_errors
from ..data.images.page_names import stem
from ..data.images.pixels import Pixels
from .draw import Row, picture

PICTURES, CROPS = "pictures", "crops"

LONGEST_NAME = 200  # bytes


@dataclass(frozen=True)
class PictureFiles:
    """The folders `pictures` and `crops` of a prediction, as far as they are wanted."""

    folder: Path
    classes: Sequence[str]
    pictures: bool
    crops: bool

    def draw(self, name: str, image: Pixels, rows: Sequence[Row]) -> None:
        """The image with its boxes, and its objects cut out. name: of the picture without its ending, also with the
        folders in which it lies."""
        if self.pictures:
            save(self.folder / PICTURES / f"{name}.png", picture(image, rows, self.classes))
        if self.crops:
            for i, (box, _, label) in enumerate(rows, 1):
                save(self.folder / CROPS / as_folder(self.classes[label]) / f"{name}-{i}.png", crop(image, box))


class UnusedNames:
    """Names for the pictures of images of several folders in one."""

    def __init__(self) -> None:
        self.used = dict[str, int]()

    def of(self, path: Path) -> str:
        """The name of an image, or NAME-2, .. where images of other folders or formats have it, in any capitals."""
        name = shortened(stem(path))
        key, number = name.casefold(), 0
        while key in self.used:
            number = self.used[key] = self.used[key] + 1
            key = f"{name}-{number}".casefold()
        self.used[key] = 1
        return f"{name}-{number}" if number else name


def name_below(name: str) -> str:
    """The same for an image that is named by its path below a folder: it keeps that, with its ending, so that pictures
    of two images never meet. Where the last part is longer than systems allow, a hash is the end of it."""
    folders, _, last = name.rpartition("/")
    if (short := shortened(last)) != last:
        short += "-" + hashlib.sha256(os.fsencode(last)).hexdigest()[:8]
    return f"{folders}/{short}" if folders else short


def save(path: Path, pixels: Pixels) -> None:
    """A picture as a PNG. Raises UserError where it cannot be written."""
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, compress_level=1)


def as_folder(label: str) -> str:
    """The name of a class without the characters that some system forbids in the name of a folder."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", shortened(label)).strip(". ") or "_"


def shortened(name: str) -> str:
    """A name that leaves room for a number and an ending among the 255 bytes that systems allow."""
    return os.fsencode(name)[:LONGEST_NAME].decode("utf-8", "ignore") if len(os.fsencode(name)) > LONGEST_NAME else name


def crop(image: Pixels, box: Sequence[float]) -> Pixels:
    """The pixels [h,w,3] that a box touches, at least one."""
    height, width = image.shape[:2]
    x1, y1 = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    x2, y2 = (max(start + 1, int(np.ceil(stop))) for start, stop in zip((x1, y1), box[2:], strict=True))
    return np.ascontiguousarray(image[y1:y2, x1:x2])
