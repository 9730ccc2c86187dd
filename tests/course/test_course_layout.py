"""The folders of the course: what is written is read again, byte for byte."""

from pathlib import Path

import fake_cifar
import numpy as np
import pytest
import torch
from disks import full
from PIL import Image

from pocketrcnn.cli.main import main
from pocketrcnn.course.data import cifar, course_layout
from pocketrcnn.course.data.cifar import load_sample
from pocketrcnn.course.data.course_layout import cell_labels, read_course_layout, write_course_layout
from pocketrcnn.course.data.datasets import Images
from pocketrcnn.course.data.scenes import Pools
from pocketrcnn.errors import UserError


def scenes(split, count):
    objects = load_sample(split).part(slice(count))
    images, boxes = Pools(*objects, objects.images, shared=True).fixed()
    return Images(split, images, boxes, objects.labels[:, None])


@pytest.fixture(scope="module")
def halves():
    return scenes("train", 23), scenes("test", 11)


@pytest.fixture
def folder(halves, tmp_path):
    write_course_layout(tmp_path / "course", *halves)
    return tmp_path / "course"


def test_round_trip_is_exact(halves, folder, monkeypatch):
    for split, data in zip(("train", "test"), halves, strict=True):
        images, boxes, labels = read_course_layout(folder, split)
        assert torch.equal(images, data.images)
        assert torch.equal(boxes, data.boxes)
        assert torch.equal(labels, data.labels)
        assert (images.dtype, boxes.dtype, labels.dtype) == (torch.uint8, torch.float32, torch.int64)


