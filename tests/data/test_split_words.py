"""Words of splits in names: they count where splits are meant, and never cost the training images."""

from pathlib import Path

import datasets_on_disk as disk
import pytest
from shell import Shell

from pocketrcnn.data.annotations import Annotations
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.formats.split_words import splits_by_name
from pocketrcnn.data.splits import with_splits

ROOT = Path("data")


def split_by(*paths: str, stems: bool = False, stated: tuple[str, ...] = ()) -> list[str]:
    return splits_by_name(ROOT, [ROOT / path for path in paths], stems, stated)[0]


@pytest.mark.parametrize(
    ("paths", "splits"),
    [
        (["train/a", "valid/b", "test/c"], ["train", "val", "test"]),
        (["images/train/a", "images/val/b"], ["train", "val"]),
        (["train/images/a", "dev/images/b"], ["train", "val"]),
        (["train/a"], ["train"]),
        (["train/a", "b"], ["train", ""]),
        (["a", "test/b"], ["", "test"]),
        (["images/a", "test/b"], ["", "test"]),
        (["obj_train_data/a", "obj_valid_data/b"], ["train", "val"]),
        (["cam1/train/a", "cam1/test/b", "cam2/train/c"], ["train", "test", "train"]),
        (["train/a", "test/b", "extra/c"], ["train", "test", ""]),
        (["train/bus/a", "train/train/b", "test/bus/c", "test/train/d"], ["train", "train", "test", "test"]),
        (["bus/train/a", "bus/test/b", "train/train/c", "train/test/d"], ["train", "test", "train", "test"]),
        (["bus/a", "car/b", "train/c"], ["", "", ""]),
        (["vehicles/bus/a", "vehicles/Train/b"], ["", ""]),
        (["test/a", "test/b"], ["", ""]),
        (["val/a", "test/b"], ["", ""]),
        (["a", "b"], ["", ""]),
        ([], []),
    ],
)
def test_folders_that_are_splits(paths: list[str], splits: list[str]) -> None:
    assert split_by(*paths) == splits
    assert split_by(*paths[::-1]) == splits[::-1], "in whatever order"


@pytest.mark.parametrize(
    ("paths", "splits"),
    [
        (["instances_train2017.json", "instances_val2017.json"], ["train", "val"]),
        (["my test.json"], [""]),
        (["train.json"], ["train"]),
        (["bus.csv", "train.csv"], ["", ""]),
        (["boxes.csv", "test_labels.csv"], ["", "test"]),
        (["train/labels.json", "test/labels.json"], ["train", "test"]),
    ],
)
def test_files_that_are_splits(paths: list[str], splits: list[str]) -> None:
    assert split_by(*paths, stems=True) == splits


def test_splits_that_annotations_state_count_beside_names() -> None:
    assert split_by("test.csv", stems=True, stated=("train",)) == ["test"]


def splits_of(data: Annotations) -> dict[str, str]:
    return {one.path.name: one.split for one in data.examples}


def test_a_class_called_train_is_no_split(tmp_path: Path) -> None:
    for name in ("bus", "car", "train"):
        disk.voc(tmp_path / name, {f"{name}{i}.png": ((20, 20), [("cat", (1, 1, 9, 9))]) for i in range(4)}, False)
    data = read(tmp_path)
    assert set(splits_of(data).values()) == {""}
    (fault,) = data.faults
    assert (fault.kind, fault.drops) == ("split-words", False)
    assert "`train` in train/train0.xml is no split, since what stands beside it is none" in str(fault)
    assert {one.split for one in with_splits(inspect(data).clean).examples} == {"train", "val", "test"}


@pytest.mark.parametrize("name", ["my test.json", "test/labels.json", "valid/_annotations.coco.json"])
def test_a_single_set_that_is_called_test_is_divided(tmp_path: Path, shell: Shell, name: str) -> None:
    disk.coco(tmp_path, {f"{i}{i * i}.png": ((20, 20), [("cat", (1, 1, 9, 9))]) for i in range(6)}, name=name)
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert "splits: none (`train` splits the images" in out
    assert "alone, not of train: its images are divided anew" in out.replace("\n    ", " ")
    data = with_splits(inspect(read(tmp_path)).clean)
    assert {one.split for one in data.examples} == {"train", "val", "test"}
