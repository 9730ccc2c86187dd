"""People's images as a data set: the right pixels and boxes, decoded once, in little memory, whatever goes wrong.

Covers `data/dataset.py`, `data/images/image_cache.py`, `data/images/cache.py`.
"""

import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from disks import full
from PIL import Image

from pocketrcnn.data.annotations import Annotations, Example, Object, content_hash
from pocketrcnn.data.dataset import Dataset
from pocketrcnn.data.folders import Folder, open_folder
from pocketrcnn.data.images import image_cache
from pocketrcnn.data.images.letterbox import letterbox
from pocketrcnn.errors import UserError

SIZES = [(40, 30), (16, 16), (9, 50), (32, 32), (1, 1)]  # width, height


def example(folder: Path, number: int, size: tuple[int, int], objects: Sequence[Object] = ()) -> Example:
    """An image of noise, as a file, with these objects."""
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
    path = folder / f"图 {number}.png"
    Image.fromarray(pixels).save(path)
    return Example(path, tuple(objects), "train", size)


@pytest.fixture
def annotations(tmp_path: Path) -> Annotations:
    """Five images: two objects and a crowd, none, one, one over everything, none."""
    objects = [
        [Object((2, 3, 30.5, 20), "cat"), Object((0, 0, 9, 9), "dog", crowd=True), Object((1, 1, 5, 6), "dog")],
        [],
        [Object((1, 10, 8, 50), "dog")],
        [Object((0, 0, 32, 32), "cat")],
        [],
    ]
    examples = [example(tmp_path, n, size, inside) for n, (size, inside) in enumerate(zip(SIZES, objects, strict=True))]
    return Annotations("coco", tmp_path, ("cat", "dog"), tuple(examples))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def cached(root: Path) -> list[str]:
    return sorted(path.suffix for path in (root / "folders").iterdir() if path.name != ".lock")


def test_it_is_a_data_set(annotations: Annotations) -> None:
    data: Dataset = open_folder(annotations, "train", 32)
    assert (len(data), data.size, data.classes) == (5, 32, ["cat", "dog"])
    assert data.name == f"{annotations.root.name}, train images"
    assert data.to(torch.device("cpu")).batch(torch.tensor([1])).images.device.type == "cpu"


def test_batches_are_letterboxed_images(annotations: Annotations) -> None:
    data = open_folder(annotations, "train", 32)
    batch = data.batch(torch.tensor([3, 0, 2, 4]))
    assert batch.images.shape == (4, 3, 32, 32)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.ids.tolist() == [3, 0, 2, 4]
    for image, place in zip(batch.images, batch.ids.tolist(), strict=True):
        expected, scales = letterbox(pixels(data.paths[place]), 32)
        assert np.array_equal(image.permute(1, 2, 0).numpy(), expected)
        assert data.seen(place).scales == scales
        assert tuple(data.shapes[place]) == SIZES[place]


def test_boxes_are_scaled_and_padded_without_crowds(annotations: Annotations) -> None:
    batch = open_folder(annotations, "train", 32).batch(torch.tensor([0, 1, 3]))
    assert batch.labels.tolist() == [[0, 1], [-1, -1], [0, -1]]
    assert batch.boxes.dtype == torch.float32
    assert batch.boxes[0].numpy() == pytest.approx(np.array([[1.6, 2.4, 24.4, 16], [0.8, 0.8, 4, 4.8]]))
    assert batch.boxes[1].tolist() == [[0.0] * 4] * 2
    assert batch.boxes[2, 0].tolist() == [0, 0, 32, 32]


def test_a_batch_of_two_is_two_batches_of_one(annotations: Annotations) -> None:
    data = open_folder(annotations, "train", 24)
    both = data.batch(torch.tensor([2, 0]))
    for row, place in enumerate([2, 0]):
        single = data.batch(torch.tensor([place]))
        count = single.labels.shape[1]
        assert torch.equal(both.images[row], single.images[0])
        assert torch.equal(both.boxes[row, :count], single.boxes[0])
        assert torch.equal(both.labels[row, :count], single.labels[0])


def test_truth_is_in_original_pixels_with_crowds(annotations: Annotations) -> None:
    truth = open_folder(annotations, "train", 16).ground_truth(0)
    assert truth.boxes.tolist() == [[2, 3, 30.5, 20], [0, 0, 9, 9], [1, 1, 5, 6]]
    assert truth.labels.tolist() == [0, 1, 1]
    assert truth.crowd.tolist() == [False, True, False]
    empty = open_folder(annotations, "train", 16).ground_truth(1)
    assert (empty.boxes.shape, empty.labels.shape, empty.crowd.shape) == ((0, 4), (0,), (0,))


def test_batches_without_objects_have_one_empty_slot(annotations: Annotations) -> None:
    batch = open_folder(annotations, "train", 16).batch(torch.tensor([1, 4]))
    assert batch.boxes.shape == (2, 1, 4)
    assert not batch.valid.any()


