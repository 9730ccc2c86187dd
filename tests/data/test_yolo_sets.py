"""YOLO as people have it: which pictures are data, which label is whose, and which file says what.

Covers `data/formats/yolo_images.py`, `data/formats/yolo_labels.py`, `data/formats/yolo_settings.py`.
"""

import random
from pathlib import Path

import datasets_on_disk as disk
import pytest
from datasets_on_disk import Scenes
from PIL import Image
from shell import Shell

from pocketrcnn.data.annotations import Annotations, Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError

SIZE = (48, 48)
BOX = "0 0.5 0.5 0.25 0.25\n"


def scenes(*names: str) -> Scenes:
    """Images with a cat or a dog, in turns."""
    return {name: (SIZE, [(("cat", "dog")[i % 2], (i, 1, i + 9, 11))]) for i, name in enumerate(names)}


def numbered(count: int, ending: str = "png", first: int = 0) -> Scenes:
    return scenes(*(f"{i}.{ending}" for i in range(first, first + count)))


def in_splits(root: Path) -> Path:
    """Eight, two and two images in train, valid and test."""
    for folder, count, first in (("train", 8, 0), ("valid", 2, 8), ("test", 2, 10)):
        disk.yolo(root, numbered(count, first=first), f"{folder}/images", f"{folder}/labels")
    return root


def named(root: Path, text: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "data.yaml").write_text(text, encoding="utf-8")
    return root


def text(path: Path, words: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding=encoding)
    return path


