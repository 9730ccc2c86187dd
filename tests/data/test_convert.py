"""`pocketrcnn convert`: boxes, classes, crowds and splits that go in come out, through every format.

Covers `data/formats/writing.py`, `data/formats/table_writing.py`, `data/repair.py`.
"""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import datasets_on_disk as disk
import pytest
import yaml
from disks import full
from hypothesis import given, settings
from hypothesis import strategies as st
from shell import Shell

from pocketrcnn.data.annotations import Annotations, Box, Example, Object
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read, write
from pocketrcnn.data.overview import not_carried_over
from pocketrcnn.errors import UserError

CLASSES = ("cat", "a dog", "Ёж & <co>: 1", "never used")
SIDES = st.integers(16, 60)
LETTERS = st.characters(exclude_categories=("C", "Z"), exclude_characters="_-") | st.sampled_from("éß猫苹果사과дом")
WORDS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda word: word.casefold() != "background")


@st.composite
def objects(draw: st.DrawFn, width: int, height: int) -> Object:
    """An object inside an image, at any place that a float can say, but the first pixel: boxes there are fractions."""
    x1, y1 = draw(st.floats(0, width - 1)), draw(st.floats(0, height - 1))
    x2, y2 = draw(st.floats(max(x1 + 0.01, 1.5), width)), draw(st.floats(y1 + 0.01, height))
    return Object((x1, y1, x2, y2), draw(st.sampled_from(CLASSES[:3])), crowd=draw(st.integers(0, 9)) == 0)


@st.composite
def examples(draw: st.DrawFn) -> list[Example]:
    """Images of any size with up to three objects, all in splits or none."""
    splits = draw(st.sampled_from([("",), ("train", "val"), ("train", "val", "test")]))
    made = []
    for i, (width, height) in enumerate(draw(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=4))):
        drawn = draw(st.lists(objects(width, height), max_size=3, unique_by=lambda obj: (obj.box, obj.name)))
        path = Path(f"картина {i} {splits[i % len(splits)]}.png")
        made.append(Example(path, tuple(drawn), splits[i % len(splits)], (width, height)))
    return made


def on_disk(root: Path, made: list[Example]) -> Annotations:
    """The same with images that exist."""
    kept = []
    for i, example in enumerate(made):
        path = root / example.path
        path.parent.mkdir(parents=True, exist_ok=True)
        assert example.size
        picture = disk.Image.new("RGB", example.size, (i, 100, 200))
        picture.save(path)
        kept.append(Example(path, example.objects, example.split, example.size))
    return Annotations("coco", root, CLASSES, tuple(kept))


def same(before: Annotations, after: Annotations, crowds: bool) -> None:
    """Boxes to a thousandth of a pixel (far better in practice), everything else exactly."""
    assert after.classes == before.classes
    theirs = {example.path.name: example for example in after.examples}
    assert set(theirs) == {example.path.name for example in before.examples}
    for ours in before.examples:
        copied = theirs[ours.path.name]
        assert (copied.split, copied.size) == (ours.split, ours.size)
        assert copied.path.read_bytes() == ours.path.read_bytes()
        kept = [obj for obj in ours.objects if crowds or not obj.crowd]
        assert [(obj.name, obj.crowd) for obj in copied.objects] == [(obj.name, obj.crowd) for obj in kept]
        for one, other in zip(copied.objects, kept, strict=True):
            assert one.box == pytest.approx(other.box, abs=1e-9)


def said(one: Example) -> list[tuple[Box, str, bool]]:
    """The objects of an image, without where they stand in a file."""
    return [(obj.box, obj.name, obj.crowd) for obj in one.objects]


def through(start: Annotations, root: Path, *kinds: str) -> Annotations:
    """Written and read in one format after the other."""
    copied = start
    for i, kind in enumerate(kinds):
        write(copied, root / f"{i} {kind}", kind)
        copied = inspect(read(root / f"{i} {kind}")).clean
        assert copied.format == kind
    return copied


