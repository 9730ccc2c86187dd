"""YOLO: `data.yaml`, or folders `images` and `labels`, or labels beside their images. No torch here.

A line of a label file is a class number and a box as centre x, centre y, width, height, as fractions of the image's
sides; a polygon (of a segmentation) stands for the box around it; key points, which `kpt_shape` in `data.yaml`
announces, are skipped. Images without label file have no objects. YOLO has no crowds: writing skips them.
"""

import math
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from ...errors import UserError, shown
from ..annotations import Annotations, Example, Fault, Object, Written, printable
from ..images.pixels import probe
from ..listing import is_image_name
from ..yaml_reading import parsed
from .boundary import Boundary
from .finding import WORDS, files, plain, split_below
from .reading import Reading
from .text import read_start, read_text
from .writing import image_names, size_of, write_text

Settings = dict[str, Any]
NUMBER = r"\d{1,9}"  # of a class
MOST_CLASSES = 10_000  # that `nc` may count: their names are made of numbers

DATA = "data.yaml"
NAMES = ("classes.txt", "obj.names", "_darknet.labels")
NOT_LABELS = (*NAMES, "train.txt", "val.txt", "test.txt", "readme.txt")


def sources(reading: Reading) -> list[Path]:
    """The `data.yaml` of the folder, or the YAML file itself; without one, the label files."""
    described = [file for file in reading.candidates if file.parent == reading.root and is_data(file)]
    return described or [file for file in reading.candidates if reading.path.is_dir() and is_label(file)]


def is_data(file: Path, words: tuple[str, ...] = ("names:", "nc:")) -> bool:
    """Whether a file is a YAML file that names classes, or counts them."""
    yaml_name = file.suffix.lower() in (".yaml", ".yml")
    return yaml_name and any(line.startswith(words) for line in read_text(file).splitlines())


