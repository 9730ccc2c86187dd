"""Names of classes: those that nearly are one, those that nothing is of."""

from __future__ import annotations

import json
from pathlib import Path

import datasets_on_disk as disk
import pytest
from datasets_on_disk import Scenes
from shell import Shell

from pocketrcnn.config import DataConfig
from pocketrcnn.data.check import inspect
from pocketrcnn.data.class_names import spelling
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError

SIZE = (40, 30)


def named(root: Path, *names: str) -> Path:
    """A table with an object of each name."""
    boxes = [(name, (float(i), 1.0, 20.0, 9.0)) for i, name in enumerate(names)]
    return disk.table(root, {"a.png": (SIZE, boxes)})


@pytest.mark.parametrize(
    "names",
    [
        ("Cat", "cat"),
        ("car", "cars"),
        ("box", "boxes"),
        ("bus", "buses"),
        ("house", "houses"),
        ("baby", "babies"),
        ("red blood cell", "Red_Blood-Cells"),
    ],
)
def test_spellings_of_one_name_are_noted(tmp_path: Path, names: tuple[str, str]) -> None:
    report = inspect(read(named(tmp_path, *names, "dog")))
    (fault,) = report.faults
    assert (fault.kind, fault.drops) == ("similar-classes", False)
    assert all(f"`{name}` (1 object)" in fault.reason for name in names)
    assert set(report.clean.classes) == {*names, "dog"}, "both stay"


def test_numbers_are_spelled_by_their_value() -> None:
    assert spelling("0") == spelling("0.0") != spelling("1")


@pytest.mark.parametrize("names", [("bus", "bu"), ("cat", "dog"), ("class 1", "class 2"), ("a", "as"), ("1", "10")])
def test_other_names_are_not(tmp_path: Path, names: tuple[str, str]) -> None:
    assert inspect(read(named(tmp_path, *names))).faults == ()


def test_space_at_the_ends_of_a_name_says_nothing(tmp_path: Path) -> None:
    disk.coco(tmp_path / "coco")
    file = tmp_path / "coco" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    content["categories"] = [{"id": 3, "name": " cat"}, {"id": 17, "name": "dog "}, {"id": 18, "name": "dog"}]
    file.write_text(json.dumps(content))
    disk.yolo_names(disk.yolo(tmp_path / "yolo"), "names: ['cat ', ' dog']\n")
    for root in sorted(tmp_path.iterdir()):
        report = inspect(read(root))
        assert report.clean.classes == ("cat", "dog")
        assert report.summary["objects"] == 3
        assert report.faults == ()


def labelimg(root: Path) -> Path:
    """YOLO with the classes that LabelImg begins with, before those that are used."""
    samples = [f"sample {i}" for i in range(15)]
    boxes: Scenes = {f"{'x' * i}.png": (SIZE, [("cat", (1, 2, 20, 22)), ("dog", (5, 6, 20, 25))]) for i in range(1, 5)}
    disk.yolo(root, boxes)
    for file in (root / "labels").glob("*.txt"):
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        file.write_text("\n".join(f"{int(line[0]) + 15}{line[1:]}" for line in lines))
    (root / "classes.txt").write_text("\n".join([*samples, "cat", "dog"]))
    return root


def test_classes_that_nothing_is_of_are_not_learned(tmp_path: Path, shell: Shell) -> None:
    data = labelimg(tmp_path)
    custom = open_custom_data(DataConfig(str(data), "folder"))
    assert custom.annotations.classes == ("cat", "dog")
    code, out, _ = shell("check", data)
    assert code == 0
    line = "15 warnings (class-without-examples), `train` leaves out those that nothing is of; the first: "
    assert line in out
    assert "it cannot be learned (--json lists all)" in out
    assert len(json.loads(shell("check --json", data).out)["summary"]["classes"]) == 17


def test_a_detector_of_all_classes_still_takes_such_data(tmp_path: Path) -> None:
    """One that was trained before, and one that knows none of those that nothing is of."""
    data = labelimg(tmp_path)
    for classes in ((*(f"sample {i}" for i in range(15)), "cat", "dog"), ("dog", "cat")):
        config = DataConfig(str(data), "folder", classes)
        assert open_custom_data(config).annotations.classes == classes
    with pytest.raises(UserError, match="has the class `dog`, which the detector does not know"):
        open_custom_data(DataConfig(str(data), "folder", ("cat",)))


def test_data_without_training_images_are_told_so_at_the_top(tmp_path: Path, shell: Shell) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "test: images\nnames: [cat, dog]\n")
    assert shell("check", tmp_path).out.splitlines()[1] == "warning (no-training-images):"
    assert "has no training images" in shell.refused("train --iterations 1", tmp_path)
