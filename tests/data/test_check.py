"""`pocketrcnn check`: every fault with its file, object and reason; what is valid goes on.

Covers `data/annotations.py`, `data/overview.py`, `data/kinds.py`.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import datasets_on_disk as disk
import pytest
from datasets_on_disk import Scenes
from shell import Shell

from pocketrcnn.data import check as checking
from pocketrcnn.data import class_names
from pocketrcnn.data.annotations import Report, Written
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.images.notes import Note

SIZE = (40, 30)


def checked(root: Path) -> Report:
    return inspect(read(root))


def kinds(report: Report) -> list[str]:
    return [fault.kind for fault in report.faults]


def one_box(root: Path, *bboxes: object, category: int = 3) -> Report:
    """The report on one image of 40x30 with these COCO boxes."""
    disk.coco(root, {"a.png": (SIZE, [("cat", (1, 1, 5, 5)), ("dog", (1, 1, 5, 5))])})
    records = [{"id": 70 + i, "image_id": 0, "category_id": category, "bbox": box} for i, box in enumerate(bboxes)]
    disk.change_coco(root, annotations=records)
    return checked(root)


def boxes(report: Report) -> list[tuple[float, ...]]:
    """Those that were added."""
    return [obj.box for example in report.clean.examples for obj in example.objects][2:]


@pytest.mark.parametrize("write", [disk.coco, disk.voc, disk.table])
def test_valid_data_have_no_faults(tmp_path: Path, write: object) -> None:
    report = checked(write(tmp_path))  # type: ignore[operator]
    assert report.faults == ()
    assert not report.drops
    assert report.clean == read(tmp_path)
    assert report.summary["images"] == 3
    assert report.summary["images_without_objects"] == 1
    cat, dog = report.summary["classes"]
    assert (cat["name"], cat["objects"], cat["images"]) == ("cat", 1, 1)
    assert cat["side"]["median"] == pytest.approx(200**0.5)
    assert (dog["objects"], dog["side"]["max"]) == (2, pytest.approx((64 * 48) ** 0.5))


@pytest.mark.parametrize(
    ("bbox", "kind", "reason"),
    [
        ([5, 5, 0, 10], "zero-size", "box has no area (cat 5, 5, 0, 10)"),
        ([40, 5, 10, 10], "outside", "box is outside the image of 40x30"),
        ([-10, 5, 10, 10], "outside", "box is outside"),
        ([5, 5, float("nan"), 10], "not-finite", "box has a coordinate that is not finite"),
        ([5, 5, float("inf"), 10], "not-finite", "box has a coordinate that is not finite"),
        ([1, 1, 4, 4], "duplicate", "has the same class and box as another object (cat 1, 1, 4, 4)"),
    ],
)
def test_objects_that_are_dropped(tmp_path: Path, bbox: list[float], kind: str, reason: str) -> None:
    report = one_box(tmp_path, bbox)
    (fault,) = report.faults
    assert (fault.kind, fault.drops) == (kind, True)
    assert fault.file == tmp_path / "_annotations.coco.json"
    assert fault.where == "a.png, annotation 70"
    assert reason in fault.reason
    assert boxes(report) == []
    assert len(report.clean.examples[0].objects) == 2, "the others stay"


@pytest.mark.parametrize(
    ("bbox", "kind", "fixed"),
    [
        ([10, 20, -5, -6], ["negative-size"], (5, 14, 10, 20)),
        ([30, 20, 20, 5], ["clipped"], (30, 20, 40, 25)),
        ([-5, -4, 50, 40], ["clipped"], (0, 0, 40, 30)),
        ([38, 20, -40, 20], ["negative-size", "clipped"], (0, 20, 38, 30)),
        ([-0.5, 0, 41, 30.75], [], (0, 0, 40, 30)),
    ],
)
def test_objects_that_are_fixed(tmp_path: Path, bbox: list[float], kind: list[str], fixed: tuple[float, ...]) -> None:
    report = one_box(tmp_path, bbox)
    assert kinds(report) == kind
    assert not report.drops
    assert boxes(report) == [fixed]


def test_inverted_corners_are_exchanged(tmp_path: Path) -> None:
    report = checked(disk.voc(tmp_path, {"a.png": (SIZE, [("cat", (20, 5, 10, 15))])}))
    assert [str(fault) for fault in report.faults] == [
        f"{tmp_path / 'Annotations' / 'a.xml'}, object 1: box has its corners in the wrong order; "
        "they are exchanged (cat 20, 5, 10, 15)"
    ]
    assert report.clean.examples[0].objects[0].box == (10, 5, 20, 15)


def test_unknown_classes(tmp_path: Path) -> None:
    report = one_box(tmp_path, [1, 2, 3, 4], category=99)
    assert kinds(report) == ["unknown-class"]
    assert "class `id 99` is not one of cat, dog" in report.faults[0].reason
    disk.yolo_names(disk.yolo(tmp_path / "yolo"), "names: [cat]\n")
    assert kinds(checked(tmp_path / "yolo")) == ["unknown-class"] * 2
    disk.voc(tmp_path / "voc", {"a.png": (SIZE, [("cta", (1, 1, 5, 5)), ("cat", (1, 1, 5, 5))])})
    (tmp_path / "voc" / "classes.txt").write_text("cat\n")
    assert "class `cta` (did you mean `cat`?) is not one of cat" in checked(tmp_path / "voc").faults[0].reason


def test_the_nearest_of_an_unknown_class_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(class_names, "nearest", lambda name, _: asked.append(name) or " (did you mean?)")
    boxes = [("cta", (float(i), 1.0, 30.0, 20.0)) for i in range(9)]
    disk.voc(tmp_path, {"a.png": (SIZE, [("cat", (1, 2, 3, 4)), *boxes]), "b.png": (SIZE, boxes)})
    (tmp_path / "classes.txt").write_text("cat\n")
    report = checked(tmp_path)
    assert kinds(report) == ["unknown-class"] * 18
    assert all("class `cta` (did you mean?) is not one of cat (cta " in fault.reason for fault in report.faults)
    assert asked == ["cta"]


def test_tens_of_thousands_of_unknown_classes_are_not_compared_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(class_names, "nearest", lambda name, _: asked.append(name) or "")
    classes = class_names.Classes([f"class {i}" for i in range(class_names.COMPARED // 4)])
    assert [classes.meant(f"clas {i}") for i in range(30_000)] == [""] * 30_000
    assert len(asked) == 4


def test_names_of_any_length_are_shortened(tmp_path: Path, shell: Shell) -> None:
    disk.voc(tmp_path, {"a.png": (SIZE, [("cat", (1, 2, 3, 4)), ("x" * 9000, (1, 2, 9, 9))])})
    (tmp_path / "classes.txt").write_text("cat\n")
    assert max(map(len, shell("check", tmp_path).out.splitlines())) < 400


def test_class_names_do_not_steer_the_terminal(tmp_path: Path, shell: Shell) -> None:
    disk.table(tmp_path, {"a.png": (SIZE, [("do\x1b[31mg", (1, 2, 9, 9))])})
    code, out, _ = shell("check", tmp_path)
    assert (code, "\x1b" in out, r"do\x1b[31mg" in out) == (0, False, True)


def test_images_that_are_missing_or_broken_cost_no_other(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    (tmp_path / "a b.png").write_text("<!DOCTYPE html><html>404</html>")
    (tmp_path / "ёжик-日本.PNG").unlink()
    report = checked(tmp_path)
    html, missing, *_ = report.faults
    assert (html.kind, html.file, html.drops) == ("broken", tmp_path / "a b.png", True)
    assert "HTML page" in html.reason
    assert "; its 2 objects are skipped" in html.reason
    assert (missing.kind, missing.file, missing.drops) == ("missing", tmp_path / "ёжик-日本.PNG", True)
    assert [example.path.name for example in report.clean.examples] == ["empty.png"]


def test_the_boxes_of_a_missing_image_are_on_no_other(tmp_path: Path) -> None:
    for folder, size in (("batchA", SIZE), ("batchB", (20, 20))):
        disk.coco(tmp_path / folder, {"1.png": (size, [("cat", (1, 1, 5, 5)), ("dog", (1, 1, 5, 5))])})
    (tmp_path / "batchA" / "1.png").unlink()
    report = checked(tmp_path)
    assert [str(fault) for fault in report.faults] == [
        f"{tmp_path / 'batchA' / '1.png'}: is not there: name an image file "
        f"({tmp_path / 'batchB' / '1.png'} has its name, and is the image of something else); its 2 objects are skipped"
    ]
    assert [(example.path.parent.name, len(example.objects)) for example in report.clean.examples] == [("batchB", 2)]


def test_a_truncated_image_is_broken(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    whole = (tmp_path / "empty.png").read_bytes()
    (tmp_path / "empty.png").write_bytes(whole[:-30])
    assert kinds(checked(tmp_path)) == ["broken"]


@pytest.mark.parametrize(("size", "turned"), [((400, 300), False), ((30, 40), True)])
def test_another_size_than_stated_is_reported_and_boxes_stay(
    tmp_path: Path, size: tuple[int, int], turned: bool
) -> None:
    disk.coco(tmp_path, {"a.png": (size, [("cat", (1, 1, 5, 5)), ("dog", (1, 1, 5, 5))])})
    disk.picture(tmp_path / "a.png", SIZE)
    report = checked(tmp_path)
    assert kinds(report) == ["size"]
    assert not report.drops
    assert f"is 40x30, its annotation says {size[0]}x{size[1]}" in report.faults[0].reason
    assert ("EXIF" in report.faults[0].reason) == turned
    assert report.clean.examples[0].size == SIZE
    assert report.clean.examples[0].objects[0].box == (1, 1, 5, 5)


def test_the_same_image_in_two_splits_stays_in_test(tmp_path: Path) -> None:
    """Under another name: the content tells."""
    for split, name in (("train", "a.png"), ("val", "b.png"), ("test", "c.png"), ("train", "d.png")):
        disk.coco(tmp_path / split, {name: (SIZE, [("cat", (1, 1, 5, 5)), ("dog", (1, 1, 5, 5))])}, name=f"{name}.json")
    for copy in ("train/a.png", "val/b.png"):
        shutil.copy(tmp_path / "test" / "c.png", tmp_path / copy)
    report = checked(tmp_path)
    assert kinds(report) == ["two-splits", "two-splits"]
    assert f"is in train and in test (as {tmp_path / 'test' / 'c.png'})" in str(report.faults[0])
    assert report.drops
    assert {example.path.name: example.split for example in report.clean.examples} == {
        "c.png": "test",
        "d.png": "train",
    }


def test_training_and_validation_on_the_same_folder(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "train: images\nval: images\nnames: [cat, dog]\n")
    report = checked(tmp_path)
    assert kinds(report) == ["same-split"], "nothing is divided, and no image is lost"
    assert {example.split for example in report.clean.examples} == {""}


def test_copies_stay_within_a_split_and_go_before_there_are_splits(tmp_path: Path) -> None:
    disk.coco(tmp_path / "train", {name: (SIZE, [("cat", (1, 1, 5, 5))]) for name in ("a.png", "b.png")})
    shutil.copy(tmp_path / "train" / "a.png", tmp_path / "train" / "b.png")
    for root, left in ((tmp_path, 2), (tmp_path / "train", 1)):
        report = checked(root)
        assert kinds(report)[0] == "copy"
        assert len(report.clean.examples) == left
        assert not report.drops, "the other one is there"


def test_a_file_that_is_listed_twice_keeps_all_objects(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    more = [{"image_id": 77, "category_id": 17, "bbox": [0, 0, 6, 6]}]
    disk.change_coco(tmp_path, images=[{"id": 77, "file_name": "a b.png"}], annotations=more)
    report = checked(tmp_path)
    assert kinds(report) == ["listed-twice"]
    assert [len(example.objects) for example in report.clean.examples] == [3, 1, 0]


def test_a_class_without_examples_in_training_is_a_note(tmp_path: Path) -> None:
    disk.coco(tmp_path / "train", {"a.png": (SIZE, [("cat", (1, 1, 5, 5))])})
    disk.coco(tmp_path / "test", {"bb.png": (SIZE, [("dog", (1, 1, 5, 5))])})
    report = checked(tmp_path)
    assert [(fault.kind, fault.drops) for fault in report.faults] == [("class-without-examples", False)]
    assert "class `dog` has no objects in training" in str(report.faults[0])


def test_a_class_of_crowds_alone_has_no_examples(tmp_path: Path) -> None:
    disk.coco(tmp_path, {"a.png": (SIZE, [("cat", (1, 1, 5, 5))])})
    crowd = {"id": 9, "image_id": 0, "category_id": 17, "bbox": [0, 0, 9, 9], "iscrowd": 1}
    disk.change_coco(tmp_path, annotations=[crowd])
    report = checked(tmp_path)
    assert kinds(report) == ["class-without-examples"]
    assert "class `dog` has no objects: it cannot be learned" in str(report.faults[0])


def test_predictions_in_the_data_are_noted(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data")
    for name in ("predictions.json", "predictions.csv"):
        (disk.picture(tmp_path / "data" / "found" / "a.png").parent / name).write_text("")
    code, out, _ = shell("check", tmp_path / "data", "--fix", tmp_path / "fixed")
    assert code == 0
    assert "1 warning (predictions):\n" in out
    assert f"1 folder of predictions skipped (the first: {tmp_path / 'data' / 'found'})" in out
    assert "not used" not in out
    assert (tmp_path / "fixed" / "fixes.txt").read_text().startswith("warning: predictions: ")


def test_data_that_training_refuses_are_told(tmp_path: Path, shell: Shell) -> None:
    disk.yolo_names(disk.yolo(tmp_path / "test alone"), "test: images\nnames: [cat, dog]\n")
    disk.write_json(tmp_path / "empty" / "a.json", {"images": [], "annotations": [], "categories": []})
    (fault,) = checked(tmp_path / "test alone").faults
    assert fault.kind == "no-training-images"
    assert "has images for test, but none for training" in str(fault)
    for name in ("test alone", "empty"):
        assert shell("check", tmp_path / name).code == 1
        assert "has no training images" in shell.refused("train", tmp_path / name, "--out", tmp_path / "run")


def test_ten_thousand_objects_in_an_image(tmp_path: Path) -> None:
    scene: Scenes = {"a.png": ((200, 200), [("cat", (x, y, x + 2, y + 2)) for x in range(100) for y in range(100)])}
    report = checked(disk.table(tmp_path, scene))
    assert report.faults == ()
    assert report.summary["objects_per_image"] == {"mean": 10_000, "max": 10_000}


def test_one_image_of_one_class(tmp_path: Path, shell: Shell) -> None:
    disk.voc(tmp_path, {"a.png": ((2, 2), [("cat", (0, 0, 2, 2))])})
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert "voc, 1 image, 1 object" in out


def test_memory_is_that_of_two_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pixels outlive the look at them."""
    scenes: Scenes = {f"{i}.png": ((i + 1, 9), []) for i in range(50)}
    looks, decode = [], checking.decode
    monkeypatch.setattr(checking, "decode", lambda path, pages: looks.append(decode(path)) or looks[-1])
    checked(disk.coco(tmp_path, scenes))
    assert sorted(look.size for look in looks) == [(i + 1, 9) for i in range(50)]
    assert all(len(look.digest) == 32 for look in looks)


