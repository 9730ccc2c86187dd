"""VGG Image Annotator (VIA) 1 and 2: its project, and its annotations as JSON or CSV. No torch here.

Regions are rectangles, circles, ellipses, polygons, lines and points: the box is around them. The class is the value of
one attribute of regions: the one that is called so (`CLASS`), else the one that most regions have. Images without
regions are in the data.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ....errors import shown
from ...annotations import Annotations, Box, Example, Object, Written, printable
from ..finding import plain
from ..reading import Reading
from ..recognition import Rule
from ..table_columns import rows
from .records import (
    UNNAMED,
    Format,
    Unclear,
    around,
    ellipse,
    gathered,
    left_out,
    load,
    named,
    note_without_classes,
    number,
    numbers,
    objects,
)

CLASS = ("class", "label", "classname", "category", "type", "name", "object", "species")
CELLS = ("region_shape_attributes", "region_attributes")
Region = dict[str, Any]


def looks_like_via(_: Path, start: str) -> bool:
    """Whether a JSON file is a project or has regions with shapes."""
    return '"_via_img_metadata"' in start or (
        '"filename"' in start
        and '"regions"' in start
        and ('"shape_attributes"' in start or '"file_attributes"' in start)
    )


def looks_like_via_table(_: Path, start: str) -> bool:
    """Whether a CSV file has the columns of regions."""
    return all(column in start.partition("\n")[0] for column in CELLS)


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are."""
    given = (one for source in sources for one in examples_of(source, reading))
    return gathered("via", given, reading, stems=reading.path.is_dir())


def examples_of(source: Path, reading: Reading) -> Iterator[Example]:
    """The images of a file, with paths as it has them."""
    of_table = source.suffix.lower() == ".csv"
    files = list(from_table(source, reading) if of_table else from_json(source, reading))
    every = [region for _, regions in files for region in regions if isinstance(region, dict)]
    attribute = class_attribute(every)
    if every and not attribute:
        note_without_classes(source, reading)
    for name, regions in files:
        made = objects(
            regions, lambda region: region_object(region, attribute, source, reading), source, where(name), reading
        )
        yield Example(Path(plain(name)), tuple(made), source=source)


def where(name: str) -> str:
    """What messages call the regions of an image."""
    return f"{shown(name)}, region"


def from_json(source: Path, reading: Reading) -> Iterator[tuple[str, list[Any]]]:
    """The images of a project or of its annotations: file names and regions, which VIA 1 numbers in an object."""
    content = load(source, reading, dict)
    records = content.get("_via_img_metadata", content)
    for key, record in records.items() if isinstance(records, dict) else [("_via_img_metadata", records)]:
        name = record.get("filename") if isinstance(record, dict) else None
        if not isinstance(name, str) or not name.strip():
            regions = record.get("regions") if isinstance(record, dict) else None
            reading.fault("unreadable", source, shown(key), f"has no filename: {left_out(regions)}")
            continue
        regions = record.get("regions") or []
        if isinstance(regions, dict):
            regions = list(regions.values())
        if not isinstance(regions, list):
            reading.fault(
                "unreadable", source, shown(name), f"its regions are `{shown(regions)}`: nothing of it is used"
            )
            regions = []
        yield name, regions


def from_table(source: Path, reading: Reading) -> Iterator[tuple[str, list[Any]]]:
    """The images of a table: file names, and a region for each row that has one."""
    (_, header), *body = rows(reading.text(source))
    files: dict[str, list[Any]] = {}
    for line, cells in body:
        row = dict(zip(header, cells, strict=False))
        if not (name := row.get("filename", "")):
            reading.fault("unreadable", source, line, "names no image")
            continue
        regions = files.setdefault(name, [])
        shape, attributes = (cell(row.get(column, "")) for column in CELLS)
        if shape != {}:
            regions.append({"shape_attributes": shape, "region_attributes": attributes})
    yield from files.items()


def cell(text: str) -> Any:
    """What stands in a cell as JSON; the text itself where it is none."""
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text


def class_attribute(regions: Iterable[Region]) -> str:
    """The attribute that has the class; empty where no region has one."""
    attributes = (region.get("region_attributes") for region in regions)
    filled = Counter(name for each in attributes if isinstance(each, dict) for name, value in each.items() if value)
    called = {name.strip().lower(): name for name in reversed(filled)}
    return next(
        (called[word] for word in CLASS if word in called), next((name for name, _ in filled.most_common(1)), "")
    )


def region_object(region: Region, attribute: str, source: Path, reading: Reading) -> Object:
    """The object of a region. Raises Unclear where it is none."""
    shape, attributes = region.get("shape_attributes"), region.get("region_attributes") or {}
    if not isinstance(shape, dict) or not isinstance(attributes, dict):
        raise Unclear(f"`{shown(region)}` has no shape")
    kind = shape.get("name")
    if not isinstance(kind, str) or kind not in SHAPES:
        raise Unclear(f"its shape is `{shown(kind)}`, not one of {', '.join(SHAPES)}")
    obj = Object(SHAPES[kind](shape), named(chosen(attributes.get(attribute))) if attribute else UNNAMED)
    reading.unread.update(
        (printable(name), "object") for name, value in attributes.items() if value and name != attribute
    )
    if kind != "rect":
        reading.notes.add("outlined", source)
        return obj
    x, y, width, height = numbers(shape, ("x", "y", "width", "height"))
    return Object(obj.box, obj.name, written=Written((x, y, width, height), "xywh"))


def chosen(value: object) -> object:
    """The value of an attribute; of check boxes, the one that is checked. Raises Unclear where several are."""
    if not isinstance(value, dict):
        return value
    checked = [name for name, on in value.items() if on]
    if len(checked) > 1:
        raise Unclear(f"has several classes ({shown(', '.join(checked))})")
    return next(iter(checked), "")


def rectangle(shape: Region) -> Box:
    """The box of a corner and the sides."""
    x, y, width, height = numbers(shape, ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def circle(shape: Region) -> Box:
    """The box around a circle."""
    x, y, radius = numbers(shape, ("cx", "cy", "r"))
    return ellipse(x, y, radius, radius)


def oval(shape: Region) -> Box:
    """The box around an ellipse, whose angle is in radians."""
    x, y, first, second = numbers(shape, ("cx", "cy", "rx", "ry"))
    return ellipse(x, y, first, second, math.degrees(number(shape.get("theta", 0))))


def polygon(shape: Region) -> Box:
    """The box around points."""
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        raise Unclear("its all_points_x and all_points_y are not two lists of one length")
    return around((number(x), number(y)) for x, y in zip(xs, ys, strict=True))


def point(shape: Region) -> Box:
    """A box without area, which `check` refuses."""
    x, y = numbers(shape, ("cx", "cy"))
    return x, y, x, y


SHAPES: dict[str, Callable[[Region], Box]] = {
    "rect": rectangle,
    "circle": circle,
    "ellipse": oval,
    "polygon": polygon,
    "polyline": polygon,
    "point": point,
}
RULES = (
    Rule("via", (".json",), looks_like_via, "`regions` with `shape_attributes`"),
    Rule("via", (".csv",), looks_like_via_table, "columns `region_shape_attributes` and `region_attributes`"),
)
FORMAT = Format("VIA", RULES, read)
