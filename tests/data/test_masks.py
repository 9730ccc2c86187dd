"""Instance masks: which image a mask is of, what an object is, and what is no mask.

Covers `data/formats/read_only/masks.py`, `data/images/label_images.py`.
"""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import datasets_on_disk as disk
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from shell import Shell

from pocketrcnn.data.annotations import Annotations
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.images.label_images import read_values, regions
from pocketrcnn.errors import UserError

SIDE = 40
Box = tuple[int, int, int, int]
ONE, TWO = (2, 3, 12, 20), (20, 5, 30, 15)


def labels(*boxes: tuple[int, Box], kind: Any = np.uint8) -> NDArray[Any]:
    """A label image with a filled box for each value."""
    values = np.zeros((SIDE, SIDE), kind)
    for value, (x1, y1, x2, y2) in boxes:
        values[y1:y2, x1:x2] = value
    return values


def saved(path: Path, values: NDArray[Any] | Image.Image, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    image.save(path, **options)
    return path


def pictures(*paths: Path) -> None:
    for path in paths:
        disk.picture(path, (SIDE, SIDE))


def boxes(data: Annotations) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    return {one.path.name: [(obj.name, obj.box) for obj in one.objects] for one in data.examples}


def objects(*found: Box) -> list[tuple[str, Box]]:
    return [("object", box) for box in found]


LAYOUTS = {  # image and mask
    "folders": ("images/a.png", "masks/a.png"),
    "below": ("a.png", "masks/a.png"),
    "splits outside": ("train/images/a.png", "train/masks/a.png"),
    "splits inside": ("images/train/a.png", "masks/train/a.png"),
    "mixed": ("images/a.png", "labels/train/a.png"),
    "other letters": ("Images/A.PNG", "Masks/a.tif"),
    "ending": ("a.png", "a_masks.png"),
    "cellpose": ("a_img.png", "a_masks.png"),
    "cellpose again": ("a.png", "a_cp_masks.png"),
    "both": ("imgs/a.png", "GT/a_gt.png"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_masks_are_found(tmp_path: Path, layout: str) -> None:
    image, mask = LAYOUTS[layout]
    pictures(tmp_path / image, (tmp_path / image).with_name("z.png"))
    saved(tmp_path / mask, labels((1, ONE), (2, TWO)))
    data = read(tmp_path)
    assert data.format == "masks"
    assert boxes(data)[Path(image).name] == objects(ONE, TWO)
    assert [one.split for one in data.examples] == ["train" if "train" in mask else ""]
    assert [path.name for path in data.unnamed] == ["z.png"]


@pytest.mark.parametrize(
    "stored",
    [
        labels((1, ONE), (2, TWO)),
        labels((300, ONE), (65535, TWO), kind=np.uint16),
        labels((1, ONE), (70000, TWO), kind=np.int32),
        labels((1, ONE), (2, TWO), kind=np.float32),
        np.stack([labels((255, ONE)), labels((255, TWO)), labels()], -1),
        np.stack([labels((3, ONE), (7, TWO)), labels(), labels(), labels((255, (0, 0, SIDE, SIDE)))], -1),
        Image.fromarray(labels((1, ONE), (2, TWO))).convert("P"),
    ],
    ids=["8", "16", "32", "float", "colours", "BBBC039", "palette"],
)
def test_values_of_every_kind(tmp_path: Path, stored: Any) -> None:
    pictures(tmp_path / "images" / "a.png")
    saved(tmp_path / "masks" / "a.tif", stored)
    data = read(tmp_path)
    assert boxes(data) == {"a.png": objects(ONE, TWO)}
    assert [fault.kind for fault in data.faults] == ["masks"]
    assert not inspect(data).drops


def test_an_object_in_pieces_is_one_where_most_are_whole(tmp_path: Path) -> None:
    pictures(tmp_path / "images" / "a.png")
    whole = [(i, (8 * i, 30, 8 * i + 4, 34)) for i in range(1, 5)]
    saved(tmp_path / "masks" / "a.png", labels((9, ONE), (9, TWO), *whole))
    data = read(tmp_path)
    assert boxes(data)["a.png"][0] == ("object", (2, 3, 30, 20))
    assert len(boxes(data)["a.png"]) == 5
    assert "each value but 0 is an object" in data.faults[0].reason


@pytest.mark.parametrize("value", [1, 255])
def test_values_that_are_used_again_are_regions(tmp_path: Path, value: int) -> None:
    """As in BBBC039, and in masks of one value. A corner is enough to touch."""
    pictures(tmp_path / "images" / "a.png")
    mask = labels((value, ONE), (value, TWO), (value, (12, 20, 15, 22)))
    mask[30:34, 30:34] = 2
    mask[36:38, 2:4] = 2 if value == 1 else 0
    saved(tmp_path / "masks" / "a.png", mask)
    found = [box for _, box in boxes(read(tmp_path))["a.png"]]
    assert set(found[:2]) == {(2, 3, 15, 22), TWO}
    assert len(found) == (4 if value == 1 else 3)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_masks_of_black_and_white_with_soft_edges(tmp_path: Path, ending: str) -> None:
    pictures(tmp_path / "images" / "a.png")
    big = Image.fromarray(labels((255, ONE), (255, TWO))).resize((400, 400), Image.Resampling.NEAREST)
    disk.picture(tmp_path / "images" / "a.png", (400, 400))
    saved(tmp_path / "masks" / f"a.{ending}", big.filter(ImageFilter.GaussianBlur(1)).convert("RGB"))
    found = [box for _, box in boxes(read(tmp_path))["a.png"]]
    for box, true in zip(found, (ONE, TWO), strict=True):
        assert np.abs(np.array(box) - 10 * np.array(true)).max() <= 2


def test_a_mask_for_each_object(tmp_path: Path) -> None:
    """The layout of the Data Science Bowl: a folder for each image."""
    for name in ("a", "b"):
        pictures(tmp_path / name / "images" / f"{name}.png")
        saved(tmp_path / name / "masks" / "1f.png", labels((255, ONE)))
        saved(tmp_path / name / "masks" / "2e.png", labels((255, TWO), (255, (0, 35, 3, 38))))
    data = read(tmp_path)
    assert boxes(data) == {f"{name}.png": objects(ONE, (0, 5, 30, 38)) for name in ("a", "b")}
    assert "4 masks: each mask is an object" in data.faults[0].reason


def test_folders_below_the_masks_are_classes(tmp_path: Path) -> None:
    pictures(tmp_path / "images" / "a.png")
    saved(tmp_path / "masks" / "cell" / "a.png", labels((1, ONE), (2, (0, 30, 5, 35))))
    saved(tmp_path / "masks" / "nucleus" / "a.png", labels((1, TWO)))
    data = read(tmp_path)
    assert data.classes == ("cell", "nucleus")
    assert [name for name, _ in boxes(data)["a.png"]] == ["cell", "cell", "nucleus"]


def test_masks_that_are_faulty(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE), np.uint8)
    for name in "abcde":
        pictures(tmp_path / "images" / f"{name}.png")
    saved(tmp_path / "masks" / "a.png", labels((1, ONE)))
    saved(tmp_path / "masks" / "b.png", noise)
    (tmp_path / "masks" / "c.png").write_bytes(b"no image")
    saved(tmp_path / "masks" / "d.tif", labels().astype(np.float32) + 0.5)
    saved(tmp_path / "masks" / "x.png", labels((1, ONE)))
    data = read(tmp_path)
    faults = {fault.file.name: fault.kind for fault in data.faults if fault.drops}
    assert faults == {"b.png": "unreadable", "c.png": "unreadable", "d.tif": "unreadable", "x.png": "no-image"}
    assert set(boxes(data)) == {"a.png"}
    assert [path.name for path in data.unnamed] == ["b.png", "c.png", "d.png", "e.png"]


def test_an_empty_mask_is_of_an_image_without_objects(tmp_path: Path) -> None:
    pictures(tmp_path / "images" / "a.png", tmp_path / "images" / "b.png")
    saved(tmp_path / "masks" / "a.png", labels((1, ONE), (2, TWO)))
    saved(tmp_path / "masks" / "b.png", labels())
    assert boxes(read(tmp_path)) == {"a.png": objects(ONE, TWO), "b.png": []}


def test_a_mask_of_another_size_is_noted(tmp_path: Path) -> None:
    disk.picture(tmp_path / "images" / "a.png", (2 * SIDE, 2 * SIDE))
    saved(tmp_path / "masks" / "a.png", labels((1, ONE)))
    assert read(tmp_path).examples[0].size == (SIDE, SIDE)


@pytest.mark.parametrize("folders", [("images", "photos"), ("masks", "images")])
def test_pictures_in_two_folders_are_no_masks(tmp_path: Path, folders: tuple[str, str]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    for folder in folders:
        saved(tmp_path / folder / "a.png", noise)
    with pytest.raises(UserError, match=r"no annotations|no boxes"):
        read(tmp_path)


def test_other_annotations_come_before_masks(tmp_path: Path) -> None:
    disk.coco(tmp_path, images="images")
    saved(tmp_path / "masks" / "a b.png", labels((1, ONE)))
    assert read(tmp_path).format == "coco"


@pytest.mark.parametrize("to", ["coco", "voc", "yolo"])
def test_conversion(tmp_path: Path, shell: Shell, to: str) -> None:
    pictures(tmp_path / "data" / "images" / "a.png")
    saved(tmp_path / "data" / "masks" / "a.png", labels((1, ONE), (2, TWO)))
    assert shell("convert", tmp_path / "data", tmp_path / "out", "--to", to).code == 0
    copy = inspect(read(tmp_path / "out")).clean
    assert (copy.format, copy.classes, len(copy.examples[0].objects)) == (to, ("object",), 2)


# Regions


def flooded(values: NDArray[np.int64]) -> Iterable[tuple[int, Box, int]]:
    """Regions by flood fill: value, box, area."""
    left = {(int(y), int(x)) for y, x in np.argwhere(values)}
    while left:
        todo = [left.pop()]
        members = list(todo)
        while todo:
            y, x = todo.pop()
            for near in [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
                if near in left and values[near] == values[y, x]:
                    left.remove(near)
                    todo.append(near)
                    members.append(near)
        ys, xs = zip(*members, strict=True)
        yield int(values[members[0]]), (min(xs), min(ys), max(xs) + 1, max(ys) + 1), len(members)


@pytest.mark.parametrize("seed", range(20))
def test_regions_are_those_of_a_flood_fill(seed: int) -> None:
    """Every pixel that is not 0 is in one region."""
    draw = np.random.default_rng(seed)
    shape = draw.integers(1, 24, 2)
    values = draw.choice([0, 1, 2], tuple(shape), p=[0.5, 0.4, 0.1]).astype(np.int64)
    found = regions(values)
    ours = zip(found.values.tolist(), map(tuple, found.boxes.tolist()), found.areas.tolist(), strict=True)
    assert sorted(ours) == sorted(flooded(values))
    assert found.areas.sum() == np.count_nonzero(values)


def test_a_spiral_is_one_region() -> None:
    """Its parts are joined late."""
    values = np.zeros((41, 41), np.int64)
    for ring in range(0, 20, 2):
        values[ring, ring : 41 - ring] = values[40 - ring, ring : 41 - ring] = 1
        values[ring : 41 - ring, ring] = values[ring : 41 - ring, 40 - ring] = 1
        values[ring + 1, ring : ring + 2] = 0
        values[ring + 2, ring : ring + 2] = 1
    assert len(regions(values).values) == len(list(flooded(values)))


def test_label_images_of_many_objects_keep_their_values(tmp_path: Path) -> None:
    """Up to 255 of 8 bits: they are no soft edges."""
    values = np.kron(np.arange(256, dtype=np.uint8).reshape(16, 16), np.ones((8, 8), np.uint8))
    assert np.unique(read_values(saved(tmp_path / "a.png", values))).tolist() == list(range(256))


def test_no_object_is_lost_in_silence(tmp_path: Path) -> None:
    """As in `test_accounting`: as many values as boxes, whatever the mask is."""
    pictures(tmp_path / "images" / "a.png")
    draw = random.Random(0)
    for trial in range(30):
        corners = [(draw.randrange(36), draw.randrange(36)) for _ in range(draw.randrange(1, 9))]
        mask = labels(*((i, (x, y, x + 4, y + 4)) for i, (x, y) in enumerate(corners, 1)))
        saved(tmp_path / "masks" / "a.png", mask)
        data = read(tmp_path)
        assert sum(map(len, boxes(data).values())) >= len(np.unique(mask)) - 1, trial
