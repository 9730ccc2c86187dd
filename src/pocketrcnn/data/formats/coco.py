"""COCO JSON: one file, one file a split folder, or `annotations/instances_train.json` beside the images. No torch here.

Boxes are x, y, width, height in pixels. Category ids are any numbers; here classes have names only. Images that the
file does not list are not in the data. Format: https://cocodataset.org/#format-data
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ...errors import shown
from ..annotations import Annotations, Example, Object, printable
from .coco_boxes import box_of, numbers
from .finding import beside, is_background, plain, size_from
from .meaning import MEANT, is_crowd, is_true
from .meaning import number as number_of
from .read_only.records import UNNAMED, Unclear
from .reading import Reading
from .text import read_text
from .writing import copy_image, image_names, number, size_of, write_text

NAME = "_annotations.coco.json"
READ = {  # what is read of a record of each list, and what that is called
    "annotations": ("object", {"id", "image_id", "category_id", "bbox", "area", "iscrowd", "rotation", *MEANT}),
    "images": ("image", {"id", "file_name", "coco_url", "width", "height"}),
    "categories": ("label", {"id", "name"}),
}
MARKS = ('"images"', '"annotations"', '"categories"')
FULL_TURN = 2 * math.pi  # no angle in radians is larger
ROUNDING = 0.01  # of a box's area, which may be written with few digits
Record = dict[str, Any]


def sources(reading: Reading) -> list[Path]:
    """The COCO files among the candidates."""
    kept = [file for file in reading.candidates if file.suffix.lower() == ".json" and looks_like_coco(file)]
    instances = [file for file in kept if file.stem.lower().startswith("instances")]
    return instances or kept  # beside `instances_`, COCO ships captions and key points of the same images


def looks_like_coco(file: Path) -> bool:
    """Whether a JSON file has the lists of COCO, without taking it apart: it may be huge, or broken."""
    text = read_text(file)
    return sum(mark in text for mark in MARKS) >= 2


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all COCO files, as they are."""
    images = reading.images()
    classes: dict[str, None] = {}
    examples: list[Example] = []
    for source in sources:
        reader = Reader(source, reading)
        examples += reader.examples()
        classes |= dict.fromkeys(reader.classes())
        reading.unread.update(unread(reader.lists))
    if reading.path.is_dir():
        examples = reading.in_splits(examples, stems=True)
    return reading.annotations("coco", classes, images.placed(examples, beside), images)


def load(source: Path, reading: Reading) -> Record:
    """What is in a file; nothing, and a fault, where it is not COCO, or no JSON at all."""
    try:
        content = json.loads(reading.text(source))
        if isinstance(content, dict) and isinstance(content.get("images"), list):
            return content
        missing = "list `images`" if isinstance(content, dict) else "object at its top"
        reason = f"is not a COCO file: there is no {missing}; nothing of it is used; export it as COCO"
    except (ValueError, RecursionError) as error:
        reason = f"is not JSON ({error}): nothing of it is used; export it again"
    reading.fault("unreadable", source, "", reason)
    return {}


def records_of(content: Record, name: str) -> list[Record]:
    """The records of one of the lists; nothing where there is no such list."""
    records = content.get(name)
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []


