import hashlib
import json
import runpy
from importlib import resources
from pathlib import Path

import fake_cifar
import numpy as np
import platformdirs
import pytest
import torch

from pocketrcnn.course.data import cifar
from pocketrcnn.data.images import cache
from pocketrcnn.errors import UserError


@pytest.fixture
def contents(monkeypatch, tmp_path):
    return fake_cifar.install(monkeypatch, tmp_path)


@pytest.fixture
def folder(contents):
    return fake_cifar.write(cifar.cifar10_folder(), contents)


def test_cache_is_where_the_environment_says_or_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("POCKETRCNN_DATA", str(tmp_path))
    assert cifar.cifar10_folder() == tmp_path / "cifar-10-batches-bin"
    monkeypatch.delenv("POCKETRCNN_DATA")
    assert cache.cache_root() == Path(platformdirs.user_cache_dir("pocketrcnn"))


def test_official_sizes():
    assert cifar.RECORDS * (1 + cifar.PIXEL_BYTES) == 30_730_000
    assert len(cifar.CHECKSUMS) == 6
    assert len(cifar.CLASSES) == 10


def test_record_is_label_then_planes_of_red_green_and_blue():
    planes = np.arange(3072) % 251
    labelled = cifar.parse_records(bytes([7, *planes.tolist()]))
    assert labelled.labels.tolist() == [7]
    assert labelled.images.dtype == torch.uint8
    red, green = labelled.images[0, 0], labelled.images[0, 1]
    assert red[0, 1] == 1, "columns run fastest"
    assert red[1, 0] == 32
    assert green[0, 0] == 1024 % 251


def test_files_are_read_one_after_the_other(folder, contents):
    both = cifar.load_cifar10(["data_batch_2.bin", "test_batch.bin"])
    assert both.images.shape == (2 * fake_cifar.RECORDS, 3, 32, 32)
    assert both.labels.dtype == torch.int64
    alone = cifar.parse_records(contents["test_batch.bin"])
    assert torch.equal(both.images[fake_cifar.RECORDS :], alone.images)
    assert torch.equal(both.labels[fake_cifar.RECORDS :], alone.labels)


def test_missing_file_names_the_remedy(contents):
    with pytest.raises(UserError, match=r"data_batch_1\.bin is missing: run `pocketrcnn download cifar10`"):
        cifar.load_cifar10(["data_batch_1.bin"])


def test_truncated_file_names_expected_and_found_size(folder, contents):
    path = folder / "data_batch_1.bin"
    path.write_bytes(path.read_bytes()[:1000])
    message = f"data_batch_1.bin is damaged ({fake_cifar.RECORDS * 3073} bytes expected, 1000 found): run `pocketrcnn"
    with pytest.raises(UserError) as caught:
        cifar.load_cifar10(["data_batch_1.bin"])
    assert message in str(caught.value)


def test_changed_byte_names_expected_and_found_checksum(folder, contents):
    path = folder / "test_batch.bin"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        cifar.load_cifar10(["test_batch.bin"])
    for part in (
        str(path),
        cifar.CHECKSUMS["test_batch.bin"],
        fake_cifar.md5(content),
        "`pocketrcnn download cifar10`",
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(cifar.load_cifar10(["data_batch_1.bin"]).labels) == fake_cifar.RECORDS, "the others are still good"


def test_unreadable_file_is_a_user_error(folder):
    (folder / "test_batch.bin").unlink()
    (folder / "test_batch.bin").mkdir()
    with pytest.raises(UserError, match=r"test_batch\.bin cannot be read"):
        cifar.load_cifar10(["test_batch.bin"])


def test_cifar100_has_two_label_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "CIFAR100_RECORDS", {"train.bin": 4, "test.bin": 2})
    content = fake_cifar.make_records(0, 4, label_bytes=2)
    (tmp_path / "train.bin").write_bytes(content)
    images = cifar.load_cifar100_images(tmp_path, "train.bin")
    assert images.shape == (4, 3, 32, 32)
    assert images[1].flatten().tolist() == list(content[3074 + 2 : 2 * 3074])


def test_cifar100_of_another_size_or_missing(tmp_path):
    with pytest.raises(UserError, match=r"train\.bin cannot be read"):
        cifar.load_cifar100_images(tmp_path, "train.bin")
    (tmp_path / "train.bin").write_bytes(b"short")
    with pytest.raises(UserError, match=r"train\.bin is not CIFAR-100's \(153700000 bytes expected, 5 found\)"):
        cifar.load_cifar100_images(tmp_path, "train.bin")


GOLDEN = {
    "train": (1000, "a711302519f4540701b25cf7afc63b7265480c01ab55b26022c66cfe2e0c572c"),
    "test": (500, "b24037057127dfebe67106f277228786f888437d45ba6a92ceaaab8add33b1fc"),
}


@pytest.mark.parametrize("split", ["train", "test"])
def test_sample_is_the_same_pixel_for_pixel(split):
    count, checksum = GOLDEN[split]
    images, labels = cifar.load_sample(split)
    assert images.shape == (count, 3, 32, 32)
    assert images.dtype == torch.uint8
    assert hashlib.sha256(images.numpy().tobytes()).hexdigest() == checksum
    assert labels.tolist() == [index % 10 for index in range(count)], "every ten images hold every class once"


def test_sample_tiles_are_listed_once_each():
    index = json.loads((resources.files("pocketrcnn.course.data") / "sample" / "records.json").read_text())
    for split, count in (("train", 100), ("test", 50)):
        records = index[split]["records"]
        assert list(records) == list(cifar.CLASSES)
        indices = [index for rows in records.values() for index in rows]
        assert len(indices) == len(set(indices)) == 10 * count


def test_mosaic_round_trip():
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "make_sample.py"))
    mosaic = script["join_mosaic"](images, columns=3)
    assert mosaic.shape == (64, 96, 3)
    assert (mosaic[32:, 64:].transpose(2, 0, 1) == images[5]).all(), "the last tile is at the bottom right"
    assert (cifar.split_mosaic(mosaic) == images).all()