def photograph(path: Path, seed: int = 0) -> Path:
    """An image of many colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.frombytes("RGB", SIZE, random.Random(seed).randbytes(3 * SIZE[0] * SIZE[1])).save(path)
    return path


def counts(data: Annotations) -> tuple[int, int]:
    """Images and objects."""
    return len(data.examples), sum(len(one.objects) for one in data.examples)


def splits(data: Annotations) -> dict[str, int]:
    found = [one.split for one in data.examples]
    return {split: found.count(split) for split in sorted(set(found))}


def kinds(report: Report | Annotations) -> list[str]:
    return [fault.kind for fault in report.faults]


def files(data: Annotations) -> list[str]:
    return [one.path.relative_to(data.root).as_posix() for one in data.examples]


# Which pictures are data


@pytest.mark.parametrize("beside", ["masks", "previews", "all_photos", "backup/old", "images/masks", "to do"])
def test_pictures_beside_annotated_ones_are_no_backgrounds(tmp_path: Path, shell: Shell, beside: str) -> None:
    disk.yolo(tmp_path, numbered(6))
    for i in range(5):
        disk.picture(tmp_path / beside / f"{i}.png", SIZE)
    data = read(tmp_path)
    assert counts(data) == (6, 6)
    assert {path.parent for path in data.unnamed} == {tmp_path / beside}
    code, out, _ = shell("check", tmp_path)
    assert code == 0
    assert f"not used: 5 images that no annotation names, in {beside} (the first:" in out.replace("\n    ", " ")


@pytest.mark.parametrize("name", ["{}_mask", "{} mask", "{}_boxes", "{}-copy", "{} - Copy", "{}.seg"])
def test_pictures_made_of_others_in_the_same_folder(tmp_path: Path, name: str) -> None:
    disk.yolo(tmp_path, numbered(3), images="", labels="")
    for i in range(3):
        disk.picture(tmp_path / f"{name.format(i)}.png", SIZE)
    assert counts(read(tmp_path)) == (3, 3)


def test_folders_that_are_data(tmp_path: Path) -> None:
    """Some images without objects, also whole folders below `images`, and backgrounds that are called so."""
    disk.yolo(tmp_path, numbered(4), "images/a", "labels/a")
    disk.picture(tmp_path / "images" / "b" / "bare.png")
    disk.picture(tmp_path / "images" / "a" / "mask of a face.png")
    disk.picture(tmp_path / "backgrounds" / "x.png")
    disk.yolo(tmp_path, scenes("flat.png"), "cat photos", "cat photos")
    assert counts(read(tmp_path)) == (8, 5)


def test_images_of_a_set_without_any_label_are_data(tmp_path: Path) -> None:
    disk.picture(tmp_path / "images" / "a.png")
    disk.picture(tmp_path / "more" / "b.png")
    data = read(named(tmp_path, "names: [cat]\n"))
    assert counts(data) == (2, 0)
    assert kinds(data) == ["no-label-file"]


def test_folders_that_settings_name_are_data_whatever_is_in_them(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(3), "train/images", "train/labels")
    disk.picture(tmp_path / "test" / "images" / "9.png")
    named(tmp_path, "train: train/images\ntest: test/images\nnames: [cat, dog]\n")
    assert splits(read(tmp_path)) == {"test": 1, "train": 3}
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    assert splits(read(tmp_path)) == {"train": 3}, "a test set that nobody annotated"


@pytest.mark.parametrize(("photo", "mask"), [("jpg", "png"), ("png", "bmp"), ("png", "jpg")])
@pytest.mark.parametrize("described", [False, True])
def test_a_photograph_and_its_mask_of_one_name(tmp_path: Path, photo: str, mask: str, described: bool) -> None:
    for i in range(6):
        photograph(tmp_path / "images" / f"{i}.{photo}", i)
        Image.new("RGB", SIZE, (i, 0, 255)).save(tmp_path / "images" / f"{i}.{mask}")
        text(tmp_path / "labels" / f"{i}.txt", BOX)
    named(tmp_path, "names: [cat]\n" + "train: images\n" * described)
    report = inspect(read(tmp_path))
    assert counts(report.clean) == (6, 6)
    assert {one.path.suffix for one in report.clean.examples} == {f".{photo}"}
    assert [(fault.kind, fault.drops) for fault in report.faults] == [("mask", False)]
    assert "6 images with the name of another and few colours" in str(report.faults[0])


def test_an_image_in_two_formats_is_one(tmp_path: Path) -> None:
    for i in range(3):
        photo = Image.open(photograph(tmp_path / f"{i}.png", i))
        photo.save(tmp_path / f"{i}.bmp")
        text(tmp_path / f"{i}.txt", BOX)
    report = inspect(read(tmp_path))
    assert counts(report.clean) == (3, 3)
    assert [(fault.kind, fault.drops) for fault in report.faults] == [("other-format", False)]


def test_two_images_that_claim_one_label_file_are_named(tmp_path: Path) -> None:
    for ending, seed in (("png", 1), ("bmp", 2)):
        photograph(tmp_path / f"a.{ending}", seed)
    text(tmp_path / "a.txt", BOX)
    (fault,) = inspect(read(tmp_path)).faults
    assert (fault.kind, fault.drops, fault.file) == ("one-label", True, tmp_path / "a.txt")
    assert f"is the label file of {tmp_path / 'a.bmp'} and of {tmp_path / 'a.png'}: " in fault.reason


def test_objects_of_an_image_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(3), "images", "labels")
    (tmp_path / "images" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    text(tmp_path / "labels" / "0.txt", BOX + BOX)
    report = inspect(read(tmp_path))
    (fault,) = (fault for fault in report.faults if fault.kind == "broken")
    assert fault.reason.endswith("; its 2 objects are skipped")
    assert counts(report.clean) == (2, 2)


def test_images_without_label_file_are_told_from_those_with_an_empty_one(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(3))
    for i in range(3, 10):
        disk.picture(tmp_path / "images" / f"{i}.png", SIZE)
    text(tmp_path / "labels" / "3.txt", "")
    (fault,) = read(tmp_path).faults
    assert (fault.kind, fault.drops) == ("no-label-file", False)
    assert f"6 of 10 images have no label file (the first: {tmp_path / 'images' / '4.png'}), 1 an empty one" in str(
        fault
    )
    for i in range(4, 40):
        disk.picture(tmp_path / "images" / f"{i}.png", SIZE)
        text(tmp_path / "labels" / f"{i}.txt", "")
    disk.picture(tmp_path / "images" / "bare.png", SIZE)
    assert read(tmp_path).faults == (), "one of forty is none of a tenth"


# Which label file is whose


def renamed(folder: Path, name: str) -> None:
    for i, path in enumerate(sorted(folder.glob("*.txt"))):
        path.rename(folder / name.format(i=i, stem=path.stem))


@pytest.mark.parametrize("images", ["images", "images/train", ""])
@pytest.mark.parametrize("name", ["{stem}.TXT", "{stem}.png.txt", "0a3f9c1{i}-{stem}.txt", "{stem}_png.rf.9f{i}.txt"])
def test_label_files_under_other_names(tmp_path: Path, images: str, name: str) -> None:
    labels = images.replace("images", "labels")
    disk.yolo(tmp_path, scenes("IMG_1.png", "IMG_2.png", "b.png"), images, labels)
    renamed(tmp_path / labels, name)
    text(tmp_path / "classes.txt", "cat\ndog\n")
    report = inspect(read(tmp_path))
    assert counts(report.clean) == (3, 3)
    assert [one.objects[0].box[0] for one in report.clean.examples] == pytest.approx([0, 1, 2])
    assert not report.drops


def test_label_files_and_images_in_other_letters(tmp_path: Path) -> None:
    disk.yolo(tmp_path, scenes("IMG_0.JPG", "Straße é.PNG"))
    (tmp_path / "labels" / "IMG_0.txt").rename(tmp_path / "labels" / "img_0.TXT")
    (tmp_path / "labels" / "Straße é.txt").rename(tmp_path / "labels" / "strasse e\u0301.txt")
    data = read(tmp_path)
    assert counts(data) == (2, 2)
    assert data.faults == ()


def test_labels_of_a_server_whose_images_have_their_own_names(tmp_path: Path) -> None:
    disk.yolo(tmp_path, scenes(*(f"photo {i}.png" for i in range(6))))
    for i in range(6):
        (tmp_path / "labels" / f"photo {i}.txt").rename(tmp_path / "labels" / f"0a3f9c1e-photo_{i}.txt")
    data = read(tmp_path)
    assert counts(data) == (6, 6)
    assert [(fault.kind, fault.drops) for fault in data.faults] == [("other-path", False)]
    assert "6 images with another name" in str(data.faults[0])


def test_labels_that_lie_beside_the_folder_of_the_images(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(3), "photos", "labels")
    data = read(tmp_path)
    assert counts(data) == (3, 3)
    assert kinds(data) == ["other-path"]


def test_labels_in_a_folder_of_annotations(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(3), "images/train", "annotations/train")
    for path in (tmp_path, tmp_path / "annotations"):
        data = read(path)
        assert (counts(data), splits(data)) == ((3, 3), {"train": 3})


def test_a_label_whose_image_is_gone_is_not_that_of_a_preview(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(4))
    (tmp_path / "images" / "3.png").unlink()
    disk.picture(tmp_path / "previews" / "3.png")
    data = read(tmp_path)
    assert counts(data) == (3, 3)
    (fault,) = data.faults
    assert (fault.kind, fault.drops, fault.file) == ("no-image", True, tmp_path / "labels" / "3.txt")
    disk.yolo(tmp_path / "flat", numbered(2), "", "")
    (tmp_path / "flat" / "1.png").rename(tmp_path / "flat" / "a.png")
    (fault,) = (fault for fault in read(tmp_path / "flat").faults if fault.drops)
    assert fault.reason == "is the label file of no image (no file of the data is called `1`): 1 object skipped"


def test_labels_in_a_folder_of_copies_cost_nothing(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(4))
    for path in sorted((tmp_path / "labels").iterdir()):
        text(tmp_path / "labels_backup" / path.name, BOX)
    data = read(tmp_path)
    assert counts(data) == (4, 4)
    assert [(fault.kind, fault.drops) for fault in data.faults] == [("spare-labels", False)]
    assert "4 label files in a folder of copies" in str(data.faults[0])


# Where images and lists are


@pytest.mark.parametrize(
    "words",
    [
        "train: /content/drive/MyDrive/p/train/images\nval: /content/drive/MyDrive/p/valid/images\n"
        "test: C:\\Users\\someone\\p\\test\\images\n",
        "path: /datasets/p\ntrain: train/images\nval: valid/images\ntest: test/images\n",
        "train: ../p/train/images\nval: ../p/valid/images\ntest: [./test/images/]\n",
        "train: train/images/*.png\nval: ./valid/images/*\ntest: /x/test/images/*.jpg\n",
        "train: TRAIN\\images\nval: Valid\\images\ntest: Test\\images\n",
    ],
)
@pytest.mark.parametrize("below", ["", "export (1)"])
def test_folders_of_another_machine(tmp_path: Path, words: str, below: str) -> None:
    in_splits(tmp_path / below)
    report = inspect(read(named(tmp_path, words + "nc: 2\nnames: ['cat', 'dog']\n")))
    assert splits(report.clean) == {"test": 2, "train": 8, "val": 2}
    assert counts(report.clean) == (12, 12)
    assert not report.drops
    assert set(kinds(report)) <= {"other-folder"}


def test_a_folder_is_the_same_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check .`: the paths are relative, and the folder has no name."""
    words = "train: /content/p/train/images\nval: /content/p/valid/images\ntest: C:\\p\\test\\images\n"
    monkeypatch.chdir(named(in_splits(tmp_path), words + "names: ['cat', 'dog']\n"))
    report = inspect(read(Path(".")))
    assert splits(report.clean) == {"test": 2, "train": 8, "val": 2}
    assert not report.drops


