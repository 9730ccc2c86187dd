"""LabelMe: a JSON file beside each image. Of X-AnyLabeling and AnyLabeling, too. No torch here.

Shapes are rectangles, circles (centre and a point on the rim), and anything with points, which stands for the box
around them. Shapes of one class and one `group_id` are parts of one object, as in LabelMe's own export to COCO. Objects
marked `difficult` are read as crowd, as in VOC. The image is the one that is called as the JSON is, where it lies
beside it, else the one that `imagePath` names: copies often keep the name of another image.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....errors import shown
from ...annotations import Annotations, Box, Example, Fault, Object
from ...overview import counted
from ..finding import Images, Wanted, beside, key, plain, size_from, used_classes
from ..reading import Reading
from ..recognition import Rule
from .records import Format, Unclear, around, load, named, note_unread, objects, pairs

READ = ("label", "points", "shape_type", "group_id")  # of a shape
BOXES = ("rectangle", "points")  # types of shapes that need no word


def looks_like_labelme(_: Path, start: str) -> bool:
    """Whether a JSON file has `shapes`, and says of which image."""
    return '"shapes"' in start and ('"imagePath"' in start or '"points"' in start)


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are."""
    images, embedded = reading.images(), set[Path]()
    made = (example(source, reading, embedded) for source in with_others(sources, reading, images))
    given = reading.in_splits([one for one in made if one])
    examples = images.placed(given, lambda one: wanted(one, images))
    reading.faults += other_names(given, examples, images)
    if inside := [one for one in examples if one.source in embedded and not one.path.is_file()]:
        reason = (
            f"{counted(len(inside), 'image')} missing here, but inside the JSON file (imageData): save them as files"
        )
        reading.fault("embedded", reading.root, "", f"{reason}, with labelme_export_json", drops=False)
    return reading.annotations("labelme", used_classes(examples), examples, images)


def with_others(sources: list[Path], reading: Reading, images: Images) -> list[Path]:
    """The files, and those beside them that are called as an image: whatever they hold, they were to be such files."""
    folders, known = {source.parent for source in sources}, set(sources)
    others = (file for file in reading.candidates if file.suffix.lower() == ".json" and file.parent in folders)
    return sources + [file for file in others if file not in known and key(file.stem) in images.known]


def wanted(one: Example, images: Images) -> Wanted:
    """The image of a file: the one beside it that is called as it is, else the one that it names."""
    assert one.source
    folder, stem = one.source.parent, one.source.stem
    own = [path.name for path in images.known.get(key(stem), ()) if path.parent == folder]
    named_by = beside(one)
    return Wanted((*own, *named_by.names, stem), named_by.folders, one.split)


def other_names(given: list[Example], placed: list[Example], images: Images) -> Iterator[Fault]:
    """Warnings about files that name another image than the one that is called as they are."""
    for before, after in zip(given, placed, strict=True):
        name = before.path.name
        if before.source and key(name) != key(after.path.name) and key(name) in images.known:
            reason = f"its imagePath says {shown(name)}; it is used for {after.path.name}, which has its own name"
            yield Fault("other-name", before.source, "", reason, drops=False)


def example(source: Path, reading: Reading, embedded: set[Path]) -> Example | None:
    """One image with its objects, its path as the file has it; None, and a fault, where the file is not JSON. A file
    that holds its image, too, is added to `embedded`."""
    content = load(source, reading, dict)
    if not content:
        return None
    name = content.get("imagePath")
    name = plain(name) if isinstance(name, str) and name.strip() else source.stem
    size = size_from(content.get("imageWidth"), content.get("imageHeight"))
    embedded.update([source] if content.get("imageData") else [])
    shapes = content.get("shapes")
    if "shapes" not in content:
        reading.fault("unreadable", source, "", "has no `shapes`: nothing of it is used; export it again")
        return None
    made = objects(shapes, lambda shape: shape_object(shape, source, reading), source, "shape", reading)
    parts = groups(shapes, made) if isinstance(shapes, list) else made
    if joined := len(made) - len(parts):
        reason = f"{counted(joined, 'object')} of it shared class and group_id with another: one box is around all"
        reading.fault("parts", source, "", reason, drops=False)
    return Example(Path(name), tuple(parts), "", size, source)


def shape_object(shape: dict[str, Any], source: Path, reading: Reading) -> Object:
    """The object of a shape. Raises Unclear where it is none."""
    kind = shape.get("shape_type") or ""
    obj = Object(box(kind, shape.get("points")), named(shape.get("label")))
    note_unread(shape, READ, reading)
    if kind not in BOXES:
        reading.notes.add("rotated" if kind == "rotation" else "outlined", source)
    return obj


def box(kind: object, points: object) -> Box:
    """The box around a shape. Raises Unclear where it has none."""
    corners = pairs(points)
    if kind != "circle":
        return around(corners)
    if len(corners) != 2:
        raise Unclear(f"its circle has {len(corners)} points, not a centre and one on the rim")
    (x, y), rim = corners
    radius = math.dist((x, y), rim)
    return x - radius, y - radius, x + radius, y + radius


def groups(shapes: list[Any], made: list[Object]) -> list[Object]:
    """Objects with those of one class and group as one, with the box around its parts. made: those of the shapes."""
    numbers = {f"shape {i}": shape.get("group_id") for i, shape in enumerate(shapes, 1) if isinstance(shape, dict)}
    joined: dict[object, Object] = {}
    for obj in made:
        group = numbers[obj.where]
        name = (obj.name, str(group)) if isinstance(group, int | str) and group != "" else obj.where
        first = joined.get(name)
        corners = [first.box[:2], first.box[2:]] if first else []
        whole = around([*corners, obj.box[:2], obj.box[2:]])
        crowd = obj.crowd and (first is None or first.crowd)
        joined[name] = Object(whole, obj.name, first.where if first else obj.where, crowd)
    return list(joined.values())


FORMAT = Format("LabelMe", (Rule("labelme", (".json",), looks_like_labelme, "`shapes` and `imagePath`"),), read)