class Reader:
    """One COCO file taken apart. What cannot be understood becomes a fault of `reading`."""

    def __init__(self, source: Path, reading: Reading) -> None:
        self.source, self.reading, content = source, reading, load(source, reading)
        self.lists = {name: records_of(content, name) for name in READ}
        self.note_other_values(content)
        pairs = ((record.get("id"), record.get("name", "")) for record in self.lists["categories"])
        self.names = {ident(i): printable(str(name)) for i, name in pairs} or self.numbers_as_names()
        bboxes = (record.get("bbox") for record in self.lists["annotations"])
        rotated = (numbers(bbox) for bbox in bboxes if isinstance(bbox, list) and len(bbox) == 5)
        self.in_degrees = any(abs(angle) > FULL_TURN for bbox in rotated for angle in bbox[4:])

    def note_other_values(self, content: Record) -> None:
        """A fault for what is in the lists and no record; a note where there is no list of annotations at all."""
        for name in ("images", "annotations") if content else ():
            values = content.get(name, [])
            if not isinstance(values, list):
                self.fault("unreadable", name, f"is `{shown(values)}`, not a list; nothing of it is used")
                continue
            for position, value in enumerate(values, 1):
                if not isinstance(value, dict):
                    self.fault("unreadable", f"{name}, number {position}", f"is `{shown(value)}`, not an object")
        if content and "annotations" not in content:
            reason = "has no list `annotations`: its images are without objects"
            self.reading.fault("no-annotations", self.source, "", reason, drops=False)

    def numbers_as_names(self) -> dict[str, str]:
        """The names of classes in a file that names none: their numbers, or `object` where there are none either."""
        used = dict.fromkeys(ident(record.get("category_id")) for record in self.lists["annotations"])
        names = {i: UNNAMED if i == "None" else i for i in used}
        if names:
            there = shown(", ".join(sorted(names.values(), key=lambda name: (len(name), name))))
            reason = f"has no list `categories`: classes are called by their numbers ({there})"
            self.reading.fault("no-categories", self.source, "", reason, drops=False)
        return names

    def fault(self, kind: str, where: str, reason: str) -> None:
        """Note something of this file that is skipped."""
        self.reading.fault(kind, self.source, where, reason)

    def classes(self) -> list[str]:
        """Names by id. Without objects, the background is none, nor is a category that only stands above others."""
        used = Counter(ident(record.get("category_id")) for record in self.lists["annotations"])
        pairs = [(str(record.get("name")), str(record.get("supercategory"))) for record in self.lists["categories"]]
        parents = {parent for name, parent in pairs if name != parent}  # COCO's `person` is its supercategory too
        kept = [i for i, name in self.names.items() if used[i] or not (is_background(name) or name in parents)]
        ordered = sorted(kept, key=lambda i: (Decimal(i) if i.isdecimal() else 0, i))  # of any number of digits
        return list(dict.fromkeys(self.names[i] for i in ordered))

    def examples(self) -> list[Example]:
        """Every image of the list, with its objects. Paths are as the file has them."""
        objects = self.objects()
        made: dict[str, Example] = {}
        for record in self.lists["images"]:
            name, i = file_name(record), ident(record.get("id"))
            if not name:
                self.fault("unreadable", f"image {shown(i)}", "has no file_name")
            elif i in made:
                reason = f"is the id of {shown(made[i].path.name)} and of {shown(name)}; the first is kept"
                self.fault("same-id", f"image {shown(i)}", reason)
            else:
                size = size_from(record.get("width"), record.get("height"))
                made[i] = Example(Path(plain(name)), tuple(objects.pop(i, ())), "", size, self.source)
        for i, orphans in objects.items():
            for orphan in orphans:
                self.fault("no-image", orphan.where, f"belongs to image {shown(i)}, which the file does not list")
        return list(made.values())

    def objects(self) -> dict[str, list[Object]]:
        """Objects by the id of their image."""
        made: dict[str, list[Object]] = {}
        sizes = {ident(one.get("id")): size_from(one.get("width"), one.get("height")) for one in self.lists["images"]}
        for position, record in enumerate(self.lists["annotations"], 1):
            where = printable(f"annotation {shown(record.get('id', f'number {position}'))}")
            try:
                obj = self.object(record, where, sizes.get(ident(record.get("image_id"))))
                made.setdefault(ident(record.get("image_id")), []).append(obj)
            except Unclear as error:
                self.fault("unreadable", where, str(error))
        return made

    def object(self, record: Record, where: str, size: tuple[int, int] | None) -> Object:
        """The object of a record; size: of its image, as the file has it. Raises Unclear where it has no box."""
        fields = {name.lower(): value for name, value in flat(record)}
        box, written, noted = box_of(record, number_of(fields.get("rotation")) or 0, size, self.in_degrees)
        notes, category = self.reading.notes, ident(record.get("category_id"))
        if noted:
            notes.add(noted, self.source, where)
        crowd = is_true(record.get("iscrowd")) or is_crowd(fields, notes, self.source, where)
        return Object(box, self.names.get(category, f"id {category}"), where, crowd, written)


