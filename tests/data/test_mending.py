"""Files that have all of their pixels are read, whatever else is wrong with them; those that have not are refused."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from odd_images import chunk, png
from PIL import Image, PngImagePlugin

from pocketrcnn.data.images.notes import Note
from pocketrcnn.data.images.pixels import probe, read_image, read_picture
from pocketrcnn.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
LONG = b"x" * 3_000_000


def jpeg(**options: object) -> bytes:
    saved = io.BytesIO()
    Image.fromarray(PIXELS).save(saved, "JPEG", **options)
    return saved.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 97, "subsampling": 0}])
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_end_marker(options: dict[str, object], missing: int, tmp_path: Path) -> None:
    """Small cameras write such files; every pixel is there."""
    content, path = jpeg(**options), tmp_path / "a.jpg"
    path.write_bytes(content)
    whole = read_picture(path)
    path.write_bytes(content[:-missing])
    cut = read_picture(path)
    assert np.array_equal(cut.pixels, whole.pixels)
    assert cut.notes == (Note("end-marker", "lacks its end marker; all its pixels are there"),)
    assert (whole.notes, probe(path)) == ((), whole.probe)
    assert np.array_equal(read_image(content[:-missing]), whole.pixels)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 97, "subsampling": 0}])
def test_a_jpeg_that_lacks_pixels_is_refused(options: dict[str, object]) -> None:
    content = jpeg(**options)
    for missing in (8, 30, 200, len(content) // 2, len(content) * 9 // 10):
        with pytest.raises(UserError, match="is damaged"):
            read_image(content[:-missing])


TEXTS = {
    "zTXt": chunk(b"zTXt", b"parameters\0\0" + zlib.compress(LONG)),
    "iTXt": chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(LONG)),
    "tEXt": chunk(b"tEXt", b"Comment\0" + LONG),
    "iCCP": chunk(b"iCCP", b"profile\0\0" + zlib.compress(LONG)),
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("before", [True, False])
def test_a_png_with_megabytes_of_text(kind: str, before: bool, tmp_path: Path) -> None:
    """Programs that render images write their settings so, and every viewer shows them."""
    path = tmp_path / "a.png"
    path.write_bytes(png(PIXELS, TEXTS[kind]) if before else png(PIXELS, after=TEXTS[kind]))
    limit = PngImagePlugin.MAX_TEXT_CHUNK
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, PIXELS)
    assert (picture.notes, picture.probe) == ((), probe(path))
    assert limit == PngImagePlugin.MAX_TEXT_CHUNK


@pytest.mark.parametrize("kind", [b"tEXt", b"gAMA", b"pHYs", b"tIME"])
def test_a_wrong_checksum_of_what_is_no_pixel_is_noted(kind: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(PIXELS, chunk(kind, b"Title\0nothing", right=False)))
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, PIXELS)
    assert picture.notes == (Note("checksum", f"has a wrong checksum in {kind.decode()}, which is skipped"),)


def test_a_mended_image_is_still_turned(tmp_path: Path) -> None:
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6
    (tmp_path / "a.png").write_bytes(png(PIXELS, chunk(b"eXIf", exif), TEXTS["zTXt"]))
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(PIXELS, -1))
    assert (probe(tmp_path / "a.png").width, probe(tmp_path / "a.png").height) == (48, 64)


def test_a_wrong_checksum_of_pixels_is_noted_and_one_of_the_head_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(PIXELS, pixels_right=False))
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, PIXELS)
    assert picture.notes == (Note("checksum", "has a wrong checksum of its pixels: they may be damaged"),)
    content = bytearray(png(PIXELS))
    content[29] ^= 1
    with pytest.raises(UserError, match="is a damaged PNG that cannot be decoded: replace or remove it"):
        read_image(bytes(content))


def test_a_png_of_text_alone_is_refused() -> None:
    for content in (png(PIXELS, TEXTS["zTXt"])[:500], png(PIXELS, *[TEXTS["zTXt"]] * 3)[:-4000]):
        with pytest.raises(UserError, match="damaged"):
            read_image(content)
