"""Data sets as they also come: stale names, absolute paths, broken bytes, formats that look like another.

Covers `data/formats/finding.py`, `data/formats/text.py`, `data/yaml_reading.py`.
"""

import os
from pathlib import Path

import datasets_on_disk as disk
import pytest
from datasets_on_disk import Scenes
from shell import Shell

from pocketrcnn.data.annotations import Annotations, Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read, write
from pocketrcnn.errors import UserError

SIZE = (40, 30)
needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


def one_cat(x: float = 1) -> tuple[tuple[int, int], disk.Boxes]:
    """An image with a cat at x."""
    return SIZE, [("cat", (x, 1, x + 4, 5))]


def left_sides(data: Annotations) -> dict[str, list[float]]:
    """The left sides of the boxes of each image."""
    return {one.path.name: [round(obj.box[0], 6) for obj in one.objects] for one in data.examples}


def kinds(report: Report) -> list[str]:
    return [fault.kind for fault in report.faults]


def label(path: Path, text: str = "0 .5 .5 .2 .2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def replaced(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


# VOC: which image an XML file is about


@pytest.mark.parametrize("folders", [True, False])
@pytest.mark.parametrize(("filenames", "warned"), [({"2": "1.png"}, 1), ({"1": "2.png", "2": "1.png"}, 2)])
def test_voc_names_left_over_from_a_copy(tmp_path: Path, folders: bool, filenames: dict[str, str], warned: int) -> None:
    disk.voc(tmp_path, {"1.png": one_cat(1), "2.png": one_cat(20)}, folders)
    for stem, name in filenames.items():
        xml = tmp_path / ("Annotations" if folders else "") / f"{stem}.xml"
        replaced(xml, f"<filename>{stem}.png", f"<filename>{name}")
    report = inspect(read(tmp_path))
    assert left_sides(report.clean) == {"1.png": [1], "2.png": [20]}
    assert kinds(report) == ["other-name"] * warned
    assert not report.drops
    assert report.faults[-1].file == xml
    assert "2.xml: its filename says 1.png; it is used for 2.png, which has the name of the XML file" in str(
        report.faults[-1]
    )


def test_voc_boxes_of_a_missing_image_are_not_on_the_one_that_they_were_copied_from(tmp_path: Path) -> None:
    disk.voc(tmp_path, {"1.png": one_cat(1), "2.png": one_cat(20)})
    replaced(tmp_path / "Annotations" / "2.xml", "<filename>2.png", "<filename>1.png")
    (tmp_path / "JPEGImages" / "2.png").unlink()
    report = inspect(read(tmp_path))
    assert left_sides(report.clean) == {"1.png": [1]}
    assert kinds(report) == ["other-name", "missing"]


def test_voc_image_of_the_xml_with_another_ending_comes_before_the_named_one(tmp_path: Path) -> None:
    disk.voc(tmp_path, {"1.jpg": one_cat(1), "2.png": one_cat(20)})
    (tmp_path / "Annotations" / "1.xml").unlink()
    replaced(tmp_path / "Annotations" / "2.xml", "<filename>2.png", "<filename>1.jpg")
    assert left_sides(read(tmp_path)) == {"2.png": [20]}


def test_faults_of_an_image_in_two_files_name_their_file(tmp_path: Path) -> None:
    disk.coco(tmp_path, {"a.png": one_cat()}, name="a.json")
    disk.coco(tmp_path, {"a.png": (SIZE, [("cat", (9, 9, 9, 12))])}, name="b.json")
    faults = inspect(read(tmp_path)).faults
    assert [fault.file.name for fault in faults if fault.kind == "zero-size"] == ["b.json"]


def in_cameras(root: Path) -> Path:
    """Two images of one name in two folders, each with its XML."""
    for i, camera in enumerate(("cam1", "cam2")):
        disk.voc(root / camera, {"0001.png": (SIZE, [("cat", (1 + 10 * i, 1, 30, 20))])}, folders=False)
        disk.picture(root / camera / "0001.png", (SIZE[0] + i, SIZE[1]))
        for name, place in (("0001.png", "JPEGImages"), ("0001.xml", "Annotations")):
            (root / place / camera).mkdir(parents=True)
            (root / camera / name).rename(root / place / camera / name)
        (root / camera).rmdir()
    return root


def test_voc_with_folders_below_annotations(tmp_path: Path) -> None:
    disk.voc_lists(in_cameras(tmp_path), train=["cam1/0001"], val=["cam2\\0001.png"])
    data = read(tmp_path)
    assert data.faults == ()
    assert [(one.split, one.path.parent.name, one.objects[0].box[0]) for one in data.examples] == [
        ("train", "cam1", 1),
        ("val", "cam2", 11),
    ]


def test_voc_names_without_folders_that_several_have(tmp_path: Path) -> None:
    disk.voc_lists(in_cameras(tmp_path), train=["0001"])
    report = inspect(read(tmp_path))
    assert kinds(report)[:2] == ["unlisted", "missing"]
    assert "2 others with XML are skipped" in str(report.faults[0])
    (tmp_path / "Annotations" / "cam2" / "0001.xml").unlink()
    assert [one.path.parent.name for one in read(tmp_path).split("train")] == ["cam1"], "one alone is meant"


def test_voc_names_that_differ_in_capitals(tmp_path: Path) -> None:
    disk.voc(tmp_path, {"IMG_1.png": one_cat(1), "img_1.png": one_cat(20)})
    if len(list((tmp_path / "Annotations").iterdir())) == 1:
        pytest.skip("they are one file here")
    disk.voc_lists(tmp_path, train=["IMG_1"], val=["img_1"])
    assert left_sides(read(tmp_path)) == {"IMG_1.png": [1], "img_1.png": [20]}


# YOLO: paths, names, key points


@pytest.mark.parametrize("settings", ["path: {}\ntrain: images\n", "train: {}/images\n", "train: {}/list.txt\n"])
def test_yolo_with_absolute_paths_read_by_a_relative_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    data = disk.yolo(tmp_path / "data", {"a.png": one_cat()})
    disk.yolo_names(data, settings.format(data) + "names: [cat, dog]\n")
    (data / "list.txt").write_text(f"{data / 'images' / 'a.png'}\n")
    monkeypatch.chdir(tmp_path)
    data = read(Path("data"))
    assert data.faults == ()
    assert left_sides(data) == {"a.png": [1]}


def test_yolo_data_yaml_one_folder_down(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path / "set", images="images/train", labels="labels/train"))
    replaced(tmp_path / "set" / "data.yaml", "names", "train: images/train\nnames")
    data = read(tmp_path)
    assert data.faults == ()
    assert data.classes == ("cat", "dog")
    assert {one.split for one in data.examples} == {"train"}


