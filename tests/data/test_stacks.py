"""Files of several images: each page by its name, and projections of all, in every kind of file that has pages.

Covers `data/images/tiff_pages.py`, `data/images/page_names.py`, `data/images/raw.py` and `data/images/identifying.py`.
"""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odd_images import large_stack, png, stack, tiff
from PIL import Image

from pocketrcnn.config import Pages
from pocketrcnn.data.images.deep import used_bits
from pocketrcnn.data.images.opening import PageNotNamed, pages_of
from pocketrcnn.data.images.page_names import file_of, named_page, page_path, stem
from pocketrcnn.data.images.pixels import read_image, read_picture
from pocketrcnn.errors import UserError

GENERATOR = np.random.default_rng(0)
Values = NDArray[Any]
KINDS: dict[str, tuple[tuple[int, ...], type[np.generic], int]] = {  # by name: shape behind [N,H,W], type, photometric
    "grey 8": ((), np.uint8, 1),
    "grey 16": ((), np.uint16, 1),
    "grey 32": ((), np.uint32, 1),
    "grey float": ((), np.float32, 1),
    "grey half": ((), np.float16, 1),
    "RGB 8": ((3,), np.uint8, 2),
    "RGB 16": ((3,), np.uint16, 2),
    "five channels": ((5,), np.uint16, 1),
}


def pages_of_kind(kind: str, count: int = 3, largest: int = 4000) -> Values:
    """Pages [N,H,W] or [N,H,W,C] of noise."""
    more, form, _ = KINDS[kind]
    values = GENERATOR.random((count, 9, 7, *more)) * (255 if form == np.uint8 else largest)
    return values.astype(form)


def written(path: Path, values: Values, kind: str, **more: Any) -> Path:
    path.write_bytes(stack(values, KINDS[kind][2], **more))
    return path


def alone(path: Path, values: Values, kind: str) -> Values:
    """What a file of one page is read as."""
    path.write_bytes(tiff(values, KINDS[kind][2]))
    return read_image(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_each_page_is_read_as_if_it_were_alone(tmp_path: Path, kind: str, compression: int, order: str) -> None:
    values = pages_of_kind(kind)
    path = written(tmp_path / "a.tif", values, kind, compression=compression, order=order)
    assert pages_of(path) == [page_path(path, number) for number in (1, 2, 3)]
    for number, page in enumerate(values, 1):
        assert np.array_equal(read_image(f"{path}[{number}]"), alone(tmp_path / "one.tif", page, kind))
    assert np.array_equal(read_image(path), read_image(f"{path}[1]"))
    assert read_picture(page_path(path, 3)).notes == read_picture(tmp_path / "one.tif").notes


@pytest.mark.parametrize("kind", KINDS)
def test_projections_are_of_the_values_in_the_file(tmp_path: Path, kind: str) -> None:
    values = pages_of_kind(kind)
    path = written(tmp_path / "a.tif", values, kind)
    whole = np.issubdtype(values.dtype, np.integer)
    mean = values.astype(np.float64).mean(0)
    for how, projection in (("max", values.max(0)), ("mean", (np.floor(mean + 0.5) if whole else mean))):
        wanted = alone(tmp_path / "one.tif", projection.astype(values.dtype), kind)
        got = read_picture(path, how)  # type: ignore[arg-type]
        assert np.abs(got.pixels.astype(int) - wanted).max() <= (0 if whole and kind != "grey 32" else 1)
        words = {"max": "maximum", "mean": "mean"}[how]
        assert [note.reason for note in got.notes if note.kind == "pages"] == [f"holds 3 pages: the {words} is read"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=6))