def unread(lists: dict[str, list[Record]]) -> Iterator[tuple[str, str]]:
    """Every field that is not read, with what it is of; also an area that neither the box nor an outline explains."""
    for name, (what, known) in READ.items():
        for record in lists[name]:  # a supercategory `none`, or the class itself, says nothing
            nothing = ("none", record.get("name"), file_name(record))
            filled = (field for field, value in flat(record) if value and value not in nothing)
            yield from ((printable(field), what) for field in filled if field.lower() not in known)
    yield from (("area", "object") for record in lists["annotations"] if other_area(record))


def other_area(record: Record) -> bool:
    """Whether an object without outline has another area than its box, by more than rounding: it was that of a mask."""
    box, area = numbers(record.get("bbox")), number_of(record.get("area"))
    if record.get("segmentation") or len(box) != 4 or not area:
        return False
    whole = abs(box[2] * box[3])
    return abs(area - whole) > max(1, whole * ROUNDING)


def flat(record: Record) -> Iterator[tuple[str, Any]]:
    """The fields of a record, and those in its `attributes` (of CVAT) as if they were its own."""
    for name, value in record.items():
        inner = isinstance(value, dict) and name in ("attributes", "extra")
        yield from value.items() if inner else [(name, value)]


def file_name(record: Record) -> str:
    """What a record calls its image: a path or a URL; empty where it does not say."""
    names = (record.get(field) for field in ("file_name", "coco_url", "filename", "path", "url"))
    return next((name for name in names if isinstance(name, str) and name.strip()), "")


def ident(value: object) -> str:
    """An id for comparing: some programs write 7 in one list and 7.0 or "7" in the other."""
    return printable(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))


def write(annotations: Annotations, out: Path) -> None:
    """A folder a split, each with its images and one `_annotations.coco.json`; without splits, one folder.

    Category ids count from 1 in the order of the classes; boxes keep every digit.
    """
    names = image_names(annotations)
    for split in sorted({example.split for example in annotations.examples}):
        folder, examples = out / split, annotations.split(split)
        folder.mkdir(parents=True, exist_ok=True)
        for example in examples:
            copy_image(example.path, folder, names[example.path])
        content = document(examples, annotations.classes, [names[example.path] for example in examples])
        write_text(folder / NAME, json.dumps(content, ensure_ascii=False, indent=1))


def document(examples: Sequence[Example], classes: tuple[str, ...], names: list[str]) -> Record:
    """The content of one COCO file; image and annotation ids count from 1. names: of the image files."""
    images: list[Record] = []
    objects: list[Record] = []
    ids = {name: i for i, name in enumerate(classes, 1)}
    for i, (example, name) in enumerate(zip(examples, names, strict=True), 1):
        width, height = size_of(example)
        images.append({"id": i, "file_name": name, "width": width, "height": height})
        for obj in example.objects:
            x1, y1, x2, y2 = obj.box
            bbox, area = [number(value) for value in (x1, y1, x2 - x1, y2 - y1)], number((x2 - x1) * (y2 - y1))
            record = {"id": len(objects) + 1, "image_id": i, "category_id": ids[obj.name]}
            objects.append(record | {"bbox": bbox, "area": area, "iscrowd": int(obj.crowd)})
    categories = [{"id": i, "name": name, "supercategory": ""} for name, i in ids.items()]
    return {"images": images, "annotations": objects, "categories": categories}
