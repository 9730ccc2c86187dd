"""Readers of formats that are not written: what each says, whatever program wrote it.

Covers `data/formats/read_only/records.py`, `data/formats/read_only/labelme.py`, `data/formats/read_only/via.py`,
`data/formats/read_only/cvat.py`,
`data/formats/read_only/createml.py`, `data/formats/read_only/makesense.py`, `data/formats/read_only/hugging_face.py`,
`data/formats/read_only/open_images.py`, `data/formats/read_only/text_lines.py`.
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
    assert {*further.WRITERS, "masks"} == set(FORMATS) - set(WRITTEN), "masks: test_masks.py"


@pytest.mark.parametrize("kind", further.WRITERS)
def test_objects_and_images_are_all_there(tmp_path: Path, kind: str) -> None:
    root = further.WRITERS[kind](tmp_path / "моя папка é", SCENES)
    data = read(root)
    assert (data.format, data.root, data.faults) == (kind, root, ())
    assert data.classes == ("cat", "dog")
    found = boxes(data)
    scenes = {name: scene for name, scene in SCENES.items() if scene[1] or kind not in further.OBJECTS_ALONE}
    assert set(found) == set(scenes)
    for name, (size, objects) in scenes.items():
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
    notes = {"rectangle": [], "points": [], "rotation": ["rotated"]}.get(record["shape_type"], ["outlined"])
    assert [fault.kind for fault in data.faults] == notes


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


def test_labelme_images_that_are_in_the_json_alone(tmp_path: Path) -> None:
    shapes(tmp_path, shape("rectangle", (1, 1), (5, 5)), imageData="A" * 100).with_suffix(".png").unlink()
    shapes(tmp_path, shape("rectangle", (1, 1), (5, 5)), name="b", imageData="A" * 100)
    (note,) = read(tmp_path).faults
    assert note.reason.startswith("1 image missing here, but inside the JSON file")
    assert "missing" in [fault.kind for fault in inspect(read(tmp_path)).faults]


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
    note, outlined = data.faults
    assert outlined.kind == "outlined"
    assert (note.kind, note.drops) == ("parts", False)
    assert "1 object of it" in note.reason


def test_labelme_fields_that_are_not_read_are_counted(tmp_path: Path) -> None:
    shapes(tmp_path, shape("rectangle", (1, 1), (5, 5), score=0.3, difficult=True, flags={}, attributes={"a": 1}))
    data = read(tmp_path)
    assert data.examples[0].objects[0].crowd
    assert data.unread == (("attributes", "object", 1),)
    assert [fault.kind for fault in data.faults] == ["scored", "difficult"]


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


# VIA


def via(root: Path, *regions: object, **more: object) -> Path:
    """An export of VIA of an image of SIDE x SIDE."""
    disk.picture(root / "a.png", (SIDE, SIDE))
    return disk.write_json(
        root / "via.json", {"a.png9": {"filename": "a.png", "size": 9, "regions": list(regions), **more}}
    )


def region(name: str, **shape: object) -> Record:
    return {"shape_attributes": {"name": name, **shape}, "region_attributes": {"class": "cat"}}


@pytest.mark.parametrize(
    ("record", "box"),
    [
        (region("rect", x=1, y=2, width=10, height=20), (1, 2, 11, 22)),
        (region("circle", cx=10, cy=12, r=5), (5, 7, 15, 17)),
        (region("ellipse", cx=10, cy=12, rx=5, ry=2), (5, 10, 15, 14)),
        (region("ellipse", cx=10, cy=12, rx=5, ry=2, theta=1.5707963267948966), (8, 7, 12, 17)),
        (region("polygon", all_points_x=[1, 9, 4], all_points_y=[2, 3, 8]), (1, 2, 9, 8)),
        (region("polyline", all_points_x=[1, 9], all_points_y=[2, 3]), (1, 2, 9, 3)),
    ],
)
def test_via_shapes(tmp_path: Path, record: Record, box: Box) -> None:
    via(tmp_path, record)
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("cat", box)]}
    kind = record["shape_attributes"]["name"]
    assert [fault.kind for fault in data.faults] == ([] if kind == "rect" else ["outlined"])


def test_via_regions_that_are_no_objects(tmp_path: Path) -> None:
    point, good = region("point", cx=3, cy=4), region("rect", x=1, y=2, width=10, height=20)
    bad = [
        1,
        {},
        region("blob"),
        region("rect", x=1),
        region("polygon", all_points_x=[1], all_points_y=[]),
        region("rect"),
    ]
    via(tmp_path, *bad, good, good | {"region_attributes": {"class": ""}}, point)
    data = read(tmp_path)
    bad_ones = [fault.where for fault in data.faults if fault.drops]
    assert bad_ones == [f"a.png, region {i}" for i in (1, 2, 3, 4, 5, 6, 8)]
    assert "zero-size" in [fault.kind for fault in inspect(data).faults], "the point"


@pytest.mark.parametrize(
    ("attributes", "name", "unread"),
    [
        ([{"animal": "cat"}, {"animal": "dog", "age": "3"}], ["cat", "dog"], (("age", "object", 1),)),
        ([{"note": "x", "Type": "cat"}, {"note": "y", "Type": "dog"}], ["cat", "dog"], (("note", "object", 2),)),
        ([{"animal": {"cat": True, "dog": False}}, {"animal": {"dog": True}}], ["cat", "dog"], ()),
        ([{}, {}], ["object", "object"], ()),
    ],
)
def test_via_classes_are_one_attribute(
    tmp_path: Path, attributes: list[Record], name: list[str], unread: object
) -> None:
    rect = region("rect", x=1, y=2, width=10, height=20)
    via(tmp_path, *(rect | {"region_attributes": one} for one in attributes))
    data = read(tmp_path)
    assert [label for label, _ in boxes(data)["a.png"]] == name
    assert data.unread == unread
    assert [fault.kind for fault in data.faults] == (["no-classes"] if not attributes[0] else [])


def test_via_1_numbers_its_regions(tmp_path: Path) -> None:
    via(
        tmp_path,
        regions={"0": region("rect", x=1, y=2, width=10, height=20), "1": region("rect", x=1, y=2, width=3, height=4)},
    )
    assert len(boxes(read(tmp_path))["a.png"]) == 2


def test_via_table(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", (SIDE, SIDE))
    disk.picture(tmp_path / "b.png", (SIDE, SIDE))
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    shape, attributes = json.dumps(region("rect", x=1, y=2, width=10, height=20)["shape_attributes"]), '{"type": "cat"}'
    rows = [["a.png", 9, "{}", 2, 0, shape, attributes], ["a.png", 9, "{}", 2, 1, "{broken", attributes]]
    rows += [["b.png", 9, "{}", 0, 0, "{}", "{}"], ["", 9, "{}", 1, 0, shape, attributes]]
    further.table(tmp_path / "via_region_data.csv", [header.split(","), *rows])
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("cat", (1, 2, 11, 22))], "b.png": []}
    assert [fault.where for fault in data.faults] == ["line 5", "a.png, region 2"]


# CVAT


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<box label="cat" xtl="1" ytl="2" xbr="11" ybr="22"/>', (1, 2, 11, 22)),
        ('<box label="cat" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90.0"/>', (13, 7, 17, 17)),
        ('<polygon label="cat" points="1.5,2;9,3;4,8"/>', (1.5, 2, 9, 8)),
        ('<polyline label="cat" points="1,2;9,3"/>', (1, 2, 9, 3)),
        ('<ellipse label="cat" cx="10" cy="12" rx="5" ry="2" rotation="90"/>', (8, 7, 12, 17)),
        ('<mask label="cat" rle="1, 2" left="3" top="4" width="5" height="6"/>', (3, 4, 8, 10)),
        (
            '<skeleton label="cat"><points label="a" points="1,2"/><points label="b" points="9,3"/></skeleton>',
            (1, 2, 9, 3),
        ),
    ],
)
def test_cvat_shapes(tmp_path: Path, shape: str, box: Box) -> None:
    disk.picture(tmp_path / "images" / "a.png", (SIDE, SIDE))
    content = (
        f'<annotations><image id="0" name="a.png" subset="Validation">{shape}<tag label="x"/></image></annotations>'
    )
    further.written(tmp_path / "annotations.xml", content)
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("cat", box)]}
    assert data.unread == (("tag", "image", 1),)
    assert data.examples[0].split == "val"
    kind = "rotated" if "rotation" in shape else "" if "<box" in shape else "outlined"
    assert [fault.kind for fault in data.faults] == ([kind] if kind else [])


def test_cvat_in_a_folder_of_voc(tmp_path: Path) -> None:
    further.cvat(tmp_path / "Annotations")
    assert read(tmp_path).format == "cvat"


def test_cvat_attributes_and_shapes_that_are_no_objects(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", (SIDE, SIDE))
    rest = 'xtl="1" ytl="2" xbr="11" ybr="22"'
    shapes = [
        f'<box label="cat" occluded="1" {rest}><attribute name="difficult">true</attribute></box>',
        f"<box {rest}/>",
        '<box label="cat" xtl="1"/>',
        '<polygon label="cat" points="1,2;3"/>',
        '<blob label="cat"/>',
        f'<box label="cat" {rest} rotation="x"/>',
    ]
    image = f'<image id="0" name="a.png">{"".join(shapes)}</image><image id="1">{"".join(shapes)}</image>'
    further.written(tmp_path / "annotations.xml", f"<annotations>{image}</annotations>")
    data = read(tmp_path)
    (obj,) = data.examples[0].objects
    assert obj.crowd
    assert data.unread == (("occluded", "object", 1),)
    assert [fault.where.split(", ")[-1] for fault in data.faults if fault.drops] == [
        *("box 2", "box 3", "polygon 4", "blob 5", "box 6", "image 1")
    ]
    assert "its 6 objects are left out" in [fault.reason for fault in data.faults if fault.drops][-1]


# CreateML, Edge Impulse, makesense.ai


def test_createml_of_other_versions(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", (SIDE, SIDE))
    sides = {"x": 10, "y": 10, "width": 4, "height": 6}
    records = [{"label": "cat", "coordinates": sides}, {"label": "cat"}, {"coordinates": sides}, None]
    content = [{"imagefilename": "a.png", "annotation": records}, {"annotation": records}, "nonsense"]
    disk.write_json(tmp_path / "a.json", content)
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("cat", (8, 7, 12, 13))]}
    wheres = ["a.png, annotation 2", "a.png, annotation 3", "a.png, annotation 4", "image 2", "image 3"]
    assert [fault.where for fault in data.faults] == wheres
    assert "its 4 objects are left out" in data.faults[3].reason


def test_splits_of_folders(tmp_path: Path) -> None:
    further.edge_impulse(tmp_path / "training", {"a.png": SCENES["a b.png"]})
    further.edge_impulse(tmp_path / "testing", {"b.png": SCENES["a b.png"]})
    assert {one.path.name: one.split for one in read(tmp_path).examples} == {"a.png": "train", "b.png": "test"}


def test_makesense_rows_that_are_no_objects(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", (SIDE, SIDE))
    good = ["cat,1,2,10,20,a.png,40,40", '"cat, big",1.5,2,10,20,a.png,40,40']
    rows = "\n".join([*good, "cat,1,x,10,20,a.png,40,40", ",1,1,2,2,a.png,40,40", "cat,1"])
    further.written(tmp_path / "labels.csv", rows)
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("cat", (1, 2, 11, 22)), ("cat, big", (1.5, 2, 11.5, 22))]}
    assert [fault.where for fault in data.faults] == ["line 3", "line 4", "line 5"]


# Hugging Face


def metadata(root: Path, *objects: object) -> Path:
    disk.picture(root / "a.png", (SIDE, SIDE))
    lines = [json.dumps({"file_name": "a.png", "objects": one}) for one in objects]
    return further.written(root / "metadata.jsonl", "\n".join(lines))


@pytest.mark.parametrize(
    "objects",
    [
        {"bbox": [[1, 2, 3, 4]], "categories": ["cat"]},
        {"bbox": [[1, 2, 3, 4]], "label": ["cat"], "id": [0], "area": [0]},
        [{"bbox": [1, 2, 3, 4], "category": "cat"}],
    ],
)
def test_hugging_face_objects(tmp_path: Path, objects: object) -> None:
    metadata(tmp_path, objects)
    assert boxes(read(tmp_path)) == {"a.png": [("cat", (1, 2, 4, 6))]}


def test_hugging_face_objects_that_are_none(tmp_path: Path) -> None:
    file = metadata(tmp_path, {"bbox": [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]], "categories": ["cat", "cat"]})
    file.write_text(f'{file.read_text()}\n{{"file_name": "b.png", "objects": 7}}')
    file.write_text(file.read_text() + '\n{"file_name"\n{"objects": {"bbox": [[1, 2, 3, 4]]}}')
    data = read(tmp_path)
    assert boxes(data)["a.png"] == [("cat", (1, 2, 4, 6))]
    assert [fault.where for fault in data.faults] == [
        "line 1, object 1",
        "line 1, object 3",
        "line 2",
        "line 3",
        "line 4",
    ]
    assert "its 1 object is left out" in data.faults[-1].reason


def test_hugging_face_without_classes_and_as_table(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png", (SIDE, SIDE))
    objects = json.dumps({"bbox": [[1, 2, 3, 4]]})
    further.table(tmp_path / "metadata.csv", [["file_name", "objects"], ["a.png", objects], ["a.png", "{"]])
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("object", (1, 2, 4, 6))]}
    assert [fault.kind for fault in data.faults] == ["unreadable", "no-classes"]


# Open Images


def open_images(root: Path, *rows: list[object]) -> Path:
    disk.picture(root / "a.png", (SIDE, SIDE))
    return further.table(root / "validation-annotations-bbox.csv", [[*further.OPEN_IMAGES, "IsGroupOf"], *rows])


def test_open_images_groups_codes_and_splits(tmp_path: Path) -> None:
    open_images(tmp_path, ["a", "x", "/m/01yrx", 1, 0.25, 0.5, 0, 1, 1], ["a", "x", "/m/01yrx", 1, "", 0.5, 0, 1, 0])
    data = read(tmp_path)
    (obj,) = data.examples[0].objects
    assert (obj.box, obj.name, obj.crowd) == ((10, 0, 20, 40), "/m/01yrx", True)
    assert [(fault.kind, fault.where) for fault in data.faults if fault.drops] == [("unreadable", "line 3")]
    assert {fault.kind for fault in data.faults if not fault.drops} == {"no-names", "ignored", "split-words"}


def test_a_table_of_such_columns_with_pixels_is_a_table(tmp_path: Path) -> None:
    """As before these were read."""
    open_images(tmp_path, ["a", "x", "cat", 1, 10, 20, 0, 30, 1])
    data = read(tmp_path)
    assert (data.format, boxes(data)) == ("csv", {"a.png": [("cat", (10, 0, 20, 30))]})


# A text file an image


def lines(root: Path, folder: str, *rows: str) -> Path:
    disk.picture(root / "images" / "a.png", (SIDE, SIDE))
    return further.written(root / folder / "a.txt", "\n".join(rows))


def test_dota(tmp_path: Path) -> None:
    """Turned boxes; difficult ones are crowd, as in VOC; the third number is 2 in some versions."""
    lines(
        tmp_path,
        "labelTxt",
        *(
            "imagesource:GoogleEarth",
            "gsd:null",
            "10 0 20 10 10 20 0 10 small-vehicle 0",
            "10,0,20,10,10,20,0,10,ship,1",
        ),
        *(
            "10 0 20 10 10 20 0 10 ship 2",
            "10 0 20 10 10 20 0 10 ship",
            "10 0 20 ship 0",
            "10 0 20 10 10 20 0 x ship 0",
        ),
    )
    data = read(tmp_path)
    found = data.examples[0].objects
    assert [(obj.name, obj.crowd) for obj in found] == [
        ("small-vehicle", False),
        ("ship", True),
        ("ship", True),
        ("ship", False),
    ]
    assert {obj.box for obj in found} == {(0, 0, 20, 20)}
    assert [fault.where for fault in data.faults if fault.drops] == ["line 7", "line 8"]
    notes = {fault.kind: fault.reason for fault in data.faults if not fault.drops}
    assert notes["rotated"].startswith("4 objects")
    assert notes["difficult"].startswith("2 objects")


def test_kitti_regions_that_nobody_annotated(tmp_path: Path) -> None:
    row = "{} 0.00 {} -1.57 8.00 11.00 27.00 30.00 1.5 1.6 3.8 1.0 1.5 20.0 -1.5"
    lines(tmp_path, "label_2", row.format("Car", 2), row.format("DontCare", -1), row.format("Car", 0)[:30])
    data = read(tmp_path)
    assert boxes(data) == {"a.png": [("Car", (8, 11, 27, 30))]}
    assert [(fault.kind, fault.drops) for fault in data.faults] == [("unreadable", True), ("not-read", False)]
    assert data.unread == (("occlusion", "object", 1),)


def test_names_in_place_of_numbers_are_fractions_or_pixels(tmp_path: Path) -> None:
    lines(tmp_path / "yolo", "labels", "guinea pig 0.5 0.5 0.25 0.5")
    lines(tmp_path / "pixels", "Label", "guinea pig 3 4 15 20.5")
    found = {root.name: (read(root).format, boxes(read(root))["a.png"]) for root in tmp_path.iterdir()}
    assert found == {
        "yolo": ("yolo-names", [("guinea pig", (15, 10, 25, 30))]),
        "pixels": ("open-images-toolkit", [("guinea pig", (3, 4, 15, 20.5))]),
    }


@pytest.mark.parametrize("folder", ["labels", "labelTxt"])
def test_a_folder_called_labels_may_hold_them(tmp_path: Path, folder: str) -> None:
    lines(tmp_path, folder, "10 0 20 10 10 20 0 10 ship 0")
    assert read(tmp_path).format == "dota"


def test_a_damaged_file_among_many_is_a_fault_of_its_own(tmp_path: Path) -> None:
    further.yolo_names(tmp_path, {f"{i}.png": SCENES["a b.png"] for i in range(3)})
    (tmp_path / "labels" / "1.txt").write_text("0.5 0.5 0.2 0.2 0.1\n")
    data = read(tmp_path)
    assert (data.format, len(data.examples)) == ("yolo-names", 3)
    assert [fault.file.name for fault in data.faults] == ["1.txt"]


def test_a_yolo_set_that_was_made_of_dota_is_yolo(tmp_path: Path) -> None:
    """Both are there, and `data.yaml` says which is meant."""
    disk.yolo_names(disk.yolo(tmp_path))
    for i in range(5):
        lines(tmp_path, f"labelTxt/{i}", "10 0 20 10 10 20 0 10 ship 0")
    assert read(tmp_path).format == "yolo"


def test_a_yolo_set_with_text_of_other_kinds_is_yolo(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path))
    further.written(tmp_path / "notes.txt", "cat 1 2 3 4")
    assert read(tmp_path).format == "yolo"
