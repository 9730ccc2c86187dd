"""A text file for each image, of the same name, with an object a line. Boxes are in pixels, but for YOLO's. No torch
here.

- DOTA (`labelTxt`): eight numbers, the corners of a turned box, then the class and whether it is difficult, which is
  read as crowd, as in VOC. The box is the one around the corners.
- KITTI (`label_2`): class, truncation, occlusion, angle, x1, y1, x2, y2, and seven numbers of the scene.
- The Open Images toolkits (`Label`): class, x1, y1, x2, y2.
- YOLO with the name of the class in place of its number: class, centre x, centre y, width, height, as fractions of the
  image's sides.

Files beside them that are called as an image belong to it, too: empty ones are of images without objects.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ....errors import shown
from ...annotations import Annotations, Example, Object, Written, printable
from ..finding import Images, Wanted, key, used_classes
from ..reading import Reading
from ..recognition import Rule
from ..text import read_text
from .records import Format, Unclear, around, in_pixels, named, note_left_out, number

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
HEAD = re.compile(r"(?:imagesource|gsd|acquisition dates?)\s*:.*", re.IGNORECASE)  # lines at the top of DOTA's files
DOTA_LINE = re.compile(rf"(?:{NUMBER}[\s,]+){{8}}[^\s\d.,+-]\S*(?:[\s,]+\d)?")
KITTI_LINE = re.compile(rf"[^\W\d]\S*(?:\s+{NUMBER}){{14,15}}")
TOOLKIT_LINE = re.compile(rf"[^\W\d][^\n]*?(?:\s+{NUMBER}){{4}}")
YOLO_NAMES = "yolo-names"  # its boxes are fractions
IGNORED = "DontCare"  # KITTI: a region that nobody annotated
IMAGES = ("images", "image_2", "JPEGImages")
Lines = Callable[[list[str], Path, Reading], Object]


def first_line(start: str) -> str:
    """The first line of a file that says something, without what DOTA has at the top."""
    lines = (line.strip() for line in start.lstrip("\ufeff").splitlines())
    return next((line for line in lines if line and not HEAD.fullmatch(line)), "")


def looks_like(pattern: re.Pattern[str]) -> Callable[[Path, str], bool]:
    """A rule's look at the first line of a file."""
    return lambda _, start: bool(pattern.fullmatch(first_line(start)))


def looks_like_yolo_names(_: Path, start: str) -> bool:
    """Whether the first line of a file is a class and four fractions."""
    line = first_line(start)
    return bool(TOOLKIT_LINE.fullmatch(line)) and all(0 <= float(word) <= 1 for word in line.split()[-4:])


