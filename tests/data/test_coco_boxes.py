"""The box that can be had of a COCO record, and what its other fields mean.

Covers `data/formats/meaning.py`.
"""

import math
from pathlib import Path
from typing import Any

import datasets_on_disk as disk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketrcnn.data.annotations import Box, Object, Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.formats.coco_boxes import box_of
from pocketrcnn.data.overview import fields_in_words

SIZE = (40, 30)
SQUARE = {"size": [30, 40], "counts": [2 * 30 + 3, 5, 25, 5, 1200 - 98]}  # x 2 to 4, y 3 to 8
UNSAID = object()


def checked(root: Path, *records: dict[str, Any]) -> Report:
    """The report on one image of 40x30 with a cat and these records."""
    disk.coco(root, {"a.png": (SIZE, [("cat", (1, 1, 5, 5)), ("dog", (2, 2, 5, 5))])})
    whole = [{"id": 70 + i, "image_id": 0, "category_id": 3} | record for i, record in enumerate(records)]
    disk.change_coco(root, annotations=whole)
    return inspect(read(root))


def added(report: Report) -> list[Object]:
    """The objects of these records."""
    return list(report.clean.examples[0].objects[2:])


def notes(report: Report) -> dict[str, str]:
    assert not report.drops, report.faults
    return {fault.kind: fault.reason for fault in report.faults}


@pytest.mark.parametrize("bbox", [UNSAID, None, [], [0, 0, 0, 0], [None] * 4, "none", [1, 2, 3]])
@pytest.mark.parametrize(
    ("segmentation", "box"),
    [
        ([[6, 9, 25, 9, 25, 21, 6, 21]], (6, 9, 25, 21)),
        ([[6, 9, 25.5, 9, 15, 21]], (6, 9, 25.5, 21)),
        ([[1, 2, 4, 2, 4, 5], [10, 20, 12, 20, 12, 25]], (1, 2, 12, 25)),
        ([6, 9, 25, 9, 25, 21], (6, 9, 25, 21)),
        ([[[6, 9], [25, 9], [25, 21]]], (6, 9, 25, 21)),
        ([["6", "9", "25", "9", "25", "21"]], (6, 9, 25, 21)),
        (SQUARE, (2, 3, 4, 8)),
        ({"size": [30, 40], "counts": "Qo05:K5Zgl"}, None),
    ],
)
def test_the_box_around_an_outline_or_a_mask(
    tmp_path: Path, bbox: object, segmentation: object, box: Box | None
) -> None:
    record = {"segmentation": segmentation} | ({} if bbox is UNSAID else {"bbox": bbox})
    report = checked(tmp_path, record)
    if box:
        assert [obj.box for obj in added(report)] == [box]
        assert notes(report) == {
            "outlined": "1 object with an outline and no box: the box around the outline is used "
            "(the first: _annotations.coco.json, annotation 70)"
        }
    else:
        assert [fault.kind for fault in report.faults] == ["unreadable"]


@pytest.mark.parametrize("compressed", [True, False])
def test_masks_compressed_or_not(tmp_path: Path, compressed: bool) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    packed = mask.frPyObjects(SQUARE, 30, 40)
    record = {"segmentation": {"size": [30, 40], "counts": packed["counts"].decode()} if compressed else SQUARE}
    assert [obj.box for obj in added(checked(tmp_path, record))] == [(2, 3, 4, 8)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "its bbox is None, not four numbers, and it has no segmentation"),
        ({"bbox": [1, 2, "wide", 4]}, "its bbox is [1, 2, 'wide', 4], not four numbers"),
        ({"segmentation": [["a", 2, 3, 4]]}, "not polygons of x, y, x, y"),
        ({"segmentation": [[1, 2, 3]]}, "not polygons of x, y, x, y"),
        ({"segmentation": [[1, 2, math.nan, 4]]}, "not polygons of x, y, x, y"),
        ({"segmentation": [[]]}, "not polygons of x, y, x, y"),
        ({"segmentation": "yes"}, "not polygons of x, y, x, y"),
        ({"segmentation": SQUARE | {"size": [40, 30]}}, "its mask is of 30x40 pixels, its image of 40x30"),
        ({"segmentation": SQUARE | {"size": None}}, "the size of its mask is None, not height and width"),
        ({"segmentation": SQUARE | {"counts": [1200]}}, "its mask is empty"),
        ({"segmentation": SQUARE | {"counts": [1.5, 2]}}, "the run lengths of its mask are [1.5, 2], not whole"),
        ({"segmentation": SQUARE | {"counts": None}}, "the run lengths of its mask are None, not whole numbers"),
        ({"segmentation": SQUARE | {"counts": [0, 5000]}}, "the run lengths of its mask are not those of 40x30 pixels"),
        ({"segmentation": SQUARE | {"counts": "~~~"}}, "its compressed mask is not run lengths"),
        ({"bbox": [9, 9, 4, 2, 1.5]}, "its bbox has an angle of 1.5, which may be in degrees or radians: write four"),
    ],
)
def test_objects_without_a_box_are_named(tmp_path: Path, record: dict[str, Any], reason: str) -> None:
    report = checked(tmp_path, record)
    (fault,) = report.faults
    assert (fault.kind, fault.where, fault.drops) == ("unreadable", "annotation 70", True)
    assert reason in fault.reason
    assert added(report) == []


