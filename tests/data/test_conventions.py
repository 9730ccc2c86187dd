"""What the numbers of boxes are, found out on the whole set: read right with a line, or refused with the option.

Covers `data/meanings.py`, `data/resized.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import datasets_on_disk as disk
import numpy as np
import pytest
from datasets_on_disk import Scenes
from shell import Shell

from pocketrcnn.config import DataConfig
from pocketrcnn.data.annotations import Report, Shape
from pocketrcnn.data.check import inspect
from pocketrcnn.data.conventions import Asked
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.formats import read
from pocketrcnn.data.meanings import Meaning, pixels
from pocketrcnn.errors import UserError

WIDE = (80, 48)
SHAPES: tuple[Shape, ...] = ("xyxy", "xywh", "cxcywh", "yxyx", "yxhw")


def scenes(images: int = 8, size: tuple[int, int] = WIDE, seed: int = 0) -> Scenes:
    """Two objects of whole pixels in each image, anywhere."""
    rng = random.Random(seed)
    made: Scenes = {}
    for i in range(images):
        boxes = []
        for label in ("cat", "dog"):
            width, height = 2 * rng.randint(5, 12), 2 * rng.randint(4, 9)
            x, y = rng.randint(0, size[0] - width), rng.randint(0, size[1] - height)
            boxes.append((label, (float(x), float(y), float(x + width), float(y + height))))
        made[name_of(i)] = (size, boxes)
    return made


def name_of(i: int) -> str:
    """The names of up to 40 pictures of different shades."""
    return f"{i}.png" if i < 10 else f"{chr(ord('a') + i - 10)}.png"


def shaped(box: tuple[float, ...], shape: str) -> list[float]:
    """A box as a program writes it that has another convention."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return {
        "xyxy": [x1, y1, x2, y2],
        "xywh": [x1, y1, width, height],
        "cxcywh": [x1 + width / 2, y1 + height / 2, width, height],
        "yxyx": [y1, x1, y2, x2],
        "yxhw": [y1, x1, height, width],
    }[shape]


def coco(root: Path, made: Scenes, shape: str, fractions: bool = False) -> Path:
    """COCO whose bbox has another shape than COCO says, or is in fractions."""
    disk.coco(root, made)
    file = root / "_annotations.coco.json"
    content = json.loads(file.read_text())
    boxes = [(box, size) for size, objects in made.values() for _, box in objects]
    for record, (box, (width, height)) in zip(content["annotations"], boxes, strict=True):
        sides = (width, height, width, height) if fractions else (1, 1, 1, 1)
        record["bbox"] = shaped(tuple(value / side for value, side in zip(box, sides, strict=True)), shape)
    file.write_text(json.dumps(content))
    return root


def labels(root: Path, made: Scenes, shape: str, in_pixels: bool) -> Path:
    """YOLO whose numbers are in pixels, or of another shape."""
    disk.yolo_names(disk.yolo(root, made))
    for name, ((width, height), objects) in made.items():
        lines = []
        for label, box in objects:
            sides = (1, 1, 1, 1) if in_pixels else (width, height, width, height)
            numbers = shaped(tuple(value / side for value, side in zip(box, sides, strict=True)), shape)
            lines.append(" ".join(map(str, [disk.CLASSES.index(label), *numbers])))
        (root / "labels" / f"{Path(name).stem}.txt").write_text("\n".join(lines))
    return root


def found(report: Report) -> dict[str, list[tuple[float, ...]]]:
    """Boxes by image."""
    return {one.path.name: [obj.box for obj in one.objects] for one in report.clean.examples}


def right(report: Report, made: Scenes) -> bool:
    """Whether the boxes are those that were drawn."""
    return found(report) == {
        name: [pytest.approx(box, abs=1e-6) for _, box in objects] for name, (_, objects) in made.items()
    }


def kinds(report: Report) -> list[str]:
    return [fault.kind for fault in report.faults]


