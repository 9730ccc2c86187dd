"""CSV: one row an object, with a header that names the columns (see `table_columns`). No torch here.

Empty cells of a box, 0 or -1 in all of them, say that an image has no objects, where no other row of it has one. Where
cells are separated by semicolons or tabs, commas are decimal. `0` and `0.0` are one class: pandas makes one of the
other where a cell of the column is empty. Images that no row names are not in the data.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import shown
from ..annotations import Annotations, Box, Example, Object, Written
from ..cells import unprotected
from .finding import beside, plain, size_from, used_classes
from .meaning import DECIMAL_COMMA, MEANT, is_crowd, number, with_point
from .read_only.records import UNNAMED
from .reading import Reading
from .split_words import split_of
from .table_columns import SIZE, Columns, columns, has_decimal_commas, lacking, rows
from .text import read_start

LOOKED_AT = 65_536  # bytes of a table that are looked at to recognise it
NOTHING = ("", "nan", "none", "null", "na", "n/a", "no_box", "[]")  # cells that say that there is nothing
NUMBERED = re.compile(r"\d+\.0+")  # a class that is a whole number with a point
Row = dict[str, str]
csv.field_size_limit(2**31 - 1)  # characters of a cell: polygons and masks are longer than the 131,072 of the library


@dataclass(frozen=True)
class Line:
    """A row of a table, with its place in the file, its known cells by column and all others by the names of theirs."""

    where: str
    known: Row
    others: Row


def sources(reading: Reading) -> list[Path]:
    """The tables among the candidates."""
    files = (file for file in reading.candidates if file.suffix.lower() in (".csv", ".tsv"))
    return [file for file in files if columns(first_row(file))]


def first_row(file: Path) -> list[str]:
    """The cells of the first row of a table; none where it is empty."""
    return next(rows(read_start(file, LOOKED_AT)), ("", list[str]()))[1]


def explained(files: Sequence[Path]) -> str:
    """Why the first table that is not understood is none, in words; empty where there is no table."""
    tables = (file for file in files if file.suffix.lower() in (".csv", ".tsv"))
    header = next(((file, cells) for file in tables if len(cells := first_row(file)) > 1), None)
    if header is None:
        return ""
    file, cells = header
    return f"{file.name} has the columns {lacking(cells)}"


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all tables, as they are."""
    images = reading.images()
    given = [one for source in sources for one in read_table(source, reading)]
    examples = images.placed(reading.in_splits(with_equal_numbers(given, reading), stems=True), beside)
    return reading.annotations("csv", used_classes(examples), examples, images)


def read_table(source: Path, reading: Reading) -> list[Example]:
    """The examples of one table, with paths as it has them. Cells of columns that are not known here are counted."""
    text = reading.text(source)
    header = columns(next(rows(text), ("", list[str]()))[1])
    assert header is not None, "`sources` has looked"
    if not header.header:
        reading.notes.add("no-header", source, "", ", ".join(header.positions))
    if "class" not in header.positions:
        reading.notes.add("no-class", source, "", shown(", ".join(header.names)))
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines_of(text, header):
        reading.unread.update((name, "object") for name in line.others if name.lower() not in MEANT)
        if line.known["image"]:
            split = split_of(line.known.get("split", ""))
            groups.setdefault((line.known["image"], split), []).append(line)
        else:
            reading.fault("unreadable", source, line.where, "names no image")
    examples = []
    for (name, split), members in groups.items():
        objects = tuple(objects_of(members, header, source, reading))
        size = size_from(*map(members[0].known.get, SIZE))
        examples.append(Example(Path(plain(name)), objects, split, size, source))
    return examples