@pytest.mark.parametrize("fields", [{"attributes": {"rotation": 90.0, "occluded": False}}, {"rotation": "270"}])
def test_rotated_rectangles_have_the_box_around_them(tmp_path: Path, fields: dict[str, Any]) -> None:
    """CVAT's bbox is that of the rectangle before it was rotated about its centre."""
    report = checked(tmp_path, {"bbox": [10, 12, 20, 6], "segmentation": []} | fields)
    assert added(report)[0].box == pytest.approx((17, 5, 23, 25))
    assert notes(report) == {
        "rotated": "1 object with a rotation: the upright box around the rotated one is used "
        "(the first: _annotations.coco.json, annotation 70)"
    }


@given(st.floats(-720, 720), st.floats(1, 50), st.floats(1, 50))
def test_the_box_touches_a_rotated_rectangle_on_all_sides(degrees: float, width: float, height: float) -> None:
    box, written, noted = box_of({"bbox": [10, 20, width, height]}, degrees, None, False)
    x, y = 10 + width / 2, 20 + height / 2
    angles = [math.atan2(b, a) + math.radians(degrees) for a in (-width, width) for b in (-height, height)]
    radius = math.hypot(width, height) / 2
    xs, ys = [x + radius * math.cos(a) for a in angles], [y + radius * math.sin(a) for a in angles]
    assert box == pytest.approx((min(xs), min(ys), max(xs), max(ys)), abs=1e-6)
    assert (noted == "rotated") == bool(degrees % 180) == (written is None)


@pytest.mark.parametrize("rotation", [0, 0.0, 180, 360, None, "", "no"])
def test_no_rotation_changes_nothing(tmp_path: Path, rotation: object) -> None:
    report = checked(tmp_path, {"bbox": [10, 12, 20, 6], "attributes": {"rotation": rotation}})
    assert added(report)[0].box == (10, 12, 30, 18)
    assert notes(report) == {}


def test_a_rotated_outline_is_rotated_already(tmp_path: Path) -> None:
    rotated, upright = [[20, 5, 25, 10, 20, 15, 15, 10]], [[10, 12, 30, 12, 30, 18, 10, 18]]
    box = {"bbox": [10, 12, 20, 6], "attributes": {"rotation": 90}}
    objects = added(checked(tmp_path, box | {"segmentation": rotated}, box | {"segmentation": upright}))
    assert objects[0].box == (15, 5, 25, 15)
    assert objects[1].box == pytest.approx((17, 5, 23, 25))


def test_bboxes_of_five_and_eight_numbers(tmp_path: Path) -> None:
    """Detectron2's centre, sides and angle; four corners. Angles above 6.28 are those of degrees, in the whole file."""
    five = [{"bbox": [20, 15, 10, 4, angle]} for angle in (90, 0, 1)]
    objects = added(checked(tmp_path, *five, {"bbox": [5, 5, 15, 5, 15, 9, 4, 9]}))
    assert [obj.box for obj in objects[:2]] == [pytest.approx((18, 10, 22, 20)), pytest.approx((15, 13, 25, 17))]
    assert objects[2].box[2] - objects[2].box[0] == pytest.approx(10 * math.cos(0.01745) + 4 * math.sin(0.01745), 1e-3)
    assert objects[3].box == (4, 5, 15, 9)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"ignore": 1}, "ignored"),
        ({"ignore": True}, "ignored"),
        ({"attributes": {"ignore": "true"}}, "ignored"),
        ({"extra": {"ignore": 1}}, "ignored"),
        ({"IsGroupOf": 1}, "ignored"),
        ({"attributes": {"difficult": True}}, "difficult"),
        ({"ignore": 0}, ""),
        ({"ignore": "0", "attributes": {"ignore": False}}, ""),
    ],
)
def test_what_is_to_be_ignored_is_a_crowd(tmp_path: Path, fields: dict[str, Any], kind: str) -> None:
    report = checked(tmp_path, {"bbox": [10, 12, 20, 6]} | fields)
    assert [obj.crowd for obj in added(report)] == [bool(kind)]
    assert list(notes(report)) == ([kind] if kind else [])
    assert not [field for field, _, _ in report.clean.unread if field.lower() in ("ignore", "difficult", "isgroupof")]