def named_by_nobody(root: Path) -> dict[str, object]:
    return checked(root).summary["unnamed"]


def test_images_that_no_annotation_names_are_noted(tmp_path: Path) -> None:
    """Not where images have other endings than stated, no objects, or stand in a list alone."""
    disk.voc_lists(disk.voc(tmp_path / "voc"), train=["a b", "ёжик-日本", "empty", "bare"])
    disk.picture(tmp_path / "voc" / "JPEGImages" / "bare.png")
    (tmp_path / "voc" / "JPEGImages" / "a b.png").rename(tmp_path / "voc" / "JPEGImages" / "a b.jpg")
    disk.coco(tmp_path / "coco", images="images", name="annotations/instances.json")
    disk.table(tmp_path / "csv")
    disk.yolo_names(disk.yolo(tmp_path / "yolo"), "train: images\nnames: [cat, dog]\n")
    disk.yolo(tmp_path / "bare yolo")
    roots = sorted(path for path in tmp_path.iterdir())
    for root in roots:
        assert named_by_nobody(root) == {"images": 0, "first": None, "folders": []}
    for root in roots:
        extra = disk.picture(root / "zz" / "extra.png")
        disk.picture(root / "zz" / "more.png")
        assert named_by_nobody(root) == {"images": 2, "first": str(extra), "folders": ["zz"]}
        assert not checked(root).drops


