"""What the files beside YOLO's labels say: `data.yaml`, darknet's `.data`, lists of class names. No torch here."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import UserError, shown
from ..annotations import Fault, printable
from ..listing import is_image_name
from ..yaml_reading import parsed
from .finding import by_last_parts, plain
from .reading import Reading
from .split_words import WORDS
from .text import read_start, read_text

Settings = dict[str, Any]
NUMBER = r"\d{1,9}"  # of a class
MOST_CLASSES = 10_000  # that `nc` may count: their names are made of numbers

DATA = ("data.yaml", "data.yml")
NAMES = ("classes.txt", "obj.names", "_darknet.labels")
MORE_NAMES = ("names.txt", "class_names.txt", "labels.txt", "predefined_classes.txt")  # and `*.names`
READ = ("names", "nc", *(word for words in WORDS.values() for word in words))  # of settings


def settings_file(reading: Reading) -> Path | None:
    """The file that names classes or images: of the folder, else of the one folder in it that has one; None where there
    is none, or where the folder has a list of names and no settings.

    Raises UserError where it could be one of several.
    """
    if not reading.path.is_dir():
        return reading.path
    if here := [file for file in reading.candidates if file.parent == reading.root and is_settings(file)]:
        return the_one(here, reading)
    if any(file.parent == reading.root and file.name.lower() in NAMES for file in reading.files):
        return None
    inner = [file for file in reading.files if is_settings(file, ("names:",))]
    folders = [[file for file in inner if file.parent == folder] for folder in sorted({file.parent for file in inner})]
    files = [the_one(there, reading) for there in folders]
    if len(files) > 1:
        there = f"several data sets, each with class names ({', '.join(map(str, files))})"
        raise UserError(f"{reading.root} holds {there}: name one of their folders")
    return files[0] if files else None


def is_settings(file: Path, words: tuple[str, ...] = ("names:", "nc:")) -> bool:
    """Whether a file is a YAML file that names classes, or counts them, and describes no network; or darknet's."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        return is_darknet(file)
    lines = read_text(file).splitlines()
    return any(line.startswith(words) for line in lines) and not any(line.startswith("backbone:") for line in lines)


def is_darknet(file: Path) -> bool:
    """Whether a file is that of darknet which says where lists and names are."""
    keys = darknet(read_start(file)) if file.suffix.lower() == ".data" else {}
    return "names" in keys or "train" in keys