def test_chunks_do_not_show(halves, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(course_layout, "CHUNK", 5)
    write_course_layout(tmp_path / "other", *halves)
    for path in folder.rglob("*.*"):
        assert (tmp_path / "other" / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_layout_is_the_courses(halves, folder):
    assert sorted(path.name for path in folder.iterdir()) == ["devkit", "imgs", "masks"]
    assert len(list((folder / "imgs").iterdir())) == len(list((folder / "masks").iterdir())) == 34
    name, label, row, column, width = (folder / "devkit" / "train.txt").read_text().splitlines()[3].split()
    left, top, right, bottom = halves[0].boxes[3, 0].tolist()
    assert int(label) == halves[0].labels[3, 0]
    assert (float(row), float(column), float(width)) == ((top + bottom) / 2, (left + right) / 2, right - left)
    with Image.open(folder / "imgs" / name) as picture:
        assert (picture.size, picture.mode) == ((48, 48), "RGB")
    with Image.open(folder / "masks" / name) as mask:
        assert (np.asarray(mask) == cell_labels(halves[0].boxes[:, 0])[3].numpy()).all()


def test_scenes_on_backgrounds_of_cifar100(tmp_path, monkeypatch, capsys):
    """The same positions and objects as without; the backgrounds are those of the folder."""
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache")
    fake_cifar.write(cifar.cifar10_folder(), contents)
    backgrounds = fake_cifar.install_cifar100(monkeypatch, tmp_path / "cifar-100-binary")
    assert main(["scenes", str(tmp_path / "plain")]) == 0
    assert main(["scenes", str(tmp_path / "other"), "--backgrounds", str(backgrounds)]) == 0
    assert f"{2 * fake_cifar.RECORDS} scenes written" in capsys.readouterr().out
    for split in ("train", "test"):
        images, boxes, labels = read_course_layout(tmp_path / "other", split)
        plain, *placed = read_course_layout(tmp_path / "plain", split)
        assert torch.equal(boxes, placed[0])
        assert torch.equal(labels, placed[1])
        assert not torch.equal(images, plain)
        objects = cifar.load_cifar10(["data_batch_1.bin" if split == "train" else "test_batch.bin"])
        expected, _ = Pools(*objects, cifar.load_cifar100_images(backgrounds, f"{split}.bin")).fixed()
        assert torch.equal(images, expected)


def test_a_folder_with_something_else_is_left_alone(halves, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty: name an empty or a new folder"):
        write_course_layout(tmp_path, *halves)
    with pytest.raises(UserError, match=r"notes\.txt is a file"):
        write_course_layout(tmp_path / "notes.txt", *halves)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_neighbour_called_partial_is_left_alone(halves, tmp_path):
    """It was removed without a word, as if a killed program had left it."""
    (tmp_path / "course.partial").mkdir()
    (tmp_path / "course.partial" / "mine.txt").write_text("precious")
    write_course_layout(tmp_path / "course", *halves)
    assert (tmp_path / "course.partial" / "mine.txt").read_text() == "precious"


def test_the_current_folder_is_filled(halves, folder, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_course_layout(Path(), *halves)
    assert (tmp_path / "here" / "devkit" / "test.txt").read_text() == (folder / "devkit" / "test.txt").read_text()


def test_empty_folder_is_filled(halves, tmp_path):
    (tmp_path / "course").mkdir()
    write_course_layout(tmp_path / "course", *halves)
    assert len(read_course_layout(tmp_path / "course", "test")[0]) == 11


def test_nothing_half_written(halves, tmp_path, monkeypatch):
    monkeypatch.setattr(course_layout, "write_pictures", full)
    with pytest.raises(UserError, match=r"course cannot be written \(No space left on device\)"):
        write_course_layout(tmp_path / "course", *halves)
    assert list(tmp_path.iterdir()) == []


def test_blank_lines_and_rounded_centres_are_read(folder):
    listing = folder / "devkit" / "test.txt"
    listing.write_text("\ntest_00000.png 3 12 36 25\n\n")  # the centre of 0..25 is 12.5
    images, boxes, labels = read_course_layout(folder, "test")
    assert len(images) == 1
    assert boxes.tolist() == [[[23.5, -0.5, 48.5, 24.5]]]
    assert labels.tolist() == [[3]]


def test_missing_listing(tmp_path):
    with pytest.raises(UserError, match=r"train\.txt cannot be read \(No such file or directory\)"):
        read_course_layout(tmp_path, "train")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "lists no image"),
        ("test_00000.png 3 20 20\n", "line 1 is not `NAME.png LABEL ROW COLUMN WIDTH`"),
        ("test_00000.png 3 20 20 30\ntest_00001.png cat 20 20 30\n", "line 2 is not"),
        ("test_00000.png 3 20 20 30 9\n", "line 1 is not"),
        ("test_00000.png 3 20 x 30\n", "line 1 is not"),
        ("test_00000.png 10 20 20 30\n", "line 1 has the label 10"),
        ("test_00000.png -1 20 20 30\n", "line 1 has the label -1"),
        ("\ntest_00000.png 3 20 10 30\n", "line 2 has a box outside the 48x48 frame"),
        ("test_00000.png 3 20 33.6 30\n", "line 1 has a box outside"),
        ("test_00000.png 3 20 20 0\n", "line 1 has a box outside"),
        ("test_00000.png 3 nan 20 30\n", "line 1 has a box outside"),
        ("test_00000.png 3 20 20 inf\n", "line 1 has a box outside"),
    ],
)
def test_lines_that_cannot_be_used(folder, content, reason):
    listing = folder / "devkit" / "test.txt"
    listing.write_text(content)
    with pytest.raises(UserError) as caught:
        read_course_layout(folder, "test")
    assert str(caught.value).startswith(str(listing))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_listing_that_is_not_text(folder):
    (folder / "devkit" / "test.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"test\.txt cannot be read \(not text\)"):
        read_course_layout(folder, "test")


def test_missing_image(folder):
    path = folder / "imgs" / "test_00004.png"
    path.unlink()
    with pytest.raises(UserError, match=r"test_00004\.png is missing, though .*test\.txt lists it"):
        read_course_layout(folder, "test")


@pytest.mark.parametrize("content", [b"", b"not a picture", "half"])
def test_broken_image(folder, content):
    path = folder / "imgs" / "test_00004.png"
    path.write_bytes(path.read_bytes()[:2000] if content == "half" else content)
    with pytest.raises(UserError, match=r"test_00004\.png is (empty|not an image|damaged)") as caught:
        read_course_layout(folder, "test")
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("test_00004.png") == 1


def test_image_of_another_size(folder):
    Image.new("RGB", (32, 32)).save(folder / "imgs" / "test_00004.png")
    with pytest.raises(UserError, match=r"test_00004\.png is 32x32 pixels: the layout has 48x48"):
        read_course_layout(folder, "test")
