"""One XML file of VOC taken apart: its image and its objects. No torch here.

A box is that of `bndbox`, rotated about its centre where an attribute `rotation` says so (CVAT, in degrees). Objects
without one have the box around their `robndbox` (roLabelImg: centre, width, height and an angle in radians; in a set
where one angle is too large for that, all are in degrees) or around the points of their outline. `difficult` objects
are crowds, as in VOC's evaluation (Everingham et al. 2010, section 4.2).
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ..annotations import Box, Example, Object, Written
from .finding import plain, size_from
from .meaning import DECIMAL_COMMA, MEANT, is_crowd, number, with_point
from .read_only.records import Unclear, around, turned
from .reading import Reading

CORNERS = ("xmin", "ymin", "xmax", "ymax")
SIDES = ("cx", "cy", "w", "h", "angle")  # of a `robndbox`
OUTLINES = ("robndbox", "polygon", "points", "segm")  # elements with x and y of points, in any depth
READ = ("name", "bndbox", "robndbox", "rotation", *MEANT)  # of an object
NOTHING = ("", "0", "0.0", "false", "unspecified")  # what the others say where they say nothing
FULL_TURN = 2 * math.pi  # no angle in radians is larger
Rotated = dict[tuple[Path | None, str], tuple[float, ...]]  # by file and object: the numbers of SIDES


def example(source: Path, reading: Reading, rotated: Rotated) -> Example | None:
    """One image with its objects, its path as the file has it; None, and a fault, where the file is not XML.

    rotated: what rectangles there are whose angles may be in degrees or radians; those of the file are added.
    """
    try:
        top = ElementTree.fromstring(reading.text(source))  # whatever encoding it declares: that is decoded
    except (ElementTree.ParseError, ValueError) as error:
        reading.fault("unreadable", source, "", f"is not XML ({error}): its image is skipped; export it again")
        return None
    objects: list[Object] = []
    for position, node in enumerate(top.iter("object"), 1):
        try:
            objects.append(annotated(node, f"object {position}", source, reading, rotated))
        except Unclear as error:
            reading.fault("unreadable", source, f"object {position}", str(error))
    name = plain(text(top, "filename") or source.name)
    size = size_from(text(top, "size/width"), text(top, "size/height"))
    return Example(Path(name), tuple(objects), "", size, source)


def annotated(node: Element, where: str, source: Path, reading: Reading, rotated: Rotated) -> Object:
    """One object. Raises Unclear where it has no box."""
    fields = {name: value for name, value in fields_of(node) if value.lower() not in NOTHING}
    corners = words_of(node.find("bndbox"), CORNERS)
    numbers, sides = values(corners), values(words_of(node.find("robndbox"), SIDES))
    rotation, written, noted = number(fields.get("rotation")) or 0, None, ""
    if len(numbers) == 4:
        x1, y1, x2, y2 = numbers
        box = x1 - reading.voc_origin, y1 - reading.voc_origin, x2, y2
        written, noted = (Written(box, "xyxy"), "") if not rotation % 180 else (None, "rotated")
        box = turned(box, rotation, ((box[0] + x2) / 2, (box[1] + y2) / 2)) if noted else box
    elif len(sides) == 5:
        box, noted = around_rotated(sides, math.degrees(sides[4])), "rotated"
        rotated[source, where] = sides
    else:
        box, noted = around(points_of(node)), "outlined"
    for kind in filter(None, (noted, DECIMAL_COMMA if any("," in word for word in corners) else "")):
        reading.notes.add(kind, source, where)
    reading.unread.update((name, "object") for name in fields if name not in READ)
    return Object(box, text(node, "name"), where, is_crowd(fields, reading.notes, source, where), written)


def around_rotated(sides: tuple[float, ...], degrees: float) -> Box:
    """The box around a rectangle that is rotated about its centre. sides: the numbers of SIDES."""
    x, y, width, height, _ = sides
    return turned((x - width / 2, y - height / 2, x + width / 2, y + height / 2), degrees, (x, y))


def with_degrees(examples: list[Example], rotated: Rotated) -> list[Example]:
    """The examples with all angles of `robndbox` in degrees, if one of them is too large for radians."""
    if all(abs(sides[4]) <= FULL_TURN for sides in rotated.values()):
        return examples
    made = []
    for one in examples:
        there = ((obj, rotated.get((one.source, obj.where))) for obj in one.objects)
        objects = (replace(obj, box=around_rotated(sides, sides[4])) if sides else obj for obj, sides in there)
        made.append(replace(one, objects=tuple(objects)))
    return made


def fields_of(node: Element) -> Iterator[tuple[str, str]]:
    """The fields of an object with what they say, and CVAT's attributes as if they were its own. What has parts says
    `yes`."""
    for inner in node:
        if inner.tag == "attributes":
            yield from ((text(one, "name").lower(), text(one, "value")) for one in inner)
        else:
            yield inner.tag.lower(), "yes" if len(inner) else text(inner, ".")


def words_of(node: Element | None, parts: tuple[str, ...]) -> list[str]:
    """What the parts of an element say; nothing where there is none."""
    said = {inner.tag: (inner.text or "").strip() for inner in node} if node is not None else {}
    return [said.get(part, "") for part in parts] if said else []


def values(words: list[str]) -> tuple[float, ...]:
    """Numbers, also with decimal commas; fewer than the words where some are none."""
    return tuple(value for value in map(number, map(with_point, words)) if value is not None)


def points_of(node: Element) -> list[tuple[float, float]]:
    """The points of an outline, wherever in it x and y stand. Raises Unclear where there is none."""
    inner = [one for name in OUTLINES for outline in node.findall(name) for one in outline.iter()]
    xs, ys = ([number(text(one, ".")) for one in inner if one.tag.lower().startswith(axis)] for axis in "xy")
    points = [(x, y) for x, y in zip(xs, ys, strict=False) if x is not None and y is not None]
    if not points or len(points) != len(xs) or len(xs) != len(ys):
        raise Unclear("has no bndbox of four numbers (xmin, ymin, xmax, ymax), and no outline")
    return points


def text(node: Element, path: str) -> str:
    """The words of an element, without space around them; empty where there is none."""
    return (node.findtext(path) or "").strip()
