"""`pocketrcnn predict --ids`: results with the ids of a given COCO file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets_on_disk import write_json
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from shell import Shell
from tiny_detectors import bright_detector, saved, scene

from pocketrcnn.custom.commands import detecting as commands

BOXES = {"a.png": (8, 4, 24, 20), "б в.png": (30, 10, 60, 40), "c.png": (1, 1, 40, 40)}
CATEGORIES = [{"id": 40, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 7, "name": "cow"}]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In a folder with images in `in`, with a detector of white objects, all of them dogs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "load_detector", lambda *_: bright_detector())
    for name, box in BOXES.items():
        saved(Path("in", name), scene((64, 48), box))
    return Shell(capsys)


def truth(*names: str, categories: list[dict[str, Any]] = CATEGORIES, file: str = "in/truth.json") -> Path:
    """A COCO file of these images, ids 1000, 990, .., each with one dog."""
    images = [{"id": 1000 - 10 * i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(names)]
    annotations = []
    for image, name in zip(images, names, strict=True):
        x1, y1, x2, y2 = BOXES.get(Path(name).name, (0, 0, 1, 1))
        box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
        annotations.append({"id": len(annotations) + 1, "image_id": image["id"], "category_id": 40, **box})
    return write_json(Path(file), {"images": images, "annotations": annotations, "categories": categories})


def ids(folder: str = "predictions") -> dict[str, tuple[int, int]]:
    """Image and category id by file."""
    records = json.loads(Path(folder, "predictions.json").read_text(encoding="utf-8"))
    return {Path(one["file_name"]).as_posix(): (one["image_id"], one["category_id"]) for one in records}


def test_results_can_be_scored_against_the_file(shell: Shell) -> None:
    path = truth(*reversed(BOXES))
    assert shell(f"predict run in --ids {path}").code == 0
    assert ids() == {"in/a.png": (980, 40), "in/б в.png": (990, 40), "in/c.png": (1000, 40)}
    coco = COCO(str(path))
    scored = COCOeval(coco, coco.loadRes("predictions/predictions.json"), "bbox")
    scored.evaluate()
    scored.accumulate()
    assert scored.eval["precision"][..., 2, 0, -1].min() == pytest.approx(1), "every dog, each in its position"


def test_without_the_option_ids_are_counted(shell: Shell) -> None:
    truth(*BOXES)
    shell("predict run in")
    assert ids() == {"in/a.png": (1, 2), "in/c.png": (2, 2), "in/б в.png": (3, 2)}


def test_an_image_that_is_not_in_the_file_is_skipped(shell: Shell) -> None:
    code, out, err = shell(f"predict run in --ids {truth('c.png', 'gone.png')}")
    assert (code, out) == (1, "by class: dog 1\n1 object in 1 image, 2 images skipped: predictions\n")
    lines = err.splitlines()
    wanted = "skipped: {} is not in {}: add it there, or predict without --ids"
    assert lines == [wanted.format(Path("in", name), Path("in/truth.json")) for name in ("a.png", "б в.png")]
    assert ids() == {"in/c.png": (1000, 40)}


def test_folders_tell_images_of_one_name_apart(shell: Shell) -> None:
    for folder in ("train", "val"):
        saved(Path("set", folder, "a.png"), scene((64, 48), BOXES["a.png"]))
    path = truth("val/a.png", "train\\a.png", file="annotations/all.json")
    assert shell(f"predict run set/train set/val --ids {path}").code == 0
    assert ids() == {"set/train/a.png": (990, 40), "set/val/a.png": (1000, 40)}
    path = truth("a.png", file="set/val/truth.json")
    code, _, err = shell(f"predict run set/train set/val --ids {path} --out near")
    assert (code, ids("near")) == (1, {"set/val/a.png": (1000, 40)}), "names are those beside the file"
    assert "are one image in" in err
    path = truth("x/a.png", "y/a.png", file="elsewhere.json")
    assert "may be each of 2 images in elsewhere.json" in shell(f"predict run in set/val --ids {path} --out two").err
    path = truth("a.png", "c.png", file="elsewhere.json")
    lines = shell(f"predict run set/train/a.png set/val/a.png in/c.png --ids {path} --out one").err.splitlines()
    assert [line.startswith("skipped: set") for line in lines] == [True, True], "neither is guessed"
    assert list(ids("one")) == ["in/c.png"]


def test_of_two_categories_of_one_name_the_one_with_objects_is_meant(shell: Shell) -> None:
    path = truth("a.png", categories=[{"id": 0, "name": "dog"}, *CATEGORIES])
    assert shell(f"predict run in/a.png --ids {path}").code == 0
    assert ids() == {"in/a.png": (1000, 40)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON ("),
        ("[]", "is not COCO (it has no lists `images` and `categories`): name a COCO annotation file"),
        ('{"images": [{"id": 1, "file_name": "z.png"}], "categories": 5}', "lists none of the images, as in"),
        (
            '{"images": [{"id": 1, "file_name": "a.png"}, 7, {"id": [2]}], "categories": [{"id": 1, "name": "cat"}]}',
            "has no category for the detector's class `dog` (there are: cat): use the names of the data that",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 2, "name": "cat"}, '
            '{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}]}',
            "has 2 categories for the detector's class `cat` (there are: cat, cat, dog)",
        ),
    ],
)
def test_files_that_give_no_ids_are_refused_before_anything_is_written(
    shell: Shell, content: str, message: str
) -> None:
    Path("truth.json").write_text(content)
    line = shell.refused("predict run in --ids truth.json")
    assert line.startswith("pocketrcnn: --ids truth.json ")
    assert message in line
    assert not Path("predictions").exists()


def test_a_file_that_cannot_be_read(shell: Shell) -> None:
    line = shell.refused("predict run in --ids nowhere.json")
    wanted = "--ids nowhere.json cannot be read (No such file or directory): name a COCO annotation file"
    assert line == f"pocketrcnn: {wanted}"
    assert "--ids in cannot be read (Is a directory)" in shell.refused("predict run in --ids in")


def test_broken_images_are_skipped_with_ids_too(shell: Shell) -> None:
    Path("in/c.png").write_bytes(b"no image")
    saved(Path("in/dark.png"), np.zeros((5, 5, 3), np.uint8))
    code, out, _ = shell(f"predict run in --ids {truth(*BOXES, 'dark.png')}")
    assert (code, out) == (1, "by class: dog 2\n2 objects in 3 images, 1 image skipped: predictions\n")
    assert set(ids()) == {"in/a.png", "in/б в.png"}
