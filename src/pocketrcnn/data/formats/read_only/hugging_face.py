"""Hugging Face's image folders: `metadata.jsonl` or `metadata.csv` beside the images, with `objects`. No torch here.

Boxes are x, y, width, height in pixels, as in COCO. Classes are names, or numbers, whose names may stand in the head of
the `README.md` of the data set (`class_label`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....errors import shown
from ...annotations import Annotations, Example, Object, Written
from ...yaml_reading import parsed
from ..finding import beside, plain, size_from, used_classes
from ..reading import Reading
from ..recognition import Rule
from ..table_columns import rows
from ..text import read_text
from .records import UNNAMED, Format, Unclear, attempt, left_out, named, note_without_classes, number

Record = dict[str, Any]
BOXES = ("bbox", "bboxes", "boxes", "box")
CLASSES = ("categories", "category", "labels", "label", "category_id", "categories_id", "class", "classes", "name")


def looks_like_metadata(_: Path, start: str) -> bool:
    """Whether a file has a line or a column of objects for each image."""
    return "file_name" in start and "objects" in start


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are."""
    images, names = reading.images(), class_names(reading)
    given = [one for source in sources for one in examples_of(source, names, reading)]
    examples = images.placed(reading.in_splits(given), beside)
    return reading.annotations("hugging-face", used_classes(examples), examples, images)


def class_names(reading: Reading) -> dict[str, str]:
    """The names of class numbers, from the head of `README.md`; empty where it has none."""
    cards = [file for file in reading.files if file.parent == reading.root and file.name.lower() == "readme.md"]
    heads = [read_text(card).split("---")[1:2] for card in cards]
    for head in (head[0] for head in heads if head):
        try:
            labels = labels_in(parsed(head))
        except ValueError:
            labels = None
        if isinstance(labels, dict):
            return {str(number): str(name) for number, name in labels.items()}
        if isinstance(labels, list):
            return {str(number): str(name) for number, name in enumerate(labels)}
    return {}


def labels_in(content: object) -> object:
    """The `names` of the first `class_label` in nested settings; None where there is none."""
    if isinstance(content, dict):
        label = content.get("class_label")
        if isinstance(label, dict) and label.get("names"):
            return label["names"]
    inner = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return next(filter(None, map(labels_in, inner)), None)


def records_of(source: Path, reading: Reading) -> Iterator[tuple[str, Any]]:
    """The records of a file, one an image, with where they stand; a fault for each that is none."""
    for where, line in lines_of(source, reading):
        try:
            if isinstance(line, str):
                record = json.loads(line)
            else:
                record = line | {"objects": json.loads(line.get("objects") or "{}")}
        except (ValueError, RecursionError) as error:
            reading.fault("unreadable", source, where, f"is not JSON ({error}): nothing of it is used; export it again")
            continue
        yield where, record


def lines_of(source: Path, reading: Reading) -> Iterator[tuple[str, str | Record]]:
    """The lines of a file, or the rows of a table by the names of its columns, with where they stand."""
    if source.suffix.lower() == ".csv":
        (_, header), *body = rows(reading.text(source))
        yield from ((line, dict(zip(header, cells, strict=False))) for line, cells in body)
    else:
        yield from ((f"line {i}", text) for i, text in enumerate(reading.text(source).split("\n"), 1) if text.strip())


def examples_of(source: Path, names: dict[str, str], reading: Reading) -> Iterator[Example]:
    """The images of a file, with paths as it has them."""
    unnamed = False
    for where, record in records_of(source, reading):
        name = record.get("file_name") if isinstance(record, dict) else None
        parts = separate(record.get("objects"), source, where, reading) if isinstance(record, dict) else []
        if not isinstance(name, str) or not name.strip():
            reading.fault("unreadable", source, where, f"names no image: {left_out(parts)}")
            continue
        made = []
        for i, one in enumerate(parts, 1):
            unnamed |= isinstance(one, dict) and "class" not in one
            obj = attempt(one, lambda fields: boxed(fields, names), source, f"{where}, object {i}", reading)
            made += [obj] if obj else []
        size = size_from(record.get("width"), record.get("height"))
        yield Example(Path(plain(name)), tuple(made), "", size, source)
    if unnamed:
        note_without_classes(source, reading)


def separate(objects: object, source: Path, where: str, reading: Reading) -> list[Any]:
    """Objects as a list of records with `box` and, where there is one, `class`: they are stored as that, or as one
    record of lists."""
    if isinstance(objects, list):
        return [fields(one) if isinstance(one, dict) else one for one in objects]
    if not isinstance(objects, dict):
        if objects is not None:
            reading.fault("unreadable", source, where, f"its objects are `{shown(objects)}`: nothing of it is used")
        return []
    whole = fields(objects)
    boxes, classes = whole.get("box"), whole.get("class")
    if not isinstance(boxes, list):
        if boxes is not None or classes:
            reading.fault("unreadable", source, where, f"its boxes are `{shown(boxes)}`: nothing of it is used")
        return []
    others = [field for field in objects if field not in (*BOXES, *CLASSES)]
    reading.unread.update({(shown(field), "object"): len(boxes) for field in others if objects[field]})
    if classes is None:
        return [{"box": box} for box in boxes]
    given = classes if isinstance(classes, list) else [classes] * len(boxes)
    return [{"box": box, "class": given[i] if i < len(given) else ""} for i, box in enumerate(boxes)]


def fields(record: Record) -> Record:
    """The box and the class of a record, under one name each."""
    found = {"box": BOXES, "class": CLASSES}
    keys = {name: next((key for key in known if key in record), None) for name, known in found.items()}
    return {name: record[key] for name, key in keys.items() if key is not None}


def boxed(record: Record, names: dict[str, str]) -> Object:
    """The object of a record. Raises Unclear where it is none."""
    box = record.get("box")
    if not isinstance(box, list) or len(box) != 4:
        raise Unclear(f"its box is `{shown(box)}`, not four numbers")
    x, y, width, height = map(number, box)
    name = named(record["class"]) if "class" in record else UNNAMED
    return Object((x, y, x + width, y + height), names.get(name, name), written=Written((x, y, width, height), "xywh"))


RULES = (
    Rule("hugging-face", (".jsonl",), looks_like_metadata, "`file_name` and `objects` on each line"),
    Rule("hugging-face", (".csv",), looks_like_metadata, "columns `file_name` and `objects`"),
)
FORMAT = Format("Hugging Face", RULES, read)
