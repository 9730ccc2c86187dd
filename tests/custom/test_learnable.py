"""A data set that nothing, or little, can be learned from: refused by `train`, and `check` says the same before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets_on_disk as disk
import painted
import pytest
from datasets_on_disk import Scenes
from runs_in_seconds import quick
from shell import Shell

from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import train
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError
from pocketrcnn.training.run import open_run

SIZE = (48, 48)
GOOD = ("cat", (4.0, 4.0, 24.0, 28.0))
OUTSIDE = ("cat", (60.0, 60.0, 90.0, 90.0))
FLAT = ("dog", (4.0, 4.0, 4.0, 28.0))
CUT = ("dog", (30.0, 30.0, 60.0, 47.0))


def written(root: Path, *images: disk.Boxes) -> Path:
    """A COCO data set without splits, an image for each list of objects."""
    return disk.coco(root, {f"{i:02}.png": (SIZE, objects) for i, objects in enumerate(images)})


def refused(data: Path, shell: Shell) -> str:
    """What `train` answers as typed, which `check` says before, with exit code 1; nothing is made of it."""
    told = shell("train", data, "--iterations", 1, "--device", "cpu", "--out", data.parent / "run")
    assert told.code == 2
    assert not (data.parent / "run").exists()
    (line,) = told.err.splitlines()
    checked = shell("check", data)
    assert checked.code == 1
    assert f"`train` refuses these data: {line.removeprefix('pocketrcnn: ')}" in checked.out.splitlines()
    assert json.loads(shell("check", data, "--json").out)["refused"] in line
    return line


def test_a_set_that_lost_all_objects_is_refused_with_the_main_fault(tmp_path: Path, shell: Shell) -> None:
    """It was trained for five minutes, and the report had `n/a` in every cell."""
    data = written(tmp_path / "data", *[[OUTSIDE]] * 5, *[[FLAT]] * 3)
    line = refused(data, shell)
    assert f"{data} has nothing to learn: all 8 objects were left out (outside: " in line
    assert "annotation 1: box is outside the image of 48x48 (cat 60, 60, 30, 30); 5 faults of this kind)" in line
    assert line.endswith(f"repair them, `pocketrcnn check {data}` names each")


def test_images_that_are_missing_lose_their_objects(tmp_path: Path, shell: Shell) -> None:
    data = written(tmp_path / "data", *[[GOOD, CUT]] * 4)
    for path in data.glob("*.png"):
        path.unlink()
    assert "all 8 objects were left out (missing: " in refused(data, shell)


def test_backgrounds_alone_are_refused(tmp_path: Path, shell: Shell) -> None:
    data = written(tmp_path / "data", *[[]] * 4)
    assert f"{data} has nothing to learn: 4 images, and no object: annotate some" in refused(data, shell)


def test_crowds_alone_are_refused(tmp_path: Path, shell: Shell) -> None:
    data = written(tmp_path / "data", *[[GOOD]] * 3)
    listing = data / "_annotations.coco.json"
    listing.write_text(listing.read_text().replace('"iscrowd": 0', '"iscrowd": 1'))
    assert "3 crowds and no object that can be learned: annotate some one by one" in refused(data, shell)


@pytest.mark.parametrize(("split", "words"), [("val", "val has 3"), ("test", "test has 3")])
def test_objects_in_other_splits_are_named(tmp_path: Path, shell: Shell, split: str, words: str) -> None:
    bare: Scenes = {f"bare {i}.png": (SIZE, []) for i in range(3)}
    disk.coco(tmp_path / "data" / "train", bare)
    disk.coco(tmp_path / "data" / split, {f"{split} {i}.png": (SIZE, [GOOD]) for i in range(3)})
    line = refused(tmp_path / "data", shell)
    assert f"no training image has an object ({words}): annotate some, or change the splits" in line


def test_objects_that_are_too_thin_to_be_learned_are_no_objects(tmp_path: Path, shell: Shell) -> None:
    """A warning of `16 of 16 objects` was all, and training went on to the end."""
    line = refused(written(tmp_path / "data", *[[("cat", (1.0, 2.0, 40.0, 3.0))]] * 4), shell)
    assert "all 2 training objects are less than 2 px wide or high in the input of 48 px; enlarge the images" in line


def test_more_than_half_left_out_has_to_be_wanted(
    tmp_path: Path, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    data = painted.write(tmp_path / "data", train=6, val=2, most=1)
    disk.change_coco(
        data / "train",
        annotations=[
            {"id": 100 + i, "image_id": 10 * (i % 6), "category_id": 3, "bbox": [60 + i, 60, 10, 10]} for i in range(9)
        ],
    )
    line = refused(data, shell)
    assert f"{data}: 9 of 17 objects were left out (outside: " in line
    assert line.endswith("; 9 faults of this kind): repair them, or use --force to train on the rest")
    words = ["--iterations", "2", "--preset", "small", "--batch", "2", "--input-size", "32", "--device", "cpu"]
    told = shell("train", data, "--force", "--out", tmp_path / "run", *words)
    assert told.code == 0
    ending = " ".join(told.out[told.out.index("val images (2)") :].split())
    assert "9 of 17 objects were left out (outside: " in ending
    page = (tmp_path / "run" / "report.html").read_text()
    assert "9 of the 17 objects in its files were left out" in page
    assert "--force" in open_run(tmp_path / "run").environment()["command"]


def test_half_left_out_is_trained_and_said_at_the_end(tmp_path: Path, shell: Shell) -> None:
    data = written(tmp_path / "data", *[[GOOD, OUTSIDE]] * 8)
    checked = shell("check", data)
    assert (checked.code, "refuses" in checked.out) == (1, False)
    run = quick(data, tmp_path / "run")
    assert "8 of the 16 objects in its files were left out" in (run / "report.html").read_text()


def test_copies_and_doubled_objects_are_no_loss(tmp_path: Path, shell: Shell) -> None:
    """Their objects are there once more."""
    data = written(tmp_path / "data", *[[GOOD, GOOD, GOOD, CUT]] * 6)
    for i in range(1, 6):
        shutil.copyfile(data / "00.png", data / f"{i:02}.png")
    report = inspect(read(data))
    assert report.drops
    assert report.summary["left_out"]["objects"] == 0
    assert "refuses" not in shell("check", data).out


def test_what_a_reader_could_not_understand_counts(tmp_path: Path) -> None:
    data = written(tmp_path / "data", [GOOD])
    records = [{"id": 7 + i, "image_id": 0, "category_id": 3, "bbox": box} for i, box in enumerate(["a", None, [1]])]
    disk.change_coco(data, annotations=[*records, {"id": 20, "image_id": 99, "category_id": 3, "bbox": [1, 1, 9, 9]}])
    assert inspect(read(data)).summary["left_out"] == {"objects": 4, "of": 5, "kind": "unreadable"}


def test_a_set_without_fault_has_lost_nothing(tmp_path: Path) -> None:
    report = inspect(read(written(tmp_path / "data", [GOOD], [CUT], [])))
    assert report.summary["left_out"] == {"objects": 0, "of": 2, "kind": ""}


@pytest.mark.slow
@pytest.mark.parametrize("with_test", [False, True])
def test_validation_images_without_objects_are_said_before_and_after(
    tmp_path: Path, shell: Shell, with_test: bool
) -> None:
    """All metrics were `n/a`, and nobody said that the weights were the last ones."""
    data = painted.write(tmp_path / "data", train=6, **({"test": 2} if with_test else {}))
    disk.coco(data / "val", {f"bare {i}.png": (SIZE, []) for i in range(2)})
    words = ["--iterations", "2", "--preset", "small", "--batch", "2", "--input-size", "32", "--device", "cpu"]
    told = shell("train", data, "--out", tmp_path / "my run", *words)
    assert told.code == 0
    means = "no validation image has an object: the last weights are kept, not the best, and predict uses the threshold"
    text = " ".join(told.out.split())
    before, after = text.split("val images (2)")
    assert f"warning: {means} 0.5; annotate some of them" in before
    assert f"{means} 0.5; annotate some of them" in after
    assert ("or measure on test images: `pocketrcnn eval RUN --split test`" in before) == with_test
    assert (f"`pocketrcnn eval '{tmp_path / 'my run'}' --split test`" in after) == with_test
    assert "threshold n/a" not in text
    assert "No validation image has an object" in (tmp_path / "my run" / "report.html").read_text()


def test_refusals_come_before_anything_is_made(tmp_path: Path) -> None:
    data = written(tmp_path / "data", [OUTSIDE])
    with pytest.raises(UserError, match="nothing to learn: 1 of 1 object was left out"):
        train(TrainOptions(data, iterations=1, out=tmp_path / "run", seeds=2))
    assert not (tmp_path / "run").exists()
