"""What is there twice: of copies the annotated one is kept, and what is said twice is read once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import datasets_on_disk as disk
import numpy as np
import pytest
from datasets_on_disk import Boxes, Scenes
from shell import Shell

from pocketrcnn.data.annotations import Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.copies import called_a_copy, count_doubles
from pocketrcnn.data.formats import read

SIZE = (60, 40)
CAT, DOG = ("cat", (5.0, 5.0, 25.0, 20.0)), ("dog", (30.0, 10.0, 50.0, 35.0))
BOTH: Boxes = [CAT, DOG]
NAMES = ("a.png", "bb.png", "ccc.png", "dddd.png")


def checked(root: Path) -> Report:
    return inspect(read(root))


def kinds(report: Report) -> list[str]:
    return [fault.kind for fault in report.faults if fault.kind != "class-without-examples"]


def kept(report: Report) -> dict[str, int]:
    """Objects by image."""
    return {one.path.name: len(one.objects) for one in report.clean.examples}


def two(root: Path, first: Boxes, second: Boxes, write: Callable[..., Path] = disk.voc) -> Path:
    """The same four images in the folders `anna` and `bert`, with other annotations in each."""
    for folder, boxes in (("anna", first), ("bert", second)):
        write(
            root / folder, {name: (SIZE, boxes) for name in NAMES}, **({"folders": False} if write is disk.voc else {})
        )
    return root


@pytest.mark.parametrize("first", [True, False])
def test_of_copies_the_annotated_one_is_kept(tmp_path: Path, shell: Shell, first: bool) -> None:
    """Whichever comes first in the alphabet."""
    made: Scenes = {name: (SIZE, BOTH) for name in NAMES}
    disk.yolo_names(disk.yolo(tmp_path, made))
    (tmp_path / "data.yaml").rename(tmp_path / "classes.txt").write_text("cat\ndog\n")
    unlabelled = tmp_path / ("all photos" if first else "originals")
    shutil.copytree(tmp_path / "images", unlabelled)
    report = checked(tmp_path)
    assert kept(report) == dict.fromkeys(NAMES, 2)
    assert {one.path.parent.name for one in report.clean.examples} == {"images"}
    assert not report.drops
    assert shell("check", tmp_path).code == 0


def test_in_one_split_the_copy_without_objects_goes_too(tmp_path: Path) -> None:
    for split in ("train", "test"):
        names = {"a.png": (SIZE, BOTH), "a copy.png": (SIZE, []), "bb.png": (SIZE, BOTH)}
        disk.coco(tmp_path / split, {f"{split} {name}": one for name, one in names.items()})
        shutil.copy(tmp_path / split / f"{split} a.png", tmp_path / split / f"{split} a copy.png")
    report = checked(tmp_path)
    assert sorted(kept(report)) == ["test a.png", "test bb.png", "train a.png", "train bb.png"]
    assert (set(kinds(report)), report.drops) == ({"copy"}, False)
    assert "without 2 objects of it; it is left out" in report.faults[0].reason


def test_equal_copies_in_a_split_of_the_data_stay(tmp_path: Path, shell: Shell) -> None:
    """Also where two people drew the same objects, each a little differently."""
    near = [("cat", (6.0, 5.0, 26.0, 21.0)), ("dog", (30.0, 11.0, 49.0, 35.0))]
    two(tmp_path, BOTH, near, disk.coco)
    (tmp_path / "anna" / "_annotations.coco.json").rename(tmp_path / "anna" / "train_a.json")
    (tmp_path / "bert" / "_annotations.coco.json").rename(tmp_path / "bert" / "train_b.json")
    disk.coco(tmp_path / "test", {"test.png": (SIZE, BOTH)})
    report = checked(tmp_path)
    assert len(report.clean.split("train")) == 8
    assert kinds(report) == ["copy"] * 4
    assert all("both are kept" in fault.reason for fault in report.faults)


def test_many_copies_are_one_line(tmp_path: Path, shell: Shell) -> None:
    made: Scenes = {f"{i}.png": (SIZE, []) for i in range(40)}
    same = disk.picture(tmp_path / "same.png")
    disk.coco(tmp_path / "train", made | {"a.png": (SIZE, BOTH)})
    disk.coco(tmp_path / "test", {"test.png": (SIZE, BOTH)})
    for name in made:
        shutil.copy(same, tmp_path / "train" / name)
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    lines = [line for line in out.splitlines() if "copy" in line or "same content" in line]
    assert len(lines) == 1
    assert lines[0].startswith("39 warnings (copy); the first: ")
    assert lines[0].endswith("both are kept (--json lists all)")


@pytest.mark.parametrize("write", [disk.voc, disk.coco])
def test_the_objects_of_two_annotators_are_put_together(tmp_path: Path, write: Callable[..., Path]) -> None:
    """What one of them has and the other has not; where both drew a box, one of them is enough."""
    report = checked(two(tmp_path, [CAT], [("cat", (6.0, 5.0, 26.0, 20.0)), DOG], write))
    assert kept(report) == dict.fromkeys(NAMES, 2)
    assert {one.path.parent.name for one in report.clean.examples} == {"bert"}, "it has more"
    assert not report.drops
    report = checked(two(tmp_path / "each", [CAT], [DOG], write))
    assert kept(report) == dict.fromkeys(NAMES, 2)
    assert "1, there 1, 0 of them the same objects); 1 of these are added there; it is left out" in str(
        report.faults[0]
    )


def test_contradictions_in_a_split_are_one_image(tmp_path: Path) -> None:
    disk.coco(tmp_path / "train", {"a.png": (SIZE, [CAT]), "bb.png": (SIZE, [DOG]), "ccc.png": (SIZE, BOTH)})
    shutil.copy(tmp_path / "train" / "a.png", tmp_path / "train" / "bb.png")
    disk.coco(tmp_path / "test", {"test.png": (SIZE, BOTH)})
    report = checked(tmp_path)
    assert kept(report) == {"a.png": 2, "ccc.png": 2, "test.png": 2}
    assert not report.drops


def test_one_box_of_two_classes_is_not_taken_twice(tmp_path: Path) -> None:
    report = checked(two(tmp_path, [("cat", CAT[1])], [("dog", CAT[1])]))
    assert kept(report) == dict.fromkeys(NAMES, 1)
    assert "but other boxes (1, there 1, 0 of them the same objects); it is left out" in str(report.faults[0])


# The same annotations twice


def test_an_export_that_was_downloaded_twice_costs_nothing(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path, name="annotations/instances_default.json", images="images")
    file = tmp_path / "annotations" / "instances_default.json"
    shutil.copy(file, file.with_name("instances_default (1).json"))
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert "3 objects" in out.splitlines()[0]
    assert "same-annotations" in out
    assert "duplicate" not in out


@pytest.mark.parametrize("folder", ["xml_backup", "backup of xml", "XML old", "xml - copy", "xml copy 2"])
def test_annotations_of_a_backup_are_not_used(tmp_path: Path, shell: Shell, folder: str) -> None:
    for name, boxes in (("xml", BOTH), (folder, [("cat", (7.0, 6.0, 25.0, 22.0)), ("dog", (33.0, 14.0, 50.0, 35.0))])):
        disk.voc(tmp_path / name, {one: (SIZE, boxes) for one in NAMES}, folders=False)
        for picture in (tmp_path / name).glob("*.png"):
            picture.rename(tmp_path / picture.name)
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert "4 images, 8 objects" in out.splitlines()[0]
    assert "4 warnings (backup):" in out
    assert "of which it seems to be an old copy: it is not used" in out
    report = checked(tmp_path)
    assert [obj.box for obj in report.clean.examples[0].objects] == [CAT[1], DOG[1]]


def test_other_annotations_of_one_image_are_all_used(tmp_path: Path) -> None:
    for name, boxes in (("cats", [CAT]), ("dogs", [DOG])):
        disk.voc(tmp_path / name, {one: (SIZE, boxes) for one in NAMES}, folders=False)
        for picture in (tmp_path / name).glob("*.png"):
            picture.rename(tmp_path / picture.name)
    report = checked(tmp_path)
    assert kept(report) == dict.fromkeys(NAMES, 2)
    assert kinds(report) == ["listed-twice"] * 4


@pytest.mark.parametrize(
    ("path", "other", "copied"),
    [
        ("d/xml_backup/a.xml", "d/xml/a.xml", True),
        ("d/xml/a.xml", "d/xml_backup/a.xml", False),
        ("d/old/xml/a.xml", "d/xml/a.xml", False),
        ("d/labels (copy)/a.xml", "d/labels/a.xml", True),
        ("d/Copy of labels/a.xml", "d/labels/a.xml", True),
        ("d/gold/a.xml", "d/silver/a.xml", False),
        ("d/a - Kopie.xml", "d/a.xml", True),
        ("d/xml/a.xml", "d/xml/a.xml", False),
    ],
)
def test_what_is_called_a_copy(path: str, other: str, copied: bool) -> None:
    assert called_a_copy(Path(path), Path(other)) is copied


# Boxes drawn twice


def test_annotations_that_were_imported_twice_are_noted(tmp_path: Path, shell: Shell) -> None:
    twice: Boxes = [(name, tuple(value + shift for value in box)) for name, box in BOTH for shift in (0, 0.01)]  # type: ignore[misc]
    report = checked(disk.coco(tmp_path, {name: (SIZE, twice) for name in NAMES}))
    assert (kinds(report), report.drops) == (["doubled"], False)
    assert "8 boxes in 4 of 4 images lie on another box of their class (the first: a.png)" in report.faults[0].reason
    assert kept(report) == dict.fromkeys(NAMES, 4), "they stay"
    code, out, _ = shell("check", tmp_path)
    assert (code, out.splitlines()[1]) == (0, "warning (doubled):")


def test_one_image_with_doubled_boxes_is_no_fault_of_the_set(tmp_path: Path) -> None:
    made: Scenes = {name: (SIZE, BOTH) for name in NAMES}
    made["a.png"] = (SIZE, [*BOTH, ("cat", (5.0, 5.0, 25.0, 20.01))])
    assert kinds(checked(disk.coco(tmp_path, made))) == []


def test_doubled_boxes_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        low = rng.integers(0, 6, (30, 2)).astype(float)
        boxes = np.hstack((low, low + rng.integers(1, 4, (30, 2)) + rng.choice([0, 0.01], (30, 2))))
        order = np.argsort(boxes[:, 0], kind="stable")
        sorted_boxes = boxes[order]
        expected = sum(any(iou(one, other) >= 0.95 for other in sorted_boxes[:i]) for i, one in enumerate(sorted_boxes))
        assert count_doubles(boxes) == expected


def iou(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    shared = sides[0] * sides[1]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(shared / (sum(areas) - shared))