def test_yolo_with_several_data_yaml_is_refused(tmp_path: Path) -> None:
    for name, text in (("one", "names: [cat, dog]\n"), ("two", "names: [dog, cat]\n")):
        disk.yolo_names(disk.yolo(tmp_path / name), text)
    with pytest.raises(UserError, match=r"several data sets.*one.data\.yaml, .*two.data\.yaml\): name one of"):
        read(tmp_path)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert read(tmp_path).classes == ("cat", "dog"), "the folder itself names them"


def test_yolo_folders_that_number_classes_differently_are_refused(tmp_path: Path) -> None:
    for split, names in (("train", "cat\ndog\n"), ("val", "dog\ncat\n")):
        disk.yolo(tmp_path, {f"{split} 1.png": one_cat()}, split, split)
        (tmp_path / split / "classes.txt").write_text(names)
    with pytest.raises(UserError, match=r"train.classes\.txt and .*val.classes\.txt name different classes"):
        read(tmp_path)
    (tmp_path / "val" / "classes.txt").write_text("cat\ndog\nemu\n")
    assert read(tmp_path).classes == ("cat", "dog", "emu"), "a longer list is not another one"


def test_yolo_key_points_are_no_polygon(tmp_path: Path) -> None:
    disk.picture(tmp_path / "images" / "a.png", (100, 100))
    points = " .1 .1 2 .9 .1 2 .1 .9 1 .9 .9 0"
    label(tmp_path / "labels" / "a.txt", f"0 .5 .5 .2 .4{points}\n0 .5 .5 .2 .2\n0 .1 .1 .5 .1 .5 .4\n")
    disk.yolo_names(tmp_path, "kpt_shape: [4, 3]\nnames: [hand]\n")
    data = read(tmp_path)
    assert [obj.box for obj in data.examples[0].objects] == [
        pytest.approx((40, 30, 60, 70)),
        pytest.approx((40, 40, 60, 60)),
    ]
    assert [fault.where for fault in data.faults] == ["line 3"]
    assert data.unread == (("key points", "object", 1),)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("folder", ["", "labels"])
