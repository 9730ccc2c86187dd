"""Zip files: unpacked once, and never out of their folder."""

import stat
import struct
import zipfile
from pathlib import Path

import datasets_on_disk as disk
import further_datasets as further
import pytest
from datasets_on_disk import SCENES
from shell import Shell

from pocketrcnn.data.formats import archives, read
from pocketrcnn.data.images.cache import cache_root
from pocketrcnn.errors import UserError

WRITERS = {"coco": disk.coco, "voc": disk.voc, "yolo": disk.yolo, "csv": disk.table, **further.WRITERS}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POCKETRCNN_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def zipped(folder: Path, path: Path) -> Path:
    """A zip file of all that is in a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def packed(path: Path, **files: bytes) -> Path:
    """A zip file of names and contents."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("kind", WRITERS)
def test_a_set_of_any_format_in_a_zip(tmp_path: Path, kind: str) -> None:
    file = zipped(WRITERS[kind](tmp_path / "data", SCENES), tmp_path / "export.zip")
    data = read(file)
    assert (data.format, data.root.name) == (kind, "export.zip")
    assert sum(len(one.objects) for one in data.examples) == 3
    assert all(one.path.is_file() for one in data.examples)
    assert [fault.kind for fault in data.faults] == ["unpacked"]


def test_it_is_unpacked_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped(disk.coco(tmp_path / "data"), tmp_path / "a" / "export.zip")
    first = read(file)
    monkeypatch.setattr(archives, "unpack", None)
    assert read(tmp_path / "a").examples == first.examples
    assert [path.name for path in cache.iterdir()] == ["unpacked"]
    assert not list(cache.rglob("*.part"))


def test_images_and_annotations_in_two_zips(tmp_path: Path, shell: Shell) -> None:
    disk.coco(tmp_path / "data", images="images")
    disk.coco(tmp_path / "more")
    zipped(tmp_path / "data" / "images", tmp_path / "zips" / "images.zip")
    (tmp_path / "data" / "images").rename(tmp_path / "elsewhere")
    zipped(tmp_path / "data", tmp_path / "zips" / "annotations.zip")
    data = read(tmp_path / "zips")
    assert len(data.examples) == 3
    assert all(one.path.is_file() for one in data.examples)
    assert "warning (unpacked)" in shell("check", tmp_path / "zips").out


def test_images_beside_a_zip_of_annotations(tmp_path: Path) -> None:
    disk.coco(tmp_path / "data", images="images")
    (tmp_path / "data" / "images").rename(tmp_path / "set")
    zipped(tmp_path / "data", tmp_path / "set" / "annotations.zip")
    with pytest.raises(UserError, match="beside it: unpack it there"):
        read(tmp_path / "set")


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png", "C:/a.png", "..\\a.png", "x\\..\\..\\a.png"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, cache: Path, shell: Shell, name: str) -> None:
    file = packed(tmp_path / "a.zip", **{"b.png": b"", name: b"overwritten"})
    assert "leads out of its folder" in shell.refused("check", file)
    assert not list(tmp_path.rglob("a.png"))
    assert not cache.exists()


def test_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    """Of a damaged archive: the first null byte ends a name."""
    file = packed(tmp_path / "a.zip", **{"b.png": b"", "c.png": b""})
    file.write_bytes(file.read_bytes().replace(b"c.png", b"\0.png"))
    with pytest.raises(UserError, match=r"is damaged \(it has a file without a name\): download it again"):
        read(file)


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match="leads out"):
        read(tmp_path / "a.zip")


def test_bombs_are_refused(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SMALL", 100_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"\0" * 1_000_000)
    with pytest.raises(UserError, match=r"1 files with 1 MB in 0\.0 MB, as no data set does"):
        read(tmp_path / "a.zip")
    assert not cache.exists()


def test_a_zip_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    """Some hold themselves."""
    zipped(disk.coco(tmp_path / "data"), tmp_path / "inner" / "a.zip")
    with pytest.raises(UserError, match=r"looks like a packed archive \(a.zip"):
        read(zipped(tmp_path / "inner", tmp_path / "outer.zip"))


def test_encrypted_and_broken_ones_are_refused(tmp_path: Path, cache: Path) -> None:
    file = zipped(disk.coco(tmp_path / "data"), tmp_path / "a.zip")
    sound = file.read_bytes()
    at = sound.index(b"PK\x01\x02") + 8
    file.write_bytes(sound[:at] + struct.pack("<H", 1) + sound[at + 2 :])
    with pytest.raises(UserError, match="is encrypted"):
        read(file)
    file.write_bytes(sound[:60] + b"\xff" * 20 + sound[80:])
    with pytest.raises(UserError, match="cannot be unpacked"):
        read(file)
    file.write_bytes(sound[:100])
    with pytest.raises(UserError, match="looks like a packed archive"):
        read(file)
    assert {path.name for path in cache.rglob("*") if path.is_file()} <= {".lock"}


def test_names_in_utf_8_without_its_flag(tmp_path: Path) -> None:
    """As the Finder of macOS writes them, with a folder of its own."""
    disk.picture(tmp_path / "é.png", (20, 20))
    file = tmp_path / "a.zip"
    packed(file, **{"e__.png": (tmp_path / "é.png").read_bytes(), "__MACOSX/._e__.png": b"x"})
    csv = "image,class,x1,y1,x2,y2\né.png,cat,1,1,9,9\n".encode()
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("boxes.csv", csv)
    file.write_bytes(file.read_bytes().replace(b"e__.png", "e\u0301.png".encode()))
    data = read(file)
    assert [(one.path.name, one.path.is_file()) for one in data.examples] == [("e\u0301.png", True)]
    assert cache_root() in data.root.parents


def test_a_set_beside_a_zip_is_read(tmp_path: Path) -> None:
    packed(disk.coco(tmp_path) / "old.zip", a=b"")
    data = read(tmp_path)
    assert (data.root, data.faults) == (tmp_path, ())
