"""Readers of formats that are not written: what each says, whatever program wrote it.

Covers `data/formats/read_only/records.py`, `data/formats/read_only/labelme.py`.
"""

import json
from pathlib import Path
from typing import Any

import datasets_on_disk as disk
import further_datasets as further
import pytest
from datasets_on_disk import SCENES
from shell import Shell

from pocketrcnn.data.annotations import Annotations, Box
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import FORMATS, WRITTEN, read
from pocketrcnn.data.formats.read_only.records import Unclear, ellipse, turned

SIDE = 40
Record = dict[str, Any]


def boxes(data: Annotations) -> dict[str, list[tuple[str, Box]]]:
    """Class and box of each object, by the name of its image."""
    return {
        one.path.name: [(obj.name, tuple(round(v, 6) for v in obj.box)) for obj in one.objects]  # type: ignore[misc]
        for one in data.examples
    }


def test_each_reader_has_a_data_set_here() -> None:
    assert set(further.WRITERS) == set(FORMATS) - set(WRITTEN)


@pytest.mark.parametrize("kind", further.WRITERS)
def test_objects_and_images_are_all_there(tmp_path: Path, kind: str) -> None:
    root = further.WRITERS[kind](tmp_path / "моя папка é", SCENES)
    data = read(root)
    assert (data.format, data.root, data.faults) == (kind, root, ())
    assert data.classes == ("cat", "dog")
    found = boxes(data)
    assert set(found) == set(SCENES)
    for name, (size, objects) in SCENES.items():
        assert [label for label, _ in found[name]] == [label for label, _ in objects]
        for (_, box), (_, true) in zip(found[name], objects, strict=True):
            assert box == pytest.approx(true, abs=1e-4)
        (example,) = (one for one in data.examples if one.path.name == name)
        assert example.path.is_file()
        assert example.size in (None, size)
    assert not inspect(data).drops


@pytest.mark.parametrize("to", ["coco", "voc", "yolo"])
@pytest.mark.parametrize("kind", further.WRITERS)
def test_conversion(tmp_path: Path, shell: Shell, kind: str, to: str) -> None:
    further.WRITERS[kind](tmp_path / "data", SCENES)
    code, _, err = shell("convert", tmp_path / "data", tmp_path / "out", "--to", to)
    assert (code, err) == (0, "")
    copy = inspect(read(tmp_path / "out"))
    assert (copy.clean.format, copy.drops) == (to, False)
    assert copy.summary["objects"] == 3
    assert sorted(copy.clean.classes) == ["cat", "dog"]


# LabelMe


def shapes(root: Path, *records: object, name: str = "a", **content: object) -> Path:
    """A LabelMe file of an image of SIDE x SIDE."""
    disk.picture(root / f"{name}.png", (SIDE, SIDE))
    head = {"shapes": list(records), "imagePath": f"{name}.png", "imageHeight": SIDE, "imageWidth": SIDE}
    return disk.write_json(root / f"{name}.json", head | content)


def shape(kind: str, *points: tuple[float, float], **more: object) -> Record:
    return {"label": "cat", "points": list(map(list, points)), "shape_type": kind, **more}


@pytest.mark.parametrize(
    ("record", "box"),
    [
        (shape("rectangle", (20, 5), (10, 25)), (10, 5, 20, 25)),
        (shape("rectangle", (10, 5), (20, 5), (20, 25), (10, 25)), (10, 5, 20, 25)),
        (shape("polygon", (3, 4), (20, 9), (12, 30.5)), (3, 4, 20, 30.5)),
        (shape("", (3, 4), (20, 9), (12, 30.5)), (3, 4, 20, 30.5)),
        (shape("circle", (20, 20), (23, 24)), (15, 15, 25, 25)),
        (shape("points", (3, 4), (20, 9)), (3, 4, 20, 9)),
        (shape("linestrip", (3, 4), (20, 9), (5, 30)), (3, 4, 20, 30)),
        (shape("rotation", (20, 10), (30, 20), (20, 30), (10, 20), direction=0.785), (10, 10, 30, 30)),
    ],
)
def test_labelme_shapes(tmp_path: Path, record: Record, box: Box) -> None:
    shapes(tmp_path, record)
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("cat", box)]}
    assert data.faults == ()


def test_labelme_shapes_that_are_no_objects(tmp_path: Path) -> None:
    bad = [
        "nonsense",
        {},
        shape("rectangle"),
        shape("circle", (1, 1)),
        shape("rectangle", (1, 1), (5, 5), label=""),
        shape("rectangle", (1, 1), (5, 5), label={"name": "cat"}),
        {"label": "cat", "points": [[1, 2, 3]]},
        {"label": "cat", "points": [["a", 2]]},
        {"label": "cat", "points": 7},
    ]
    shapes(tmp_path, *bad, shape("rectangle", (1, 1), (5, 5)))
    data = read(tmp_path)
    assert [fault.where for fault in data.faults] == [f"shape {i}" for i in range(1, 10)]
    assert all(fault.drops and fault.kind == "unreadable" for fault in data.faults)
    assert boxes(data) == {"a.png": [("cat", (1, 1, 5, 5))]}


