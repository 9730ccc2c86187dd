"""What a user's data set says: images, objects, classes, splits. No torch here.

Readers of COCO, VOC, YOLO and CSV make these; `check` finds the faults and hands on what is valid.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..config import Pages
from .images.page_names import named_page

Box = tuple[float, float, float, float]

SPLITS = ("train", "val", "test")
MIN_SIDE = 2.0  # pixels of the input: objects that are less wide or high are not learned


def content_hash(path: Path) -> str:
    """A hash of what is in a file; for a page of one, with its number. Raises OSError where it cannot be read."""
    file, number = named_page(path)
    digest = hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    return digest if number is None else f"{digest}[{number}]"


def printable(text: str) -> str:
    """Text that can be written as UTF-8: half characters, of JSON or file names, are escaped, as in `caf\\udce9`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


Shape = Literal["xyxy", "xywh", "cxcywh", "yxyx", "yxhw", "around"]
Units = Literal["pixels", "fractions"]


class Written(NamedTuple):
    """The four numbers of a box as the file has them, and what its format says that they are.

    shape: two corners, a corner and the sides, the centre and the sides; `y` first where the axes are exchanged;
    `around`: two corners that are not in the file, of the box around an outline.
    units: pixels of the image, or fractions of its sides.
    """

    numbers: Box
    shape: Shape
    units: Units = "pixels"


@dataclass(frozen=True)
class Object:
    """One annotated object.

    box: x1, y1, x2, y2 in pixels of the image as it is shown; a box over a whole image is (0, 0, width, height).
    name: its class. where: its position in the file that names it, for messages (`annotation 17`, `line 5`).
    """

    box: Box
    name: str
    where: str = ""
    crowd: bool = False
    """COCO's `iscrowd`: a region of many objects: background in training, and neither right nor wrong in evaluation."""
    written: Written | None = field(default=None, compare=False)
    """The box in the file, where its four numbers are there: `check` finds out whether they mean what they should."""


@dataclass(frozen=True)
class Example:
    """One image with its objects, which may be none.

    path: the file. split: `train`, `val`, `test`, or empty where the data have none.
    size: (width, height) as the annotations state it, None where they do not; what `check` hands on has the real one.
    source: the file that holds the annotations. digest: a hash of the image file's content, from `check`. tried: where
    there is no file, what was looked for in vain.
    """

    path: Path
    objects: tuple[Object, ...] = ()
    split: str = ""
    size: tuple[int, int] | None = None
    source: Path | None = None
    digest: str = field(default="", compare=False)
    tried: str = field(default="", compare=False)


@dataclass(frozen=True)
class Fault:
    """Something wrong with the data: in which file, at which object, why, and what becomes of it.

    kind: a short fixed word for programs (`zero-size`, `outside`, ...). drops: whether it costs an image or an object.
    """

    kind: str
    file: Path
    where: str
    reason: str
    drops: bool

    def __str__(self) -> str:
        text = printable(f"{self.file}{f', {self.where}' if self.where else ''}: {self.reason}")
        return text.replace("\n", "\\n")  # a name may have line breaks, a fault is one line


@dataclass(frozen=True)
class Annotations:
    """A data set as its files describe it. format: `coco`, `voc`, `yolo` or `csv`; root: its folder.

    pages: what is read of a file of several. unnamed: image files that none of them names. unread: fields that are not
    kept here, as (field, of what, how often), such as ("segmentation", "object", 12). outside: what leads out of the
    folder and is not read.
    """

    format: str
    root: Path
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    faults: tuple[Fault, ...] = ()
    unnamed: tuple[Path, ...] = ()
    unread: tuple[tuple[str, str, int], ...] = ()
    outside: tuple[Path, ...] = ()
    pages: Pages = "first"

    def split(self, name: str) -> tuple[Example, ...]:
        """The examples of one split."""
        return tuple(example for example in self.examples if example.split == name)


@dataclass(frozen=True)
class Report:
    """The result of `inspect`.

    clean: the valid images and objects, with real sizes and no faults. faults: all, those of the reader too.
    summary: numbers about `clean`, as `pocketrcnn check --json` prints them.
    """

    clean: Annotations
    faults: tuple[Fault, ...]
    summary: dict[str, Any]

    @property
    def drops(self) -> bool:
        """Whether anything is lost."""
        return any(fault.drops for fault in self.faults)
