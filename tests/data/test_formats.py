"""Readers of COCO, VOC, YOLO and CSV: what a folder says, whatever program wrote it.

Covers `data/cells.py`, `data/formats/coco.py`, `data/formats/reading.py`, `data/formats/tables.py`,
`data/formats/voc.py`, `data/formats/yolo.py`.
"""

import os
from dataclasses import replace
from pathlib import Path

import datasets_on_disk as disk
import pytest
from datasets_on_disk import SCENES, Scenes

from pocketrcnn.data.annotations import Annotations
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError


def scenes_of(data: Annotations) -> Scenes:
    """What was read, as it was written."""
    return {
        example.path.name: (example.size or (0, 0), [(obj.name, obj.box) for obj in example.objects])
        for example in data.examples
    }


def assert_all_there(data: Annotations) -> None:
    read_scenes = scenes_of(data)
    assert set(read_scenes) == set(SCENES)
    assert data.classes == ("cat", "dog")
    assert data.faults == ()
    for file, (size, objects) in SCENES.items():
        assert read_scenes[file][0] == size
        assert [name for name, _ in read_scenes[file][1]] == [name for name, _ in objects]
        for (_, box), (_, true) in zip(read_scenes[file][1], objects, strict=True):
            assert box == pytest.approx(true, abs=1e-9)
    assert all(example.path.is_file() for example in data.examples)


def splits_of(data: Annotations) -> dict[str, str]:
    return {example.path.name: example.split for example in data.examples}


WRITERS = {"coco": disk.coco, "voc": disk.voc, "yolo": lambda root: disk.yolo_names(disk.yolo(root)), "csv": disk.table}


@pytest.mark.parametrize("kind", WRITERS)
def test_formats_are_told_apart_by_content(tmp_path: Path, kind: str) -> None:
    """In a folder with a space and letters of other alphabets."""
    data = read(WRITERS[kind](tmp_path / "моя папка é"))
    assert data.format == kind
    assert_all_there(data)


@pytest.mark.parametrize(("file", "kind"), [("_annotations.coco.json", "coco"), ("boxes.csv", "csv")])
def test_a_file_may_be_named_instead_of_its_folder(tmp_path: Path, file: str, kind: str) -> None:
    data = read(WRITERS[kind](tmp_path) / file)
    assert_all_there(data)
    assert data.root == tmp_path


def test_reading_and_checking_need_no_torch() -> None:
    folder = Path(__file__).parents[2] / "src" / "pocketrcnn" / "data"
    names = [*(folder / "formats").glob("*.py")]
    names += [folder / f"{name}.py" for name in ("check", "overview", "repair", "splits", "annotations")]
    assert not [path.name for path in names if "import torch" in path.read_text(encoding="utf-8")]


# COCO


def test_coco_with_a_json_a_split_folder(tmp_path: Path) -> None:
    for folder, file in (("train", "a.png"), ("valid", "b.png"), ("test", "c.png")):
        disk.coco(tmp_path / folder, {file: ((20, 20), [("dog", (1, 1, 5, 5))])})
    data = read(tmp_path)
    assert splits_of(data) == {"a.png": "train", "b.png": "val", "c.png": "test"}
    assert splits_of(read(tmp_path / "train")) == {"a.png": ""}, "what is above the folder says nothing"


def test_coco_with_annotations_beside_images(tmp_path: Path) -> None:
    """As COCO itself: the same file name in two splits is two images."""
    for split in ("train", "val"):
        scene: Scenes = {"000001.png": ((20, 20) if split == "train" else (30, 30), [])}
        disk.coco(tmp_path, scene, images=f"images/{split}2017", name=f"annotations/instances_{split}2017.json")
        (tmp_path / "annotations" / f"captions_{split}2017.json").write_text('{"images": [], "annotations": []}')
    data = read(tmp_path)
    assert {(e.split, e.path.parent.name) for e in data.examples} == {("train", "train2017"), ("val", "val2017")}
    assert {e.split for e in read(tmp_path / "annotations").examples} == {"train", "val"}


