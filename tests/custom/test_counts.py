"""How many objects an image has, how large they are, and how much of it they cover, against counting by hand.

Covers `custom/result_files.py`, too: the tables that `predict` writes of it.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shell import Shell

from pocketrcnn.custom.commands import detecting as commands
from pocketrcnn.custom.counts import count, covered
from pocketrcnn.data.images.pixels import Pixels
from pocketrcnn.model.interchange import Detections

GRID = 12  # pixels a side of the images that are counted pixel by pixel
COLOURS = {"red cell": (255, 0, 0), "=platelet": (0, 255, 0), "white": (0, 0, 255)}
CLASSES = tuple(COLOURS)
Painted = list[tuple[str, tuple[int, int, int, int]]]
PAINTED: dict[str, tuple[tuple[int, int], Painted]] = {  # by file: width and height, objects that do not touch
    "a.png": ((40, 30), [("red cell", (0, 0, 4, 4)), ("red cell", (10, 10, 19, 14)), ("white", (30, 20, 40, 30))]),
    "b.png": ((20, 20), []),
    "-c.png": ((16, 8), [("=platelet", (2, 2, 6, 6))]),
}
sides = st.integers(0, GRID)


@st.composite
def corners(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """A box on the grid, perhaps empty."""
    (x1, x2), (y1, y2) = sorted((draw(sides), draw(sides))), sorted((draw(sides), draw(sides)))
    return x1, y1, x2, y2


@settings(deadline=None)
@given(st.lists(corners(), max_size=8), st.floats(0.01, 100))
def test_what_boxes_cover_is_what_counting_pixels_says(boxes: list[tuple[int, int, int, int]], scale: float) -> None:
    filled = np.zeros((GRID, GRID), bool)
    for x1, y1, x2, y2 in boxes:
        filled[y1:y2, x1:x2] = True
    assert covered(boxes) == filled.sum()
    assert covered(np.array(boxes).reshape(-1, 4) * scale) == pytest.approx(filled.sum() * scale**2)


@settings(deadline=None)
@given(st.lists(st.tuples(corners(), st.integers(0, 2)), max_size=8))
def test_counts_are_those_of_a_plain_loop(objects: list[tuple[tuple[int, int, int, int], int]]) -> None:
    boxes, labels = [box for box, _ in objects], [label for _, label in objects]
    found = count(np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64), CLASSES)
    assert found.by_class == {name: labels.count(i) for i, name in enumerate(CLASSES)}
    assert found.objects == len(objects)
    measured = [math.sqrt((x2 - x1) * (y2 - y1)) for x1, y1, x2, y2 in boxes]
    assert found.mean_side == (pytest.approx(fmean(measured)) if measured else None)
    assert found.median_side == (pytest.approx(median(measured)) if measured else None)


def test_ten_thousand_boxes_are_counted_at_once() -> None:
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, 1000, (10_000, 2))
    assert covered(np.hstack([corner, corner + generator.uniform(0, 4, (10_000, 2))])) < 1004**2


class Seeing:
    """A detector that knows the colour of each class, and sees one object in each patch of rows and columns of it."""

    classes, side, overlap, pages = CLASSES, 64, 0, "first"

    def __call__(self, images: list[Pixels], *_: Any) -> Detections:
        found = [self.seen(image) for image in images]
        most = max(map(len, found))
        boxes, labels = np.zeros((len(images), most, 4), np.float32), np.full((len(images), most), -1)
        for i, objects in enumerate(found):
            for j, (name, box) in enumerate(objects):
                boxes[i, j], labels[i, j] = box, CLASSES.index(name)
        return Detections(boxes, (labels >= 0) * np.float32(0.9), labels)

    def seen(self, image: Pixels) -> Painted:
        """The painted image whose pixels these are, found by painting each again."""
        return next(objects for size, objects in PAINTED.values() if np.array_equal(painted(size, objects), image))


def painted(size: tuple[int, int], objects: Painted) -> Pixels:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for name, (x1, y1, x2, y2) in objects:
        image[y1:y2, x1:x2] = COLOURS[name]
    return image


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In a folder with the painted images, and the detector that sees all of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "load_detector", lambda *_: Seeing())
    for name, (size, objects) in PAINTED.items():
        Path("in").mkdir(exist_ok=True)
        Image.fromarray(painted(size, objects)).save(Path("in", name))
    return Shell(capsys)


def table(name: str) -> list[dict[str, str]]:
    with Path("predictions", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_counts_of_painted_images_are_those_of_a_count_by_hand(shell: Shell) -> None:
    code, out, _ = shell("predict run in")
    assert code == 0
    assert out == "by class: red cell 2, =platelet 1, white 1\n4 objects in 3 images: predictions\n"
    head = "image,width,height,objects,objects red cell,objects =platelet,objects white,mean_side,median_side,covered"
    lines = Path("predictions/counts.csv").read_text().splitlines()
    assert lines == [
        head,
        "in/-c.png,16,8,1,0,1,0,4.00,4.00,0.1250",
        "in/a.png,40,30,3,2,0,1,6.67,6.00,0.1267",  # sides 4, 6 and 10; 16 + 36 + 100 of 1,200 pixels
        "in/b.png,20,20,0,0,0,0,,,0.0000",
    ]


def test_the_columns_of_objects(shell: Shell) -> None:
    shell("predict run in/-c.png")
    assert table("predictions.csv") == [
        {
            "image": "in/-c.png",
            "class": "'=platelet",
            "score": "0.9000",
            **{"x1": "2.00", "y1": "2.00", "x2": "6.00", "y2": "6.00"},
            **{"centre_x": "4.00", "centre_y": "4.00", "box_width": "4.00", "box_height": "4.00"},
        }
    ]


def test_the_size_of_a_pixel_adds_micrometres(shell: Shell) -> None:
    shell("predict run in/a.png --pixel-size 0.65")
    plain, first = table("counts.csv")[0], table("predictions.csv")[0]
    assert [*plain][-4:] == ["covered", "mean_side_um", "median_side_um", "covered_um2"]
    assert [*plain.values()][-4:] == ["0.1267", "4.33333", "3.9", f"{152 * 0.65**2:g}"]
    assert [*first][-4:] == ["centre_x_um", "centre_y_um", "box_width_um", "box_height_um"]
    assert [*first.values()][-8:] == ["2.00", "2.00", "4.00", "4.00", "1.3", "1.3", "2.6", "2.6"]


@pytest.mark.parametrize("length", ["0", "-1", "nan", "inf"])
def test_an_impossible_size_of_a_pixel(shell: Shell, length: str) -> None:
    line = shell.refused(f"predict run in --pixel-size={length}")
    assert line.endswith("use micrometres above 0, as in --pixel-size 0.65")
    assert not Path("predictions").exists()