def darknet(text: str) -> Settings:
    """What a `.data` file says: `train = data/train.txt` a line."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    settings: Settings = {name.strip(): value.strip() for name, equals, value in pairs if equals and value.strip()}
    count = settings.pop("classes", "")
    return settings | ({"nc": int(count)} if re.fullmatch(NUMBER, count) else {})


def the_one(files: Sequence[Path], reading: Reading) -> Path:
    """`data.yaml`, else the only file with names, else that of darknet, else the only one that counts classes.

    Others that say something else are noted. Raises UserError where two differ and neither is the one.
    """
    yaml = [file for file in files if not is_darknet(file)]
    groups = (
        [file for file in yaml if file.name.lower() in DATA][:1],
        [file for file in yaml if is_settings(file, ("names:",))],
        [file for file in files if file not in yaml],
        yaml,
    )
    group = next(filter(None, groups))
    if len(group) > 1 and any(meaning(file) != meaning(group[0]) for file in group):
        there = f"several files with classes ({', '.join(file.name for file in group)})"
        raise UserError(f"{group[0].parent} holds {there}: name the one that is meant, or remove the others")
    for other in yaml:
        if len(yaml) > 1 and other not in group and meaning(other) != meaning(group[0]):
            reading.fault("other-settings", other, "", f"is not read: {group[0].name} is", drops=False)
    return group[0]


def meaning(file: Path) -> Settings:
    """What is read of settings; nothing where they are broken."""
    try:
        settings = load(file)
    except UserError:
        return {}
    return {word: settings.get(word) for word in READ}


def load(file: Path, text: Callable[[Path], str] = read_text) -> Settings:
    """What a YAML file, or one of darknet, says. text: how it is read. Raises UserError when it is none."""
    if file.suffix.lower() == ".data":
        content: Any = darknet(text(file))
    else:
        try:
            content = parsed(text(file))
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


def states_images(settings: Settings) -> bool:
    """Whether settings say where images are."""
    return any(settings.get(word) for words in WORDS.values() for word in words)


def shared_names(names: dict[int, str], file: Path) -> Iterator[Fault]:
    """Warnings about class numbers that have the same name."""
    for name, count in Counter(names.values()).items():
        if count > 1:
            numbers = " and ".join(str(i) for i, other in names.items() if other == name)
            reason = f"calls the classes {shown(numbers)} `{shown(name)}`: they are one class here"
            yield Fault("same-name", file, "names", reason, drops=False)


def class_names(settings: Settings, file: Path | None, reading: Reading) -> dict[int, str] | None:
    """Class names by number: of the settings, or of the file that these name, else of a list of names in the folder,
    else numbers as far as the settings count; None where nothing names them."""
    names, count = settings.get("names"), settings.get("nc")
    if isinstance(names, dict):
        return {int(i): printable(str(name)) for i, name in sorted(names.items(), key=lambda pair: int(pair[0]))}
    if isinstance(names, str) and file:
        names = words_of(names, str(settings.get("path") or ""), file, reading)
    if not isinstance(names, list):
        names = listed_names(reading)
    if names is None:
        return {i: str(i) for i in range(count)} if isinstance(count, int) else None
    return {i: printable(str(name)) for i, name in enumerate(names)}


def words_of(names: str, base: str, file: Path, reading: Reading) -> list[str] | None:
    """The names in the file that `names` is the name of, else its words between commas; None where that file is not
    there, and others may have the names. Raises UserError where none has."""
    there = located(names, base, file.parent, reading)
    others = by_last_parts(plain(names), (other for other in reading.files if not is_image_name(other)))
    there = there or (others[0] if len(others) == 1 else None)
    if there and there.is_file() and reading.boundary.allows(there):
        return lines_of(there, reading)
    if not re.search(r"[\w-]+\.\w+$", names):
        return [name.strip() for name in names.split(",")]
    if listed_names(reading) is None:
        raise UserError(f"{file}, names: `{shown(names)}` is not there: copy that file here, or write the names")
    return None


def listed_names(reading: Reading) -> list[str] | None:
    """The names in `classes.txt` and the like, one a line; None where there is no such file.

    Raises UserError where two such files differ.
    """
    files = [file for file in reading.files if file.name.lower() in NAMES]
    files = files or [file for file in reading.files if is_list_of_names(file)]
    lists = {file: lines_of(file, reading) for file in files}
    if not lists:
        return None
    longest = max(lists, key=lambda file: len(lists[file]))
    for file, lines in lists.items():  # LabelImg writes one a folder, with the classes that there were by then
        if lists[longest][: len(lines)] != lines:
            raise UserError(f"{longest} and {file} name different classes: make them equal, or name one of the folders")
    return lists[longest]


def is_list_of_names(file: Path) -> bool:
    """Whether a file may be a list of class names that has another name than most."""
    if file.suffix.lower() != ".names" and file.name.lower() not in MORE_NAMES:
        return False
    lines = read_start(file).splitlines()
    return not any(is_image_name(Path(line.strip())) or re.fullmatch(r"\d+(\s+[\d.]+){4,}\s*", line) for line in lines)


def lines_of(file: Path, reading: Reading) -> list[str]:
    """The lines of a list of names; empty ones are classes, too, but for the last ones."""
    return [line.strip() for line in reading.text(file).rstrip().splitlines()]


class Meaning(NamedTuple):
    """What the numbers in label files mean. names: of classes; None where they are their names. points: how many
    numbers of key points follow a box."""

    names: dict[int, str] | None
    points: int = 0


def points_of(settings: Settings) -> int:
    """How many numbers of key points follow a box: `kpt_shape` is the number of points and of values of each."""
    shape = settings.get("kpt_shape")
    return math.prod(shape) if isinstance(shape, list) and all(isinstance(side, int) for side in shape) else 0


def located(name: str, base: str, home: Path, reading: Reading) -> Path | None:
    """A folder or file that settings in the folder `home` name, in the data where one is; None where none is.

    `path`, the `base`, is often that of another machine, and `../` often one too many. Darknet's paths begin where the
    program was started, as a rule above its settings.
    """
    name = below = plain(name)
    while below.startswith("../"):
        below = below[3:]
    homes = (home / base, home, reading.root)
    there = [home / part for part in (name, below) for home in homes if (home / part).exists()]
    return next(filter(reading.boundary.holds, there), next(iter(there), None))