def test_yolo_labels_in_utf_16_are_recognised(tmp_path: Path, encoding: str, folder: str) -> None:
    """As PowerShell writes them, beside their images too."""
    disk.yolo(tmp_path, {"a.png": one_cat(), "b.png": one_cat(2)}, images="", labels=folder)
    for path in (tmp_path / folder).glob("*.txt"):
        path.write_text(path.read_text(encoding="utf-8-sig"), encoding=encoding)
    data = read(tmp_path)
    assert (data.format, data.faults) == ("yolo", ())
    assert left_sides(data) == {"a.png": [1], "b.png": [2]}


# What broke the reader


@needs_links
@pytest.mark.parametrize("name", ["x.json", "x.xml", "x.csv", "x.yaml", "labels/x.txt"])
def test_links_to_nothing_are_named(tmp_path: Path, shell: Shell, name: str) -> None:
    disk.yolo(tmp_path)
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    assert f"{tmp_path / name} cannot be read (No such file or directory)" in shell.refused("check", tmp_path)


@pytest.mark.parametrize("kind", [disk.coco, disk.voc, disk.yolo, disk.table])
def test_folders_that_cannot_be_read_are_named(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, kind: object
) -> None:
    """Root may read everything, so that no rights help here."""
    sealed, look = kind(tmp_path) / "sealed" / "b", os.scandir  # type: ignore[operator]
    disk.picture(sealed / "b.png")

    def scandir(path: str) -> object:
        if str(path) == str(sealed):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert f"{sealed} cannot be read (Permission denied): repair or remove it" in shell.refused("check", tmp_path)


def test_folders_of_the_system_are_no_data(tmp_path: Path) -> None:
    disk.yolo(tmp_path)
    for name in ("lost+found", "__MACOSX", ".Trash-0"):
        disk.picture(tmp_path / name / "a.png")
    assert len(read(tmp_path).examples) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("names: &a [x]\nmore: *a", "line 2: aliases (*a) are not read"),
        ("a: &a [x]\nnames:\n  <<: *a", "line 3: aliases (*a) are not read"),
        ('names: !!int ""', "is not YAML ("),
        ("names: !!timestamp x", "is not YAML ("),
        (f"names: {'[' * 900}", "it is nested too deeply"),
        (f"names: [a]\nnc: 0x{'f' * 9000}", "is too large a number"),
        (f"names: [a]\nnc: {'9' * 5000}", "is too large a number"),
        ("nc: 1000000000", "nc: 1,000,000,000 classes are too many, at most 10,000"),
        ("names: [[a, b]]", "`['a', 'b']` is no name: write a word or a number"),
        ("names: {0: {a: b}}", "`{'a': 'b'}` is no name: write a word or a number"),
        (f"names: {{{'9' * 25}: a}}", "is no class number"),
        (f"names: [a]\n# {'x' * 1_000_000}", "it has more than 1,000,000 characters"),
    ],
)
def test_yaml_that_no_data_set_needs(tmp_path: Path, shell: Shell, text: str, reason: str) -> None:
    """338 bytes of aliases hung for minutes, a number of ten digits took 5 GB, the others ended in a traceback."""
    disk.yolo_names(disk.yolo(tmp_path), f"{text}\n")
    message = shell.refused("check", str(tmp_path))
    assert reason in message
    assert len(message) < 400


def test_yaml_names_of_all_kinds_of_words(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "names: [cat, 7, 1.5, yes]\nnc: 4\n")
    assert read(tmp_path).classes == ("cat", "7", "1.5", "True")


def test_yaml_with_a_date_that_there_is_not(tmp_path: Path) -> None:
    disk.yolo_names(disk.yolo(tmp_path), "names: [cat, dog]\ndate: 2024-00-13\n")
    with pytest.raises(UserError, match=r"data\.yaml is not YAML \(month must be in 1\.\.12"):
        read(tmp_path)


def test_xml_in_an_encoding_that_there_is_not(tmp_path: Path) -> None:
    disk.voc(tmp_path, {"a.png": one_cat(), "b.png": one_cat()})
    replaced(tmp_path / "Annotations" / "a.xml", "<annotation>", '<?xml version="1.0" encoding="ANSI"?><annotation>')
    data = read(tmp_path)
    assert left_sides(data) == {"a.png": [1], "b.png": [1]}
    assert data.faults == (), "what is UTF-8 is read as that"


