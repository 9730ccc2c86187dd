"""Records of JSON files and tables as objects: each becomes an object or a fault, and none is lost. No torch here."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....errors import UserError, shown
from ...annotations import Annotations, Box, Example, Object, printable
from ...images.pixels import probe
from ...overview import counted
from ..finding import beside, used_classes
from ..meaning import MEANT, SCORES, is_crowd
from ..reading import Reading
from ..recognition import Rule

Record = dict[str, Any]
UNNAMED = "object"  # the class of objects in a set that names no classes


@dataclass(frozen=True)
class Format:
    """A format that is read. title: its name for people. rules: of its files. read: the images and objects of files.
    look: its files, where no single file says what it is; asked where no other format is there."""

    title: str
    rules: tuple[Rule, ...]
    read: Callable[[Reading, list[Path]], Annotations]
    look: Callable[[Reading], list[Path]] | None = None


class Unclear(ValueError):
    """A record that is no object with a class and a box: why, in words."""


def load(source: Path, reading: Reading, kind: type[list[Any]] | type[dict[str, Any]]) -> Any:
    """The content of a JSON file, a list or a dict; an empty one, and a fault, where the file holds none."""
    try:
        content = json.loads(reading.text(source))
        if isinstance(content, kind):
            return content
        reason = f"has no {'list' if kind is list else 'object'} at its top"
    except (ValueError, RecursionError) as error:
        reason = f"is not JSON ({error})"
    reading.fault("unreadable", source, "", f"{reason}: nothing of it is used; export it again")
    return kind()


def objects(
    records: object, make: Callable[[Record], Object], source: Path, where: str, reading: Reading
) -> list[Object]:
    """The objects of a list of records; a fault for each that is none. where: what messages call a record, such as
    `shape`; it is numbered from 1. Something else than a list is one fault, and nothing at all is no objects."""
    if not isinstance(records, list):
        if records is not None:
            reading.fault("unreadable", source, where, f"`{shown(records)}` is not a list: nothing of it is used")
        return []
    made = (attempt(record, make, source, f"{where} {i}", reading) for i, record in enumerate(records, 1))
    return list(filter(None, made))


def attempt(
    record: object, make: Callable[[Record], Object], source: Path, where: str, reading: Reading
) -> Object | None:
    """The object of a record, with its position in the file, and whether it is a crowd; None, and a fault, where it is
    none."""
    try:
        if isinstance(record, dict):
            obj = make(record)
            fields = {str(name).lower(): value for name, value in record.items()}
            return replace(obj, where=where, crowd=is_crowd(fields, reading.notes, source, where))
        reason = f"`{shown(record)}` has no class and no box"
    except Unclear as error:
        reason = str(error)
    reading.fault("unreadable", source, where, reason)
    return None


def gathered(name: str, given: Iterable[Example], reading: Reading, stems: bool = False) -> Annotations:
    """The set of a format: images as its files have them, each found on the disk, with the split of its name. stems:
    whether names of files are splits, too."""
    images = reading.images()
    examples = images.placed(reading.in_splits(list(given), stems=stems), beside)
    return reading.annotations(name, used_classes(examples), examples, images)


def left_out(records: object) -> str:
    """What to say where the image of records is not known: `its 2 objects are left out`."""
    count = len(records) if isinstance(records, list | dict) else 0
    return f"its {counted(count, 'object')} {'is' if count == 1 else 'are'} left out"


def size_of_file(image: Path) -> tuple[int, int] | None:
    """Width and height of an image file; None where it cannot be read, of which `check` says why."""
    with suppress(UserError):
        head = probe(image)
        return head.width, head.height
    return None


def in_pixels(one: Example, whole: float = 1.0) -> Example:
    """An example with boxes in pixels of its image, in place of parts of its sides, of which each is `whole`.

    The image itself says how large it is, and its size in the file nothing more; it does where the image cannot be
    read, of which `check` says why.
    """
    size = size_of_file(one.path) or one.size
    across, down = (side / whole for side in size or (1, 1))
    boxes = ((x1 * across, y1 * down, x2 * across, y2 * down) for x1, y1, x2, y2 in (obj.box for obj in one.objects))
    objects = (replace(obj, box=box) for obj, box in zip(one.objects, boxes, strict=True))
    return replace(one, objects=tuple(objects), size=size)


def note_without_classes(source: Path, reading: Reading) -> None:
    """A note about a file whose objects have no class."""
    reason = f"names no classes: each of its objects is of the class `{UNNAMED}`"
    reading.fault("no-classes", source, "", reason, drops=False)


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
    filled = (field for field, value in record.items() if value and field not in known)
    reading.unread.update((printable(field), "object") for field in filled if field.lower() not in (*MEANT, *SCORES))


def note_left_out(count: int, why: str, source: Path, reading: Reading) -> None:
    """A note about objects of a file that are not read on purpose. why: `are predictions`, as of several."""
    if count:
        reading.fault("not-read", source, "", f"{counted(count, 'object')} of it {why}", drops=False)