def test_a_folder_that_is_gone_is_not_another_split(tmp_path: Path) -> None:
    in_splits(tmp_path)
    for path in (tmp_path / "valid" / "images").iterdir():
        path.unlink()
    (tmp_path / "valid" / "images").rmdir()
    named(tmp_path, "train: /x/train/images\nval: /x/valid/images\ntest: /x/test/images\nnames: [cat, dog]\n")
    data = read(tmp_path)
    assert splits(data) == {"test": 2, "train": 8}
    assert [fault.reason for fault in data.faults if fault.kind == "no-folder"] == [
        "val: /x/valid/images does not exist, and nothing in the data ends so; its images are skipped"
    ]


def test_a_folder_that_could_be_one_of_several_is_named(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        disk.yolo(tmp_path, numbered(2, first=ord(folder)), f"{folder}/images", f"{folder}/labels")
    (fault, *_) = read(named(tmp_path, "train: /x/images\nnames: [cat, dog]\n")).faults
    assert f"it could be each of {tmp_path / 'a' / 'images'}, {tmp_path / 'b' / 'images'}; its images" in fault.reason


def test_two_names_never_mean_one_folder(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(4))
    data = read(named(tmp_path, "train: /x/a/images\nval: /x/b/images\nnames: [cat, dog]\n"))
    assert splits(data) == {"train": 4}
    assert kinds(data) == ["no-folder", "other-folder"]


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("D:\\work\\set\\images\\{}.png", "/content/set/images/{}.png"),
        ("data/images/{}.png", "./images/{}.png"),
        ("images/{}.png", "../images/{}.png"),
        ("{}.png", "{}.PNG"),
        ("https://host/images/{}.png", "images/{}.png"),
        ("{}", "{}"),
    ],
)
@pytest.mark.parametrize("described", [True, False])
def test_lists_of_another_machine(tmp_path: Path, train: str, val: str, described: bool) -> None:
    disk.yolo(tmp_path, numbered(8))
    text(tmp_path / "train.txt", "\r\n".join(train.format(i) for i in range(6)))
    text(tmp_path / "val.txt", "\n".join(val.format(i) for i in (6, 7, 7)) + "\n\n")
    if described:
        named(tmp_path, "path: /content/set\ntrain: train.txt\nval: val.txt\nnames: [cat, dog]\n")
    report = inspect(read(tmp_path))
    assert splits(report.clean) == {"train": 6, "val": 2}
    assert not report.drops
    assert set(kinds(report)) <= {"other-path"}