def test_csv_with_a_cell_of_any_length(tmp_path: Path) -> None:
    disk.picture(tmp_path / "a.png")
    text = f'filename,class,xmin,ymin,xmax,ymax,mask\na.png,cat,1,2,5,7,"{"1," * 70_000}"\n'
    (tmp_path / "boxes.csv").write_text(text)
    assert left_sides(read(tmp_path)) == {"a.png": [1]}


def awkward(root: Path) -> Path:
    """Half characters in ids and names of COCO, and names that rich takes for commands."""
    disk.coco(root, {"a.png": one_cat()})
    names = {50: "cut \ud83d", 51: "cut \ud83e", 52: "a[/b]", 53: "[red]"}
    records = [{"id": f"\ud800{i}", "image_id": 0, "category_id": i, "bbox": [i - 40, 1, 3, 3]} for i in names]
    records += [{"id": "\ud800", "image_id": 0, "category_id": "\ud800", "bbox": [1, 2, 3, 4], "\ud800": 1}]
    disk.change_coco(root, categories=[{"id": i, "name": name} for i, name in names.items()], annotations=records)
    return root


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_names_of_half_characters_and_in_brackets(tmp_path: Path, shell: Shell, kind: str) -> None:
    data = awkward(tmp_path / "data")
    code, out, _ = shell("check", data, "--fix", tmp_path / "fixed")
    assert code == 1
    assert "class `id \\ud800`" in out
    assert "not carried over: \\ud800 of 1 object" in out
    assert all(f"\n{name} " in out for name in ("cut \\ud83d", "cut \\ud83e", "a[/b]", "[red]"))
    assert shell("convert", data, tmp_path / "out", "--to", kind).code == 1
    for copy in (tmp_path / "fixed", tmp_path / "out"):
        assert set(read(copy).classes) == {"cat", "dog", "cut \\ud83d", "cut \\ud83e", "a[/b]", "[red]"}


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_file_names_that_are_no_text(tmp_path: Path, shell: Shell, kind: str) -> None:
    data = disk.yolo(tmp_path / "data", {"b.png": one_cat()})
    try:
        disk.Image.new("RGB", SIZE).save(data / "images" / "a.png")
        (data / "images" / "a.png").rename(data / "images" / os.fsdecode(b"caf\xe9.png"))
    except OSError:
        pytest.skip("there are no such names here")
    label(data / "labels" / os.fsdecode(b"caf\xe9.txt"), "0 .5 .5 .2 .2 .3\n0 .5 .5 .2 .2\n")
    code, out, _ = shell("check", data, "--fix", tmp_path / "fixed")
    assert code == 1
    assert "caf\\udce9.txt, line 1: `0 .5 .5 .2 .2 .3` is not" in out
    assert "caf\\udce9.png: caf\ufffd.png" in (tmp_path / "fixed" / "fixes.txt").read_text(encoding="utf-8")
    assert shell("convert", data, tmp_path / "out", "--to", kind).code == 1
    for copy in (tmp_path / "fixed", tmp_path / "out"):
        assert {name: len(boxes) for name, boxes in left_sides(read(copy)).items()} == {"b.png": 1, "caf\ufffd.png": 1}


# What is no COCO and no VOC


def test_json_without_list_of_images_is_no_coco(tmp_path: Path, shell: Shell) -> None:
    disk.picture(tmp_path / "a.png")
    items = [{"id": "a", "annotations": [{"id": 0, "bbox": [1, 2, 3, 4]}], "image": {"path": "a.png"}}]
    content = {"categories": {"label": {"labels": [{"name": "cat"}]}}, "items": items}
    disk.write_json(tmp_path / "annotations" / "default.json", content)
    code, out, _ = shell("check", tmp_path)
    assert code == 1
    assert "default.json: is not a COCO file: there is no list `images`; nothing of it is used" in out


