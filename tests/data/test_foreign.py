"""Files that people take for images: named by their content, counted by their endings, each with a remedy."""

from __future__ import annotations

from pathlib import Path

import datasets_on_disk as disk
import pytest
from shell import Shell

from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.images.foreign import KINDS, address, passed_over, refusal
from pocketrcnn.data.images.pixels import ENDINGS, read_image
from pocketrcnn.errors import UserError

HEIC = b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (HEIC, "is a HEIC photograph, which is not read: save it as JPEG"),
        (HEIC.replace(b"ftypheic", b"ftypmif1"), "is a HEIC photograph"),
        (b"\0\0\0\x20ftypisom" + bytes(40), "is a video, which is not read: save its frames"),
        (b"\0\0\0\x14ftypqt  " + bytes(40), "is a video"),
        (b"RIFF\0\0\0\0AVI LIST", "is a video"),
        (b"\x1a\x45\xdf\xa3" + bytes(40), "is a video"),
        (b"%PDF-1.7\n", "is a drawing or a document"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">', "is a drawing or a document"),
        (b"8BPS\0\1", "is a drawing or a document"),
        (b"\x93NUMPY\1\0", "is a file of arrays"),
        (bytes(128) + b"DICM", "is a medical image"),
        (b"ZISRAWFILE", "is a file of a microscope"),
    ],
)
def test_files_are_named_by_their_content(head: bytes, words: str, tmp_path: Path) -> None:
    assert refusal(head).startswith(words)
    (tmp_path / "a.jpg").write_bytes(head)
    with pytest.raises(UserError) as caught:
        read_image(tmp_path / "a.jpg")
    assert str(caught.value).startswith(f"{tmp_path / 'a.jpg'} {words}")


def test_files_of_unknown_content_are_named_by_their_ending(tmp_path: Path) -> None:
    (tmp_path / "scan.ND2").write_bytes(b"\1\2\3")
    with pytest.raises(UserError, match=r"scan\.ND2 is a file of a microscope, which is not read: export its images"):
        read_image(tmp_path / "scan.ND2")


def test_no_ending_is_both_read_and_passed_over() -> None:
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(set(endings)) == len(endings)
    assert set(endings).isdisjoint(ENDINGS)


def test_what_is_passed_over_is_counted_by_kind() -> None:
    paths = [Path(name) for name in ("a.HEIC", "b.heif", "clip.mp4", "c.heic", "notes.txt", "d.png")]
    assert [(path.name, note.kind, note.reason.partition(":")[0]) for path, note in passed_over(paths)] == [
        ("a.HEIC", "not-read", "is a HEIC photograph, which is not read"),
        ("clip.mp4", "not-read", "is a video, which is not read"),
    ]
    assert next(passed_over(paths))[1].reason.endswith("(and so 2 other files)")


def test_check_counts_what_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = disk.coco(tmp_path)
    for name in ("phone.heic", "sub/b.HEIC", "clip.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(HEIC)
    faults = inspect(read(data)).faults
    assert [(fault.kind, fault.file.name, fault.drops) for fault in faults] == [
        ("not-read", "clip.mov", False),
        ("not-read", "phone.heic", False),
    ]
    code, out, _ = Shell(capsys)(f"check {tmp_path}")
    assert code == 0
    assert "phone.heic: is a HEIC photograph, which is not read: save it as JPEG" in out
    assert "(and so 1 other file)" in out


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("https://example.com/a.jpg", "https://example.com/a.jpg"),
        (Path("https://example.com/a.jpg"), "https://example.com/a.jpg"),
        ("gs://bucket/a.jpg", "gs://bucket/a.jpg"),
        ("data:image/png;base64,AA", "data:image/png;base64,AA"),
        ("a.jpg", ""),
        ("C:/a.jpg", ""),
        ("photos/a: b.jpg", ""),
        ("/data/https/a.jpg", ""),
    ],
)
def test_addresses(name: object, found: str) -> None:
    assert address(name) == found