def is_label(file: Path) -> bool:
    """Whether a text file is in a folder of labels, or begins like a label file."""
    if file.suffix.lower() != ".txt" or file.name.lower() in NOT_LABELS:
        return False
    words = read_start(file).partition("\n")[0].split()
    return "labels" in map(str.lower, file.parts[-4:-1]) or (len(words) >= 5 and words[0].isdecimal())


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects, as they are."""
    described = next(filter(is_data, sources), None) or below(reading)
    settings = load(described) if described else {}
    images = reading.images()
    if described and any(settings.get(word) for words in WORDS.values() for word in words):
        listed = list(images_of(settings, described, reading))
    else:
        reading.whole = True
        listed = [(image, split_below(reading.root, image)) for image in images.paths]
    images.named.update(image for image, _ in listed)
    names, points = class_names(settings, reading), points_of(settings)
    reading.faults += shared_names(names or {}, described or reading.root)
    examples = [example(image, split, names, points, reading) for image, split in listed]
    used = {os.path.realpath(one.source) for one in examples if one.source}
    for file in filter(is_label, reading.files):
        if os.path.realpath(file) not in used:
            reading.fault("no-image", file, "", "is the label file of no image")
    if names is None:
        numbers = {obj.name for one in examples for obj in one.objects}
        names = dict(enumerate(sorted(numbers, key=int)))
    return reading.annotations("yolo", dict.fromkeys(names.values()), examples, images)


def below(reading: Reading) -> Path | None:
    """The YAML file with class names in a folder of a folder that names no classes itself; None where there is none.

    Raises UserError where there are several: each has other classes.
    """
    if any(file.parent == reading.root and file.name.lower() in NAMES for file in reading.files):
        return None
    inner = [file for file in reading.files if is_data(file, ("names:",))]
    if len(inner) > 1:
        there = f"several data sets, each with class names ({', '.join(map(str, inner))})"
        raise UserError(f"{reading.root} holds {there}: name one of their folders")
    return inner[0] if inner else None


def load(file: Path) -> Settings:
    """What a YAML file says. Raises UserError when it is none."""
    try:
        content = parsed(read_text(file))
    except ValueError as error:
        raise UserError(f"{file} is not YAML ({error}): correct it, or name the folder of the images") from error
    if not isinstance(content, dict):
        raise UserError(f"{file} has no settings (names, train, val): correct it, or name the folder of the images")
    require_names(content, file)
    return content


def require_names(settings: Settings, file: Path) -> None:
    """Raises UserError for class numbers and names that are none, and for more of them than can be meant."""
    names, count = settings.get("names"), settings.get("nc")
    for key in names if isinstance(names, dict) else ():
        if not re.fullmatch(NUMBER, str(key)):
            raise UserError(f"{file}, names: `{shown(key)}` is no class number: write a list, or number: name (0: cat)")
    for name in names.values() if isinstance(names, dict) else names if isinstance(names, list) else ():
        if isinstance(name, list | dict | set | tuple | bytes):
            raise UserError(f"{file}, names: `{shown(name)}` is no name: write a word or a number")
    if isinstance(count, int) and count > MOST_CLASSES:
        raise UserError(f"{file}, nc: {count:,} classes are too many, at most {MOST_CLASSES:,}: correct it")


def shared_names(names: dict[int, str], file: Path) -> Iterator[Fault]:
    """Warnings about class numbers that have the same name."""
    for name, count in Counter(names.values()).items():
        if count > 1:
            numbers = " and ".join(str(i) for i, other in names.items() if other == name)
            reason = f"calls the classes {shown(numbers)} `{shown(name)}`: they are one class here"
            yield Fault("same-name", file, "names", reason, drops=False)


def class_names(settings: Settings, reading: Reading) -> dict[int, str] | None:
    """Class names by number: of the YAML, else of `classes.txt`; None where nothing names them."""
    names = settings.get("names")
    if isinstance(names, dict):
        return {int(i): printable(str(name)) for i, name in sorted(names.items(), key=lambda pair: int(pair[0]))}
    if isinstance(names, list):
        return {i: printable(str(name)) for i, name in enumerate(names)}
    if isinstance(settings.get("nc"), int):
        return {i: str(i) for i in range(settings["nc"])}
    files = [file for file in reading.files if file.name.lower() in NAMES]
    lists = {file: [line.strip() for line in read_text(file).rstrip().splitlines()] for file in files}
    if not lists:
        return None
    longest = max(lists, key=lambda file: len(lists[file]))
    for file, lines in lists.items():  # LabelImg writes one a folder, with the classes that there were by then
        if lists[longest][: len(lines)] != lines:
            raise UserError(f"{longest} and {file} name different classes: make them equal, or name one of the folders")
    return dict(enumerate(lists[longest]))


def points_of(settings: Settings) -> int:
    """How many numbers of key points follow a box: `kpt_shape` is the number of points and of values of each."""
    shape = settings.get("kpt_shape")
    return math.prod(shape) if isinstance(shape, list) and all(isinstance(side, int) for side in shape) else 0


def images_of(settings: Settings, file: Path, reading: Reading) -> Iterator[tuple[Path, str]]:
    """The images that a YAML file names, with their splits."""
    for split, words in WORDS.items():
        for word in words:
            given = settings.get(word) or []
            for name in given if isinstance(given, list) else [given]:
                path = located(str(name), str(settings.get("path") or ""), file.parent, reading.boundary)
                if path is None:
                    reading.fault(
                        "no-folder", file, "", f"{word}: {shown(name)} does not exist; its images are skipped"
                    )
                elif reading.boundary.allows(path):
                    yield from ((image, split) for image in images_in(path, reading.boundary))


def located(name: str, base: str, home: Path, boundary: Boundary) -> Path | None:
    """A folder or list of images, in the data where one is. `path` is often that of another machine, and `../` often
    one too many."""
    name = below = plain(name)
    while below.startswith("../"):
        below = below[3:]
    paths = (home / base / name, home / name, home / base / below, home / below)
    there = list(filter(os.path.exists, paths))
    return next(filter(boundary.holds, there), next(iter(there), None))


def images_in(path: Path, boundary: Boundary) -> list[Path]:
    """The images of a folder, or of a text file with one path a line, as far as they may be read."""
    if path.is_dir():
        return list(filter(is_image_name, files(path, boundary.allows)))
    lines = filter(None, map(str.strip, read_text(path).splitlines()))
    images = (located(line, "", path.parent, boundary) or path.parent / plain(line) for line in lines)
    return list(filter(boundary.allows, images))


def label_of(image: Path) -> Path | None:
    """The label file of an image: in `labels` in place of the last `images`, else beside it, else in `labels` there."""
    parts = list(image.parent.parts)
    folders = [image.parent, image.parent / "labels"]
    for i in reversed(range(len(parts))):
        if parts[i].lower() == "images":
            folders = [folder.joinpath(*parts[i + 1 :]) for folder in labels_in(Path(*parts[:i]))] + folders
            break
    return next(filter(os.path.isfile, (folder / f"{image.stem}.txt" for folder in folders)), None)


def labels_in(folder: Path) -> list[Path]:
    """`labels` in a folder; where that is none, all that are called so in other letters."""
    labels = folder / "labels"
    if not labels.is_dir():
        with suppress(OSError):  # it may be far above the data
            return sorted(inner for inner in folder.iterdir() if inner.name.lower() == "labels")
    return [labels]


def example(image: Path, split: str, names: dict[int, str] | None, points: int, reading: Reading) -> Example:
    """One image with its objects. An image that cannot be read has none: its boxes are fractions of an unknown size.

    points: see `points_of`. What cannot be understood becomes a fault of `reading`.
    """
    label, size = label_of(image), None
    if label and not reading.boundary.allows(label):
        label = None
    with suppress(UserError):  # `check` says why
        head = probe(image)
        size = head.width, head.height
    if label is None or size is None:
        return Example(image, (), split, size, label)
    objects = []
    for position, line in enumerate(read_text(label).splitlines(), 1):
        words = line.split()
        try:
            if words:
                objects.append(label_object(words, f"line {position}", size, names, points))
                reading.unread.update([("key points" if points else "polygon", "object")] if len(words) > 5 else [])
        except (ValueError, OverflowError):
            reason = f"`{shown(line.strip())}` is not a class number and four numbers (or a polygon)"
            reading.fault("unreadable", label, f"line {position}", reason)
    return Example(image, tuple(objects), split, size, label)


def label_object(
    words: list[str], where: str, size: tuple[int, int], names: dict[int, str] | None, points: int = 0
) -> Object:
    """One object; points: see `points_of`. Raises ValueError when the words are not those of a label."""
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
    """`data.yaml`, and images and labels in a folder a split. Every digit is kept; crowds are skipped."""
    names = image_names(annotations)
    classes = {name: i for i, name in enumerate(annotations.classes)}
    for one in annotations.examples:
        for folder in ("images", "labels"):
            (out / folder / one.split).mkdir(parents=True, exist_ok=True)
        name = Path(names[one.path])
        shutil.copyfile(one.path, out / "images" / one.split / name)
        lines = [line(obj, classes, size_of(one)) for obj in one.objects if not obj.crowd]
        write_text(out / "labels" / one.split / f"{name.stem}.txt", "\n".join(lines))
    splits = {one.split for one in annotations.examples} - {""}
    settings = {split: f"images/{split}" for split in WORDS if split in splits} | {"names": list(annotations.classes)}
    write_text(out / DATA, yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))


def line(obj: Object, classes: dict[str, int], size: tuple[int, int]) -> str:
    """A line of a label file."""
    (x1, y1, x2, y2), (width, height) = obj.box, size
    values = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join([str(classes[obj.name]), *map(repr, values)])