def test_a_link_to_an_image_that_is_named_is_no_other(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    try:
        (tmp_path / "link.png").symlink_to(tmp_path / "a b.png")
    except OSError:
        pytest.skip("links need rights here")
    assert named_by_nobody(tmp_path)["images"] == 0


def test_channels_and_depth(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    disk.Image.new("L", (64, 48)).save(tmp_path / "ёжик-日本.PNG", "PNG")
    disk.Image.new("I;16", (32, 32)).save(tmp_path / "empty.png")
    (tmp_path / "a b.png").write_text("<html>")
    assert checked(tmp_path).summary["pixels"] == [
        {"colours": "grey", "bits": 8, "images": 1},
        {"colours": "grey", "bits": 16, "images": 1},
    ]


# The command


def test_notes_in_the_overview_cost_nothing(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path)
    assert "that no annotation names" not in shell("check", tmp_path).out
    disk.picture(tmp_path / "extra.png")
    disk.Image.new("I;16", (32, 32)).save(tmp_path / "empty.png")
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert "\n  pixels: RGB 8-bit (2), grey 16-bit (1)\n" in out
    line = f"\n  not used: 1 image that no annotation names (the first: {tmp_path / 'extra.png'})\n"
    assert line in out.replace("\n    ", " ")
    result = json.loads(shell("check --json", tmp_path).out)["summary"]
    assert result["unnamed"] == {"images": 1, "first": str(tmp_path / "extra.png"), "folders": []}
    assert result["pixels"][0] == {"colours": "RGB", "bits": 8, "images": 2}


def test_exit_code_and_lines(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path)
    assert shell("check", tmp_path).code == 0
    records = [{"id": i, "image_id": 0, "category_id": 3, "bbox": [i, 1, 0, 5]} for i in range(30)]
    disk.change_coco(tmp_path, annotations=records)
    code, out, err = shell("check", tmp_path)
    assert (code, err) == (1, "")
    assert "30 objects skipped (zero-size), draw these boxes again, or remove them:\n" in out
    assert "a b.png, annotation 2: box has no area (cat 2, 1, 0, 5)" in out
    assert "annotation 3:" not in out
    assert "and 27 more (--json lists all)" in out
    assert "30 faults with skipped images or objects" in out
    assert "…" not in out


def test_json_has_everything(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path)
    disk.change_coco(tmp_path, annotations=[{"id": i, "image_id": 0, "bbox": None} for i in range(30)])
    code, out, _ = shell("check --json", tmp_path)
    result = json.loads(out)
    assert code == 1
    assert len(result["faults"]) == result["summary"]["dropped"] == 30
    assert set(result["faults"][0]) == {"kind", "file", "where", "reason", "drops"}
    assert result["summary"]["splits"] == {"": {"images": 3, "objects": 3}}
    assert result["summary"]["faults"] == {"unreadable": 30}
    assert set(result) == {"summary", "faults", "refused"}
    assert {"format", "data", "images", "objects", "crowds", "splits", "classes", "faults"} < set(result["summary"])


def test_voc_origin_of_the_command(tmp_path: Path, shell: Shell) -> None:
    disk.voc(tmp_path, {"a.png": (SIZE, [("cat", (1, 1, 40, 30))])})
    sides = [
        json.loads(shell(f"check --json --voc-origin {origin}", tmp_path).out)["summary"]["classes"][0]["side"]["max"]
        for origin in (0, 1)
    ]
    assert sides == [pytest.approx((39 * 29) ** 0.5), pytest.approx(1200**0.5)]


def test_fix_writes_a_copy_without_faults(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data" / "train", {"a.png": (SIZE, [("cat", (1, 1, 5, 5)), ("dog", (1, 1, 9, 5))])})
    disk.coco(tmp_path / "data" / "test", {"bb.png": (SIZE, [("cat", (1, 1, 5, 5))])})
    disk.picture(tmp_path / "data" / "test" / "bb.png", (41, 31))
    bad = [{"id": 5, "image_id": 0, "category_id": 3, "bbox": box} for box in ([9, 9, -3, -3], [5, 5, 0, 4])]
    disk.change_coco(tmp_path / "data" / "train", annotations=bad, images=[{"id": 9, "file_name": "gone.png"}])
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    code, out, _ = shell("check", tmp_path / "data", "--fix", tmp_path / "fixed")
    assert code == 1
    assert f"fixed copy: {tmp_path / 'fixed'}" in out
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()} == before
    verbs = [line.split(": ")[:2] for line in (tmp_path / "fixed" / "fixes.txt").read_text().splitlines()]
    assert sorted(verbs) == [
        ["fixed", "negative-size"],
        ["skipped", "missing"],
        ["skipped", "zero-size"],
        ["warning", "size"],
    ]
    again = checked(tmp_path / "fixed")
    assert again.faults == ()
    assert [(example.split, len(example.objects)) for example in again.clean.examples] == [("test", 1), ("train", 3)]
    assert (tmp_path / "fixed" / "train" / "a.png").read_bytes() == before[tmp_path / "data" / "train" / "a.png"]


def test_fix_says_what_the_copy_lacks(tmp_path: Path, shell: Shell) -> None:
    data = disk.coco(tmp_path / "data")
    shell("check", data, "--fix", tmp_path / "one")
    assert (tmp_path / "one" / "fixes.txt").read_text() == (
        "no faults: this is a copy of images, boxes, classes, crowds and splits\n"
    )
    polygon = {"image_id": 20, "category_id": 3, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 3, 4, 5, 6]]}
    disk.change_coco(data, annotations=[{"id": 8, **polygon}, {"id": 9, **polygon, "bbox": [1, 2, 5, 4]}])
    out = shell("check", data, "--fix", tmp_path / "two").out
    assert "\nnot carried over: segmentation of 2 objects\n" in out
    assert (tmp_path / "two" / "fixes.txt").read_text().splitlines()[1:] == [
        "not carried over: segmentation of 2 objects"
    ]
    assert "\n  not read: segmentation of 2 objects\n" in shell("check", data).out


