"""CreateML: one JSON list of images, boxes by their centre. And `bounding_boxes.labels` of Edge Impulse, boxes by their
upper left corner. All in pixels. No torch here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....errors import shown
from ...annotations import Annotations, Example, Object, Written
from ..finding import plain
from ..reading import Reading
from ..recognition import Rule
from .records import Format, gathered, left_out, load, named, note_unread, numbers, objects

SIDES = ("x", "y", "width", "height")
IMAGE = ("image", "imagefilename", "imageFilename", "filename")  # what versions of Create ML call it
Record = dict[str, Any]


def looks_like_createml(_: Path, start: str) -> bool:
    """Whether a JSON file is a list of images with coordinates."""
    listed = start.lstrip().startswith("[") and ('"annotations"' in start or '"annotation"' in start)
    return listed and '"coordinates"' in start and '"label"' in start


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are."""
    given = (one for source in sources for one in examples_of(source, reading))
    return gathered("createml", given, reading, stems=reading.path.is_dir())


def examples_of(source: Path, reading: Reading) -> Iterator[Example]:
    """The images of a file, with paths as it has them."""
    for position, record in enumerate(load(source, reading, list), 1):
        fields = record if isinstance(record, dict) else {}
        name = next((fields[key] for key in IMAGE if key in fields), None)
        records = fields.get("annotations", fields.get("annotation"))
        if not isinstance(name, str) or not name.strip():
            reading.fault("unreadable", source, f"image {position}", f"names no image: {left_out(records)}")
            continue
        made = objects(records, lambda one: centred(one, reading), source, f"{shown(name)}, annotation", reading)
        yield Example(Path(plain(name)), tuple(made), source=source)


def centred(record: Record, reading: Reading) -> Object:
    """The object of an annotation. Raises Unclear where it is none."""
    x, y, width, height = numbers(record.get("coordinates"), SIDES, "coordinates")
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    note_unread(record, ("label", "coordinates"), reading)
    return Object(box, named(record.get("label")), written=Written((x, y, width, height), "cxcywh"))


def looks_like_edge_impulse(_: Path, start: str) -> bool:
    """Whether a file has boxes by the names of images."""
    return '"boundingBoxes"' in start


def read_edge_impulse(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are; those of `training` and `testing` are splits."""
    given = (one for source in sources for one in impulse_examples(source, reading))
    return gathered("edge-impulse", given, reading)


def impulse_examples(source: Path, reading: Reading) -> Iterator[Example]:
    """The images of a file, with paths as it has them."""
    boxes = load(source, reading, dict).get("boundingBoxes")
    if not isinstance(boxes, dict):
        reading.fault(
            "unreadable", source, "boundingBoxes", f"`{shown(boxes)}` is not an object: nothing of it is used"
        )
        return
    for name, records in boxes.items():
        made = objects(records, lambda one: cornered(one, reading), source, f"{shown(name)}, box", reading)
        yield Example(Path(plain(name)), tuple(made), source=source)


def cornered(record: Record, reading: Reading) -> Object:
    """The object of a box. Raises Unclear where it is none."""
    x, y, width, height = numbers(record, SIDES)
    note_unread(record, ("label", *SIDES), reading)
    return Object(
        (x, y, x + width, y + height), named(record.get("label")), written=Written((x, y, width, height), "xywh")
    )


FORMAT = Format(
    "CreateML", (Rule("createml", (".json",), looks_like_createml, "`coordinates` of `annotations`"),), read
)
EDGE_IMPULSE = Format(
    "Edge Impulse",
    (Rule("edge-impulse", (".labels", ".json"), looks_like_edge_impulse, "`boundingBoxes`"),),
    read_edge_impulse,
)
