"""CSV: one row an object, with a header that names the columns. No torch here.

Columns in any order, under the names that people use (`COLUMNS`): the image, the class, the corners of the box or
x, y, width, height of it; optionally the image's size and a split. A row with an empty class and box is an image
without objects. Images that no row names are not in the data.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

from ..annotations import Annotations, Box, Example, Object
from .finding import Wanted, plain, read_text, size_from, split_below, split_of, used_classes
from .reading import Reading

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
CORNERS, SIDES = ("x1", "y1", "x2", "y2"), ("x", "y", "w", "h")
Row = dict[str, str]
csv.field_size_limit(2**31 - 1)  # characters of a cell: polygons and masks are longer than the 131,072 of the library


def sources(reading: Reading) -> list[Path]:
    """The tables among the candidates."""
    return [file for file in reading.candidates if file.suffix.lower() in (".csv", ".tsv") and columns(header(file))]


def header(file: Path) -> list[str]:
    """The first row of a table."""
    lines = lines_of(file)[:1]
    return next(csv.reader(lines, delimiter=delimiter(lines[0])), []) if lines else []


def lines_of(file: Path) -> list[str]:
    """The lines of a table from its header on, which may begin with a tab: that of a column without a name."""
    return list(dropwhile(lambda line: not line.strip(), read_text(file).splitlines()))


def delimiter(line: str) -> str:
    """What separates the columns."""
    return max(",;\t", key=line.count)


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
    examples: list[Example] = []
    for source in sources:
        examples += read_table(source, reading)
        reading.unread.update(unread(source))
    examples = images.placed(examples, wanted)
    return reading.annotations("csv", used_classes(examples), examples, images)


def wanted(one: Example) -> Wanted:
    """The image that a table names: beside the table, or in `images` there."""
    assert one.source
    return Wanted((one.path.as_posix(),), (one.source.parent, one.source.parent / "images"), one.split)


def read_table(source: Path, reading: Reading) -> list[Example]:
    """The examples of one table, with paths as it has them."""
    default = split_of(source.stem) or split_below(reading.root, source)
    groups: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for where, row in rows(source):
        if row["image"]:
            split = split_of(row.get("split", "")) or default
            groups.setdefault((row["image"], split), []).append((where, row))
        else:
            reading.fault("unreadable", source, where, "names no image")
    made = []
    for (name, split), members in groups.items():
        objects = tuple(filter(None, (row_object(row, where, source, reading) for where, row in members)))
        first = members[0][1]
        size = size_from(first.get("width", ""), first.get("height", ""))
        made.append(Example(Path(plain(name)), objects, split, size, source))
    return made


def rows(source: Path, positions: dict[str, int] | None = None) -> Iterator[tuple[str, Row]]:
    """The rows of a table with their line numbers; missing cells are empty. `positions`: of the columns, if not of all
    that are known."""
    lines = lines_of(source)
    positions = columns(header(source)) if positions is None else positions
    reader = csv.reader(lines, delimiter=delimiter(lines[0]))
    next(reader)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            row = {name: cells[i].strip() if i < len(cells) else "" for name, i in positions.items()}
            yield f"line {reader.line_num}", row


def unread(source: Path) -> Iterator[tuple[str, str]]:
    """Every cell of a column that is not known here, as the column's name and what it is of."""
    names = header(source)
    known = columns(names).values()
    strange = {name.strip() or f"column {i}": i - 1 for i, name in enumerate(names, 1) if i - 1 not in known}
    for _, row in rows(source, strange) if strange else ():
        yield from ((name, "object") for name, cell in row.items() if cell)


def row_object(row: Row, where: str, source: Path, reading: Reading) -> Object | None:
    """The object of a row; None where there is none, or, with a fault, where its box is not four numbers."""
    names = CORNERS if set(CORNERS) <= set(row) else SIDES
    cells = [row[name] for name in names]
    if not any(cells) and not row["class"]:
        return None
    try:
        a, b, c, d = map(float, cells)
    except ValueError:
        reading.fault("unreadable", source, where, f"its box is `{', '.join(cells)}`, not four numbers")
        return None
    box: Box = (a, b, c, d) if names is CORNERS else (a, b, a + c, b + d)
    return Object(box, row["class"], where)
