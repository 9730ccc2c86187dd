"""CSV: one row an object, with a header that names the columns. No torch here.

Columns in any order, under the names that people use (`COLUMNS`): the image, the class, the corners of the box or
x, y, width, height of it; optionally the image's size and a split. A row with an empty class and box is an image
without objects. Images that no row names are not in the data.
"""

import csv
import re
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

from ...errors import shown
from ..annotations import Annotations, Box, Example, Object, Written
from ..cells import unprotected
from .finding import beside, plain, size_from, used_classes
from .reading import Reading
from .split_words import split_of
from .text import read_text

COLUMNS = {
    "image": ("filename", "file", "image", "path", "imagename", "imagepath", "imagefile", "img", "imageid"),
    "class": ("class", "label", "classname", "category", "labelname", "name"),
    "x1": ("xmin", "x1", "left", "bboxxmin", "xtopleft"),
    "y1": ("ymin", "y1", "top", "bboxymin", "ytopleft"),
    "x2": ("xmax", "x2", "right", "bboxxmax", "xbottomright"),
    "y2": ("ymax", "y2", "bottom", "bboxymax", "ybottomright"),
    "x": ("x", "bboxx", "boxx"),
    "y": ("y", "bboxy", "boxy"),
    "w": ("w", "bboxw", "boxw", "bboxwidth", "boxwidth"),
    "h": ("h", "bboxh", "boxh", "bboxheight", "boxheight"),
    "width": ("width", "imagewidth", "imgwidth"),
    "height": ("height", "imageheight", "imgheight"),
    "split": ("split", "set", "subset", "partition"),
}
CORNERS, SIDES, SIZE = ("x1", "y1", "x2", "y2"), ("x", "y", "w", "h"), ("width", "height")
Row = dict[str, str]
csv.field_size_limit(2**31 - 1)  # characters of a cell: polygons and masks are longer than the 131,072 of the library


def sources(reading: Reading) -> list[Path]:
    """The tables among the candidates."""
    files = (file for file in reading.candidates if file.suffix.lower() in (".csv", ".tsv"))
    return [file for file in files if columns(next(rows(read_text(file)), ("", []))[1])]


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table with their line numbers, first the header, which may begin with a tab: a column without name.

    Commas, semicolons or tabs separate the cells.
    """
    lines = list(dropwhile(lambda line: not line.strip(), text.splitlines()))
    reader = csv.reader(lines, delimiter=max(",;\t", key=lines[0].count) if lines else ",")
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield f"line {reader.line_num}", [cell.strip() for cell in cells]


def columns(names: list[str]) -> dict[str, int]:
    """The positions of the known columns; empty where image, class or box is missing."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    positions = {
        column: next(plain.index(name) for name in known if name in plain)
        for column, known in COLUMNS.items()
        if set(known) & set(plain)
    }
    if not {*CORNERS} & {*positions} and "w" not in positions:  # x, y, width, height: then these are the box's
        sides = [(short, long) for short, long in (("w", "width"), ("h", "height")) if long in positions]
        positions |= {short: positions.pop(long) for short, long in sides}
    complete = {"image", "class"} <= {*positions} and ({*CORNERS} <= {*positions} or {*SIDES} <= {*positions})
    return positions if complete else {}


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all tables, as they are."""
    images = reading.images()
    given = [one for source in sources for one in read_table(source, reading)]
    examples = images.placed(reading.in_splits(given, stems=True), beside)
    return reading.annotations("csv", used_classes(examples), examples, images)


def read_table(source: Path, reading: Reading) -> list[Example]:
    """The examples of one table, with paths as it has them. Cells of columns that are not known here are counted."""
    (_, names), *body = rows(reading.text(source))
    positions = columns(names)
    unknown = {i: name or f"column {i + 1}" for i, name in enumerate(names) if i not in positions.values()}
    groups: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for where, cells in body:
        row = {column: cells[i] if i < len(cells) else "" for column, i in positions.items()}
        reading.unread.update((unknown[i], "object") for i, cell in enumerate(cells) if cell and i in unknown)
        row |= {column: unprotected(row[column]) for column in ("image", "class")}
        if row["image"]:
            split = split_of(row.get("split", ""))
            groups.setdefault((row["image"], split), []).append((where, row))
        else:
            reading.fault("unreadable", source, where, "names no image")
    examples = []
    for (name, split), members in groups.items():
        objects = tuple(filter(None, (row_object(row, where, source, reading) for where, row in members)))
        first = members[0][1]
        examples.append(Example(Path(plain(name)), objects, split, size_from(*map(first.get, SIZE)), source))
    return examples


def row_object(row: Row, where: str, source: Path, reading: Reading) -> Object | None:
    """The object of a row; None where there is none, or, with a fault, where its box is not four numbers."""
    names = CORNERS if set(CORNERS) <= set(row) else SIDES
    cells = [row[name] for name in names]
    if not any(cells) and not row["class"]:
        return None
    try:
        a, b, c, d = map(float, cells)
    except ValueError:
        reading.fault("unreadable", source, where, f"its box is `{shown(', '.join(cells))}`, not four numbers")
        return None
    box: Box = (a, b, c, d) if names is CORNERS else (a, b, a + c, b + d)
    return Object(box, row["class"], where, written=Written((a, b, c, d), "xyxy" if names is CORNERS else "xywh"))