def test_fields_that_are_not_read_are_named(tmp_path: Path, shell: Shell) -> None:
    fields = {f"field {i}": i + 1 for i in range(12)}
    disk.coco(tmp_path)
    disk.change_coco(
        tmp_path, annotations=[{"id": 8, "image_id": 20, "category_id": 3, "bbox": [1, 2, 3, 4], **fields}]
    )
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert "  not read: field 0 of 1 object, field 1 of 1 object" in out
    assert " and 4 other fields\n" in out
    assert len(json.loads(shell("check --json", tmp_path).out)["summary"]["not_carried_over"]) == 12


def test_notes_of_images_are_counted_once_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = checking.decode
    note = Note("pages", "holds 3 pages")
    monkeypatch.setattr(checking, "decode", lambda path, pages: replace(decode(path), notes=(note,)))
    report = checked(disk.coco(tmp_path))
    assert [(fault.kind, fault.drops) for fault in report.faults] == [("pages", False)]
    assert str(report.faults[0]) == f"{tmp_path / 'a b.png'}: holds 3 pages (and so 2 other images)"


@pytest.mark.parametrize("write", [disk.coco, disk.voc, disk.table, disk.yolo])
def test_the_numbers_of_the_file_are_kept(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    """They say the same as the box, in the shape and units of the format."""
    examples = read(write(tmp_path)).examples
    one = next(obj for example in examples if example.path.name == "a b.png" for obj in example.objects)
    written = {
        disk.coco: Written((1, 2, 10, 20), "xywh"),
        disk.yolo: Written((6 / 40, 12 / 30, 10 / 40, 20 / 30), "cxcywh", "fractions"),
    }
    assert one.box == pytest.approx((1, 2, 11, 22))
    assert one.written == written.get(write, Written((1, 2, 11, 22), "xyxy"))


def test_fix_never_writes_into_what_is_there(tmp_path: Path, shell: Shell) -> None:
    data = disk.coco(tmp_path / "data")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    assert "full is not empty: name an empty or a new folder" in shell.refused(
        "check", data, "--fix", tmp_path / "full"
    )
    assert "is a file: name a new folder" in shell.refused("check", data, "--fix", tmp_path / "full" / "thesis.tex")
    assert "is inside the data" in shell.refused("check", data, "--fix", data / "fixed")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    (tmp_path / "new").mkdir()
    assert shell("check", data, "--fix", tmp_path / "new").code == 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing is left behind"


def test_fix_of_data_without_a_valid_image(tmp_path: Path, shell: Shell) -> None:
    data = disk.coco(tmp_path / "data")
    for path in data.glob("*.[pP]*"):
        path.write_text("<html>")
    assert "has no valid image: there is nothing to write" in shell.refused("check", data, "--fix", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", ["check {data} --fix {out}", "convert {data} {out} --to coco"])
def test_output_that_is_read_only(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    data = disk.coco(tmp_path / "data")
    make = Path.mkdir

    def forbidden(path: Path, *given: object, **named: object) -> None:
        if "sealed" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        make(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", forbidden)
    line = shell.refused(words.format(data=data, out=tmp_path / "sealed" / "out"))
    assert (
        "sealed/out cannot be written (Permission denied): free some space, allow writing there, or choose another"
        in line
    )


@pytest.mark.parametrize("command", ["check {}", "convert {} out --to yolo"])
def test_what_is_no_data(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    disk.picture(tmp_path / "photos" / "a.png")
    assert "empty is empty: name a folder with images" in shell.refused(command.format("empty"))
    assert "photos has images and no annotations: annotate them" in shell.refused(command.format("photos"))
    assert "photso does not exist (did you mean `photos`?)" in shell.refused(command.format("photso"))
    assert not (tmp_path / "out").exists()