def test_labelme_of_another_machine_with_its_image_inside(tmp_path: Path) -> None:
    shapes(
        tmp_path / "json", shape("rectangle", (1, 1), (5, 5)), imagePath="C:\\photos\\a.png", imageData="A" * 100_000
    )
    (tmp_path / "images").mkdir()
    (tmp_path / "json" / "a.png").rename(tmp_path / "images" / "a.png")
    data = read(tmp_path)
    assert [one.path for one in data.examples] == [tmp_path / "images" / "a.png"]
    assert data.unread == ()


def test_labelme_name_left_over_from_a_copy(tmp_path: Path) -> None:
    shapes(tmp_path, shape("rectangle", (1, 1), (5, 5)))
    shapes(tmp_path, shape("rectangle", (2, 2), (5, 5)), name="b", imagePath="a.png")
    data = read(tmp_path)
    assert {name: found[0][1][0] for name, found in boxes(data).items()} == {"a.png": 1, "b.png": 2}
    assert [fault.kind for fault in data.faults] == ["other-name"]


def test_labelme_parts_of_one_object(tmp_path: Path) -> None:
    """As in LabelMe's own export: one class and one group_id are one object."""
    shapes(
        tmp_path,
        shape("polygon", (1, 1), (5, 5), group_id=1),
        shape("polygon", (20, 2), (30, 9), group_id=1),
        shape("polygon", (7, 7), (9, 9), group_id=2),
        shape("polygon", (7, 7), (9, 9), group_id=1, label="dog"),
    )
    data = read(tmp_path)
    assert boxes(data)["a.png"] == [("cat", (1, 1, 30, 9)), ("cat", (7, 7, 9, 9)), ("dog", (7, 7, 9, 9))]
    (note,) = data.faults
    assert (note.kind, note.drops) == ("parts", False)
    assert "1 object of it" in note.reason


def test_labelme_fields_that_are_not_read_are_counted(tmp_path: Path) -> None:
    shapes(tmp_path, shape("rectangle", (1, 1), (5, 5), score=0.3, difficult=True, flags={}, attributes={"a": 1}))
    data = read(tmp_path)
    assert data.examples[0].objects[0].crowd
    assert set(data.unread) == {("score", "object", 1), ("attributes", "object", 1)}


@pytest.mark.parametrize("text", ['{"shapes": [], "imagePath": "a.png"', '["shapes", "imagePath"]'])
def test_a_file_that_is_broken_is_one_fault(tmp_path: Path, text: str) -> None:
    shapes(tmp_path, shape("rectangle", (1, 1), (5, 5)), name="b")
    disk.picture(tmp_path / "a.png")
    (tmp_path / "a.json").write_text(text)
    data = read(tmp_path)
    assert [(fault.file.name, fault.kind, fault.drops) for fault in data.faults] == [("a.json", "unreadable", True)]
    assert set(boxes(data)) == {"b.png"}


def test_annotations_of_one_image_may_be_named_alone(tmp_path: Path) -> None:
    root = further.labelme(tmp_path)
    data = read(root / "a b.json")
    assert list(boxes(data)) == ["a b.png"]


def test_a_yolo_set_with_older_labelme_files_is_yolo(tmp_path: Path) -> None:
    """As before these were read; a note says that they are there."""
    further.labelme(disk.yolo_names(disk.yolo(tmp_path, images="")))
    data = read(tmp_path)
    assert data.format == "yolo"
    assert [fault.kind for fault in data.faults] == ["several-formats"]


# Shapes


def test_turned_rectangles_and_ellipses() -> None:
    assert turned((0, 0, 4, 2), 90, (0, 0)) == pytest.approx((-2, 0, 0, 4))
    assert turned((0, 0, 4, 2), 0, (7, 9)) == pytest.approx((0, 0, 4, 2))
    assert turned((0, 0, 4, 4), 45, (2, 2)) == pytest.approx((2 - 8**0.5, 2 - 8**0.5, 2 + 8**0.5, 2 + 8**0.5))
    assert ellipse(10, 10, 4, 2, 90) == pytest.approx((8, 6, 12, 14))
    for function in (lambda angle: turned((0, 0, 1, 1), angle, (0, 0)), lambda angle: ellipse(0, 0, 1, 1, angle)):
        with pytest.raises(Unclear):
            function(float("inf"))


def test_messages_are_one_line_and_name_the_file(tmp_path: Path) -> None:
    file = shapes(tmp_path, {"label": "a\nb\x1b[31m" * 50, "points": [["\n" * 500, 1]]})
    (fault,) = read(tmp_path).faults
    assert str(fault).startswith(f"{file}, shape 1: its box has `")
    assert len(str(fault).splitlines()) == 1
    assert len(json.dumps(fault.reason)) < 300
