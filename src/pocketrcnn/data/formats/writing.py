"""What all writers of data sets share: names of images, their copies, numbers with every digit. No torch here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import UserError
from ..annotations import Annotations, Example
from .finding import key

Number = int | float


def number(value: float) -> Number:
    """Whole numbers without a point, as other programs expect them; all others with every digit."""
    return int(value) if value.is_integer() else value


def size_of(example: Example) -> tuple[int, int]:
    """Width and height, which `check` has filled in."""
    assert example.size is not None, "only what has been checked is written"
    return example.size


def image_names(annotations: Annotations) -> dict[Path, str]:
    """A file name for each image. Where two images of a split have one name, the later ones get a number.

    VOC and YOLO tell images apart by name without suffix, in all splits together; so do these names.
    """
    taken: set[str] = set()
    names: dict[Path, str] = {}
    for path in (example.path for example in annotations.examples):
        stem, count = path.stem, 1
        while key(stem) in taken:
            count += 1
            stem = f"{path.stem}_{count}"
        taken.add(key(stem))
        names[path] = f"{stem}{path.suffix}"
    return names


def copies(pairs: Iterable[tuple[Path, Path]]) -> None:
    """Copy files byte by byte."""
    for source, target in pairs:
        shutil.copyfile(source, target)


def write_text(path: Path, text: str) -> None:
    """UTF-8 with plain line ends, on every system."""
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


@contextmanager
def new_folder(out: Path, data: Path) -> Iterator[Path]:
    """A folder to write into that becomes `out` when all is written; nothing is left behind after an error.

    Raises UserError when `out` holds something, is a file, lies inside the data that are copied, or cannot be written.
    """
    if data.resolve() in (out.resolve(), *out.resolve().parents):
        raise UserError(f"{out} is inside the data ({data}): name a folder elsewhere")
    if out.is_file():
        raise UserError(f"{out} is a file: name a new folder")
    if out.is_dir() and any(out.iterdir()):
        raise UserError(f"{out} is not empty: name an empty or a new folder, nothing is overwritten")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent, ignore_cleanup_errors=True) as made:
            inner = Path(made) / "data"
            inner.mkdir()
            yield inner
            if out.is_dir():
                out.rmdir()
            os.replace(inner, out)
    except OSError as error:
        raise UserError(
            f"{out} cannot be written ({error.strerror}): choose another folder or free some space"
        ) from error