def test_lists_of_cvat_below_folders(tmp_path: Path) -> None:
    """Its lists begin with a folder that its exports do not have."""
    disk.yolo(tmp_path, numbered(3), "images/train/sub", "labels/train/sub")
    text(tmp_path / "train.txt", "\n".join(f"data/images/train/sub/{i}.png" for i in range(3)))
    data = read(named(tmp_path, "path: .\ntrain: train.txt\nnames:\n  0: cat\n  1: dog\n"))
    assert (counts(data), splits(data)) == ((3, 3), {"train": 3})
    assert kinds(data) == ["other-path"]


def test_yolo_1_1_of_cvat(tmp_path: Path) -> None:
    for subset, word, count, first in (("train", "train", 6, 0), ("valid", "valid", 2, 6)):
        disk.yolo(tmp_path, numbered(count, first=first), f"obj_{subset}_data", f"obj_{subset}_data")
        lines = (f"data/obj_{subset}_data/{i}.png" for i in range(first, first + count))
        text(tmp_path / f"{word}.txt", "\n".join(lines))
    text(tmp_path / "obj.names", "cat\ndog\n")
    words = "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n"
    text(tmp_path / "obj.data", words)
    for path in (tmp_path, tmp_path / "obj.data"):
        data = read(path)
        assert data.classes == ("cat", "dog")
        assert splits(data) == {"train": 6, "val": 2}
        assert counts(data) == (8, 8)
        assert not any(fault.drops for fault in data.faults)


