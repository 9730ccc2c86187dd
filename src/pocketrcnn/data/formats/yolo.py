"""YOLO: `data.yaml`, or folders `images` and `labels`, or labels beside their images. No torch here.

A line of a label file is a class number and a box as centre x, centre y, width, height, as fractions of the image's
sides; a polygon (of a segmentation) stands for the box around it; key points, which `kpt_shape` in `data.yaml`
announces, are skipped. Images without label file have no objects. YOLO has no crowds: writing skips them.
"""

from pathlib import Path

import yaml

from ...errors import shown
from ..annotations import Annotations, Example, Object, Written
from .read_only.records import size_of_file
from .reading import Reading
from .split_words import WORDS
from .writing import copy_image, image_names, require_no_pages, size_of, write_text
from .yolo_images import annotated, note_without_labels, of_lists, of_settings, with_unlisted
from .yolo_labels import is_label, labels_of
from .yolo_settings import (
    Meaning,
    class_names,
    is_settings,
    load,
    points_of,
    settings_file,
    shared_names,
    states_images,
)

DATA = "data.yaml"
WITHOUT_VAL = """\
# There are no validation images. Other programs want the line `val` all the same: it names the path of another split,
# so that what they measure is measured on images that were learned."""


def sources(reading: Reading) -> list[Path]:
    """The settings in the folder, or the file of settings itself; without any, the label files."""
    described = [file for file in reading.candidates if file.parent == reading.root and is_settings(file)]
    return described or [file for file in reading.candidates if reading.path.is_dir() and is_label(file)]


def read(reading: Reading, _: list[Path]) -> Annotations:
    """The images and objects, as they are."""
    file, images = settings_file(reading), reading.images()
    settings = load(file, reading.text) if file else {}
    stated = file is not None and states_images(settings)
    listed = of_settings(settings, file, reading, images) if file and stated else of_lists(reading, images)
    labels, rivals = labels_of([*(image for image, _ in listed), *images.paths], reading, images)
    listed = [(image, split) for image, split in listed if image not in rivals]
    if listed or stated:
        listed = with_unlisted(listed, labels, stated, reading)
    else:
        reading.whole = True
        data = annotated([image for image in images.paths if image not in rivals], labels, images.root)
        listed = [(one.path, one.split) for one in reading.in_splits([Example(path) for path in data])]
    images.named = {image for image, _ in listed}
    note_without_labels([image for image, _ in listed], labels, reading)
    meaning = Meaning(names := class_names(settings, file, reading), points_of(settings))
    reading.faults += shared_names(names or {}, file or reading.root)
    examples = [example(image, split, labels.get(image), meaning, reading) for image, split in listed]
    if names is None:
        numbers = {obj.name for one in examples for obj in one.objects}
        names = dict(enumerate(sorted(numbers, key=int)))
    return reading.annotations("yolo", dict.fromkeys(names.values()), examples, images)


def example(image: Path, split: str, label: Path | None, meaning: Meaning, reading: Reading) -> Example:
    """One image with its objects; those of an image that cannot be read are counted, their boxes stay fractions.

    What cannot be understood becomes a fault of `reading`.
    """
    size = size_of_file(image)
    objects = list[Object]()
    for position, line in enumerate(reading.text(label).splitlines() if label else (), 1):
        words = line.split()
        try:
            if words:
                objects.append(label_object(words, f"line {position}", size or (1, 1), meaning))
                reading.unread.update(
                    [("key points" if meaning.points else "polygon", "object")] if len(words) > 5 else []
                )
        except (ValueError, OverflowError):
            reason = f"`{shown(line.strip())}` is not a class number and four numbers (or a polygon)"
            reading.fault("unreadable", label or image, f"line {position}", reason)
    return Example(image, tuple(objects), split, size, label)


def label_object(words: list[str], where: str, size: tuple[int, int], meaning: Meaning) -> Object:
    """One object. Raises ValueError when the words are not those of a label."""
    names, points = meaning
    index, values = float(words[0]), [float(word) for word in words[1:]]
    if points:
        values = values[:4] if len(values) in (4, 4 + points) else []
    if not index.is_integer() or not (len(values) == 4 or (len(values) >= 6 and len(values) % 2 == 0)):
        raise ValueError
    if len(values) == 4:
        x, y, width, height = values
        x1, y1, x2, y2 = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        written = Written((x, y, width, height), "cxcywh", "fractions")
    else:
        x1, y1, x2, y2 = min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
        written = Written((x1, y1, x2, y2), "around", "fractions")
    box = (x1 * size[0], y1 * size[1], x2 * size[0], y2 * size[1])
    name = str(int(index)) if names is None else names.get(int(index), f"id {int(index)}")
    return Object(box, name, where, written=written)


def write(annotations: Annotations, out: Path) -> None:
    """`data.yaml`, and images and labels in a folder a split. Every digit is kept; crowds are skipped.

    Other programs refuse settings without `val`. Where there are no such images, the line names those of another split.
    """
    require_no_pages(annotations, "YOLO")
    names = image_names(annotations)
    classes = {name: i for i, name in enumerate(annotations.classes)}
    for one in annotations.examples:
        for folder in ("images", "labels"):
            (out / folder / one.split).mkdir(parents=True, exist_ok=True)
        name = Path(names[one.path])
        copy_image(one.path, out / "images" / one.split, name.name)
        lines = [line(obj, classes, size_of(one)) for obj in one.objects if not obj.crowd]
        write_text(out / "labels" / one.split / f"{name.stem}.txt", "\n".join(lines))
    splits = {one.split for one in annotations.examples} - {""}
    folders = {split: f"images/{split}" for split in WORDS if split in splits} or {"train": "images"}
    settings = {"val": next(iter(folders.values()))} | folders | {"names": list(annotations.classes)}
    comment = "" if "val" in splits else f"{WITHOUT_VAL}\n"
    write_text(out / DATA, comment + yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))


def line(obj: Object, classes: dict[str, int], size: tuple[int, int]) -> str:
    """A line of a label file."""
    (x1, y1, x2, y2), (width, height) = obj.box, size
    values = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join([str(classes[obj.name]), *map(repr, values)])
