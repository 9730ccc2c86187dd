"""The CSV of makesense.ai: class, x, y, width, height, image, its width and height, without a header. No torch here."""

import re
from pathlib import Path

from ...annotations import Annotations, Example, Object, Written
from ..finding import plain, size_from
from ..reading import Reading
from ..recognition import Rule
from ..table_columns import rows
from .records import Format, Unclear, attempt, gathered, named, number

COLUMNS = ("class", "x", "y", "width", "height", "image", "image width", "image height")
LINE = re.compile(r'(?:"[^"]*"|[^,"]*)(?:,-?\d+(?:\.\d+)?){4},(?:"[^"]+"|[^,"]+),\d+,\d+')


def looks_like_makesense(_: Path, start: str) -> bool:
    """Whether the first line of a CSV file is already an object."""
    return bool(LINE.fullmatch(start.lstrip("\ufeff \r\n").partition("\n")[0].strip()))


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are. Images without objects are not in these files."""
    given = (one for source in sources for one in examples_of(source, reading))
    return gathered("makesense", given, reading)


def examples_of(source: Path, reading: Reading) -> list[Example]:
    """The images of a file, with paths as it has them."""
    found: dict[str, tuple[tuple[int, int] | None, list[Object]]] = {}
    for line, cells in rows(reading.text(source)):
        row = dict(zip(COLUMNS, cells, strict=False))
        name = row.get("image", "")
        if not name:
            reading.fault("unreadable", source, line, f"has {len(cells)} cells, not the 8 of makesense.ai")
            continue
        size = size_from(row.get("image width"), row.get("image height"))
        made = attempt(row, row_object, source, line, reading)
        found.setdefault(name, (size, []))[1].extend([made] if made else [])
    return [Example(Path(plain(name)), tuple(made), "", size, source) for name, (size, made) in found.items()]


def row_object(row: dict[str, str]) -> Object:
    """The object of a row. Raises Unclear where it is none."""
    if "height" not in row:
        raise Unclear("has no height")
    x, y, width, height = (number(row[column]) for column in ("x", "y", "width", "height"))
    return Object((x, y, x + width, y + height), named(row["class"]), written=Written((x, y, width, height), "xywh"))


FORMAT = Format(
    "makesense.ai", (Rule("makesense", (".csv",), looks_like_makesense, "rows of 8 cells without a header"),), read
)
