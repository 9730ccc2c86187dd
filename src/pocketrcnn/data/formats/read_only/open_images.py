"""The tables of Open Images: `...-annotations-bbox.csv`, boxes as fractions of the image's sides. No torch here.

Groups (`IsGroupOf`) are read as crowd. Class codes such as /m/01yrx have their names in `class-descriptions*.csv`,
where that is there. Images are called as their id. Format: https://storage.googleapis.com/openimages/web/download_v7.html
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ...annotations import Annotations, Example, Object, Written, printable
from ..finding import beside, plain, used_classes
from ..reading import Reading
from ..recognition import Rule
from ..table_columns import rows
from .records import Format, attempt, in_pixels, named, number

COLUMNS = ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
OTHERS = ("IsOccluded", "IsTruncated", "IsDepiction", "IsInside")  # columns with 1 where something is so
NUMBER = re.compile(r"-?\d*\.?\d+(?:[eE][-+]?\d+)?")
CODE = re.compile(r"/[mgt]/[\w-]+")


def looks_like_open_images(_: Path, start: str) -> bool:
    """Whether a CSV file has the columns, and boxes that are fractions."""
    header, body = start.lstrip("\ufeff \r\n").partition("\n")[::2]
    names = [name.strip().strip('"') for name in header.split(",")]
    if not set(COLUMNS) <= set(names):
        return False
    cells = [line.split(",") for line in body.splitlines()[:20]]
    sides = [row[names.index(column)] for row in cells if len(row) == len(names) for column in COLUMNS[2:]]
    return all(abs(float(side)) <= 1 for side in sides if NUMBER.fullmatch(side.strip()))


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all tables, as they are."""
    images, called = reading.images(), class_names(reading)
    given = [one for source in sources for one in examples_of(source, called, reading)]
    examples = [in_pixels(one) for one in images.placed(reading.in_splits(given, stems=reading.path.is_dir()), beside)]
    codes = [name for name in used_classes(examples) if CODE.fullmatch(name)]
    if codes:
        reason = f"has class codes without names, such as {codes[0]}: put class-descriptions-boxable.csv beside it"
        reading.fault("no-names", sources[0], "", reason, drops=False)
    return reading.annotations("open-images", used_classes(examples), examples, images)


def class_names(reading: Reading) -> dict[str, str]:
    """The names of class codes."""
    tables = [file for file in reading.files if file.suffix.lower() == ".csv" and "class-descriptions" in file.name]
    pairs = (cells for table in tables for _, cells in rows(reading.text(table)) if len(cells) == 2)
    return {code: printable(words) for code, words in pairs if CODE.fullmatch(code) and words}


def examples_of(source: Path, names: dict[str, str], reading: Reading) -> Iterator[Example]:
    """The images of a table, with their ids as paths and boxes in fractions."""
    (_, header), *body = rows(reading.text(source))
    found: dict[str, list[Object]] = {}
    for line, cells in body:
        row = dict(zip(header, cells, strict=False))
        if not row.get("ImageID"):
            reading.fault("unreadable", source, line, "names no image")
            continue
        made = attempt(row, lambda one: row_object(one, names), source, line, reading)
        found.setdefault(row["ImageID"], []).extend([made] if made else [])
        reading.unread.update((column, "object") for column in OTHERS if row.get(column) == "1")
    for name, objects in found.items():
        yield Example(Path(plain(name)), tuple(objects), source=source)


def row_object(row: dict[str, str], names: dict[str, str]) -> Object:
    """The object of a row, in fractions. Raises Unclear where it is none."""
    x1, y1, x2, y2 = (number(row.get(column)) for column in ("XMin", "YMin", "XMax", "YMax"))
    code = named(row.get("LabelName"))
    written = Written((x1, y1, x2, y2), "xyxy", "fractions")
    return Object((x1, y1, x2, y2), names.get(code, code), written=written)


FORMAT = Format(
    "Open Images",
    (Rule("open-images", (".csv",), looks_like_open_images, "columns ImageID, LabelName and XMin"),),
    read,
)