def darknet(root: Path) -> Path:
    disk.yolo(root, numbered(4), "data/obj", "data/obj")
    words = "classes= 2\ntrain  = data/train.txt\nvalid = data/test.txt\nnames = data/animals.names\nbackup = backup/\n"
    text(root / "data" / "animals.data", words)
    text(root / "data" / "animals.names", "cat\ndog\n")
    text(root / "data" / "train.txt", "data/obj/0.png\ndata/obj/1.png\ndata/obj/2.png\n")
    text(root / "data" / "test.txt", "data/obj/3.png\n")
    return root


def test_darknet(tmp_path: Path) -> None:
    darknet(tmp_path)
    data = read(tmp_path)
    assert (data.classes, splits(data), counts(data)) == (("cat", "dog"), {"train": 3, "val": 1}, (4, 4))
    assert data.faults == ()
    data = read(tmp_path / "data")
    assert (data.classes, splits(data)) == (("cat", "dog"), {"train": 3, "val": 1})
    (tmp_path / "data" / "animals.data").unlink()
    data = read(tmp_path)
    assert (data.classes, splits(data)) == (("cat", "dog"), {"test": 1, "train": 3}), "by names and lists alone"


def test_lists_that_do_not_tell_splits_apart_are_none(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(4), "", "")
    text(tmp_path / "train.txt", "0.png\n1.png\n2.png\n3.png\n")
    text(tmp_path / "test notes.txt", "nothing about 0.png here\n")
    data = read(tmp_path)
    assert (splits(data), data.faults) == ({"": 4}, ())
    text(tmp_path / "test.txt", "3.png\n")
    (tmp_path / "train.txt").unlink()
    assert splits(read(tmp_path)) == {"test": 1, "train": 3}, "the others are for training"


