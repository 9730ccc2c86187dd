"""What all writers of data sets share: names of images, their copies, numbers with every digit. No torch here."""

import re
import shutil
from itertools import chain, count
from pathlib import Path

from PIL import Image

from ...errors import UserError
from ..annotations import Annotations, Example, printable
from ..images.identifying import FORMATS
from ..images.page_names import file_of, named_page, page_path
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
    by their endings: those without a known one get it. Pages of a file have the name of its copy.
    """
    taken: set[str] = set()
    names: dict[Path, str] = {}
    for path in dict.fromkeys(file_of(example.path) for example in annotations.examples):
        name = usable(path)
        numbered = (f"{name.stem}_{i}" for i in count(2))
        stem = next(stem for stem in chain([name.stem], numbered) if key(stem) not in taken)
        taken.add(key(stem))
        names[path] = f"{stem}{name.suffix}"
    pages = ((example.path, *named_page(example.path)) for example in annotations.examples)
    return names | {path: page_path(Path(names[file]), number).name for path, file, number in pages if number}


def copy_image(path: Path, folder: Path, name: str) -> None:
    """The file of an image, under the name that `image_names` gives it; that of several pages once."""
    file, number = named_page(path)
    target = folder / (name if number is None else name.rpartition("[")[0])
    if number is None or not target.exists():
        shutil.copyfile(file, target)


def require_no_pages(annotations: Annotations, form: str) -> None:
    """Raises UserError where an image is a page of a file, which a format cannot name."""
    for one in annotations.examples:
        if named_page(one.path)[1]:
            remedy = "use --to coco or --to csv, or save the pages as files"
            raise UserError(f"{one.path} is a page of a file, and {form} names whole files: {remedy}")


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
