"""A CIFAR-10 of a few records, in every shape that the real one has; its checksums replace the official."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pocketrcnn.course.data import cifar

RECORDS = 12
Contents = dict[str, bytes]


def install(monkeypatch: pytest.MonkeyPatch, cache: Path, records: int = RECORDS) -> Contents:
    """Make the package expect the fake files, in an empty cache; returns their contents by name."""
    contents = {name: make_records(seed, records) for seed, name in enumerate(cifar.CHECKSUMS)}
    monkeypatch.setenv("POCKETRCNN_DATA", str(cache))
    monkeypatch.setattr(cifar, "RECORDS", records)
    monkeypatch.setattr(cifar, "CHECKSUMS", {name: md5(content) for name, content in contents.items()})
    return contents


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def make_records(seed: int, count: int, label_bytes: int = 1) -> bytes:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, (count, label_bytes), dtype=np.uint8)
    pixels = random.integers(0, 256, (count, cifar.PIXEL_BYTES), dtype=np.uint8)
    return np.concatenate([labels, pixels], axis=1).tobytes()


def write(folder: Path, contents: Contents) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def install_cifar100(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A CIFAR-100 of a few records in a folder; the package expects their numbers."""
    monkeypatch.setattr(cifar, "CIFAR100_RECORDS", {"train.bin": 10, "test.bin": 4})
    return write(folder, {name: make_records(9, count, 2) for name, count in cifar.CIFAR100_RECORDS.items()})


def as_archive(contents: Contents, prefix: str = "cifar-10-batches-bin/") -> bytes:
    """A .tar.gz, the same bytes for the same contents."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def as_npm(contents: Contents) -> Contents:
    """The files of the npm package."""
    files, labels = {}, []
    for name, content in contents.items():
        records = np.frombuffer(content, np.uint8).reshape(-1, 1 + cifar.PIXEL_BYTES)
        rows = records[:, 1:].reshape(-1, 3, 1024).transpose(0, 2, 1)  # [N,1024,3]
        png = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(rows)).save(png, format="PNG")
        files[name.replace(".bin", ".png")] = png.getvalue()
        labels.append(records[:, 0])
    files["train_lables.json"] = json.dumps(np.concatenate(labels[:5]).tolist()).encode()
    files["test_lables.json"] = json.dumps(labels[5].tolist()).encode()
    return files