def read(name: str, line_object: Lines, reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are. name: of the format; line_object: of the words of a line."""
    images, folders = reading.images(), {source.parent for source in sources}
    known = set(sources)
    others = (file for file in reading.candidates if file.suffix.lower() == ".txt" and file.parent in folders)
    more = [file for file in others if file not in known and key(file.stem) in images.known]
    given = [example(source, line_object, reading) for source in sorted((*sources, *more))]
    placed = images.placed(reading.in_splits(given), lambda one: wanted(one, images))
    examples = [in_pixels(one) for one in placed] if name == YOLO_NAMES else placed
    return reading.annotations(name, used_classes(examples), examples, images)


def is_empty(file: Path) -> bool:
    """Whether a text file has no objects."""
    return file.suffix.lower() == ".txt" and not first_line(read_text(file))


def wanted(one: Example, images: Images) -> Wanted:
    """The image of a file: in a folder of images beside that of the files, or beside or above the file."""
    assert one.source
    folder = one.source.parent
    beside = [other for other in images.folders if other.parent == folder.parent and other.name in IMAGES]
    return Wanted((one.source.stem,), (*beside, folder.parent, folder), one.split)


def example(source: Path, line_object: Lines, reading: Reading) -> Example:
    """One image with its objects; its path is its name without ending."""
    objects, ignored = [], 0
    for position, line in enumerate(reading.text(source).splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words or HEAD.fullmatch(line.strip()):
            continue
        if words[0] == IGNORED:
            ignored += 1
            continue
        try:
            obj = line_object(words, source, reading)
            objects.append(Object(obj.box, obj.name, f"line {position}", obj.crowd, obj.written))
        except Unclear as error:
            reading.fault("unreadable", source, f"line {position}", f"`{shown(line.strip())}`: {error}")
    note_left_out(ignored, f"are {IGNORED} regions, which no class has: they are background", source, reading)
    return Example(Path(source.stem), tuple(objects), "", None, source)


def dota_object(words: list[str], source: Path, reading: Reading) -> Object:
    """The object of a line of DOTA. Raises Unclear where it is none."""
    if len(words) < 9:
        raise Unclear("eight numbers and a class are expected")
    values = list(map(number, words[:8]))
    *name, difficult = words[8:] if len(words) > 9 else [*words[8:], "0"]
    if not difficult.isdecimal():
        name, difficult = [*name, difficult], "0"
    obj = Object(around(zip(values[::2], values[1::2], strict=True)), named(" ".join(name)), crowd=difficult != "0")
    if obj.crowd:
        reading.notes.add("difficult", source)
    if not {*values[::2]} <= {*obj.box[::2]} or not {*values[1::2]} <= {*obj.box[1::2]}:
        reading.notes.add("rotated", source)
    return obj


def kitti_object(words: list[str], _: Path, reading: Reading) -> Object:
    """The object of a line of KITTI. Raises Unclear where it is none."""
    if len(words) < 15:
        raise Unclear("a class and 14 numbers are expected")
    values = list(map(number, words[1:15]))
    reading.unread.update(
        (field, "object") for field, value in zip(("truncation", "occlusion"), values, strict=False) if value
    )
    x1, y1, x2, y2 = values[3:7]
    return Object((x1, y1, x2, y2), printable(words[0]), written=Written((x1, y1, x2, y2), "xyxy"))


def class_of(words: list[str]) -> str:
    """A class in words. Raises Unclear for a number: such files name their classes."""
    name = named(" ".join(words))
    if re.fullmatch(NUMBER, name):
        raise Unclear(f"its class is {name}, where a name is expected")
    return name


def toolkit_object(words: list[str], _: Path, __: Reading) -> Object:
    """The object of a line of the Open Images toolkits. Raises Unclear where it is none."""
    if len(words) < 5:
        raise Unclear("a class and four numbers are expected")
    x1, y1, x2, y2 = map(number, words[-4:])
    return Object((x1, y1, x2, y2), class_of(words[:-4]), written=Written((x1, y1, x2, y2), "xyxy"))


def yolo_object(words: list[str], _: Path, __: Reading) -> Object:
    """The object of a line of YOLO with names, in fractions. Raises Unclear where it is none."""
    if len(words) < 5:
        raise Unclear("a class and four numbers are expected")
    x, y, width, height = map(number, words[-4:])
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Object(box, class_of(words[:-4]), written=Written((x, y, width, height), "cxcywh", "fractions"))


def form(title: str, name: str, fits: Callable[[Path, str], bool], line_object: Lines, seen: str) -> Format:
    """A format of such files."""
    return Format(title, (Rule(name, (".txt",), fits, f"lines of {seen}"),), partial(read, name, line_object))


DOTA = form("DOTA", "dota", looks_like(DOTA_LINE), dota_object, "eight numbers and a class")
KITTI = form("KITTI", "kitti", looks_like(KITTI_LINE), kitti_object, "a class and 14 numbers")
YOLO = form("YOLO with class names", YOLO_NAMES, looks_like_yolo_names, yolo_object, "a class and four fractions")
TOOLKIT = form(
    "Open Images toolkit", "open-images-toolkit", looks_like(TOOLKIT_LINE), toolkit_object, "a class and four numbers"
)