def lines_of(text: str, header: Columns) -> Iterator[Line]:
    """The rows below the header. Numbers have points, also where the table has commas."""
    others = {i: name or f"column {i + 1}" for i, name in enumerate(header.names) if i not in header.positions.values()}
    commas = has_decimal_commas(text)
    for i, (where, cells) in enumerate(rows(text)):
        if i or not header.header:
            row = {name: cells[at] if at < len(cells) else "" for name, at in header.positions.items()}
            row |= {name: unprotected(row[name]) for name in ("image", "class") if name in row}
            if commas and any(with_point(row[name]) != row[name] for name in header.box):
                row |= {name: with_point(row[name]) for name in (*header.box, *SIZE) if name in row} | {"comma": "yes"}
            filled = {others[at]: cell for at, cell in enumerate(cells) if cell and at in others}
            yield Line(where, row, filled)


def objects_of(lines: Sequence[Line], header: Columns, source: Path, reading: Reading) -> Iterator[Object]:
    """The objects of an image. Rows that say that it has none are a note; where others have one, they are faulty."""
    said = [line for line in lines if not is_blank(line, header)]
    if all(is_nothing([line.known[name] for name in header.box]) for line in said):
        for line in said[:1]:
            reading.notes.add("empty-row", source, line.where)
        return
    for line in said:
        yield from row_objects(line, header, source, reading)


def is_blank(line: Line, header: Columns) -> bool:
    """Whether a row names an image and says no more."""
    return not line.known.get("class") and all(line.known[name].lower() in NOTHING for name in header.box)


def is_nothing(cells: Sequence[str]) -> bool:
    """Whether a box says that there is none: no cell says anything, or all are 0 or all -1."""
    return all(cell.lower() in NOTHING for cell in cells) or {number(cell) for cell in cells} in ({0.0}, {-1.0})


def row_objects(line: Line, header: Columns, source: Path, reading: Reading) -> Iterator[Object]:
    """The object of a row, or those of a cell with several boxes; a fault where one is not four numbers."""
    cells = [line.known[name] for name in header.box]
    numbers = cell_numbers(cells[0]) if len(cells) == 1 else [number(cell) for cell in cells]
    boxes = [value for value in numbers if value is not None]
    if not boxes or len(boxes) != len(numbers) or len(boxes) % 4:
        reading.fault("unreadable", source, line.where, f"its box is `{shown(', '.join(cells))}`, not four numbers")
        return
    name = line.known.get("class", UNNAMED)
    if not name:
        reading.fault("unreadable", source, line.where, "its class is empty")
        return
    if "comma" in line.known:
        reading.notes.add(DECIMAL_COMMA, source, line.where)
    fields = {name.lower(): cell for name, cell in line.others.items()}
    for i in range(0, len(boxes), 4):
        a, b, c, d = boxes[i : i + 4]
        where = line.where if len(boxes) == 4 else f"{line.where}, box {i // 4 + 1}"
        crowd = is_crowd(fields, reading.notes, source, where)
        written = Written((a, b, c, d), header.shape)
        yield Object(as_corners(written), name, where, crowd, written)


def cell_numbers(cell: str) -> list[float | None]:
    """The numbers in one cell, such as `[1, 2, 3, 4]`; None for each word that is none."""
    return [number(word) for word in re.split(r"[\s,;()\[\]{}]+", cell) if word]


def as_corners(written: Written) -> Box:
    """The corners of a box."""
    a, b, c, d = written.numbers
    if written.shape == "xyxy":
        return a, b, c, d
    if written.shape == "xywh":
        return a, b, a + c, b + d
    return a - c / 2, b - d / 2, a + c / 2, b + d / 2


def with_equal_numbers(examples: list[Example], reading: Reading) -> list[Example]:
    """The same with one spelling of each number that is a class, where there are two: `0` for `0.0`."""
    names = {obj.name for one in examples for obj in one.objects}
    whole = {name: name.partition(".")[0] for name in names if NUMBERED.fullmatch(name)}
    if not names & {*whole.values()}:
        return examples
    both = " and ".join(f"`{shown(name)}` is `{shown(whole[name])}`" for name in sorted(whole)[:3])
    reading.fault("same-name", reading.root, "", f"has class numbers with and without a point: {both}", drops=False)
    return [
        replace(one, objects=tuple(replace(obj, name=whole.get(obj.name, obj.name)) for obj in one.objects))
        for one in examples
    ]