def test_many_objects_in_one_image_cost_the_others_nothing(tmp_path: Path) -> None:
    crowded = example(tmp_path, 0, (64, 64), [Object((0, 0, 1 + n % 60, 5), "a") for n in range(10_000)])
    others = [example(tmp_path, n, (8, 8), [Object((0, 0, 4, 4), "a")]) for n in range(1, 4)]
    data = open_folder(Annotations("coco", tmp_path, ("a",), (crowded, *others)), "train", 16)
    assert data.batch(torch.tensor([1, 2])).labels.shape == (2, 1)
    batch = data.batch(torch.tensor([1, 0]))
    assert batch.valid.sum(1).tolist() == [1, 10_000]


def test_a_part_of_a_data_set(annotations: Annotations) -> None:
    whole = open_folder(annotations, "train", 16)
    part = whole.take([3, 0])
    assert len(part) == 2
    assert part.paths == (whole.paths[3], whole.paths[0])
    assert part.ground_truth(1) is whole.ground_truth(0)
    boxes = part.take([1]).to(part.device).batch(torch.tensor([0])).boxes
    for mine, its in zip(boxes, [whole.ground_truth(0)], strict=True):
        assert len(mine) == (~its.crowd).sum()
    assert torch.equal(part.batch(torch.tensor([1])).images, whole.batch(torch.tensor([0])).images)


