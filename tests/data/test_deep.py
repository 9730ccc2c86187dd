"""Colours of more than 8 bits, measurements, arrays of any values: not black, nor stretched where they have a range.

Covers `data/images/arrays.py`, `data/images/tiff.py` and `data/images/heads.py`.
"""

from __future__ import annotations

import io
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from odd_images import png, tiff
from PIL import Image

from pocketrcnn.data.images import bands
from pocketrcnn.data.images.deep import used_bits
from pocketrcnn.data.images.notes import Note
from pocketrcnn.data.images.pixels import probe, read_image, read_picture
from pocketrcnn.errors import UserError

RANDOM = np.random.default_rng(0)
PHOTOGRAPH = RANDOM.integers(0, 256, (40, 30, 3), np.uint8)
GREY = RANDOM.integers(0, 256, (40, 30), np.uint8)


def deep(image: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """What a camera of so many bits makes of the same scene."""
    return image.astype(np.uint16) << (bits - 8) | image >> (16 - bits)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def notes_of(content: bytes, path: Path) -> list[str]:
    return [note.reason for note in read_picture(written(path, content)).notes]


@pytest.mark.parametrize(
    ("largest", "bits"), [(0, 8), (255, 8), (256, 10), (1023, 10), (4095, 12), (4096, 14), (16_384, 16), (65_535, 16)]
)
def test_the_bits_of_a_camera(largest: int, bits: int) -> None:
    assert used_bits(largest) == bits


@pytest.mark.parametrize("form", ["png", "tiff", "tiff of planes", "big-endian tiff", "deflated tiff", "ppm", "array"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_colours_of_any_camera_are_those_of_8_bits(bits: int, form: str, tmp_path: Path) -> None:
    """A run that was trained on 8 bits had an average precision of 0 on the same images in 12 of 16 bits."""
    values = deep(PHOTOGRAPH, bits)
    contents = {
        "png": lambda: png(values),
        "tiff": lambda: tiff(values, 2),
        "tiff of planes": lambda: tiff(values, 2, planes=True),
        "big-endian tiff": lambda: tiff(values, 2, order=">"),
        "deflated tiff": lambda: tiff(values, 2, compression=8),
        "ppm": lambda: b"P6 30 40 65535\n" + values.astype(">u2").tobytes(),
    }
    source = values if form == "array" else written(tmp_path / "a.img", contents[form]())
    assert np.abs(read_image(source).astype(int) - PHOTOGRAPH).max() <= (form == "ppm" and bits == 16)


def test_a_dark_scene_is_as_dark_as_in_8_bits(tmp_path: Path) -> None:
    dusk = PHOTOGRAPH // 4 + 8
    assert np.array_equal(read_image(written(tmp_path / "a.png", png(deep(dusk, 12)))), dusk)
    assert np.array_equal(read_image(PHOTOGRAPH.astype(np.uint16)), PHOTOGRAPH), "8 bits in 16 are as they are"


def test_a_note_says_what_is_dark(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert notes_of(png(deep(PHOTOGRAPH, 12)), path) == [
        "has values up to 4,095 of 65,535: it is read as an image of 12 bits"
    ]
    assert notes_of(png(deep(GREY, 12)), path) == [
        "has values up to 4,095 of 65,535: it is stretched to the full range"
    ]
    assert notes_of(png(PHOTOGRAPH // 20), path) == ["has values up to 12 of 255: it is nearly black"]
    assert notes_of(png(np.full((9, 9), 700, np.uint16)), path) == ["has one value everywhere: it is read as black"]
    for bright in (deep(PHOTOGRAPH, 16), PHOTOGRAPH, deep(GREY, 16), PHOTOGRAPH * 0):
        assert notes_of(png(bright), path) == []


@pytest.mark.parametrize("alpha_bits", [12, 16])
def test_grey_with_alpha_is_grey_laid_over_black(alpha_bits: int, tmp_path: Path) -> None:
    alpha = np.full_like(deep(GREY, 12), (1 << alpha_bits) - 1)
    alpha[:5] = 0
    content = png(np.dstack([deep(GREY, 10), alpha]))
    shown = read_image(written(tmp_path / "a.png", content))
    grey = read_image(written(tmp_path / "g.png", png(deep(GREY, 10))))
    assert grey.max() == 255
    assert (shown[:5] == 0).all()
    assert np.array_equal(shown[5:], grey[5:])
    assert np.array_equal(
        read_image(written(tmp_path / "a.tif", tiff(np.dstack([deep(GREY, 10), alpha]), 1, (2,)))), shown
    )


def test_colours_with_alpha(tmp_path: Path) -> None:
    alpha = np.full(GREY.shape, 65_535, np.uint16)
    alpha[:5] = 0
    values = np.dstack([deep(PHOTOGRAPH, 12), alpha])
    expected = PHOTOGRAPH * (alpha > 0)[..., None]
    for source in (
        values,
        written(tmp_path / "a.png", png(values)),
        written(tmp_path / "a.tif", tiff(values, 2, (2,))),
    ):
        assert np.array_equal(read_image(source), expected)


def test_deep_colours_are_turned_and_read_in_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = png(deep(PHOTOGRAPH, 12), exif_chunk(exif))
    monkeypatch.setattr(bands, "BAND", 200)
    path = written(tmp_path / "a.png", turned)
    assert np.array_equal(read_image(path), np.rot90(PHOTOGRAPH, -1))
    with Image.open(path) as lazy:
        assert np.array_equal(read_image(lazy), np.rot90(PHOTOGRAPH, -1))
    assert (probe(path).width, probe(path).height) == (40, 30)


def exif_chunk(exif: Image.Exif) -> bytes:
    """The chunk of a PNG."""
    saved = io.BytesIO()
    Image.new("L", (1, 1)).save(saved, "PNG", exif=exif)
    content = saved.getvalue()
    start = content.index(b"eXIf") - 4
    return content[start : start + 12 + int.from_bytes(content[start : start + 4], "big")]


MEASURED = RANDOM.normal(1000, 200, (40, 30))


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int64, np.uint32])
@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_of_every_kind_of_number(kind: type, order: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", tiff(MEASURED.astype(kind), 1, order=order))
    wanted = read_image(np.float32(MEASURED.astype(kind)))
    assert np.abs(read_image(path).astype(int) - wanted).max() <= 1
    assert (probe(path).colours, probe(path).depth) == (
        "grey float" if np.dtype(kind).kind == "f" else "grey",
        8 * np.dtype(kind).itemsize,
    )


@pytest.mark.parametrize(("compression", "predictor", "strips"), [(1, 1, 1), (1, 1, 4), (8, 1, 4), (8, 2, 1)])
def test_numbers_in_strips_deflated_and_as_differences(
    compression: int, predictor: int, strips: int, tmp_path: Path
) -> None:
    values = MEASURED.astype(np.int64)
    options = {"compression": compression, "predictor": predictor, "strips": strips}
    path = written(tmp_path / "a.tif", tiff(values, 1, **options))
    assert np.array_equal(read_image(path), read_image(written(tmp_path / "b.tif", tiff(values, 1))))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("factor", [1, 255])
def test_colours_of_floating_point(kind: type, factor: int, tmp_path: Path) -> None:
    values = (PHOTOGRAPH / 255 * factor).astype(kind)
    content = tiff(values, 2)
    assert np.abs(read_image(written(tmp_path / "a.tif", content)).astype(int) - PHOTOGRAPH).max() <= 1
    assert np.array_equal(read_image(tmp_path / "a.tif"), read_image(values))


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_of_many_channels_the_first_three_are_read_with_a_note(kind: type, planes: bool, tmp_path: Path) -> None:
    """Each channel of a microscope has a range of its own."""
    dim = np.dstack([deep(GREY, 12), deep(GREY, 12) // 16, deep(GREY.T.reshape(GREY.shape), 14), *[deep(GREY, 12)] * 2])
    values = (dim if kind != np.uint8 else dim // 64).astype(kind)
    picture = read_picture(written(tmp_path / "a.tif", tiff(values, 1, (0,) * 4, planes=planes)))
    assert Note("channels", "has 5 channels: the first three are read as red, green and blue") in picture.notes
    for i in range(3):
        alone = values[..., i] if kind == np.uint8 else read_image(values[..., i].astype(np.uint16))[..., 0]
        assert np.array_equal(picture.pixels[..., i], alone)


def test_a_fourth_channel_that_is_not_alpha_is_left_with_a_note(tmp_path: Path) -> None:
    near_infrared = np.dstack([PHOTOGRAPH, GREY])
    picture = read_picture(written(tmp_path / "a.tif", tiff(near_infrared, 2, (0,))))
    assert np.array_equal(picture.pixels, PHOTOGRAPH)
    assert [note.kind for note in picture.notes] == ["channels"]


def test_of_two_channels_the_first_is_grey(tmp_path: Path) -> None:
    for values in (np.dstack([GREY, GREY // 2]), np.dstack([deep(GREY, 12), deep(GREY, 10)])):
        picture = read_picture(written(tmp_path / "a.tif", tiff(values, 1, (0,))))
        assert np.array_equal(picture.pixels, read_image(values[..., 0]))
        assert "has 2 channels: the first is read as grey" in [note.reason for note in picture.notes]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tiff(GREY.astype(np.uint64), 1, kind=6), "64-bit complex numbers in 1 channel"),
        (
            tiff(deep(PHOTOGRAPH, 12), 1, (0, 0), compression=5),
            "16-bit whole numbers in 3 channels with compression LZW",
        ),
        (tiff(MEASURED, 1, compression=8, predictor=3), "64-bit floating point in 1 channel with predictor 3"),
    ],
)
def test_other_kinds_of_tiff_are_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", content)
    for function in (read_image, probe):
        with pytest.raises(UserError) as caught:
            function(path)
        assert (
            str(caught.value)
            == f"{path} is a TIFF of {words}, which is not read: save it uncompressed, as 8-bit RGB or grey"
        )


def test_damaged_measurements_are_refused(tmp_path: Path) -> None:
    for content in (tiff(MEASURED, 1), tiff(MEASURED, 1, compression=8)):
        head = int.from_bytes(content[4:8], "little")
        cut = content[:4] + (8).to_bytes(4, "little") + content[head:] + content[8 : head // 2]
        changed = bytearray(content)
        changed[100:200] = bytes(100)
        for damaged in (cut, bytes(changed) if content[8:9] == b"\x78" else content[:40]):
            with pytest.raises(UserError, match=r"a\.tif is "):
                read_image(written(tmp_path / "a.tif", damaged))


def test_strips_of_a_bomb_are_unpacked_only_as_far_as_the_image_goes(tmp_path: Path) -> None:
    zeros = tiff(np.zeros((4000, 100)), 1, compression=8, strips=40)
    start = zeros.index((4000).to_bytes(4, "little"))
    path = written(tmp_path / "a.tif", zeros[:start] + (40).to_bytes(4, "little") + zeros[start + 4 :])
    tracemalloc.start()
    assert read_image(path).shape == (40, 100, 3)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    "whole",
    [
        tiff(MEASURED, 1),
        tiff(deep(PHOTOGRAPH, 12), 2, planes=True),
        png(deep(PHOTOGRAPH, 12)),
        png(deep(PHOTOGRAPH, 10)[..., :2]),
    ],
    ids=["floating point", "planes", "colours", "grey with alpha"],
)
def test_changed_bytes_give_an_image_or_one_line(whole: bytes, tmp_path: Path) -> None:
    random, path = np.random.default_rng(0), tmp_path / "a.img"
    for _ in range(40):
        changed = bytearray(whole[: random.integers(len(whole) // 2, len(whole) + 1)])
        for place in random.integers(-300, 300, 4):
            changed[place] = random.integers(256)
        path.write_bytes(changed)
        with suppress(UserError):  # and nothing else
            head, pixels, _ = read_picture(path)
            assert pixels.shape == (head.height, head.width, 3)


def test_the_size_of_measurements_is_limited(tmp_path: Path) -> None:
    huge = tiff(MEASURED, 1).replace((30).to_bytes(4, "little"), (30_000_000).to_bytes(4, "little"), 1)
    with pytest.raises(UserError, match="pixels, more than the limit"):
        read_image(written(tmp_path / "a.tif", huge))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floating_point_of_8_bit_images_is_not_stretched(kind: type) -> None:
    """`image.astype("float32")` changed every score."""
    calm = PHOTOGRAPH // 2 + 40
    for image in (calm, calm[..., 0]):
        assert np.array_equal(read_image(image.astype(kind)), read_image(image))
    resized = calm + 0.25
    assert np.abs(read_image(resized.astype(kind)).astype(int) - calm).max() <= 1
    assert np.array_equal(read_image(np.dstack([calm, np.full(GREY.shape, 255)]).astype(kind)), calm)


@pytest.mark.parametrize("beyond", [0.0, 0.02, 0.2])
def test_interpolation_that_overshoots_is_cut(beyond: float) -> None:
    values = PHOTOGRAPH / 255
    values[0, 0], values[0, 1] = 1 + beyond, -beyond
    wanted = PHOTOGRAPH.copy()
    wanted[0, 0], wanted[0, 1] = 255, 0
    assert np.array_equal(read_image(values), wanted)


def test_other_floating_point_is_stretched() -> None:
    standardised = (PHOTOGRAPH - 120.0) / 60
    for values in (standardised, MEASURED, MEASURED - 3000, MEASURED / 5):
        decoded = read_image(values)
        assert (decoded.min(), decoded.max()) == (0, 255)


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_ways_to_lay_out_16_bits(planes: bool, order: str, tmp_path: Path) -> None:
    """Of planes that are not compressed Pillow takes every byte for a pixel."""
    path = written(tmp_path / "a.tif", tiff(deep(PHOTOGRAPH, 16), 2, planes=planes, order=order))
    assert np.array_equal(read_image(path), PHOTOGRAPH)
    assert (probe(path).colours, probe(path).depth) == ("RGB", 16)