@settings(max_examples=12, deadline=None)
@given(examples())
def test_round_trips_lose_nothing(made: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = on_disk(Path(folder) / "start", made)
        same(start, through(start, Path(folder), "coco", "voc", "coco"), crowds=True)
        same(start, through(start, Path(folder) / "also yolo", "coco", "voc", "yolo", "coco"), crowds=False)


@settings(max_examples=12, deadline=None)
@given(examples())
def test_voc_keeps_every_digit(made: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = on_disk(Path(folder) / "start", made)
        copied = through(start, Path(folder), "voc")
        boxes = {example.path.name: [obj.box for obj in example.objects] for example in copied.examples}
        assert boxes == {example.path.name: [obj.box for obj in example.objects] for example in start.examples}


@settings(max_examples=12, deadline=None)
@given(examples())
def test_csv_keeps_every_digit_crowd_and_split(made: list[Example]) -> None:
    """Everything but classes that no object is of, and the order of classes."""
    with tempfile.TemporaryDirectory() as folder:
        start = on_disk(Path(folder) / "start", made)
        copied = through(start, Path(folder), "csv")
        ours, theirs = (
            {one.path.name: (said(one), one.split, one.size, one.path.read_bytes()) for one in data.examples}
            for data in (start, copied)
        )
        assert theirs == ours
        assert copied.classes == tuple(sorted({obj.name for one in start.examples for obj in one.objects}))


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo", "csv"])
@settings(max_examples=8, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4, unique=True))
def test_class_names_in_any_letters_come_back(kind: str, names: list[str]) -> None:
    """In UTF-8, whatever else their bytes may be taken for."""
    with tempfile.TemporaryDirectory() as folder:
        objects = tuple(Object((float(i), 1.0, i + 9.0, 9.0), name) for i, name in enumerate(names))
        start = on_disk(Path(folder) / "start", [Example(Path("a.png"), objects, "", (40, 30))])
        copied = through(replace(start, classes=tuple(names)), Path(folder), kind)
        assert [obj.name for obj in copied.examples[0].objects] == names
        assert copied.classes == tuple(sorted(names) if kind == "csv" else names)


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    """Other programs read the numbers of VOC with int()."""
    write(inspect(read(disk.coco(tmp_path / "data"))).clean, tmp_path / "out", "voc")
    text = (tmp_path / "out" / "Annotations" / "a b.xml").read_text(encoding="utf-8")
    assert "<xmin>1</xmin>" in text
    assert "<xmin>5.5</xmin>" in text


def test_images_of_one_name_get_numbers(tmp_path: Path) -> None:
    """As in COCO, where 000001.png may be in train and in val: VOC has one folder for all."""
    for split, shade in (("train", 1), ("val", 2)):
        disk.coco(tmp_path / "data" / split, {"1.png": ((20, 20), [("cat", (1, 1, 5, 5 + shade))])})
        disk.picture(tmp_path / "data" / split / "1.png", (20, 20 + shade))
    copied = through(inspect(read(tmp_path / "data")).clean, tmp_path / "out", "voc", "yolo", "coco")
    assert {(example.path.name, example.split) for example in copied.examples} == {
        ("1.png", "train"),
        ("1_2.png", "val"),
    }
    assert {(example.split, example.objects[0].box[3]) for example in copied.examples} == {("train", 6), ("val", 7)}


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo", "csv"])
def test_the_command(tmp_path: Path, shell: Shell, kind: str) -> None:
    data = disk.table(tmp_path / "die Daten 数据")
    code, out, err = shell("convert", data, tmp_path / "out", "--to", kind)
    assert (code, err) == (0, "")
    assert out.endswith(f"3 images with 3 objects written to {tmp_path / 'out'} as {kind}\n")
    assert read(tmp_path / "out").format == kind
    assert shell("check", tmp_path / "out").code == 0
    line = shell.refused("convert", data, tmp_path / "out", "--to", kind)
    assert "out is not empty: name an empty or a new folder, nothing is overwritten" in line


def test_what_is_faulty_is_named_and_left_out(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data")
    (tmp_path / "data" / "a b.png").write_text("<html></html>")
    code, out, _ = shell("convert", tmp_path / "data", tmp_path / "out", "--to", "yolo")
    assert code == 1
    assert "a b.png: is an HTML page" in out
    assert "2 images with 1 object written" in out


def test_crowds_that_yolo_cannot_say(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data")
    crowd = {"id": 9, "image_id": 20, "category_id": 3, "bbox": [0, 0, 9, 9], "iscrowd": 1}
    disk.change_coco(tmp_path / "data", annotations=[crowd])
    assert "YOLO has no crowds: 1 crowd skipped" in shell("convert", tmp_path / "data", tmp_path / "y", "--to=yolo").out
    code, out, _ = shell("convert", tmp_path / "data", tmp_path / "v", "--to=voc")
    assert code == 0
    assert "skipped\n" not in out.replace("no image or object is skipped\n", "")
    assert "<difficult>1</difficult>" in (tmp_path / "v" / "Annotations" / "empty.xml").read_text()


def test_what_no_format_carries_over_is_named(tmp_path: Path, shell: Shell) -> None:
    """But not what says nothing: empty lists, `none`, 0, `Unspecified`."""

    def lacking_of(data: Path) -> list[str]:
        out = shell("convert", data, tmp_path / f"{data.name} out", "--to=coco").out
        return [line.removeprefix("not carried over: ") for line in out.splitlines() if line.startswith("not carried")]

    disk.coco(tmp_path / "coco")
    obj = {"id": 9, "image_id": 20, "category_id": 3, "bbox": [0, 0, 9, 9], "area": 81}
    disk.change_coco(
        tmp_path / "coco",
        annotations=[obj | {"segmentation": []}, obj | {"bbox": [0, 0, 8, 8], "area": 64, "keypoints": [1, 2, 2]}],
        images=[{"id": 99, "file_name": "a b.png", "license": 3}],
        categories=[{"id": 50, "name": "emu", "supercategory": "none"}],
    )
    assert lacking_of(tmp_path / "coco") == ["keypoints of 1 object, license of 1 image"]
    disk.voc(tmp_path / "voc")
    xml = tmp_path / "voc" / "Annotations" / "a b.xml"
    fields = "<pose>Unspecified</pose><truncated>0</truncated>", "<pose>Left</pose><part><name>head</name></part>"
    text = xml.read_text().replace("<difficult>", f"{fields[0]}<difficult>")
    xml.write_text(text.replace(fields[0], fields[1], 1))
    assert lacking_of(tmp_path / "voc") == ["pose of 1 object, part of 1 object"]
    disk.yolo_names(disk.yolo(tmp_path / "yolo"))
    (tmp_path / "yolo" / "labels" / "empty.txt").write_text("0 .1 .1 .5 .1 .5 .4\n0 .1 .1 .1 .1")
    assert lacking_of(tmp_path / "yolo") == ["polygon of 1 object"]
    (disk.table(tmp_path / "csv") / "boxes.csv").write_text(
        "filename,class,xmin,ymin,xmax,ymax,score\na b.png,cat,1,2,3,4,.5\na b.png,dog,1,2,3,4,"
    )
    assert lacking_of(tmp_path / "csv") == ["score of 1 object"]


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({"area": 120}, "area of 1 object"),
        ({"area": 120, "segmentation": []}, "area of 1 object"),
        ({"area": 120, "segmentation": [[0, 0, 20, 0, 20, 10]]}, "segmentation of 1 object"),
        ({"area": 199.2}, ""),
        ({"area": 201.9}, ""),
        ({"area": 0}, ""),
        ({"area": None}, ""),
        ({"area": 6, "bbox": [0, 0, 2.5, 2.5]}, ""),
        ({"area": 200, "bbox": [20, 10, -20, -10]}, ""),
    ],
)
def test_an_area_that_is_not_that_of_the_box_is_not_carried_over(
    tmp_path: Path, fields: dict[str, object], lacking: str
) -> None:
    data = disk.coco(tmp_path / "data")
    obj = {"id": 9, "image_id": 20, "category_id": 3, "bbox": [0, 0, 20, 10]}
    disk.change_coco(data, annotations=[obj | fields])
    line = not_carried_over(inspect(read(data)).summary)
    assert line.removeprefix("not carried over: ") == lacking


@pytest.mark.parametrize("name", ["a\nb", "a\u2028b", "a\x85b", "a\x0cb", "a\x07b", "a\x00", "a\uffff", "", " "])
def test_classes_that_voc_cannot_hold_are_refused(tmp_path: Path, shell: Shell, name: str) -> None:
    data = disk.coco(tmp_path / "data")
    disk.change_coco(data, categories=[{"id": 50, "name": name}])
    line = shell.refused("convert", data, tmp_path / "out", "--to", "voc")
    assert f"{data}: class {name!r} cannot be written as VOC (empty, or with a line break or control" in line
    assert "rename it, or choose another format" in line
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("name", ["a\nb", "a\u2028b", "a\x07b"])
def test_classes_that_only_voc_cannot_hold(tmp_path: Path, name: str) -> None:
    data = disk.coco(tmp_path / "data")
    disk.change_coco(data, categories=[{"id": 50, "name": name}])
    start = inspect(read(data)).clean
    same(start, through(start, tmp_path / "out", "coco", "yolo"), crowds=True)


def test_odd_classes_that_voc_can_hold(tmp_path: Path) -> None:
    data = disk.coco(tmp_path / "data")
    names = ("a\tb", "<&>", "\x7f", "\U0001f980")
    disk.change_coco(data, categories=[{"id": 50 + i, "name": name} for i, name in enumerate(names)])
    start = inspect(read(data)).clean
    same(start, through(start, tmp_path / "out", "voc"), crowds=True)


@pytest.mark.parametrize("words", ["convert {} . --to yolo", "check {} --fix ."])
def test_into_the_folder_where_one_stands(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    disk.coco(tmp_path / "data")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert shell(words.format("../data")).code == 0
    assert Path.cwd().samefile(tmp_path / "here"), "the folder is the same one"
    assert len(inspect(read(Path("."))).clean.examples) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "here"], "nothing is left behind"
    assert "is not empty: name an empty or a new folder" in shell.refused(words.format("../data"))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_into_a_link_to_an_empty_folder(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data")
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there", target_is_directory=True)
    assert shell("convert", tmp_path / "data", tmp_path / "link", "--to=voc").code == 0
    assert (tmp_path / "there" / "classes.txt").is_file()


def test_unknown_formats_name_the_nearest(tmp_path: Path, shell: Shell) -> None:
    line = shell.refused("convert", tmp_path, tmp_path / "out", "--to", "ylo")
    assert "--to: unknown word `ylo` (did you mean `yolo`?); there are coco, voc, yolo" in line
    assert "arguments are required: --to" in shell.refused("convert", tmp_path, tmp_path / "out")


def test_ten_thousand_objects(tmp_path: Path) -> None:
    scene: disk.Scenes = {
        "a.png": ((200, 200), [("cat", (x, y, x + 2, y + 2)) for x in range(100) for y in range(100)])
    }
    start = inspect(read(disk.yolo_names(disk.yolo(tmp_path / "data", scene)))).clean
    same(start, through(start, tmp_path / "out", "coco", "voc", "yolo"), crowds=True)


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = inspect(read(disk.coco(tmp_path / "data"))).clean

    monkeypatch.setattr("pocketrcnn.data.formats.coco.write_text", full)
    with pytest.raises(UserError, match="out cannot be written \\(No space left on device\\)"):
        write(start, tmp_path / "out", "coco")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_table_is_one_that_people_read(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data" / "train")
    disk.coco(tmp_path / "data" / "val", {"=1.png": ((20, 20), [("cat", (1, 1, 5, 5.5))])})
    code, out, _ = shell("convert", tmp_path / "data", tmp_path / "out", "--to=csv")
    assert code == 0
    assert "CSV has no list of classes" not in out
    lines = (tmp_path / "out" / "annotations.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "image,class,x1,y1,x2,y2,width,height,split"
    assert "images/a b.png,dog,5.5,6.25,20,25,40,30,train" in lines
    assert "images/empty.png,,,,,,32,32,train" in lines
    assert "images/=1.png,cat,1,1,5,5.5,20,20,val" in lines
    assert all((tmp_path / "out" / line.partition(",")[0]).is_file() for line in lines[1:])


def test_classes_that_a_table_cannot_say(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data", {"a.png": ((20, 20), [("cat", (1, 1, 5, 5))])})
    out = shell("convert", tmp_path / "data", tmp_path / "out", "--to=csv").out
    assert "CSV has no list of classes: 1 class without an object left out (dog)" in out
    start = on_disk(tmp_path / "start", [Example(Path("a.png"), (Object((1, 1, 9, 9), "cat"),), "", (40, 30))])
    for odd in ("two\nlines", "Background", "7.0", " cat"):
        with pytest.raises(UserError, match="cannot be written as CSV"):
            write(replace(start, classes=("cat", "7", odd)), tmp_path / "odd", "csv")
    assert not (tmp_path / "odd").exists()


@pytest.mark.parametrize("splits", [(), ("train",), ("train", "test"), ("test",), ("train", "val"), ("val", "test")])
def test_yolo_always_has_the_lines_that_others_want(tmp_path: Path, shell: Shell, splits: tuple[str, ...]) -> None:
    made = [Example(Path(f"{one or 'a'}.png"), (), one, (20, 20)) for one in splits or ("",)]
    start = on_disk(tmp_path / "start", [*made, Example(Path("last.png"), (), made[-1].split, (20, 20))])
    write(start, tmp_path / "out", "yolo")
    text = (tmp_path / "out" / "data.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(text)
    assert {*splits, "val"} <= {*settings}
    assert all((tmp_path / "out" / settings[word]).is_dir() for word in ("train", "val", "test") if word in settings)
    assert text.startswith("# There are no validation images.") == ("val" not in splits)
    read_back = inspect(read(tmp_path / "out"))
    assert {one.path.name: one.split for one in read_back.clean.examples} == {
        one.path.name: one.split for one in start.examples
    }
    assert not read_back.drops
    assert [fault.kind for fault in read_back.faults if fault.kind == "same-split"] == ["same-split"] * (
        "val" not in splits
    )


def test_that_yolo_has_no_validation_images_is_said(tmp_path: Path, shell: Shell) -> None:
    out = shell("convert", disk.coco(tmp_path / "data"), tmp_path / "out", "--to=yolo").out
    assert "no validation images: `val` in data.yaml names the path of another split" in out
