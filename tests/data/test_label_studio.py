"""Label Studio's own JSON: whose annotation is read, and what its regions are."""

from pathlib import Path
from typing import Any

import datasets_on_disk as disk
import pytest
from further_datasets import label_studio_region

from pocketrcnn.data.annotations import Annotations, Box
from pocketrcnn.data.formats import read

SIZE = (40, 20)
Record = dict[str, Any]


def region(label: str, *box: float, **value: object) -> Record:
    return label_studio_region(label, box, SIZE, **value)


def annotation(number: int, *result: object, **more: object) -> Record:
    return {"id": number, "was_cancelled": False, "result": list(result), **more}


def tasks(root: Path, *annotations: Record, image: str = "a.png", **more: object) -> Path:
    """A project with one task."""
    disk.picture(root / "a.png", SIZE)
    task = {"id": 1, "data": {"image": image}, "annotations": list(annotations), **more}
    return disk.write_json(root / "project.json", [task])


def boxes(data: Annotations) -> list[tuple[str, Box]]:
    return [(obj.name, tuple(round(v, 6) for v in obj.box)) for one in data.examples for obj in one.objects]  # type: ignore[misc]


def notes(data: Annotations) -> list[tuple[str, bool]]:
    return [(fault.kind, fault.drops) for fault in data.faults]


CAT = ("cat", (2.0, 4.0, 10.0, 12.0))
READ = region("cat", 2, 4, 10, 12)
OTHER = region("dog", 0, 0, 5, 5)


@pytest.mark.parametrize(
    "annotations",
    [
        (annotation(1, OTHER), annotation(2, READ)),
        (annotation(1, READ, ground_truth=True), annotation(2, OTHER)),
        (
            annotation(1, READ, updated_at="2024-02-02T10:00:00Z"),
            annotation(2, OTHER, updated_at="2024-01-01T10:00:00Z"),
        ),
        (annotation(1, READ), annotation(2, OTHER, was_cancelled=True)),
    ],
)
def test_one_annotation_of_several(tmp_path: Path, annotations: tuple[Record, ...]) -> None:
    """The ground truth, else the newest; what the others have is counted."""
    tasks(tmp_path, *annotations)
    data = read(tmp_path)
    assert boxes(data) == [CAT]
    assert notes(data) == [("not-read", False)]
    assert "1 object of it" in data.faults[0].reason


def test_predictions_are_no_annotations(tmp_path: Path) -> None:
    tasks(tmp_path, annotation(1, READ), predictions=[annotation(5, OTHER, OTHER)])
    data = read(tmp_path)
    assert boxes(data) == [CAT]
    assert [fault.reason for fault in data.faults] == ["2 objects of it are predictions"]


@pytest.mark.parametrize("annotations", [(), (annotation(1, OTHER, was_cancelled=True),)])
def test_tasks_without_annotation_are_no_backgrounds(tmp_path: Path, annotations: tuple[Record, ...]) -> None:
    tasks(tmp_path, *annotations, predictions=[annotation(5, OTHER)])
    data = read(tmp_path)
    assert data.examples == ()
    assert "not-annotated" in dict(notes(data))
    assert len(data.unnamed) == 1


def test_an_empty_annotation_is_an_image_without_objects(tmp_path: Path) -> None:
    tasks(tmp_path, annotation(1), predictions=[annotation(5, OTHER)])
    (example,) = read(tmp_path).examples
    assert example.objects == ()


@pytest.mark.parametrize(
    ("value", "box"),
    [
        (
            {"rotation": 90},
            (-6, 4, 2, 12),
        ),  # about the upper left corner, in pixels: the image is twice as wide as high
        ({"rotation": 0}, (2, 4, 10, 12)),
    ],
)
def test_turned_rectangles(tmp_path: Path, value: Record, box: Box) -> None:
    tasks(tmp_path, annotation(1, region("cat", 2, 4, 10, 12, **value)))
    data = read(tmp_path)
    assert boxes(data) == [("cat", box)]
    assert notes(data) == ([("rotated", False)] if value["rotation"] else [])


@pytest.mark.parametrize(
    ("kind", "value", "box"),
    [
        ("polygonlabels", {"points": [[5, 20], [50, 40], [25, 90.5]], "polygonlabels": ["cat"]}, (2, 4, 20, 18.1)),
        ("ellipselabels", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "ellipselabels": ["cat"]}, (16, 9, 24, 11)),
    ],
)
def test_other_shapes(tmp_path: Path, kind: str, value: Record, box: Box) -> None:
    tasks(tmp_path, annotation(1, {"type": kind, "value": value, "original_width": 40, "original_height": 20}))
    data = read(tmp_path)
    assert boxes(data) == [("cat", box)]
    assert notes(data) == [("outlined", False)]


def test_what_has_no_box_is_a_fault_and_what_is_no_object_is_counted(tmp_path: Path) -> None:
    brush = {"type": "brushlabels", "value": {"format": "rle", "rle": [1, 2], "brushlabels": ["cat"]}}
    point = {"type": "keypointlabels", "value": {"x": 1, "y": 2, "keypointlabels": ["nose"]}}
    choice = {"type": "choices", "value": {"choices": ["blurred"]}}
    two = region("cat", 1, 1, 5, 5, rectanglelabels=["cat", "dog"])
    tasks(tmp_path, annotation(1, brush, point, two, choice, READ))
    data = read(tmp_path)
    assert boxes(data) == [CAT]
    assert [fault.where for fault in data.faults] == ["task 1, region 1", "task 1, region 2", "task 1, region 3"]
    assert data.unread == (("choices", "image", 1),)


def test_regions_whose_class_is_an_item_of_its_own(tmp_path: Path) -> None:
    """From projects with <Rectangle> and <Labels>."""
    shape = {**READ, "id": "r1", "type": "rectangle", "value": {**READ["value"], "rectanglelabels": None}}
    label = {"id": "r1", "type": "labels", "value": {**READ["value"], "rectanglelabels": None, "labels": ["cat"]}}
    tasks(tmp_path, annotation(1, shape, label))
    assert boxes(read(tmp_path)) == [CAT]


def test_the_short_form(tmp_path: Path) -> None:
    """JSON-MIN: a field of the project's name for its labels."""
    disk.picture(tmp_path / "a.png", SIZE)
    disk.picture(tmp_path / "b.png", SIZE)
    value = {key: READ[key] for key in ("original_width", "original_height")} | READ["value"]
    head = {"id": 1, "annotator": 1, "annotation_id": 1, "tags": ["x"]}
    content = [{"image": "a.png", "animals": [value], **head}, {"image": "b.png", **head}]
    disk.write_json(tmp_path / "project.json", content)
    data = read(tmp_path)
    assert boxes(data) == [CAT]
    assert data.faults == ()
    assert len(data.examples) == 2


@pytest.mark.parametrize("name", ["/data/upload/1/a.png", "s3://bucket/photos/a.png", "https://example.org/x/a.png"])
def test_images_on_a_server(tmp_path: Path, name: str) -> None:
    tasks(tmp_path, annotation(1, READ), image=name)
    assert [one.path for one in read(tmp_path).examples] == [tmp_path / "a.png"]


def test_percent_is_of_the_image_that_is_there(tmp_path: Path) -> None:
    """Images are often made smaller after they were annotated."""
    tasks(tmp_path, annotation(1, READ))
    disk.picture(tmp_path / "a.png", (20, 10))
    assert boxes(read(tmp_path)) == [("cat", (1, 2, 5, 6))]
