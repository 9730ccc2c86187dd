"""CSV written: one row an object, read back by `tables` to the same data, and by any program for tables.
No torch here."""

import csv
from pathlib import Path

from ...errors import UserError, shown
from ..annotations import Annotations, Example, Object
from ..cells import protected
from .finding import is_background
from .tables import NUMBERED
from .writing import copy_image, image_names, number, size_of

NAME, IMAGES = "annotations.csv", "images"
COLUMNS = ("image", "class", "x1", "y1", "x2", "y2", "width", "height", "split")
CROWD = "ignore"  # one more column, where an object is a crowd


def write(annotations: Annotations, out: Path) -> None:
    """`annotations.csv` and the folder `images`. Boxes keep every digit; an image without objects is a row without box.

    Where there are no splits or no crowds, there is no column for them. Raises UserError for a class that could not be
    read back.
    """
    require_readable(annotations)
    names = image_names(annotations)
    left_out = {} if any(one.split for one in annotations.examples) else {"split"}
    with_crowds = any(obj.crowd for one in annotations.examples for obj in one.objects)
    columns = [name for name in (*COLUMNS, *((CROWD,) if with_crowds else ())) if name not in left_out]
    (out / IMAGES).mkdir(parents=True)
    with (out / NAME).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for one in annotations.examples:
            copy_image(one.path, out / IMAGES, names[one.path])
            table.writerows(row(one, names[one.path], obj) for obj in one.objects or (None,))


def row(one: Example, name: str, obj: Object | None) -> dict[str, object]:
    """The cells of an object, or of an image without objects."""
    cells: dict[str, object] = dict(zip(("width", "height"), size_of(one), strict=True))
    cells |= {"image": f"{IMAGES}/{name}", "split": one.split}
    if obj is not None:
        corners = dict(zip(("x1", "y1", "x2", "y2"), map(number, obj.box), strict=True))
        cells |= {"class": protected(obj.name), CROWD: int(obj.crowd)} | corners
    return cells


def lost_classes(annotations: Annotations) -> list[str]:
    """The classes that no object is of: a table has no other list of them."""
    used = {obj.name for one in annotations.examples for obj in one.objects}
    return [name for name in annotations.classes if name not in used]


def require_readable(annotations: Annotations) -> None:
    """Raises UserError for a class whose name does not come back: no line of text, none, or another one."""
    for name in annotations.classes:
        if name.splitlines() != [name] or name.strip() != name or is_background(name) or is_other(name, annotations):
            raise UserError(
                f"{annotations.root}: class {shown(repr(name))} cannot be written as CSV (empty, background, with a "
                "line break, or a number that is another one, too): rename it, or choose another format"
            )


def is_other(name: str, annotations: Annotations) -> bool:
    """Whether a name is a number that another class has without its point: `0.0` beside `0`."""
    return bool(NUMBERED.fullmatch(name)) and name.partition(".")[0] in annotations.classes
