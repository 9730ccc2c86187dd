"""What all writers of data sets share: names of images, their copies, numbers with every digit. No torch here."""

import re
from itertools import chain, count
from pathlib import Path

from PIL import Image

from ..annotations import Annotations, Example, printable
from ..images.identifying import FORMATS
from ..listing import is_image_name
from .finding import key

ENDINGS = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2"}  # the other formats are called as theirs


def number(value: float) -> int | float:
    """Whole numbers without a point, as other programs expect them; all others with every digit."""
    return int(value) if value.is_integer() else value


def size_of(example: Example) -> tuple[int, int]:
    """Width and height, which `check` has filled in."""
    assert example.size is not None, "only what has been checked is written"
    return example.size


def image_names(annotations: Annotations) -> dict[Path, str]:
    """A file name for each image. Where two images of a split have one name, the later ones get a number.

    VOC and YOLO tell images apart by name without suffix, in all splits together; so do these names. YOLO knows images
    by their endings: those without a known one get it.
    """
    taken: set[str] = set()
    names: dict[Path, str] = {}
    for path in (example.path for example in annotations.examples):
        name = usable(path)
        numbered = (f"{name.stem}_{i}" for i in count(2))
        stem = next(stem for stem in chain([name.stem], numbered) if key(stem) not in taken)
        taken.add(key(stem))
        names[path] = f"{stem}{name.suffix}"
    return names


def usable(path: Path) -> Path:
    """The name of an image file in characters that can be written, not hidden, and with an ending that is known."""
    name = Path(re.sub("[\ud800-\udfff]", "\ufffd", path.name).lstrip("."))
    if is_image_name(name):
        return name
    with Image.open(path, formats=FORMATS) as image:
        kind = str(image.format)
    return Path(f"{name}{ENDINGS.get(kind, f'.{kind.lower()}')}")


def write_text(path: Path, text: str) -> None:
    """UTF-8 with plain line ends, on every system."""
    path.write_text(printable(text) + "\n", encoding="utf-8", newline="\n")