def test_coco_classes_are_names_and_the_background_is_none(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    above = [{"id": 0, "name": "pets", "supercategory": "none"}, {"id": 90, "name": "background"}]
    below = [{"id": 18, "name": "emu", "supercategory": "pets"}]
    disk.change_coco(tmp_path, categories=above + below)
    assert read(tmp_path).classes == ("cat", "dog", "emu")


def test_coco_splits_with_other_ids_for_the_same_classes(tmp_path: Path) -> None:
    for split, ids in (("train", {"cat": 1, "dog": 2}), ("val", {"dog": 1, "emu": 2})):
        disk.picture(tmp_path / split / f"{split}.png")
        records = [{"image_id": 1, "category_id": i, "bbox": [1, 1, 5, 5]} for i in ids.values()]
        categories = [{"id": i, "name": name} for name, i in ids.items()]
        content = {"images": [{"id": 1, "file_name": f"{split}.png"}], "annotations": records, "categories": categories}
        disk.write_json(tmp_path / split / "labels.json", content)
    data = read(tmp_path)
    assert data.classes == ("cat", "dog", "emu")
    assert [[obj.name for obj in example.objects] for example in data.examples] == [["cat", "dog"], ["dog", "emu"]]


def test_coco_ids_of_any_number_of_digits(tmp_path: Path) -> None:
    """Python refuses to make a number of more than 4,300."""
    disk.coco(tmp_path)
    categories = [{"id": "9" * 5000, "name": "last"}, {"id": "010", "name": "tenth"}, {"id": 9, "name": "ninth"}]
    disk.change_coco(tmp_path, categories=categories)
    assert read(tmp_path).classes == ("cat", "ninth", "tenth", "dog", "last")


def test_coco_records_that_cannot_be_understood(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    records = [
        {"id": 50, "image_id": 0, "category_id": 3},
        {"id": 51, "image_id": 0, "category_id": 3, "bbox": [1, 2, "wide", 4]},
        {"id": 52, "image_id": 999, "category_id": 3, "bbox": [1, 2, 3, 4]},
        {"id": 53, "image_id": 0.0, "category_id": "3", "bbox": ["1", 2, 3, 4]},
        {"id": 54, "image_id": 0, "category_id": [], "bbox": [1, 2, -3, 4]},
        "nonsense",
    ]
    disk.change_coco(tmp_path, annotations=records, images=[{"id": 60}, {"id": 0, "file_name": "again.png"}])
    data = read(tmp_path)
    assert [(fault.kind, fault.where) for fault in data.faults] == [
        ("unreadable", "annotations, number 9"),
        ("unreadable", "annotation 50"),
        ("unreadable", "annotation 51"),
        ("unreadable", "image 60"),
        ("same-id", "image 0"),
        ("no-image", "annotation 52"),
    ]
    assert all(fault.drops and fault.file.name == "_annotations.coco.json" for fault in data.faults)
    last = data.examples[0].objects[2:]
    assert [(obj.name, obj.box) for obj in last] == [("cat", (1, 2, 4, 6)), ("id []", (1, 2, -2, 6))]


def test_one_broken_json_does_not_cost_the_others(tmp_path: Path) -> None:
    disk.coco(tmp_path / "train")
    disk.coco(tmp_path / "test")
    whole = (tmp_path / "test" / "_annotations.coco.json").read_text()
    (tmp_path / "test" / "_annotations.coco.json").write_text(whole[:-50])
    data = read(tmp_path)
    assert len(data.split("train")) == 3
    (fault,) = data.faults
    assert fault.kind == "unreadable"
    assert fault.file == tmp_path / "test" / "_annotations.coco.json"
    assert "is not JSON" in str(fault)


@pytest.mark.parametrize("alone", [True, False])
def test_a_missing_image_is_no_image_of_its_name_that_another_record_has(tmp_path: Path, alone: bool) -> None:
    """Also where its folder has no image left."""
    for folder in ("batchA", "batchB"):
        disk.coco(tmp_path / folder, {"1.png": ((20, 20), []), **({} if alone else {f"{folder}.png": ((9, 9), [])})})
    (tmp_path / "batchA" / "1.png").unlink()
    data = read(tmp_path)
    assert data.examples[0].path == tmp_path / "batchA" / "1.png"
    assert data.examples[0].objects == ()
    (tmp_path / "batchB" / "1.png").rename(tmp_path / "batchB" / "1.PNG")
    assert read(tmp_path).examples[0].path == tmp_path / "batchA" / "1.png"


def test_a_missing_image_is_not_the_next_one_with_another_ending(tmp_path: Path) -> None:
    disk.coco(tmp_path, {"1.png": ((20, 20), []), "1.jpg": ((9, 9), [])})
    (tmp_path / "1.png").unlink()
    assert [example.path.name for example in read(tmp_path).examples] == ["1.png", "1.jpg"]


def test_an_image_of_which_several_have_the_name_is_missing(tmp_path: Path) -> None:
    disk.coco(tmp_path / "here", {"1.png": ((20, 20), []), "2.png": ((20, 20), [])})
    (tmp_path / "here" / "1.png").unlink()
    moved = disk.picture(tmp_path / "there" / "1.png")
    assert read(tmp_path).examples[0].path == moved, "one alone is the one that is meant"
    disk.picture(tmp_path / "elsewhere" / "1.png")
    assert read(tmp_path).examples[0].path == tmp_path / "here" / "1.png"


def test_voc_masks_are_no_images(tmp_path: Path) -> None:
    disk.voc(tmp_path)
    (tmp_path / "JPEGImages" / "empty.png").rename(tmp_path / "JPEGImages" / "empty.jpg")
    disk.picture(tmp_path / "SegmentationClass" / "a b.png")
    (tmp_path / "JPEGImages" / "a b.png").rename(tmp_path / "JPEGImages" / "a b.jpg")
    assert {example.path.parent.name for example in read(tmp_path).examples} == {"JPEGImages"}


@pytest.mark.parametrize("masks", ["annotations/masks", "annotations", "masks", "a masks"])
def test_coco_images_with_masks_of_the_same_names(tmp_path: Path, masks: str) -> None:
    disk.coco(tmp_path, images="images", name="annotations/instances.json")
    for name in SCENES:
        disk.picture(tmp_path / masks / name)
    assert {example.path.parent.name for example in read(tmp_path).examples} == {"images"}


@pytest.mark.parametrize("written", ["images/{}", "train\\\\{}", "D:/photos/{}", "./{}", "elsewhere/deep/{}"])
@pytest.mark.parametrize("name", ["labels.json", "annotations/labels.json", "images/train/labels.json"])
def test_images_are_found_whatever_folders_are_written(tmp_path: Path, written: str, name: str) -> None:
    disk.coco(tmp_path, images="images/train", name=name)
    text = (tmp_path / name).read_text()
    (tmp_path / name).write_text(text.replace('"file_name": "', '"file_name": "' + written.format("")))
    assert {example.path.parent for example in read(tmp_path).examples} == {tmp_path / "images" / "train"}


@pytest.mark.parametrize("name", ["nul\0.png", "long" * 100 + ".png"])
def test_names_that_no_file_can_have_cost_no_other(tmp_path: Path, name: str) -> None:
    disk.coco(tmp_path / "coco")
    disk.change_coco(tmp_path / "coco", images=[{"id": 5, "file_name": name}])
    disk.table(tmp_path / "csv")
    with (tmp_path / "csv" / "boxes.csv").open("a") as file:
        file.write(f"\n{name},32,32,cat,1,2,3,4")
    disk.yolo_names(disk.yolo(tmp_path / "yolo"), "train: list.txt\nnames: [cat, dog]\n")
    (tmp_path / "yolo" / "list.txt").write_text("\n".join(f"images/{one}" for one in (*SCENES, name)), "utf-8")
    for root in (tmp_path / "coco", tmp_path / "csv", tmp_path / "yolo"):
        report = inspect(read(root))
        (fault,) = (fault for fault in report.faults if fault.drops)
        assert (fault.kind, fault.file.name) == ("missing", name.replace("\0", "\ufffd"))
        assert len(report.clean.examples) == 3


def test_half_a_character_in_a_name(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    disk.change_coco(tmp_path, images=[{"id": 5, "file_name": "half \ud800.png"}])
    (fault,) = inspect(read(tmp_path)).faults
    assert (fault.kind, fault.file) == ("missing", tmp_path / "half ?.png")
    assert fault.reason.endswith(" (no file of the data is called `half ?.png`)")


@pytest.mark.parametrize(
    ("value", "crowd"),
    [(1, True), (True, True), ("1", True), ("0", False), (0, False), ("no", False), (None, False), ([1], False)],
)
def test_coco_crowds_in_the_words_of_other_programs(tmp_path: Path, value: object, crowd: bool) -> None:
    disk.coco(tmp_path)
    obj = {"id": 9, "image_id": 20, "category_id": 3, "bbox": [0, 0, 9, 9], "iscrowd": value}
    disk.change_coco(tmp_path, annotations=[obj])
    assert read(tmp_path).examples[2].objects[0].crowd is crowd


def test_coco_crowds_are_kept(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    crowd = {"id": 9, "image_id": 20, "category_id": 3, "bbox": [0, 0, 9, 9], "iscrowd": 1, "segmentation": {}}
    disk.change_coco(tmp_path, annotations=[crowd])
    assert [obj.crowd for example in read(tmp_path).examples for obj in example.objects] == [False] * 3 + [True]


# VOC


def test_voc_beside_the_images_and_in_split_folders(tmp_path: Path) -> None:
    assert_all_there(read(disk.voc(tmp_path / "flat", folders=False)))
    disk.voc(tmp_path / "split" / "train", {"a.png": ((9, 9), [])}, folders=False)
    disk.voc(tmp_path / "split" / "valid", {"b.png": ((9, 9), [])}, folders=False)
    assert splits_of(read(tmp_path / "split")) == {"a.png": "train", "b.png": "val"}


def test_voc_lists_give_the_splits(tmp_path: Path) -> None:
    """Names with spaces; a list of one class is none of a split; trainval adds to train what the others leave."""
    disk.voc(tmp_path)
    disk.picture(tmp_path / "JPEGImages" / "bare 1.png")
    disk.voc_lists(
        tmp_path, trainval=["a b", "bare 1", "empty"], val=["a b"], test=["ёжик-日本.PNG"], cat_train=["a b 1"]
    )
    data = read(tmp_path)
    assert splits_of(data) == {"a b.png": "val", "ёжик-日本.PNG": "test", "bare 1.png": "train", "empty.png": "train"}
    assert data.faults == ()
    assert [len(example.objects) for example in data.split("val")] == [2]


def test_voc_images_that_no_list_names(tmp_path: Path) -> None:
    disk.voc_lists(disk.voc(tmp_path), train=["a b"], test=["nowhere"])
    data = read(tmp_path)
    assert splits_of(data) == {"a b.png": "train", "nowhere": "test"}
    (fault,) = data.faults
    assert (fault.kind, fault.drops) == ("unlisted", True)
    assert "2 others with XML are skipped (the first: empty.png)" in str(fault)


def test_voc_images_found_by_the_name_of_the_xml(tmp_path: Path) -> None:
    disk.voc(tmp_path)
    for path in (tmp_path / "JPEGImages").iterdir():
        path.rename(path.with_suffix(".JPG"))
    assert {example.path.suffix for example in read(tmp_path).examples} == {".JPG"}
    xml = tmp_path / "Annotations" / "a b.xml"
    xml.write_text(xml.read_text().replace("<filename>a b.png", "<filename>IMG_0001.jpeg"))
    assert "a b.JPG" in splits_of(read(tmp_path))


def test_voc_origin(tmp_path: Path) -> None:
    disk.voc(tmp_path, {"a.png": ((40, 30), [("cat", (1, 1, 40, 30))])})
    assert read(tmp_path).examples[0].objects[0].box == (1, 1, 40, 30)
    assert read(tmp_path, voc_origin=1).examples[0].objects[0].box == (0, 0, 40, 30)


def test_voc_files_that_cannot_be_understood(tmp_path: Path) -> None:
    disk.voc(tmp_path)
    xml = tmp_path / "Annotations" / "a b.xml"
    xml.write_text(xml.read_text().replace("<xmin>1</xmin>", "<xmin>left</xmin>"))
    (tmp_path / "Annotations" / "broken.xml").write_text("<annotation><object>")
    data = read(tmp_path)
    assert [(fault.file.name, fault.where) for fault in data.faults] == [("a b.xml", "object 1"), ("broken.xml", "")]
    assert len(data.examples) == 3
    assert data.examples[0].objects[0].name == "dog"


# YOLO


@pytest.mark.parametrize(
    ("images", "labels"),
    [("images", "labels"), ("images/train", "labels/train"), ("train/images", "train/labels"), ("train", "train")],
)
def test_yolo_folders_either_way_round(tmp_path: Path, images: str, labels: str) -> None:
    disk.yolo(tmp_path, images=images, labels=labels)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    data = read(tmp_path)
    assert_all_there(data)
    assert {example.split for example in data.examples} == {"train" if "train" in images else ""}


@pytest.mark.skipif(os.path.normcase("A") == "a", reason="names with other capitals are one there")
@pytest.mark.parametrize("images", ["Images", "images/train", "IMAGES/train"])
@pytest.mark.parametrize("labels", ["labels", "Labels", "LABELS"])
def test_yolo_folders_in_any_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: str, labels: str) -> None:
    disk.yolo_names(disk.yolo(tmp_path, images=images, labels=str(Path(labels, *Path(images).parts[1:]))))
    assert_all_there(read(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert_all_there(read(Path(".")))


@pytest.mark.parametrize(
    "text",
    [
        "path: ../datasets/pets\ntrain: images/train\nval: images/val\nnames: {0: cat, 1: dog}\n",
        "train: ../images/train\nval: ../images/val\nnc: 2\nnames: ['cat', 'dog']\n",
        "path: .\ntrain: [images/train]\nval: val.txt\nnames:\n  - cat\n  - dog\n",
    ],
)
def test_yolo_with_data_yaml(tmp_path: Path, text: str) -> None:
    parts = list(SCENES.items())
    disk.yolo(tmp_path, dict(parts[:2]), "images/train", "labels/train")
    disk.yolo(tmp_path, dict(parts[2:]), "images/val", "labels/val")
    (tmp_path / "val.txt").write_text("./images/val/empty.png\n")
    disk.yolo_names(tmp_path, text)
    for data in (read(tmp_path), read(tmp_path / "data.yaml")):
        assert_all_there(data)
        assert splits_of(data) == {"a b.png": "train", "ёжик-日本.PNG": "train", "empty.png": "val"}


def test_yolo_folders_that_do_not_exist_are_named(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "train: images\nval: elsewhere/val\nnames: [cat, dog]\n")
    data = read(tmp_path)
    assert len(data.split("train")) == 3
    (fault,) = data.faults
    assert fault.file == tmp_path / "data.yaml"
    assert fault.reason == "val: elsewhere/val does not exist, and nothing in the data ends so; its images are skipped"


def test_yolo_lines_that_cannot_be_understood(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path))
    lines = [
        "0 .5 .5 .2 .2",
        "",
        "cat .5 .5 .2 .2",
        "0 .5 .5 .2",
        "0 .5 .5 .2 .2 .9",
        "7 .5 .5 .2 .2",
        "0 .1 .1 .5 .1 .5 .4",
    ]
    (tmp_path / "labels" / "empty.txt").write_text("\n".join(lines))
    (tmp_path / "labels" / "orphan.txt").write_text("0 .5 .5 .2 .2")
    data = read(tmp_path)
    assert [(fault.kind, fault.where) for fault in data.faults] == [
        ("no-image", ""),
        ("unreadable", "line 3"),
        ("unreadable", "line 4"),
        ("unreadable", "line 5"),
    ]
    (example,) = (example for example in data.examples if example.path.name == "empty.png")
    assert [(obj.name, obj.where) for obj in example.objects] == [
        ("cat", "line 1"),
        ("id 7", "line 6"),
        ("cat", "line 7"),
    ]
    assert example.objects[2].box == pytest.approx((3.2, 3.2, 16, 12.8)), "the box around a polygon"


def test_yolo_without_names_has_numbers(tmp_path: Path) -> None:
    assert read(disk.yolo(tmp_path)).classes == ("0", "1")
    disk.yolo_names(tmp_path, "nc: 3\n")
    assert read(tmp_path).classes == ("0", "1", "2")


def test_yolo_settings_that_are_none(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "names: [cat\n")
    with pytest.raises(UserError, match=r"data\.yaml is not YAML"):
        read(tmp_path)


@pytest.mark.parametrize("names", ["{cat: 0, dog: 1}", "{0: cat, -1: dog}", "{no: cat}", "{0.5: cat}"])
def test_yolo_names_that_have_no_numbers(tmp_path: Path, names: str) -> None:
    disk.yolo_names(disk.yolo(tmp_path), f"names: {names}\n")
    with pytest.raises(UserError, match=r"data\.yaml, names: `.*` is no class number: write a list, or number: name"):
        read(tmp_path)


def test_yolo_classes_of_one_name_are_one(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "names: [cat, cat, emu]\n")
    data = read(tmp_path)
    assert data.classes == ("cat", "emu")
    assert {obj.name for example in data.examples for obj in example.objects} == {"cat"}
    assert [(fault.kind, fault.drops) for fault in data.faults] == [("same-name", False)]
    assert (
        str(data.faults[0])
        == f"{tmp_path / 'data.yaml'}, names: calls the classes 0 and 1 `cat`: they are one class here"
    )


# CSV


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("image;label;x1;y1;x2;y2\na.png;cat;1;2;5;7", (1, 2, 5, 7)),
        ("Path,Class Name,x,y,w,h\r\nphotos/a.png,cat,1,2,4,5\r\n", (1, 2, 5, 7)),
        ("file\tcategory\tx\ty\twidth\theight\na.png\tcat\t1\t2\t4\t5", (1, 2, 5, 7)),
        ("\tfilename\tclass\txmin\tymin\txmax\tymax\n0\ta.png\tcat\t1\t2\t5\t7", (1, 2, 5, 7)),
        ("\n \t\r\n;file;class;x1;y1;x2;y2\r\n0;a.png;cat;1;2;5;7\r\n", (1, 2, 5, 7)),
        ("\ufeffymax,xmax,ymin,xmin,class,filename\n7,5,2,1,cat,a.png", (1, 2, 5, 7)),
        ('id,"filename",xmin,ymin,xmax,ymax,class\n3,"a.png",1,2,5,7,cat', (1, 2, 5, 7)),
    ],
)
def test_csv_with_the_headers_that_people_use(tmp_path: Path, text: str, box: tuple[float, ...]) -> None:
    disk.picture(tmp_path / "a.png")
    (tmp_path / "labels.CSV").write_text(text, encoding="utf-8", newline="")
    (example,) = read(tmp_path).examples
    assert example.path == tmp_path / "a.png"
    assert [(obj.name, obj.box) for obj in example.objects] == [("cat", box)]


def test_csv_cells_that_were_protected_from_spreadsheets(tmp_path: Path) -> None:
    disk.picture(tmp_path / "-a.png")
    (tmp_path / "boxes.csv").write_text("image,class,x1,y1,x2,y2\n'-a.png,'=2+3,1,2,10,20\n-a.png,''+x,1,2,9,9\n")
    data = read(tmp_path)
    assert data.classes == ("'+x", "=2+3")
    assert [one.path.name for one in data.examples] == ["-a.png"]


def test_csv_with_splits(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        disk.picture(tmp_path / name)
    rows = ["a.png,cat,1,2,5,7,train", "b.png,cat,1,2,5,7,validation", "a.png,dog,3,2,5,7,train"]
    (tmp_path / "boxes.csv").write_text("\n".join(["file,class,xmin,ymin,xmax,ymax,split", *rows]))
    data = read(tmp_path)
    assert splits_of(data) == {"a.png": "train", "b.png": "val"}
    assert [obj.where for obj in data.examples[0].objects] == ["line 2", "line 4"]
    (tmp_path / "test_labels.csv").write_text("file,class,xmin,ymin,xmax,ymax\nc.png,cat,1,2,5,7")
    assert splits_of(read(tmp_path))["c.png"] == "test"


def test_csv_rows_that_cannot_be_understood(tmp_path: Path) -> None:
    disk.table(tmp_path)
    with (tmp_path / "boxes.csv").open("a") as file:
        file.write("\nempty.png,32,32,cat,1,2,three,4\n,32,32,cat,1,2,3,4\nempty.png,32\n")
    data = read(tmp_path)
    assert [(fault.kind, fault.where) for fault in data.faults] == [("unreadable", "line 7"), ("unreadable", "line 6")]
    assert len(data.examples) == 3


# What is no data


def test_a_path_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "nuclei").mkdir()
    with pytest.raises(UserError, match=r"nuclie does not exist \(did you mean `.*nuclei`\?\)"):
        read(tmp_path / "nuclie")


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("")
    with pytest.raises(UserError, match="is empty: name a folder with images and their annotations"):
        read(tmp_path)


def test_a_folder_of_another_format_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        disk.picture(tmp_path / name)
    (tmp_path / "labels.json").write_text('{"shapes": []}')
    (tmp_path / "notes.txt").write_text("five words that say nothing")
    (tmp_path / "data.csv").write_text("one,two\n1,2")
    (tmp_path / "page.xml").write_text("<html/>")
    with pytest.raises(UserError, match=r"looked for COCO JSON, .*; found 2 \.png, 1 \.csv, 1 \.json, 1 \.txt"):
        read(tmp_path)


def test_two_formats_in_one_folder_are_noted(tmp_path: Path) -> None:
    data = read(disk.table(disk.coco(tmp_path)))
    assert data.format == "coco"
    assert [(fault.kind, fault.drops) for fault in data.faults] == [("several-formats", False)]


def test_images_in_no_split_among_others_are_for_training(tmp_path: Path) -> None:
    disk.coco(tmp_path, {"a.png": ((20, 20), [])})
    disk.coco(tmp_path / "test", {"b.png": ((20, 20), [])})
    data = read(tmp_path)
    assert splits_of(data) == {"a.png": "train", "b.png": "test"}
    assert [(fault.kind, fault.drops) for fault in data.faults] == [("no-split", False)]


def predicted(folder: Path) -> Path:
    """What `predict` leaves behind, with a picture of each kind."""
    for name in ("pictures/a b.png", "pictures/bb.png", "crops/dog/ccc-1.png"):
        disk.picture(folder / name)
    (folder / "predictions.json").write_text("[]")
    (folder / "predictions.csv").write_text("image,class,score,x1,y1,x2,y2\na b.png,dog,0.9,1,2,3,4\n")
    return folder


@pytest.mark.parametrize("kind", WRITERS)
def test_predictions_in_a_folder_are_no_data(tmp_path: Path, kind: str) -> None:
    root = WRITERS[kind](tmp_path)
    alone = read(root)
    first = predicted(root / "a" / "predictions")
    predicted(root / "predictions")
    data = read(root)
    assert (data.examples, data.classes, data.unnamed) == (alone.examples, alone.classes, alone.unnamed)
    (fault,) = data.faults
    assert (fault.kind, fault.drops) == ("predictions", False)
    assert fault.reason == f"2 folders of predictions skipped (the first: {first})"


def test_predictions_that_are_named_are_data(tmp_path: Path) -> None:
    data = read(predicted(tmp_path / "predictions"))
    assert scenes_of(data) == {"a b.png": ((0, 0), [("dog", (1, 2, 3, 4))])}
    assert [fault.kind for fault in data.faults] == ["scored"]
    with pytest.raises(UserError, match="holds only predictions: name a folder with images"):
        read(tmp_path)


def test_one_of_the_two_files_makes_no_predictions(tmp_path: Path) -> None:
    """A table may be called so."""
    disk.table(tmp_path / "mine")
    (tmp_path / "mine" / "boxes.csv").rename(tmp_path / "mine" / "predictions.csv")
    assert_all_there(read(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_once(tmp_path: Path) -> None:
    disk.coco(tmp_path / "there")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "there", target_is_directory=True)
    (tmp_path / "there" / "round").symlink_to(tmp_path / "there", target_is_directory=True)
    data = read(tmp_path / "data", follow_outside=True)
    assert [fault.kind for fault in data.faults] == ["outside-folder"]
    assert_all_there(replace(data, faults=()))