def test_xml_of_cvat_is_no_voc(tmp_path: Path) -> None:
    disk.picture(tmp_path / "images" / "a.png")
    (tmp_path / "annotations.xml").write_text('<?xml version="1.0"?>\n<annotations><image name="a.png"/></annotations>')
    assert read(tmp_path).format == "cvat"
    label(tmp_path / "labels" / "a.txt")
    data = read(tmp_path)
    assert (data.format, [fault.kind for fault in data.faults]) == ("yolo", ["several-formats"])
    disk.voc(tmp_path / "voc", {"a.png": one_cat()})
    replaced(tmp_path / "voc" / "Annotations" / "a.xml", "<annotation>", '<annotation verified="yes">')
    assert read(tmp_path / "voc").format == "voc"


# What conversion lost


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_names_with_two_endings_are_kept(tmp_path: Path, kind: str) -> None:
    scenes: Scenes = {f"{split}.png.png": one_cat(x) for split, x in (("train", 1), ("val", 9))}
    for name, scene in scenes.items():
        disk.yolo(tmp_path / "data", {name: scene}, f"images/{name[:-8]}", f"labels/{name[:-8]}")
    disk.yolo_names(tmp_path / "data")
    start = inspect(read(tmp_path / "data")).clean
    write(start, tmp_path / "out", kind)
    report = inspect(read(tmp_path / "out"))
    assert report.faults == tuple(fault for fault in report.faults if fault.kind == "class-without-examples")
    assert left_sides(report.clean) == {"train.png.png": [1], "val.png.png": [9]}
    assert [one.split for one in report.clean.examples] == ["train", "val"]


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
@pytest.mark.parametrize("name", ["a", "a.v2", ".a.png", "a.PNG"])
def test_images_without_known_ending_get_theirs(tmp_path: Path, kind: str, name: str) -> None:
    data = disk.coco(tmp_path / "data", {name: one_cat()})
    write(inspect(read(data)).clean, tmp_path / "out", kind)
    named = {"a": "a.png", "a.v2": "a.v2.png", ".a.png": "a.png"}.get(name, name)
    assert left_sides(inspect(read(tmp_path / "out")).clean) == {named: [1]}


def test_the_ending_is_that_of_the_format(tmp_path: Path) -> None:
    data = disk.coco(tmp_path / "data", {"a": one_cat()})
    disk.Image.new("RGB", SIZE).save(data / "a", "JPEG")
    write(inspect(read(data)).clean, tmp_path / "out", "yolo")
    assert left_sides(read(tmp_path / "out")) == {"a.jpg": [1]}


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_a_class_called_background_that_has_objects_is_one(tmp_path: Path, kind: str) -> None:
    disk.yolo_names(disk.yolo(tmp_path / "data"), "names: [background, cat]\n")
    write(inspect(read(tmp_path / "data")).clean, tmp_path / "out", kind)
    report = inspect(read(tmp_path / "out"))
    assert report.clean.classes == ("background", "cat")
    assert report.summary["objects"] == 3


# Boxes that are no pixels


@pytest.mark.parametrize("kind", [disk.coco, disk.table, disk.voc])
def test_boxes_in_fractions_are_told(tmp_path: Path, shell: Shell, kind: object) -> None:
    box = (0.1, 0.2, 0.5, 1)
    data = kind(tmp_path / "data", {name: (SIZE, [("cat", box)]) for name in ("a.png", "b.png")})  # type: ignore[operator]
    report = inspect(read(data))
    (fault,) = (fault for fault in report.faults if fault.kind == "units")
    assert str(fault).startswith(f"{data}: the boxes are in fractions of the image's sides, not in pixels (a.png, ")
    assert str(fault).endswith("): they are read so (--units pixels if they are not)")
    assert not fault.drops
    width, height = SIZE
    found = [obj.box for one in report.clean.examples for obj in one.objects]
    assert found == [pytest.approx((0.1 * width, 0.2 * height, 0.5 * width, height))] * 2
    shell("check", data, "--fix", tmp_path / "fixed")
    assert "fixed: units: " in (tmp_path / "fixed" / "fixes.txt").read_text()


def test_one_box_in_pixels_is_enough(tmp_path: Path) -> None:
    scenes: Scenes = {"a.png": (SIZE, [("cat", (0, 0, 1, 1))]), "b.png": (SIZE, [("dog", (0, 0, 2, 1))])}
    assert inspect(read(disk.coco(tmp_path / "data", scenes))).faults == ()
    assert inspect(read(disk.voc(tmp_path / "dot", {"a.png": ((1, 1), [("cat", (0, 0, 1, 1))])}))).faults == ()
