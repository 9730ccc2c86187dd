"""Records of JSON files and tables as objects: each becomes an object or a fault, and none is lost. No torch here."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ....errors import shown
from ...annotations import Box, Object, printable
from ...overview import counted
from ..reading import Reading

Record = dict[str, Any]
UNNAMED = "object"  # the class of objects in a set that names no classes


class Unclear(ValueError):
    """A record that is no object with a class and a box: why, in words."""


def load(source: Path, reading: Reading, kind: type[list[Any]] | type[dict[str, Any]], format: str) -> Any:
    """The content of a JSON file, a list or a dict; an empty one, and a fault, where the file holds none."""
    try:
        content = json.loads(reading.text(source))
        if isinstance(content, kind):
            return content
        reason = f"is not a file of {format}: {'a list' if kind is list else 'an object'} is expected at its top"
    except (ValueError, RecursionError) as error:
        reason = f"is not JSON ({error})"
    reading.fault("unreadable", source, "", f"{reason}; nothing of it is used; export it again")
    return kind()


def objects(
    records: object, make: Callable[[Record], Object], source: Path, where: str, reading: Reading
) -> list[Object]:
    """The objects of a list of records; a fault for each that is none. where: what messages call a record, such as
    `shape`; it is numbered from 1. No list at all is one fault."""
    if not isinstance(records, list):
        reading.fault("unreadable", source, where, f"`{shown(records)}` is not a list of objects; none of it is used")
        return []
    made = []
    for number, record in enumerate(records, 1):
        try:
            if not isinstance(record, dict):
                raise Unclear(f"`{shown(record)}` is not an object with a class and a box")
            made.append(placed(make(record), f"{where} {number}"))
        except Unclear as error:
            reading.fault("unreadable", source, f"{where} {number}", str(error))
    return made


def placed(obj: Object, where: str) -> Object:
    """An object with its position in its file."""
    return Object(obj.box, obj.name, where, obj.crowd)


def number(value: object, of: str = "box") -> float:
    """A number, also one that is written as text. Raises Unclear where it is none."""
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise Unclear(f"its {of} has `{shown(value)}` where a number is expected")


def numbers(record: object, keys: Sequence[str], of: str = "box") -> list[float]:
    """The numbers under the keys of a record. Raises Unclear where one is none."""
    if not isinstance(record, dict):
        raise Unclear(f"its {of} is `{shown(record)}`, not an object with {', '.join(keys)}")
    if missing := [key for key in keys if key not in record]:
        raise Unclear(f"its {of} has no {' and no '.join(missing)}")
    return [number(record[key], of) for key in keys]


def named(value: object) -> str:
    """The name of a class: a text or a number. Raises Unclear where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise Unclear(f"its class is {f'`{shown(value)}`, not a name' if value else 'empty'}")
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return printable(str(whole).strip())


def around(points: Iterable[tuple[float, float]]) -> Box:
    """The box around points. Raises Unclear where there are none."""
    xs, ys = [], []
    for x, y in points:
        xs.append(x)
        ys.append(y)
    if not xs:
        raise Unclear("its outline has no points")
    return min(xs), min(ys), max(xs), max(ys)


def pairs(points: object) -> list[tuple[float, float]]:
    """Points of x and y. Raises Unclear where they are none."""
    if not isinstance(points, list):
        raise Unclear(f"its points are `{shown(points)}`, not a list")
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise Unclear(f"its points have `{shown(point)}` where x and y are expected")
    return [(number(x), number(y)) for x, y in points]


def turned(box: Box, degrees: float, centre: tuple[float, float]) -> Box:
    """The box around a rectangle that is turned about a point, clockwise as images are seen.

    Raises Unclear for an angle that is not finite."""
    x1, y1, x2, y2 = box
    if not math.isfinite(degrees):
        raise Unclear(f"its rotation is {degrees}")
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    offsets = [(x - centre[0], y - centre[1]) for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))]
    return around((centre[0] + x * cosine - y * sine, centre[1] + x * sine + y * cosine) for x, y in offsets)


def ellipse(x: float, y: float, radius: float, other: float, degrees: float = 0.0) -> Box:
    """The box around an ellipse: its centre, its radii and the angle between the first of them and the x axis. Raises
    Unclear for an angle that is not finite."""
    if not math.isfinite(degrees):
        raise Unclear(f"its rotation is {degrees}")
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    width, height = math.hypot(radius * cosine, other * sine), math.hypot(radius * sine, other * cosine)
    return x - width, y - height, x + width, y + height


def note_unread(record: Record, known: Iterable[str], reading: Reading) -> None:
    """Count the fields of an object that are filled and not read."""
    reading.unread.update(
        (printable(field), "object") for field, value in record.items() if value and field not in known
    )


def note_left_out(count: int, why: str, source: Path, reading: Reading) -> None:
    """A note about objects of a file that are not read on purpose. why: `are predictions`, as of several."""
    if count:
        reading.fault("not-read", source, "", f"{counted(count, 'object')} of it {why}", drops=False)