def test_images_are_decoded_once(annotations: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_folder(annotations, "train", 16).batch(torch.arange(5))
    monkeypatch.setattr(image_cache, "read_image", lambda path: pytest.fail(f"{path} is decoded again"))
    after = open_folder(annotations, "train", 16).batch(torch.arange(5))
    assert torch.equal(before.images, after.images)


def test_other_boxes_need_no_other_frames(annotations: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    open_folder(annotations, "train", 16)
    monkeypatch.setattr(image_cache, "read_image", lambda path: pytest.fail(f"{path} is decoded again"))
    plain = tuple(replace(one, objects=()) for one in annotations.examples)
    assert not open_folder(replace(annotations, examples=plain), "train", 16).batch(torch.arange(5)).valid.any()


def test_changed_images_and_other_sides_are_decoded_again(annotations: Annotations, empty_cache: Path) -> None:
    first = open_folder(annotations, "train", 16).batch(torch.tensor([3]))
    assert open_folder(annotations, "train", 8).size == 8
    path = annotations.examples[3].path
    Image.new("RGB", (32, 32), "red").save(path)
    os.utime(path, (1, 1))
    second = open_folder(annotations, "train", 16).batch(torch.tensor([3]))
    assert not torch.equal(first.images, second.images)
    assert cached(empty_cache) == [".frames"] * 3


def test_a_cache_elsewhere(annotations: Annotations, tmp_path: Path, empty_cache: Path) -> None:
    data = open_folder(annotations, "train", 16, tmp_path / "here" / "cache")
    assert data.frames.path.parent == tmp_path / "here" / "cache"
    assert not (empty_cache / "folders").exists()


def test_broken_images_are_left_out_and_named(annotations: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [one.path for one in annotations.examples]
    paths[0].write_bytes(paths[0].read_bytes()[:60])
    paths[2].unlink()
    Image.new("RGB", (5, 6)).save(paths[4])  # another size than the annotations'
    for _ in range(2):  # the second time from the cache
        data = open_folder(annotations, "train", 16)
        assert data.paths == (paths[1], paths[3])
        assert [fault.file for fault in data.skipped] == [paths[0], paths[2], paths[4]]
        assert [fault.drops for fault in data.skipped] == [True] * 3
        assert str(data.skipped[1]) == f"{paths[2]}: is not there: name an image file"
        assert "has 5 x 6 pixels" in data.skipped[2].reason
        assert data.batch(torch.tensor([1])).boxes.tolist() == [[[0, 0, 16, 16]]]
        assert np.array_equal(data.batch(torch.tensor([0])).images[0].permute(1, 2, 0).numpy(), pixels(paths[1]))
        monkeypatch.setattr(image_cache, "read_image", lambda path: pytest.fail(f"{path} is decoded again"))


def test_no_image_can_be_read(tmp_path: Path) -> None:
    missing = Example(tmp_path / "a.png", (), "train", (3, 3))
    with pytest.raises(UserError, match=r"none of the train images can be read \(.*a\.png: is not there"):
        open_folder(Annotations("voc", tmp_path, ("a",), (missing,)), "train", 16)


def test_an_empty_split(annotations: Annotations) -> None:
    with pytest.raises(UserError, match="has no val images"):
        open_folder(annotations, "val", 16)


def test_no_space_left(annotations: Annotations, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(10**9, 10**9, 100)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage)
        with pytest.raises(UserError, match=r"cannot be written \(No space left on device, 0 MB are needed\): free"):
            open_folder(annotations, "train", 16)
    assert cached(empty_cache) == []
    assert len(open_folder(annotations, "train", 16)) == 5


def test_no_space_left_while_writing(
    annotations: Annotations, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="POCKETRCNN_DATA"):
        open_folder(annotations, "train", 16)
    assert cached(empty_cache) == []


def test_a_cache_that_is_a_file(annotations: Annotations, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        open_folder(annotations, "train", 16, tmp_path / "file")


def test_killed_programs_leave_nothing_for_long(annotations: Annotations, empty_cache: Path) -> None:
    folder = empty_cache / "folders"
    folder.mkdir()
    (folder / ".other.frames.4711.part").write_bytes(b"half")
    data = open_folder(annotations, "train", 16)
    assert cached(empty_cache) == [".frames"]
    whole = data.frames.path.read_bytes()
    data.frames.path.write_bytes(whole[:1000])  # a damaged one is made again
    assert open_folder(annotations, "train", 16).frames.path.read_bytes() == whole


@pytest.mark.parametrize("place", [0, 1000, -30, -9, -1])
def test_a_flipped_bit_in_the_cache_is_not_trained_on(annotations: Annotations, place: int) -> None:
    annotations.examples[0].path.unlink()  # the reasons for missing images stand in the end
    first = open_folder(annotations, "train", 16)
    whole = first.frames.path.read_bytes()
    damaged = bytearray(whole)
    damaged[place] ^= 4
    first.frames.path.write_bytes(damaged)
    second = open_folder(annotations, "train", 16)
    assert second.frames.path.read_bytes() == whole
    assert second.skipped == first.skipped
    assert torch.equal(second.batch(torch.arange(4)).images, first.batch(torch.arange(4)).images)


@pytest.mark.parametrize("end", [b"", b"[]", b"{}", b"null", b"{}00000000", b"x" * 70_000])
def test_another_end_of_the_cache_is_made_again(annotations: Annotations, end: bytes) -> None:
    path = open_folder(annotations, "train", 16).frames.path
    whole = path.read_bytes()
    path.write_bytes(whole[: 5 * 16 * 16 * 3] + end)
    assert open_folder(annotations, "train", 16).frames.path.read_bytes() == whole


def checked(annotations: Annotations) -> Annotations:
    """With the hashes of `check`."""
    examples = tuple(replace(one, digest=content_hash(one.path)) for one in annotations.examples)
    return replace(annotations, examples=examples)


def test_an_image_of_the_same_length_and_time_is_another_one(annotations: Annotations) -> None:
    """`rsync -t` and tar keep the time: the old pixels were trained on."""
    first = open_folder(checked(annotations), "train", 16).batch(torch.tensor([3]))
    path = annotations.examples[3].path
    before, content = path.stat(), path.read_bytes()
    other = np.asarray(Image.open(path))[::-1]
    Image.fromarray(other).save(path)
    path.write_bytes(path.read_bytes()[: len(content)].ljust(len(content), b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = open_folder(checked(annotations), "train", 16).batch(torch.tensor([3]))
    assert path.stat().st_size == len(content)
    assert torch.equal(second.images, first.images.flip(2))


def test_an_image_that_changes_after_the_check_is_not_kept_under_its_name(
    annotations: Annotations, empty_cache: Path
) -> None:
    known = checked(annotations)
    path = annotations.examples[3].path
    content = path.read_bytes()
    Image.new("RGB", (32, 32), "red").save(path)
    with pytest.raises(UserError, match=r"3\.png was changed after it was checked: start again"):
        open_folder(known, "train", 16)
    assert cached(empty_cache) == []
    path.write_bytes(content)
    assert len(open_folder(known, "train", 16)) == 5


def test_moved_images_are_not_decoded_again(annotations: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    known = checked(annotations)
    open_folder(known, "train", 16)
    moved = known.root / "moved"
    moved.mkdir()
    examples = tuple(replace(one, path=one.path.rename(moved / one.path.name)) for one in known.examples)
    monkeypatch.setattr(image_cache, "read_image", lambda path: pytest.fail(f"{path} is decoded again"))
    assert len(open_folder(replace(known, examples=examples), "train", 16)) == 5


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_cache_that_goes_away_during_a_run(annotations: Annotations, content: bytes | None) -> None:
    data = open_folder(annotations, "train", 16)
    data.frames.path.unlink() if content is None else data.frames.path.write_bytes(content)
    message = "has gone, the cache was emptied during the run" if content is None else "delete it and start again"
    with pytest.raises(UserError, match=message):
        data.batch(torch.tensor([1]))


def test_several_at_once_write_once(annotations: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    read, decoded, opened = image_cache.read_image, [], []
    monkeypatch.setattr(image_cache, "read_image", lambda path, *more: (decoded.append(path), read(path, *more))[1])
    threads = [threading.Thread(target=lambda: opened.append(open_folder(annotations, "train", 16))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decoded) == 5
    assert all(isinstance(data, Folder) and len(data) == 5 for data in opened)
    assert len(opened) == 4


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted there")
def test_no_file_is_left_open(annotations: Annotations) -> None:
    before = len(os.listdir("/proc/self/fd"))
    data = open_folder(annotations, "train", 16)
    data.batch(torch.tensor([1]))
    assert len(os.listdir("/proc/self/fd")) == before
