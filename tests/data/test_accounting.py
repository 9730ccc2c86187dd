"""Nothing is lost in silence: every object of a file is in the set, in a fault, or in a note that counts it."""

import csv
import io
import json
import math
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import datasets_on_disk as disk
import further_datasets as further
import pytest
from datasets_on_disk import SCENES, Scenes

from pocketrcnn.data.annotations import Annotations
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import FORMATS, read
from pocketrcnn.errors import UserError

MUTATIONS = 25  # of each format
JUNK: tuple[Any, ...] = (None, True, -1, 0, 1e400, 10**30, "", "ab\ncd", "1e999", "\ud800", [], [1], {}, {"a": 1}, [[]])
COUNTING = ("not-read", "parts", "empty-row")  # kinds of notes about objects that are not in the set
MAKERS: dict[str, Callable[[Path, Scenes], Path]] = {
    "coco": disk.coco,
    "voc": disk.voc,
    "yolo": lambda root, scenes: disk.yolo_names(disk.yolo(root, scenes)),
    "csv": disk.table,
    **further.WRITERS,
}


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def as_dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def lines_of(file: Path, without: str = "\0") -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip() and not re.match(without, line)]


def regions(files: Any) -> int:
    """Of VIA, whose regions are a list or an object."""
    every = (as_dict(record).get("regions") for record in as_dict(files.get("_via_img_metadata", files)).values())
    return sum(len(one) for one in every if isinstance(one, list | dict))


def boxes_of(line: str) -> int:
    """Of a line of `metadata.jsonl`."""
    return len(as_list(as_dict(as_dict(json.loads(line)).get("objects")).get("bbox")))


def results(tasks: Any) -> int:
    """Regions of Label Studio, read or not."""
    every = [each for task in as_list(tasks) for each in as_list(as_dict(task).get("annotations"))]
    return sum(len(as_list(as_dict(each).get("result"))) for each in every)


def rows_with_objects(file: Path) -> int:
    """Of a table whose last five columns are class and box, which are empty where there is no object."""
    _, *rows = (row for row in csv.reader(io.StringIO(file.read_text())) if any(row))
    return sum(any(cell.strip() not in ("", "nan") for cell in row[3:]) for row in rows)


COUNTS: dict[str, Callable[[Path], int]] = {  # of one file, by its text alone
    "coco": lambda file: len(as_list(as_dict(json.loads(file.read_text())).get("annotations"))),
    "voc": lambda file: sum(1 for _ in ElementTree.fromstring(file.read_text()).iter("object")),
    "yolo": lambda file: len(lines_of(file, "\ufeff?$")),
    "csv": rows_with_objects,
    "labelme": lambda file: len(as_list(as_dict(json.loads(file.read_text())).get("shapes"))),
    "via": lambda file: regions(as_dict(json.loads(file.read_text()))),
    "cvat": lambda file: sum(len(node) for node in ElementTree.fromstring(file.read_text()).iter("image")),
    "label-studio": lambda file: results(json.loads(file.read_text())),
    "createml": lambda file: sum(
        len(as_list(as_dict(one).get("annotations"))) for one in as_list(json.loads(file.read_text()))
    ),
    "edge-impulse": lambda file: sum(
        len(as_list(one)) for one in as_dict(as_dict(json.loads(file.read_text())).get("boundingBoxes")).values()
    ),
    "hugging-face": lambda file: sum(map(boxes_of, lines_of(file))),
    "open-images": lambda file: len([row for row in csv.reader(io.StringIO(file.read_text())) if any(row)]) - 1,
    "makesense": lambda file: len([row for row in csv.reader(io.StringIO(file.read_text())) if any(row)]),
    "dota": lambda file: len(lines_of(file, "imagesource|gsd")),
    "kitti": lambda file: len(lines_of(file)),
    "yolo-names": lambda file: len(lines_of(file)),
    "open-images-toolkit": lambda file: len(lines_of(file)),
}
PATTERNS = {
    "yolo": "labels/*.txt",
    "open-images": "annotations-bbox.csv",
    "hugging-face": "metadata.jsonl",
    "edge-impulse": "*.labels",
}


