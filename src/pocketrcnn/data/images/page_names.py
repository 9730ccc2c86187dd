"""A page of a file has a name: `cells.tif[3]` is the third image in `cells.tif`, counted from 1. No torch here.

Annotations, command lines and results use it. Everything that reads an image reads a page by this name; a file that is
called so itself comes first.
"""

import os
import re
from pathlib import Path, PurePath

PAGE = re.compile(r"(?P<file>.+)\[(?P<number>[1-9]\d{0,6})\]", re.DOTALL)


def named_page(path: Path) -> tuple[Path, int | None]:
    """The file of a page, and its number; a path that is no page of a file, and None."""
    found = split_name(path.name)
    if found is None or os.path.lexists(path):
        return path, None
    return path.with_name(found[0]), found[1]


def split_name(name: str) -> tuple[str, int] | None:
    """What comes before the number of a page, and the number; None where there is none."""
    found = PAGE.fullmatch(name)
    return (found["file"], int(found["number"])) if found else None


def page_path(path: Path, number: int) -> Path:
    """The name of a page of a file."""
    return path.with_name(f"{path.name}[{number}]")


def file_of(path: Path) -> Path:
    """The file that holds an image: of a page its file, else the path itself."""
    return named_page(path)[0]


def stem(path: Path) -> str:
    """The name of an image without the ending of its file: `cells[3]`."""
    file, number = named_page(path)
    return file.stem if number is None else f"{PurePath(file.name).stem}[{number}]"
