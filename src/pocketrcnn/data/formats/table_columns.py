"""What the columns of a table are, by the names that people give them, or without a header by what stands in them.
No torch here.

A table needs an image and a box: two corners, a corner or the centre and the sides, or all four numbers in one cell.
Without a class column, all objects are of one class.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..annotations import Shape
from ..listing import is_image_name
from .meaning import number

COLUMNS = {  # names without capitals and signs, the most certain first
    "image": (
        *("filename", "file", "image", "path", "imagename", "imagepath", "imagefile", "img", "imageid"),
        *("imgname", "imgpath", "imgfile", "imagefilename", "filepath", "fname", "relativepath", "imageurl", "picture"),
    ),
    "class": (
        *("class", "label", "classname", "category", "labelname", "name"),
        *("categoryname", "objectname", "objectclass", "species", "labels", "classes", "object", "tag", "type"),
        *("target", "classid", "categoryid", "labelid"),
    ),
    "x1": ("xmin", "x1", "left", "bboxxmin", "xtopleft", "bboxx1", "boxx1", "roix1", "minx", "topleftx"),
    "y1": ("ymin", "y1", "top", "bboxymin", "ytopleft", "bboxy1", "boxy1", "roiy1", "miny", "toplefty"),
    "x2": ("xmax", "x2", "right", "bboxxmax", "xbottomright", "bboxx2", "boxx2", "roix2", "maxx", "bottomrightx"),
    "y2": ("ymax", "y2", "bottom", "bboxymax", "ybottomright", "bboxy2", "boxy2", "roiy2", "maxy", "bottomrighty"),
    "x": ("x", "bboxx", "boxx"),
    "y": ("y", "bboxy", "boxy"),
    "cx": ("xcenter", "xcentre", "centerx", "centrex", "cx", "xc", "bboxxcenter", "bboxcenterx"),
    "cy": ("ycenter", "ycentre", "centery", "centrey", "cy", "yc", "bboxycenter", "bboxcentery"),
    "w": ("w", "bboxw", "boxw", "bboxwidth", "boxwidth"),
    "h": ("h", "bboxh", "boxh", "bboxheight", "boxheight"),
    "bbox": ("bbox", "boundingbox", "box", "bboxes", "boundingboxes", "boxes", "boxesstring"),
    "width": ("width", "imagewidth", "imgwidth"),
    "height": ("height", "imageheight", "imgheight"),
    "split": ("split", "set", "subset", "partition"),
}
CORNERS, SIZE = ("x1", "y1", "x2", "y2"), ("width", "height")
BOXES: dict[tuple[str, ...], Shape] = {  # columns of a box, and what they are; the first that are there are read
    CORNERS: "xyxy",
    ("x", "y", "w", "h"): "xywh",
    ("cx", "cy", "w", "h"): "cxcywh",
    ("bbox",): "xywh",
}
FROM_ZERO = {"x0": "x1", "y0": "y1", "x1": "x2", "y1": "y2"}  # two corners, where some count from 0
LAYOUTS = (  # tables without header: of keras-retinanet, and the usual one of TensorFlow
    ("image", *CORNERS, "class"),
    ("image", *SIZE, "class", *CORNERS),
)
WORDS = {"image": "the image (image)", "box": "the box (x1, y1, x2, y2 or x, y, w, h or bbox)"}


@dataclass(frozen=True)
class Columns:
    """The positions of the known columns of a table, and which of them are the box. header: whether its first row is
    one; names: of all columns."""

    positions: dict[str, int]
    box: tuple[str, ...]
    names: Sequence[str]
    header: bool = True

    @property
    def shape(self) -> Shape:
        """What the numbers of the box are."""
        return BOXES[self.box]


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table with their line numbers, the first one perhaps its header, which may begin with a tab: a
    column without name. Commas, semicolons or tabs separate the cells; Excel may say so in a line of its own."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    said = re.fullmatch(r"sep=(.)\s*", lines[first]) if lines[first:] else None
    separator = said[1] if said else max(",;\t", key=lines[first].count) if lines[first:] else ","
    for number_of_line, cells in split(lines, first + bool(said), separator):
        if any(cell.strip() for cell in cells):
            yield f"line {number_of_line}", [cell.strip() for cell in cells]


def split(lines: Sequence[str], start: int, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of the rows from a line on, with the number of the last line of each.

    A row of several lines that has not the cells of the others is none: a quotation mark in its first line is not
    closed. Then its first line is a row, with this mark in it, and the next line begins another.
    """
    width = 0
    while start < len(lines):
        begin, reader = start, csv.reader(islice(lines, start, None), delimiter=separator)
        for cells in reader:
            end, width = begin + reader.line_num, width or len(cells)
            if end - start > 1 and (len(cells) != width or "".join(lines[start:end]).count('"') % 2):
                yield start + 1, next(csv.reader([lines[start]], delimiter=separator, quoting=csv.QUOTE_NONE))
                start += 1
                break
            yield end, cells
            start = end


def has_decimal_commas(text: str) -> bool:
    """Whether a table may write 23,5 for 23.5: something else separates its cells."""
    return max(",;\t", key=next(filter(None, map(str.strip, text.splitlines())), "").count) != ","


def columns(cells: Sequence[str]) -> Columns | None:
    """What the columns are, by the first row of a table; None where the image or the box is missing."""
    if layout := next((layout for layout in LAYOUTS if fits(cells, layout)), None):
        return Columns({name: i for i, name in enumerate(layout)}, CORNERS, cells, header=False)
    positions = known(cells)
    box = next((box for box in BOXES if {*box} <= {*positions}), ())
    return Columns(positions, box, cells) if box and "image" in positions else None


def known(cells: Sequence[str]) -> dict[str, int]:
    """The positions of the columns that are known by their names."""
    plain = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in cells]
    if {*FROM_ZERO} <= {*plain} and not {"x2", "y2"} & {*plain}:
        plain = [FROM_ZERO.get(name, name) for name in plain]
    positions = {
        column: next(plain.index(name) for name in names if name in plain)
        for column, names in COLUMNS.items()
        if set(names) & set(plain)
    }
    corner = {"x", "y"} <= {*positions} or {"cx", "cy"} <= {*positions}
    if corner and not {*CORNERS} <= {*positions} and "w" not in positions:  # then these are the sides of the box
        sides = [(short, long) for short, long in (("w", "width"), ("h", "height")) if long in positions]
        positions |= {short: positions.pop(long) for short, long in sides}
    return positions


def fits(cells: Sequence[str], layout: Sequence[str]) -> bool:
    """Whether a row is already one of a table without header."""
    pairs = list(zip(layout, cells, strict=False))
    numbers = [cell for name, cell in pairs if name in (*CORNERS, *SIZE)]
    named = all(is_image_name(Path(cell)) for name, cell in pairs if name == "image")
    return len(cells) == len(layout) and named and all(number(cell) is not None for cell in numbers)


def lacking(cells: Sequence[str]) -> str:
    """What a header does not have that a table needs, in words: `a, b, c, and none for the image (image)`."""
    positions = known(cells)
    missing = [] if "image" in positions else ["image"]
    missing += [] if any({*box} <= {*positions} for box in BOXES) else ["box"]
    names = ", ".join(f"`{cell}`" for cell in cells)
    return f"{names}, and none for {' and '.join(WORDS[one] for one in missing)}"