def test_a_crowd_needs_no_note(tmp_path: Path) -> None:
    report = checked(tmp_path, {"bbox": [10, 12, 20, 6], "ignore": 1, "iscrowd": 1})
    assert notes(report) == {}
    assert report.summary["crowds"] == 1


def test_scores_are_told_with_the_smallest(tmp_path: Path) -> None:
    box = {"bbox": [10, 12, 20, 6]}
    report = checked(tmp_path, *(box | {"bbox": [i, 1, 9, 9], "score": s} for i, s in enumerate((0.97, 0.05, 1))))
    assert notes(report) == {
        "scored": "2 objects with a score, as predictions have one (the smallest: 0.05): they are read as true objects "
        "(the first: _annotations.coco.json, annotation 70)"
    }
    assert len(added(report)) == 3


def test_other_fields_are_counted_by_their_names(tmp_path: Path) -> None:
    attributes = {"occluded": True, "truncated": False, "track": 0, "rotation": 0.0}
    report = checked(tmp_path, {"bbox": [10, 12, 20, 6], "attributes": attributes, "color": "red"})
    assert fields_in_words(report.summary["not_carried_over"]) == "occluded of 1 object, color of 1 object"


def test_classes_without_names_are_called_by_their_numbers(tmp_path: Path) -> None:
    for name, categories in (("no list", UNSAID), ("empty", []), ("null", None)):
        root = tmp_path / name
        disk.picture(root / "a.png", SIZE)
        records = [{"id": i, "image_id": 1, "category_id": i, "bbox": [i, 1, 9, 9]} for i in (10, 2)]
        content = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": records}
        disk.write_json(root / "a.json", content | ({} if categories is UNSAID else {"categories": categories}))
        report = inspect(read(root))
        assert report.clean.classes == ("2", "10")
        assert notes(report)["no-categories"] == "has no list `categories`: classes are called by their numbers (2, 10)"
        assert report.summary["objects"] == 2


def test_without_any_class_there_is_one(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", SIZE)
    content = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "bbox": [1, 1, 9, 9]}]}
    disk.write_json(tmp_path / "a.json", content)
    assert read(tmp_path).classes == ("object",)


def test_images_that_have_a_url_alone(tmp_path: Path) -> None:
    """As LVIS."""
    disk.coco(tmp_path, images="val2017", name="lvis_v1_val.json")
    path = tmp_path / "lvis_v1_val.json"
    path.write_text(path.read_text().replace('"file_name": "', '"coco_url": "http://images.cocodataset.org/val2017/'))
    data = read(tmp_path)
    assert {one.path.parent.name for one in data.examples} == {"val2017"}
    assert all(one.path.is_file() for one in data.examples)
    assert [len(one.objects) for one in data.examples] == [2, 1, 0]
    assert data.unread == ()


def test_what_is_in_the_lists_and_no_record_is_named(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", SIZE)
    images: list[object] = [{"id": 1, "file_name": "a.png"}, "b.png"]
    disk.write_json(tmp_path / "a.json", {"images": images, "annotations": [7], "categories": [{"id": 1, "name": "x"}]})
    disk.write_json(tmp_path / "b.json", {"images": images[:1], "annotations": {"1": []}, "categories": []})
    disk.write_json(tmp_path / "c.json", {"images": images[:1], "categories": []})
    assert [(fault.kind, fault.file.name, fault.where, fault.drops) for fault in read(tmp_path).faults] == [
        ("unreadable", "a.json", "images, number 2", True),
        ("unreadable", "a.json", "annotations, number 1", True),
        ("unreadable", "b.json", "annotations", True),
        ("no-annotations", "c.json", "", False),
    ]