def annotation_files(root: Path, kind: str) -> list[Path]:
    endings = (".json", ".csv", ".txt", ".xml")
    return sorted(
        file
        for file in root.rglob(PATTERNS.get(kind, "*"))
        if kind in PATTERNS or (file.suffix in endings and file.is_file())
    )


def objects_in(file: Path, kind: str) -> int:
    """How many objects a file has; none where it is broken, which is one fault."""
    try:
        return COUNTS[kind](file)
    except (ValueError, ElementTree.ParseError, csv.Error):
        return 0


def accounted(data: Annotations) -> float:
    """Objects in the set, in faults, and in notes that count them; all where a whole file is in a fault."""
    total: float = sum(len(one.objects) for one in data.examples)
    for fault in data.faults:
        if "nothing of it is used" in fault.reason:
            return math.inf
        if fault.drops or fault.kind in COUNTING:
            counts = re.search(r"\b([\d,]+) (?:objects?\b|images? whose rows)", fault.reason)
            total += int(counts[1].replace(",", "")) if counts else 1
    return total


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value in nested JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, inner in items for each in [(*path, key), *paths_in(inner, (*path, key))]]


def with_other_value(text: str, draw: random.Random) -> str:
    """JSON in which one value is another one, is gone, or is there twice."""
    content = json.loads(text)
    *above, last = draw.choice(paths_in(content))
    holder = content
    for key in above:
        holder = holder[key]
    action = draw.choice(["replace", "replace", "remove", "double"])
    if action == "replace":
        holder[last] = draw.choice(JUNK)
    elif action == "remove":
        del holder[last]
    elif isinstance(holder, list):
        holder.append(holder[last])
    else:
        holder[f"{last} 2"] = holder[last]
    return json.dumps(content)


def with_other_words(text: str, draw: random.Random) -> str:
    """Lines in which one word is another one, is gone, or is there twice."""
    parts = re.split(r"([\s,]+)", text)
    i = draw.randrange(len(parts))
    parts[i] = draw.choice(["", "nan", "1e999", "-3", "x", "é\0", parts[i] * 2, '"', "\n", "\n\n5 5\n", "\udcff"])
    return "".join(parts)


def mutate(file: Path, draw: random.Random) -> None:
    """Change one thing in a file: a value of its JSON, a word, or bytes."""
    text = file.read_text(encoding="utf-8")
    if text and draw.random() < 0.2:
        data = bytearray(text.encode())
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(data))
            data[at : at + draw.randint(0, 4)] = draw.randbytes(draw.randint(0, 4))
        cut = draw.randrange(len(data)) if draw.random() < 0.3 else len(data)
        file.write_bytes(bytes(data[:cut]))
    elif file.suffix in (".json", ".labels") and text:
        file.write_text(with_other_value(text, draw), encoding="utf-8", errors="surrogateescape")
    else:
        file.write_text(with_other_words(text, draw), encoding="utf-8", errors="surrogateescape")


def test_every_reader_is_accounted_for() -> None:
    assert {*COUNTS, "masks"} == set(FORMATS), "masks: test_masks.py"


@pytest.mark.parametrize("kind", COUNTS)
def test_the_count_itself(tmp_path: Path, kind: str) -> None:
    MAKERS[kind](tmp_path, SCENES)
    assert sum(objects_in(file, kind) for file in annotation_files(tmp_path, kind)) == 3
    assert accounted(read(tmp_path)) == 3


@pytest.mark.parametrize("kind", COUNTS)
def test_no_object_is_lost_in_silence(tmp_path: Path, kind: str) -> None:
    """One file of a set has one change: what it has is read, is in a fault, or makes the set unreadable."""
    MAKERS[kind](tmp_path, SCENES)
    draw = random.Random(kind)
    files = annotation_files(tmp_path, kind)
    for _ in range(MUTATIONS):
        file = draw.choice([file for file in files if file.stat().st_size > 2])
        before = file.read_bytes()
        mutate(file, draw)
        there = sum(objects_in(each, kind) for each in files)
        with suppress(UserError):
            data = read(tmp_path)
            if data.format == kind:
                assert accounted(data) >= there, (file.read_bytes(), data.faults)
            inspect(data)
        file.write_bytes(before)