def test_images_that_lists_do_not_name_are_told(tmp_path: Path) -> None:
    disk.yolo(tmp_path, numbered(5))
    text(tmp_path / "train.txt", "images/0.png\nimages/1.png\n")
    text(tmp_path / "val.txt", "images/2.png\n")
    (fault,) = read(tmp_path).faults
    assert (fault.kind, fault.drops) == ("unlisted", True)
    assert f"2 others with label files are skipped (the first: {tmp_path / 'images' / '3.png'})" in str(fault)
    (fault,) = read(named(tmp_path, "train: train.txt\nval: val.txt\nnames: [cat, dog]\n")).faults
    assert (fault.kind, fault.drops) == ("unlisted", False), "settings say what is data"


# Which file names the classes


def test_data_yaml_is_the_one(tmp_path: Path) -> None:
    disk.yolo(tmp_path)
    text(tmp_path / "backup of data.yaml", "names: [dog, cat, person]\n")
    text(tmp_path / "a.yaml", "names: [cat, dog]\n")
    text(tmp_path / "yolov5s.yaml", "nc: 80\nbackbone:\n  - conv\n")
    data = read(named(tmp_path, "names: [cat, dog]\n"))
    assert data.classes == ("cat", "dog")
    assert [str(fault) for fault in data.faults] == [f"{tmp_path / 'backup of data.yaml'}: is not read: data.yaml is"]


def test_several_settings_that_differ_are_refused(tmp_path: Path) -> None:
    disk.yolo(tmp_path)
    text(tmp_path / "a.yaml", "names: [dog, cat]\n")
    text(tmp_path / "b.yml", "names: [cat, dog]\n")
    with pytest.raises(UserError, match=r"several files with classes \(a\.yaml, b\.yml\): name the one that is meant"):
        read(tmp_path)
    assert read(tmp_path / "b.yml").classes == ("cat", "dog")
    text(tmp_path / "a.yaml", "names: [cat, dog]\n# the same\n")
    assert read(tmp_path).classes == ("cat", "dog")


def test_the_only_yaml_with_names(tmp_path: Path) -> None:
    disk.yolo(tmp_path)
    text(tmp_path / "yolov8n.yaml", "nc: 80\nbackbone:\n  - conv\n")
    text(tmp_path / "count.yaml", "nc: 7\n")
    text(tmp_path / "my set.yaml", "names: [cat, dog]\n")
    assert read(tmp_path).classes == ("cat", "dog")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_names_in_a_file_of_their_own(tmp_path: Path, encoding: str) -> None:
    disk.yolo(tmp_path)
    text(tmp_path / "cfg" / "animals.names", "cat\ndog\n", encoding)
    for name in ("cfg/animals.names", "/old/cfg/animals.names", "..\\cfg\\animals.names"):
        assert read(named(tmp_path, f"names: '{name}'\n")).classes == ("cat", "dog")
    assert read(named(tmp_path, "names: cat, dog\n")).classes == ("cat", "dog")
    assert read(named(tmp_path, "names: nowhere.txt\n")).classes == ("cat", "dog"), "of the one that there is"
    (tmp_path / "cfg" / "animals.names").unlink()
    with pytest.raises(UserError, match=r"data\.yaml, names: `nowhere\.txt` is not there: copy that file here"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["obj.names", "animals.names", "names.txt", "labels.txt", "predefined_classes.txt"])
def test_lists_of_names_under_other_names(tmp_path: Path, name: str) -> None:
    disk.yolo(tmp_path)
    text(tmp_path / name, "cat\ndog\n")
    data = read(tmp_path)
    assert (data.classes, data.faults) == (("cat", "dog"), ())


def test_a_label_file_is_no_list_of_names(tmp_path: Path) -> None:
    disk.yolo(tmp_path, {"names.png": (SIZE, [("cat", (1, 2, 9, 9))])}, "", "")
    assert read(tmp_path).classes == ("0",)