def test_means_are_rounded_and_maxima_exact(values: list[int]) -> None:
    pages = np.zeros((len(values), 2, 2, 3), np.uint16)
    pages[:, 0, 0] = np.array(values, np.uint16)[:, None]
    content = stack(pages, 2)
    shift = used_bits(max(values)) - 8
    assert read_image(content, "max")[0, 0, 0] == max(values) >> shift
    mean = int(np.floor(np.mean(values) + 0.5))
    assert read_image(content, "mean")[0, 0, 0] == mean >> (used_bits(mean) - 8)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_pages_that_libtiff_decodes(tmp_path: Path, mode: str, compression: str) -> None:
    form = np.uint16 if mode == "I;16" else np.uint8
    values = GENERATOR.integers(0, 256, (4, 20, 30, *((3,) if mode == "RGB" else ()))).astype(form)
    first, *rest = map(Image.fromarray, values)
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest, compression=compression)
    for source in (tmp_path / "a.tif", (tmp_path / "a.tif").read_bytes()):
        got = read_image(source, "max")
        Image.fromarray(values.max(0)).save(tmp_path / "max.tif")
        assert np.array_equal(got, read_image(tmp_path / "max.tif"))
    rest[1].save(tmp_path / "third.tif")
    assert np.array_equal(read_image(tmp_path / "a.tif[3]"), read_image(tmp_path / "third.tif"))


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_frames_of_moving_images(tmp_path: Path, ending: str) -> None:
    path, colours = tmp_path / f"a.{ending}", [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    first, *rest = (Image.new("RGB", (8, 6), colour) for colour in colours)
    first.save(path, save_all=True, append_images=rest, **({"lossless": True} if ending == "webp" else {}))
    assert [tuple(read_image(f"{path}[{number}]")[0, 0]) for number in (1, 2, 3)] == colours
    assert read_image(path, "max")[0, 0].tolist() == [255, 255, 255]
    assert read_image(path, "mean")[0, 0].tolist() == [85, 85, 85]
    assert read_picture(page_path(path, 2)).notes == ()
    assert "; " not in read_picture(path, "mean").notes[0].reason
    with pytest.raises(UserError, match=r"a\.\w+ has no page 4: it holds 3 pages"):
        read_image(f"{path}[4]")


def imagej(**sizes: int) -> str:
    """The description that ImageJ writes."""
    return "\n".join(["ImageJ=1.54f", *(f"{name}={number}" for name, number in sizes.items()), "unit=micron", ""])


@pytest.mark.parametrize("kind", ["grey 8", "grey 16", "grey float", "RGB 8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_large_stacks_of_imagej_list_their_first_page_alone(tmp_path: Path, kind: str, order: str) -> None:
    values = pages_of_kind(kind, 5)
    path = tmp_path / "a.tif"
    path.write_bytes(large_stack(values, KINDS[kind][2], imagej(images=5, slices=5), order))
    assert len(pages_of(path)) == 5
    for number, page in enumerate(values, 1):
        assert np.array_equal(read_image(f"{path}[{number}]"), alone(tmp_path / "one.tif", page, kind))
    wanted = alone(tmp_path / "one.tif", values.max(0), kind)
    assert np.array_equal(read_image(path, "max"), wanted)
    assert "holds 5 pages: the first is read, with --pages" in read_picture(path).notes[0].reason


def test_pages_that_are_said_and_cannot_be_found(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(np.ones((4, 4), np.uint8), 1, description=imagej(images=3), compression=8))
    with pytest.raises(UserError, match=r"a\.tif\[2\] is not listed in its file, .* save it uncompressed"):
        read_image(f"{path}[2]")
    path.write_bytes(large_stack(np.ones((3, 4, 4), np.uint8), 1, imagej(images=3))[:-1])
    with pytest.raises(UserError, match=r"a\.tif\[3\] is not in its file, which ends before it"):
        read_image(path, "max")
    read_image(f"{path}[2]")
    path.write_bytes(tiff(np.ones((4, 4), np.uint8), 1, description=imagej(images=3)))
    with pytest.raises(UserError, match=r"a\.tif\[2\] is not listed"):
        read_image(path, "max")


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("kind", ["grey 8", "grey 16"])
def test_channels_are_colours_and_slices_are_projected(tmp_path: Path, kind: str, channels: int) -> None:
    """In ImageJ's files the channels of a slice stand behind each other."""
    slices = 4
    values = pages_of_kind(kind, channels * slices)
    description = imagej(images=channels * slices, channels=channels, slices=slices)
    path = written(tmp_path / "a.tif", values, kind, description=description)
    assert len(pages_of(path)) == slices
    planes = values.reshape(slices, channels, 9, 7)
    for how, projection in (("[2]", planes[1]), ("max", planes.max(0))):
        got = read_image(path, "max") if how == "max" else read_image(f"{path}{how}")
        for colour in range(3):
            expected = np.zeros((9, 7, 3), np.uint8)
            if colour < channels:
                expected = alone(tmp_path / "one.tif", projection[colour], kind)
            assert np.array_equal(got[..., colour], expected[..., 0]), "each channel is stretched by itself"
    first = alone(tmp_path / "one.tif", values[0], kind)
    assert np.array_equal(read_image(path), first), "the first page is one channel of one slice"
    notes = [note.kind for note in read_picture(path, "max").notes if note.kind != "dark"]
    assert notes == (["channels", "pages"] if channels > 3 else ["pages"])


def test_ome_says_in_which_order_pages_are(tmp_path: Path) -> None:
    values = pages_of_kind("grey 8", 6)
    pixels = '<Pixels DimensionOrder="XYZCT" SizeX="7" SizeY="9" SizeZ="3" SizeC="2" SizeT="1" Type="uint8">'
    description = f'<?xml version="1.0"?><OME><Image>{pixels}</Pixels></Image></OME>'
    path = written(tmp_path / "a.ome.tif", values, "grey 8", description=description)
    assert len(pages_of(path)) == 3
    assert np.array_equal(read_image(f"{path}[2]")[..., :2], np.stack([values[1], values[4]], -1))


def test_a_description_of_another_number_of_pages_says_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", pages_of_kind("grey 8"), "grey 8", description=imagej(images=3, channels=2))
    assert len(pages_of(path)) == 3


def test_pages_that_differ_have_no_projection(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    others = [Image.new("L", (8, 6)), Image.new("L", (8, 7))]
    Image.new("L", (8, 6), 9).save(path, save_all=True, append_images=others)
    with pytest.raises(UserError, match=r"a\.tif has pages that differ \(page 3 is 8 x 7 .* use --pages first, or all"):
        read_image(path, "mean")
    assert read_image(f"{path}[3]").shape == (7, 8, 3)
    Image.new("L", (8, 6), 9).save(path, save_all=True, append_images=[Image.new("RGB", (8, 6))])
    with pytest.raises(UserError, match="pages that differ"):
        read_image(path, "max")


def test_a_page_in_the_middle_that_is_damaged_is_named(tmp_path: Path) -> None:
    content = bytearray(stack(pages_of_kind("grey 8"), 1, compression=8))
    starts = [i for i in range(len(content)) if content[i : i + 2] == b"\x78\x9c"]
    content[starts[1] : starts[1] + 2] = b"\xff\xff"
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.tif\[2\] is damaged"):
        read_image(tmp_path / "a.tif", "max")
    for number in (1, 3):
        read_image(tmp_path / f"a.tif[{number}]")


def test_smaller_versions_of_a_page_are_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(stack([np.full((8, 8), 200, np.uint8), np.full((4, 4), 200, np.uint8)], 1, reduced=(1,)))
    assert pages_of(path) == [path]
    assert read_picture(path).notes == ()


def test_where_each_page_is_an_image_one_has_to_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", pages_of_kind("grey 8"), "grey 8")
    with pytest.raises(PageNotNamed, match=r"holds 3 pages, and none of them is named: name one, as in a\.tif\[2\]"):
        read_image(path, "all")
    assert np.array_equal(read_image(f"{path}[2]", "all"), read_image(f"{path}[2]"))
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "b.png")
    modes: tuple[Pages, ...] = ("first", "all", "max", "mean")
    assert all(read_image(tmp_path / "b.png", how)[0, 0].tolist() == [1, 2, 3] for how in modes)


def test_a_file_that_is_called_like_a_page_is_that_file(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "a.png")
    (tmp_path / "a.png[2]").write_bytes(png(np.full((5, 5, 3), 9, np.uint8)))
    assert read_image(tmp_path / "a.png[2]").shape == (5, 5, 3)
    with pytest.raises(UserError, match=r"a\.png has no page 3: it holds 1 page"):
        read_image(tmp_path / "a.png[3]")
    assert read_image(tmp_path / "a.png[1]").shape == (4, 4, 3)
    with pytest.raises(UserError, match=r"b\.png is not there"):
        read_image(tmp_path / "b.png[3]")


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=9), st.integers(1, 9_999_999))
def test_names_of_pages(name: str, number: int) -> None:
    path = Path("nowhere", f"{name}.tif")
    page = page_path(path, number)
    assert named_page(page) == (path, number)
    assert file_of(page) == path
    assert stem(page) == f"{path.stem}[{number}]"
    assert named_page(path) == (path, None)


def test_memory_does_not_grow_with_the_number_of_pages(tmp_path: Path) -> None:
    most = []
    for count in (2, 12):
        path = tmp_path / f"{count}.tif"
        path.write_bytes(stack(np.zeros((count, 400, 400), np.uint16), 1))
        tracemalloc.start()
        read_image(path, "mean")
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.3 * most[0]


WHOLE = {
    "listed": stack(pages_of_kind("grey 16"), 1),
    "deflated": stack(pages_of_kind("RGB 8"), 2, compression=8),
    "large": large_stack(pages_of_kind("grey 8", 4), 1, imagej(images=4, channels=2, slices=2)),
}


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=5), st.integers(0, 200))
def test_changed_bytes_give_an_image_or_one_line(kind: str, changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(WHOLE[kind])[: len(WHOLE[kind]) - cut]
    for place, value in changes:
        content[place % len(content)] = value
    for how in ("first", "max", "mean", "all"):
        with suppress(UserError):  # and nothing else
            assert read_image(bytes(content), how).dtype == np.uint8  # type: ignore[arg-type]


def test_a_chain_of_pages_that_leads_back_ends(tmp_path: Path) -> None:
    content = bytearray(stack(pages_of_kind("grey 8"), 1))
    first = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[first : first + 2], "little")
    content[first + 2 + 12 * entries : first + 6 + 12 * entries] = content[4:8]
    (tmp_path / "a.tif").write_bytes(content)
    assert pages_of(tmp_path / "a.tif") == [tmp_path / "a.tif"]


def test_files_above_4_gb_have_pages_of_other_numbers(tmp_path: Path) -> None:
    """BigTIFF: counts and places have 8 bytes."""
    first, *rest = (Image.fromarray(page) for page in pages_of_kind("grey 8"))
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest, big_tiff=True)
    assert (tmp_path / "a.tif").read_bytes()[2] == 43
    assert len(pages_of(tmp_path / "a.tif")) == 3
    for number, page in enumerate([first, *rest], 1):
        assert np.array_equal(read_image(tmp_path / f"a.tif[{number}]")[..., 0], np.asarray(page))
