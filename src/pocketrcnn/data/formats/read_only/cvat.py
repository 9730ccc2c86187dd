"""CVAT for images (1.1): one XML file, an element for each image and for each shape on it. No torch here.

Boxes, which may be rotated about their centre, polygons, polylines, points, ellipses, masks, cuboids and skeletons: the
upright box is around them. Tags of whole images are no objects. A `subset` is the split of an image.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ....errors import shown
from ...annotations import Annotations, Box, Example, Object, Written, printable
from ..finding import plain, size_from
from ..reading import Reading
from ..recognition import Rule
from ..split_words import split_of
from .records import (
    Format,
    Record,
    Unclear,
    around,
    attempt,
    ellipse,
    gathered,
    left_out,
    named,
    note_unread,
    number,
    numbers,
    turned,
)

CORNERS = ("xtl", "ytl", "xbr", "ybr")
CUBOID = ("tl", "bl", "tr", "br")  # of the front, 1, and the back, 2
SHAPE, POINTS = "shape", "points"  # keys of a record: its element, and the points of the elements in it
NO_OBJECTS = ("tag", "attribute")
NOTHING = ("0", "", "false", "manual", "automatic", "auto", "file")  # values of fields that say nothing
READ = ("label", "source", "z_order", "rotation", "rle", *CORNERS, "left", "top", "width", "height")
READ_TOO = (SHAPE, POINTS, "cx", "cy", "rx", "ry")


def looks_like_cvat(_: Path, start: str) -> bool:
    """Whether an XML file has images in `<annotations>`, and not the tracks of a video."""
    return "<annotations>" in start and "<image " in start


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are."""
    given = (one for source in sources for one in examples_of(source, reading))
    return gathered("cvat", given, reading, stems=reading.path.is_dir())


def examples_of(source: Path, reading: Reading) -> Iterator[Example]:
    """The images of a file, with paths as it has them."""
    try:
        top = ElementTree.fromstring(reading.text(source))
    except (ElementTree.ParseError, ValueError) as error:
        reading.fault("unreadable", source, "", f"is not XML ({error}): nothing of it is used; export it again")
        return
    for position, node in enumerate(top.iter("image"), 1):
        name = node.get("name", "").strip()
        if not name:
            where, why = f"image {shown(node.get('id', position))}", left_out(shapes(node))
            reading.fault("unreadable", source, where, f"has no name: {why}")
            continue
        reading.unread.update((inner.tag, "image") for inner in node if inner.tag in NO_OBJECTS)
        made = [
            attempt(record_of(shape), lambda one: shape_object(one, source, reading), source, where, reading)
            for i, shape in enumerate(shapes(node), 1)
            for where in [f"{shown(name)}, {printable(shape.tag)} {i}"]
        ]
        size, split = size_from(node.get("width"), node.get("height")), split_of(node.get("subset", ""))
        yield Example(Path(plain(name)), tuple(filter(None, made)), split, size, source)


def shapes(image: Element) -> list[Element]:
    """What should be an object of an image."""
    return [node for node in image if node.tag not in NO_OBJECTS]


def record_of(shape: Element) -> Record:
    """The fields and attributes of a shape."""
    attributes = {inner.get("name", ""): inner.text or "" for inner in shape.iter("attribute")}
    points = [inner.get("points", "") for inner in shape.iter() if "points" in inner.attrib]
    return {**attributes, **shape.attrib, SHAPE: shape.tag, POINTS: ";".join(points)}


def shape_object(record: Record, source: Path, reading: Reading) -> Object:
    """The object of a shape. Raises Unclear where it is none."""
    name, rotation = named(record.get("label")), number(record.get("rotation") or 0, "rotation")
    filled = {field: value for field, value in record.items() if str(value).strip().lower() not in NOTHING}
    corners = [f"{axis}{corner}{side}" for axis in "xy" for corner in CUBOID for side in "12"]
    note_unread(filled, (*READ, *READ_TOO, *corners), reading)
    box, is_box = box_of(record), record[SHAPE] == "box"
    if rotation and record[SHAPE] in ("box", "ellipse"):
        reading.notes.add("rotated", source)
    elif not is_box:
        reading.notes.add("outlined", source)
    if not is_box or not rotation:
        return Object(box, name, written=Written(box, "xyxy") if is_box else None)
    x1, y1, x2, y2 = box
    return Object(turned(box, rotation, ((x1 + x2) / 2, (y1 + y2) / 2)), name)


def box_of(record: Record) -> Box:
    """The box around a shape, before it is rotated. Raises Unclear where it has none."""
    kind = record[SHAPE]
    if kind == "box":
        x1, y1, x2, y2 = numbers(record, CORNERS)
        return x1, y1, x2, y2
    if kind == "ellipse":
        x, y, across, down = numbers(record, ("cx", "cy", "rx", "ry"))
        return ellipse(x, y, across, down, number(record.get("rotation") or 0, "rotation"))
    if kind == "mask":
        x1, y1, width, height = numbers(record, ("left", "top", "width", "height"))
        return x1, y1, x1 + width, y1 + height
    if kind == "cuboid":
        corners = [f"{corner}{side}" for corner in CUBOID for side in "12"]
        return around(
            zip(
                numbers(record, [f"x{corner}" for corner in corners]),
                numbers(record, [f"y{corner}" for corner in corners]),
                strict=True,
            )
        )
    texts = [point.split(",") for point in filter(None, map(str.strip, str(record[POINTS]).split(";")))]
    if any(len(text) != 2 for text in texts):
        raise Unclear(f"its points are `{shown(record[POINTS])}`, not x,y;x,y")
    return around((number(x), number(y)) for x, y in texts)


FORMAT = Format("CVAT for images", (Rule("cvat", (".xml",), looks_like_cvat, "`<annotations>` with `<image>`"),), read)