@pytest.mark.parametrize("shape", ["xyxy", "cxcywh", "yxhw", "yxyx"])
def test_coco_whose_bbox_is_something_else_is_refused_with_the_option(
    tmp_path: Path, shell: Shell, shape: Shape
) -> None:
    made = scenes(20)
    data = coco(tmp_path / "data", made, shape)
    code, out, _ = shell("check", data)
    assert code == 1
    assert out.splitlines()[1] == "refusal (bbox):", "at the top"
    line = out.splitlines()[2]
    assert " of 40 boxes leave their image as x, y, width, height, and none as " in line
    assert line.endswith(f": use --bbox {shape}, or --bbox xywh if they are right")
    assert "clipped" not in out, "one line says it all"
    for command in ("convert {} {} --to coco", "check {} --fix {}"):
        assert f"use --bbox {shape}" in shell.refused(command.format(data, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match=f"use --bbox {shape}"):
        open_custom_data(DataConfig(str(data), "folder"))
    report = inspect(read(data), Asked(bbox=shape))
    assert right(report, made)
    assert report.faults == ()
    assert open_custom_data(DataConfig(str(data), "folder", bbox=shape)).report.faults == ()


def test_who_insists_gets_what_the_format_says(tmp_path: Path, shell: Shell) -> None:
    data = coco(tmp_path / "data", scenes(), "xyxy")
    code, out, _ = shell("check --bbox xywh", data)
    assert (code, "bbox" in out) == (0, False)
    assert "clipped" in out
    assert shell("check --bbox xyxy", data).code == 0


def test_an_option_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    report = inspect(read(disk.coco(tmp_path, scenes(20))), Asked(bbox="cxcywh"))
    assert kinds(report) == ["bbox"]
    assert "use --bbox xywh, or --bbox cxcywh if they are right" in report.faults[0].reason


@pytest.mark.parametrize("shape", ["cxcywh", "xyxy"])
def test_yolo_in_pixels(tmp_path: Path, shell: Shell, shape: Shape) -> None:
    made = scenes(12)
    data = labels(tmp_path / "data", made, shape, in_pixels=True)
    code, out, _ = shell("check", data)
    numbers = ", ".join(f"{value:g}" for value in shaped(made["0.png"][1][0][1], shape))
    assert f"0.png, line 1: {numbers})" in out, "the numbers of the file"
    if shape == "cxcywh":  # the same shape in other units: certain
        assert code == 0
        assert out.splitlines()[1] == "fixed (units):"
        assert "the boxes are in pixels, not in fractions of the image's sides" in out
        report = inspect(read(data))
    else:
        assert code == 1
        assert "use --bbox xyxy --units pixels, or --bbox cxcywh if they are right" in out
        report = inspect(read(data), Asked("xyxy", "pixels"))
    assert right(report, made)
    assert right(inspect(read(data), Asked(shape, "pixels")), made)


def test_outlines_in_pixels(tmp_path: Path) -> None:
    """YOLO of a segmentation: the box around the outline is in its units."""
    made = scenes(6)
    data = labels(tmp_path, made, "xyxy", in_pixels=True)
    for name, (_, objects) in made.items():
        lines = [f"{disk.CLASSES.index(label)} {a} {b} {c} {b} {c} {d} {a} {d}" for label, (a, b, c, d) in objects]
        (data / "labels" / f"{Path(name).stem}.txt").write_text("\n".join(lines))
    report = inspect(read(data))
    assert (kinds(report), right(report, made)) == (["units"], True)


def test_yolo_with_corners_in_fractions(tmp_path: Path) -> None:
    made = scenes(12)
    data = labels(tmp_path, made, "xyxy", in_pixels=False)
    report = inspect(read(data))
    assert kinds(report) == ["bbox"]
    assert "and none as x1, y1, x2, y2 in fractions" in report.faults[0].reason
    assert "use --bbox xyxy, or" in report.faults[0].reason
    assert right(inspect(read(data), Asked("xyxy")), made)


def test_the_centre_in_a_table(tmp_path: Path) -> None:
    made = scenes(30)
    rows = ["image,class,x,y,w,h"]
    for name, (size, objects) in made.items():
        disk.picture(tmp_path / name, size)
        rows += [f"{name},{label},{','.join(map(str, shaped(box, 'cxcywh')))}" for label, box in objects]
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    report = inspect(read(tmp_path))
    assert kinds(report) == ["bbox"]
    assert "centre x, centre y, width, height (" in report.faults[0].reason
    assert right(inspect(read(tmp_path), Asked("cxcywh")), made)


@pytest.mark.parametrize("write", [coco, disk.table, disk.voc])
def test_fractions_are_read_as_such(tmp_path: Path, write: Callable[..., Path]) -> None:
    made = scenes()
    if write is coco:
        coco(tmp_path, made, "xywh", fractions=True)
    else:
        parts = {
            name: (size, [(label, tuple(v / s for v, s in zip(box, size * 2, strict=True))) for label, box in objects])
            for name, (size, objects) in made.items()
        }
        write(tmp_path, parts)
    report = inspect(read(tmp_path))
    assert (kinds(report), report.drops) == (["units"], False)
    assert right(report, made)
    assert not right(inspect(read(tmp_path), Asked(units="pixels")), made)


def test_zeros_and_ones_may_be_either(tmp_path: Path) -> None:
    report = inspect(read(disk.table(tmp_path, {"a.png": (WIDE, [("cat", (0, 0, 1, 1))])})))
    assert kinds(report) == ["fractions"]
    assert "use --units fractions" in report.faults[0].reason
    assert inspect(read(tmp_path), Asked(units="fractions")).clean.examples[0].objects[0].box == (0, 0, *WIDE)


def test_a_few_boxes_that_leave_their_image_are_no_convention(tmp_path: Path) -> None:
    made = scenes(30)
    made["0.png"] = (WIDE, [("cat", (60, 30, 95, 60)), ("dog", (1, 2, 9, 9))])
    made["1.png"] = (WIDE, [("cat", (10, 30, 20, 60)), ("dog", (1, 2, 9, 9))])
    for write in (disk.coco, disk.voc, disk.table):
        report = inspect(read(write(tmp_path / write.__name__, made)))
        assert set(kinds(report)) == {"clipped"}


def test_a_few_boxes_over_the_right_border_are_no_centres(tmp_path: Path) -> None:
    made: Scenes = {name_of(i): (WIDE, [("cat", (70.0, 20.0, 90.0, 30.0)), ("dog", (30, 9, 50, 20))]) for i in range(4)}
    assert set(kinds(inspect(read(disk.coco(tmp_path, made))))) == {"clipped"}


def test_images_that_lie_on_their_side_are_no_exchanged_axes(tmp_path: Path) -> None:
    """Turned after annotation, or by EXIF: another thing than y before x, which would mirror every box."""
    made = scenes(20)
    disk.coco(tmp_path, made)
    for name in made:
        disk.picture(tmp_path / name, WIDE[::-1])
    assert {"size", "clipped"} <= set(kinds(inspect(read(tmp_path)))) <= {"size", "clipped", "outside"}


def test_numbers_of_labels_that_are_no_pixels_either_are_not_read_as_such(tmp_path: Path) -> None:
    """Percent: as pixels of a large image they would all be in a corner."""
    made = scenes(6, (400, 300))
    data = labels(tmp_path, made, "cxcywh", in_pixels=False)
    for file in (data / "labels").glob("*.txt"):
        lines = [line.split() for line in file.read_text().splitlines()]
        file.write_text("\n".join(f"{name} {' '.join(str(100 * float(one)) for one in box)}" for name, *box in lines))
    report = inspect(read(data))
    assert (set(kinds(report)) - {"class-without-examples"}, report.drops) == ({"outside"}, True)


def test_boxes_that_fit_no_meaning_stay(tmp_path: Path) -> None:
    rng = random.Random(1)
    made: Scenes = {
        f"{i}.png": (WIDE, [("cat", (rng.random() * 200 - 60, 5, 300, 300)), ("dog", (5, 5, 9, 9))]) for i in range(8)
    }
    assert set(kinds(inspect(read(disk.voc(tmp_path, made))))) <= {"clipped", "outside"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_no_set_that_is_right_is_doubted(tmp_path: Path, shape: Shape, seed: int) -> None:
    """Whatever the option is called, and with boxes that fill the image."""
    made = scenes(10, seed=seed) | {"full.png": (WIDE, [("cat", (0.0, 0.0, 80.0, 48.0))])}
    report = inspect(read(coco(tmp_path, made, shape)), Asked(bbox=shape))
    assert right(report, made)
    assert not report.drops


# Images that were resized after they were annotated


def resize(root: Path, made: Scenes, size_of: Callable[[tuple[int, int]], tuple[int, int]]) -> Scenes:
    """The same scenes as they are after resizing: images on disk get another size, and boxes with them."""
    changed: Scenes = {}
    for name, (size, objects) in made.items():
        now = size_of(size)
        for path in root.rglob(name):
            disk.picture(path, now)
        factors = np.tile(np.divide(now, size), 2)
        changed[name] = (now, [(label, tuple((np.array(box) * factors).tolist())) for label, box in objects])
    return changed


def mixed(images: int = 10) -> Scenes:
    """Images of several sizes."""
    sizes = [(80, 48), (48, 80), (60, 60), (120, 40)]
    every = [scenes(images, size, seed) for seed, size in enumerate(sizes)]
    return {f"{i}.png": every[i % 4][f"{i}.png"] for i in range(images)}


@pytest.mark.parametrize("write", [disk.voc, disk.coco, disk.table])
@pytest.mark.parametrize(
    "size_of",
    [
        lambda size: (size[0] // 2, size[1] // 2),
        lambda size: (size[0] * 2, size[1] * 2),
        lambda _: (64, 64),
        lambda size: (round(size[0] * 32 / max(size)), round(size[1] * 32 / max(size))),
    ],
    ids=["half", "double", "one size", "longest side"],
)
def test_boxes_of_resized_images_are_scaled(
    tmp_path: Path, write: Callable[..., Path], size_of: Callable[[tuple[int, int]], tuple[int, int]]
) -> None:
    made = mixed()
    now = resize(write(tmp_path, made), made, size_of)
    report = inspect(read(tmp_path))
    assert (kinds(report), report.drops) == (["resized"], False)
    assert right(report, now)
    assert [one.size for one in report.clean.examples] == [now[one.path.name][0] for one in report.clean.examples]


def test_resized_images_are_said_with_their_factor(tmp_path: Path, shell: Shell) -> None:
    made = scenes(6)
    resize(disk.voc(tmp_path, made), made, lambda size: (size[0] // 2, size[1] // 2))
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert out.splitlines()[1] == "fixed (resized):"
    words = "6 images of 6 0.5 times as large as their annotations say (the first: 40x24, stated 80x48)"
    assert f"{words}: boxes are scaled" in out


def test_corners_of_resized_images(tmp_path: Path) -> None:
    made = scenes(12)
    now = resize(coco(tmp_path, made, "xyxy"), made, lambda size: (size[0] // 2, size[1] // 2))
    assert kinds(inspect(read(tmp_path))) == ["resized", "bbox"]
    assert right(inspect(read(tmp_path), Asked("xyxy")), now)


def test_boxes_in_pixels_of_the_images_as_they_are_stay(tmp_path: Path) -> None:
    """Stated sizes alone are wrong: boxes fit the images, and not what is stated."""
    made = scenes(10)
    small = resize(disk.voc(tmp_path, made), made, lambda size: (size[0] // 2, size[1] // 2))
    for name, (_, objects) in small.items():
        file = tmp_path / "Annotations" / f"{Path(name).stem}.xml"
        for (_, before), (_, after) in zip(made[name][1], objects, strict=True):
            text = file.read_text()
            corners = zip(("xmin", "ymin", "xmax", "ymax"), before, after, strict=True)
            for tag, old, new in corners:
                text = text.replace(f"<{tag}>{old}</{tag}>", f"<{tag}>{new}</{tag}>", 1)
            file.write_text(text)
    report = inspect(read(tmp_path))
    assert set(kinds(report)) == {"size"}
    assert right(report, small)


def test_a_few_images_of_another_size_are_said_one_by_one(tmp_path: Path) -> None:
    made = scenes(10)
    disk.voc(tmp_path, made)
    disk.picture(tmp_path / "JPEGImages" / "3.png", (40, 24))
    assert "size" in kinds(inspect(read(tmp_path)))
    assert "resized" not in kinds(inspect(read(tmp_path)))


# VOC's first pixel


def test_voc_that_counts_from_one_is_noted(tmp_path: Path) -> None:
    made = scenes(10)
    for i in range(4):
        made[f"{i}.png"] = (WIDE, [("cat", (1.0, 1.0, 30.0, 48.0)), ("dog", (50.0, 20.0, 80.0, 30.0))])
    made = {
        n: (s, [(o, (max(b[0], 1.0), max(b[1], 1.0), *b[2:])) for o, b in objects]) for n, (s, objects) in made.items()
    }
    report = inspect(read(disk.voc(tmp_path, made)))
    assert (kinds(report), report.drops) == (["voc-origin"], False)
    assert "none begins at 0: if they count from 1, as VOC does, use --voc-origin 1" in report.faults[0].reason
    assert inspect(read(tmp_path, voc_origin=1)).faults == ()
    made["9.png"] = (WIDE, [("cat", (0.0, 4.0, 30.0, 40.0)), ("dog", (50.0, 20.0, 79.0, 30.0))])
    assert inspect(read(disk.voc(tmp_path, made))).faults == (), "one at 0 counts from 0"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same_box(shape: Shape) -> None:
    box = (10.0, 20.0, 30.0, 60.0)
    assert pixels(tuple(shaped(box, shape)), Meaning(shape, "pixels"), (1, 1)) == box  # type: ignore[arg-type]
    half = tuple(value / 100 for value in shaped(box, shape))
    assert pixels(half, Meaning(shape, "fractions"), (100, 100)) == pytest.approx(box)  # type: ignore[arg-type]
