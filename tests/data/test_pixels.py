"""Every image is read as it is shown, or refused with one line that names the file and the reason.

Covers `data/images/orientation.py`, `data/images/bands.py`, `data/images/opening.py` and `data/images/notes.py`.
"""

import io
import os
import struct
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from odd_images import PNG_START, chunk, png, tiff
from PIL import Image, ImageCms

from pocketrcnn.data.images import bands, heads
from pocketrcnn.data.images.heads import PIXEL_LIMIT
from pocketrcnn.data.images.identifying import FORMATS
from pocketrcnn.data.images.notes import Note
from pocketrcnn.data.images.orientation import ROTATIONS
from pocketrcnn.data.images.pixels import ENDINGS, Probe, probe, read_image, read_picture
from pocketrcnn.data.images.tiff_pages import OTHER_PAGES
from pocketrcnn.errors import UserError

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture(height: int = 6, width: int = 9, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def refusal(source: object) -> str:
    with pytest.raises(UserError) as caught:
        read_image(source)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "ppm", "webp", "jp2", "gif"])
def test_lossless_files_come_back_to_the_byte(ending: str, tmp_path: Path) -> None:
    pixels = picture() // 128 * 255  # 8 colours, so that GIF keeps them
    path = saved(
        tmp_path / f"画像 1.{ending}", Image.fromarray(pixels), **({"lossless": True} if ending == "webp" else {})
    )
    decoded = read_image(path)
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, pixels)
    assert np.array_equal(read_image(str(path)), pixels)
    assert (probe(path).width, probe(path).height) == (9, 6)


def test_arrays_and_pillow_images_are_taken_like_files(tmp_path: Path) -> None:
    pixels = picture()
    path = saved(tmp_path / "a.png", Image.fromarray(pixels))
    assert np.array_equal(read_image(pixels), pixels)
    assert np.array_equal(read_image(Image.fromarray(pixels)), pixels)
    with Image.open(path) as lazy:
        assert np.array_equal(read_image(lazy), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_one_pixel_of_every_mode(mode: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "one.tif", Image.new(mode, (1, 1)))
    assert read_image(path).shape == (1, 1, 3)
    assert probe(path) == Probe(1, 1, mode, 1 if mode == "1" else 8)
    words = {"1": "grey", "L": "grey", "P": "palette", "RGBA": "RGB with alpha", "LA": "grey with alpha"}
    assert probe(path).colours == words.get(mode, mode)
    head, pixels, _ = read_picture(path)
    assert head == probe(path)
    assert np.array_equal(pixels, read_image(path))


def test_grey_is_the_same_in_each_channel(tmp_path: Path) -> None:
    grey = picture()[..., 0]
    expected = np.stack([grey] * 3, axis=-1)
    for source in (grey, grey[..., None], saved(tmp_path / "grey.png", Image.fromarray(grey))):
        assert np.array_equal(read_image(source), expected)


def test_one_bit(tmp_path: Path) -> None:
    path = saved(tmp_path / "bits.png", Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1"))
    assert read_image(path)[..., 1].tolist() == [[0, 255], [255, 0]]


def test_cmyk(tmp_path: Path) -> None:
    path = saved(tmp_path / "print.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=100)
    assert np.abs(read_image(path).astype(int) - RED).max() <= 2


def test_opaque_alpha_changes_nothing(tmp_path: Path) -> None:
    pixels = picture()
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    assert np.array_equal(read_image(opaque), pixels)
    assert np.array_equal(read_image(saved(tmp_path / "a.png", Image.fromarray(opaque))), pixels)


def test_transparency_is_laid_over_black(tmp_path: Path) -> None:
    half = np.full((2, 2, 4), (200, 100, 50, 51), np.uint8)  # a fifth
    assert read_image(half)[0, 0].tolist() == [40, 20, 10]
    assert np.array_equal(read_image(saved(tmp_path / "a.png", Image.fromarray(half))), read_image(half))


@pytest.mark.parametrize("transparency", [1, bytes([255, 0])])
def test_palettes_with_transparency(transparency: object, tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putdata([0, 1])
    assert read_image(saved(tmp_path / "opaque.png", image)).tolist() == [[[*RED], [*GREEN]]]
    assert read_image(saved(tmp_path / "a.png", image, transparency=transparency)).tolist() == [[[*RED], [0, 0, 0]]]


def test_grey_and_rgb_with_one_transparent_colour(tmp_path: Path) -> None:
    grey = saved(tmp_path / "grey.png", Image.fromarray(np.array([[7, 9]], np.uint8)), transparency=9)
    assert read_image(grey)[0, :, 0].tolist() == [7, 0]
    colours = np.array([[RED, GREEN]], np.uint8)
    assert read_image(saved(tmp_path / "rgb.png", Image.fromarray(colours), transparency=GREEN))[0, 1].sum() == 0


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", np.uint16), ("tif", np.uint16), ("tif", np.int32), ("tif", np.float32)]
)
def test_deep_grey_is_stretched_between_its_percentiles(ending: str, kind: type, tmp_path: Path) -> None:
    ramp = np.linspace(1000, 3000, 100 * 100).reshape(100, 100).astype(kind)
    ramp[0, 0], ramp[-1, -1] = 0, 60_000  # a dead and a hot pixel decide nothing
    path = saved(tmp_path / f"deep.{ending}", Image.fromarray(ramp))
    decoded = read_image(path)
    assert (decoded[..., 0] == decoded[..., 2]).all()
    assert (decoded.min(), decoded.max()) == (0, 255)
    assert 126 <= decoded[50, 0, 0] <= 128
    assert probe(path).depth == (16 if kind == np.uint16 else 32)
    assert probe(path).colours == ("grey float" if kind == np.float32 else "grey")


def test_a_few_bright_pixels_on_black_are_not_lost(tmp_path: Path) -> None:
    dark = np.zeros((100, 100), np.uint16)
    dark[40:42, 40:42] = 900  # fewer than a thousandth
    assert read_image(dark).max() == 255
    assert (read_image(dark) > 0).sum() == 4 * 3


@pytest.mark.parametrize("value", [0, 1, 700, 65_535])
def test_deep_images_of_one_value_are_black(value: int, tmp_path: Path) -> None:
    constant = np.full((4, 5), value, np.uint16)
    assert (read_image(constant) == 0).all()
    assert (read_image(saved(tmp_path / "a.tif", Image.fromarray(constant))) == 0).all()


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    values = np.array([[0, 1000], [np.nan, np.inf]], np.float32)
    assert read_image(saved(tmp_path / "a.tif", Image.fromarray(values)))[..., 0].tolist() == [[0, 255], [0, 255]]
    assert (read_image(np.full((2, 2), np.nan)) == 0).all()


def test_floating_point_arrays() -> None:
    pixels = picture()
    for kind in (np.float16, np.float32, np.float64):
        assert np.abs(read_image((pixels / 255).astype(kind)).astype(int) - pixels).max() <= (kind == np.float16)
    assert np.array_equal(
        read_image(np.dstack([pixels, np.full((6, 9), 255)]) / 255), pixels
    )  # as matplotlib reads RGBA
    wide = read_image(picture() * 10.0 - 500)
    assert (wide.min(), wide.max()) == (0, 255)
    assert read_image(np.array([[-3e38, 0, 3e38]], np.float32))[0, :, 0].tolist() == [0, 127, 255]


@settings(max_examples=60, deadline=None)
@given(arrays(st.sampled_from([np.uint16, np.float32]), array_shapes(min_dims=2, max_dims=2, max_side=8)))
def test_any_deep_image_is_read(values: np.ndarray) -> None:
    decoded = read_image(values)
    assert decoded.shape == (*values.shape, 3)
    assert decoded.dtype == np.uint8


def test_sixteen_bits_a_colour(tmp_path: Path) -> None:
    """The upper half of each, where all bits are used."""
    values = np.array([[[0x1234, 0x5678, 0x9ABC], [0xFFFF, 0, 0x8000]]] * 2, np.uint16)
    (tmp_path / "deep.png").write_bytes(png(values))
    assert read_image(tmp_path / "deep.png")[1].tolist() == [[0x12, 0x56, 0x9A], [0xFF, 0, 0x80]]
    assert probe(tmp_path / "deep.png") == Probe(2, 2, "RGB", 16)


def large_png(width: int, height: int) -> bytes:
    """The head of one, and no pixels."""
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
    return PNG_START + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", [1, *ROTATIONS])
def test_images_are_turned_as_they_are_shown(orientation: int, ending: str, tmp_path: Path) -> None:
    """Corners of the stored image end up where the EXIF standard puts them: row 0 is the visual top, and so on."""
    stored = np.zeros((16, 24, 3), np.uint8)
    stored[:8, :12] = 255  # the corner of row 0 and column 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"a.{ending}", Image.fromarray(stored), exif=exif)
    shown = read_image(path)
    bottom, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    corner = shown[-1 if bottom else 0, -1 if right else 0]
    assert shown.shape[:2] == ((24, 16) if orientation >= 5 else (16, 24))
    assert corner.min() > 200
    assert shown[0 if bottom else -1, 0 if right else -1].max() < 60
    assert (probe(path).height, probe(path).width) == shown.shape[:2]
    with Image.open(path) as image:
        assert np.array_equal(read_image(image), shown)


def test_a_png_may_say_behind_its_pixels_that_it_is_to_be_turned(tmp_path: Path) -> None:
    """As a path and as a Pillow image, decoded or not, it is the same image; its head says the same size."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3))
    path = saved(tmp_path / "a.png", stored, exif=exif)
    shown = read_image(path)
    content = path.read_bytes()
    start = content.index(b"eXIf") - 4
    stop = start + 12 + int.from_bytes(content[start : start + 4], "big")
    end = content.index(b"IEND") - 4
    path.write_bytes(content[:start] + content[stop:end] + content[start:stop] + content[end:])
    assert np.array_equal(read_image(path), shown)
    assert (probe(path).width, probe(path).height) == (20, 30)
    assert np.array_equal(read_picture(path)[1], shown)
    with Image.open(path) as image:
        assert np.array_equal(read_image(image), shown)
        image.load()
        assert np.array_equal(read_image(image), shown)


def test_a_16_bit_image_is_turned_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", Image.fromarray(np.array([[0, 1000, 2000]], np.uint16)), exif=exif)
    assert read_image(path)[..., 0].tolist() == [[0], [127], [255]]


def test_damaged_exif_costs_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(picture()), exif=b"Exif\0\0nonsense")
    assert np.array_equal(read_image(path), picture())
    assert probe(path).width == 9


def test_a_colour_profile_costs_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(
        read_image(saved(tmp_path / "a.png", Image.fromarray(picture()), icc_profile=profile)), picture()
    )


@pytest.mark.parametrize("ending", ["gif", "tif", "png", "webp", "avif"])
def test_of_several_frames_the_first_is_read_with_a_note(ending: str, tmp_path: Path) -> None:
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), GREEN)
    path = saved(tmp_path / f"a.{ending}", first, save_all=True, append_images=[second, first])
    picture = read_picture(path)
    assert np.abs(picture.pixels.astype(int) - RED).max() <= (3 if ending in ("webp", "avif") else 0)
    assert np.array_equal(read_image(path), picture.pixels)
    what = "pages" if ending == "tif" else "frames"
    assert picture.notes == (Note("pages", f"holds 3 {what}: the first is read{OTHER_PAGES}"),)
    assert read_picture(saved(path, first)).notes == ()


def test_pages_that_imagej_says_are_there(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    said = "ImageJ=1.53t\nimages=40\nchannels=2\nslices=20\n"
    path.write_bytes(tiff(picture()[..., 0], 1, description=said))
    note = f"holds 40 pages (20 of 2 channels): the first is read{OTHER_PAGES}"
    assert read_picture(path).notes == (Note("pages", note),)
    path.write_bytes(tiff(picture() / 3, 2, description="ImageJ=1.53t\nimages=40\n"))
    assert read_picture(path).notes == (Note("pages", f"holds 40 pages: the first is read{OTHER_PAGES}"),)


def test_damaged_pages_behind_the_first_cost_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(picture()), save_all=True, append_images=[Image.new("L", (9, 9))])
    path.write_bytes(path.read_bytes()[:-40])
    assert np.array_equal(read_picture(path).pixels, picture())


def test_previews_in_a_photograph_are_no_pages(tmp_path: Path) -> None:
    """Of cameras and drones, which write two pictures into a JPEG."""
    image = Image.fromarray(picture(32, 32))
    path = saved(tmp_path / "a.jpg", image, format="MPO", save_all=True, append_images=[image.resize((8, 8))])
    assert read_picture(path).notes == ()


def test_avif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.repeat(np.repeat(picture(4, 6), 8, 0), 8, 1))
    shown = read_image(saved(tmp_path / "a.avif", image, exif=exif, quality=95))
    assert shown.shape == (48, 32, 3)
    assert np.abs(shown.astype(int) - np.rot90(np.asarray(image), -1)).mean() < 8


def test_bytes_and_open_files_are_read_like_files(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(picture()))
    content = path.read_bytes()
    for source in (content, bytearray(content), memoryview(content), io.BytesIO(content)):
        assert np.array_equal(read_image(source), picture())
    with path.open("rb") as file:
        file.read(7)
        for _ in range(2):
            assert np.array_equal(read_image(file), picture())
    with path.open("r", encoding="latin-1") as text:
        assert refusal(text) == f"{path} gives `str` in place of bytes: open the file with mode `rb`"
    assert refusal(b"text") == "the image is not an image that can be read: convert it to PNG or JPEG, or remove it"
    assert "the image is damaged" in refusal(io.BytesIO(content[:80]))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("https://example.com/a.jpg", "https://example.com/a.jpg is an address: download it first, and name the file"),
        (Path("https://example.com/a.jpg"), "https://example.com/a.jpg is an address: download it first"),
        ("s3://bucket/a.jpg", "s3://bucket/a.jpg is an address"),
        ("data:image/png;base64,iVBORw0KGgo", "is an address"),
        ({"image": "a.jpg"}, "an object of type `dict` is not an image"),
        ({"a.jpg"}, "an object of type `set` is not an image"),
        (7, "an object of type `int` is not an image"),
        ("photos/*.jpg", "photos/*.jpg is not there: name an image file; for a pattern, those that `glob.glob` finds"),
        ("C:/photos/a.jpg", "C:/photos/a.jpg is not there"),
    ],
)
def test_what_is_named_and_is_no_file(source: object, words: str) -> None:
    assert words in refusal(source)


def test_the_preview_in_a_raw_photograph_is_not_taken_for_it(tmp_path: Path) -> None:
    words = "is a raw photograph of a camera, which is not read: develop it"
    assert words in refusal(saved(tmp_path / "a.NEF", Image.fromarray(picture()), format="TIFF"))
    assert words in refusal(saved(tmp_path / "a.tif", Image.fromarray(picture()), tiffinfo={50706: b"\1\4\0\0"}))


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_001, 10_000), (PIXEL_LIMIT + 1, 1)])
def test_too_many_pixels_are_refused_by_the_head_alone(width: int, height: int, tmp_path: Path) -> None:
    """Neither Pillow's warning (from 89 million pixels on) nor its error (twice that) is seen; nothing is decoded."""
    path = tmp_path / "large.png"
    path.write_bytes(large_png(width, height))
    limit = Image.MAX_IMAGE_PIXELS
    for function in (read_image, probe):
        with pytest.raises(UserError) as caught:
            function(path)
        assert str(caught.value) == (
            f"{path} has {width:,} x {height:,} pixels, more than the limit of 100,000,000: "
            "downscale it or cut it into tiles"
        )
    assert limit == Image.MAX_IMAGE_PIXELS


def of_mode(mode: str) -> Image.Image:
    """An image of noise with 40 rows."""
    if mode.startswith(("I", "F")):
        values = np.random.default_rng(1).integers(0, 60_000, (40, 30))
        return Image.fromarray(values.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    return Image.fromarray(np.dstack([picture(40, 30), picture(40, 30)[..., :1]])).convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("turned", [False, True])
def test_large_images_are_converted_in_bands_to_the_same_pixels(
    mode: str, turned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    ending = "png" if mode not in ("CMYK", "I", "F") else "tif"
    path = saved(tmp_path / f"a.{ending}", of_mode(mode), exif=exif)
    whole = read_image(path)
    monkeypatch.setattr(bands, "BAND", 200)
    assert np.array_equal(read_image(path), whole)
    assert len(np.unique(whole)) > 1


@pytest.mark.parametrize("transparent", [3, b"\x00\x80" * 100])
def test_bands_keep_transparency(transparent: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", of_mode("RGB").convert("P", colors=200), transparency=transparent)
    whole = read_image(path)
    monkeypatch.setattr(bands, "BAND", 200)
    assert np.array_equal(read_image(path), whole)


@pytest.mark.parametrize("kind", [np.uint16, np.float64])
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3)])
def test_bands_have_the_limits_of_the_whole(
    kind: type, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(2).normal(5000, 900, shape).astype(kind)
    monkeypatch.setattr(bands, "SAMPLES", 700)
    sample = values.reshape(-1)[:: 1 + values.size // 700].astype(np.float32)
    low, high = np.percentile(sample.astype(np.float64), bands.PERCENTILES)
    wanted = np.interp(values.astype(np.float32), (low, high), (0, 255)).round()
    if kind == np.uint16 and len(shape) == 3:  # colours
        wanted = values >> 6
    for size in (10_000, 200):
        monkeypatch.setattr(bands, "BAND", size)
        decoded = read_image(values)
        assert np.array_equal(decoded if len(shape) == 3 else decoded[..., 0], wanted)


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "I;16", "F"])
def test_beside_a_large_image_there_is_no_second_one(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """206 kB of 49 megapixels took 1.4 GB. What Pillow itself holds is not seen here."""
    monkeypatch.setattr(bands, "BAND", 20_000)
    image = of_mode(mode).resize((1500, 1000), Image.Resampling.NEAREST)
    path = saved(tmp_path / ("a.tif" if mode == "F" else "a.png"), image)
    tracemalloc.start()
    decoded = read_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    grey = decoded.size // 3 if mode in ("I;16", "F") else 0  # one channel, before it is repeated
    sample = 30e6 if grey else 0  # a million values in double precision, and to sort them
    assert peak < decoded.nbytes + grey + sample + 4e6


@pytest.mark.parametrize(("ending", "fits"), [("png", True), ("jpg", True), ("webp", False), ("jp2", False)])
def test_what_a_decoder_holds_is_limited(
    ending: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / f"a.{ending}", Image.fromarray(picture()))
    monkeypatch.setattr(heads, "BYTE_LIMIT", 6 * 9 * 10)
    if fits:
        assert read_image(path).shape == (6, 9, 3)
    else:
        assert "has 9 x 6 pixels, which take 0 MB to decode, more than the limit of 0: downscale it" in refusal(path)


def test_images_of_the_largest_cameras_are_read() -> None:
    """48 megapixels, also on its side, progressive, or of 16 bits."""
    for mode, extra in (("RGB", {}), ("RGB", {"progressive": 1}), ("RGBA", {}), ("I;16", {})):
        image = Image.new(mode, (1, 1))
        image.info |= extra
        assert 8064 * 6048 * heads.bytes_of_a_pixel(image) < heads.BYTE_LIMIT


def test_libtiff_does_not_write_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(picture(60, 90)), compression="tiff_adobe_deflate")
    content = bytearray(path.read_bytes())
    content[200:900] = bytes(700)
    path.write_bytes(content)
    assert "is damaged" in refusal(path)
    assert capfd.readouterr().err == ""


def test_a_large_pillow_image_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "PIXEL_LIMIT", 50_000_000)  # Pillow itself warns from 89 million pixels on
    with Image.open(io.BytesIO(large_png(8_000, 8_000))) as image:
        assert "8,000 x 8,000" in refusal(image)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n <!DOCTYPE html><html><body>404</body></html>", "is an HTML page, not an image: download"),
        (b"\xef\xbb\xbf<HTML>", "is an HTML page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00",
            "is a pointer of Git LFS, not an image: fetch the image with `git lfs pull`",
        ),
        (b"just text", "is not an image that can be read: convert it"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "is a drawing or a document, which is not read: save it as PNG",
        ),
        (b"\x89PNG\r\n\x1a\n", "is a damaged PNG that cannot be decoded: replace or remove it"),
        (b"II*\0\x08", "is a damaged TIFF that cannot be decoded"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "図 a.png"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path} {reason}")


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp", "gif", "bmp", "jp2"])
def test_truncated_files_are_refused_wherever_they_end(ending: str, tmp_path: Path) -> None:
    whole = saved(tmp_path / f"whole.{ending}", Image.fromarray(picture(64, 64))).read_bytes()
    path = tmp_path / f"cut.{ending}"
    for part in (0.02, 0.3, 0.6):
        path.write_bytes(whole[: int(len(whole) * part)])
        assert str(path) in refusal(path)


def test_changed_bytes_give_an_image_or_one_line(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for ending in ("png", "jpg", "tif", "gif", "webp"):
        path = saved(tmp_path / f"a.{ending}", Image.fromarray(picture(16, 16)))
        whole = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(30):
            changed = whole.copy()
            changed[random.integers(0, len(whole), 5)] = random.integers(0, 256, 5)
            path.write_bytes(changed.tobytes())
            with suppress(UserError):  # and nothing else
                assert read_image(path).shape[2] == 3


def test_what_is_not_a_file(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "is not there" in refusal(tmp_path / "missing.png")
    assert "cannot be read" in refusal(tmp_path / ("long" * 100))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "is no ordinary file" in refusal(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((4, 5, 2), np.uint8),
        np.zeros(7, np.uint8),
        np.zeros((1, 4, 5, 3), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((4, 5), np.int64),
        np.zeros((4, 5), bool),
        np.zeros((4, 5, 4), np.int16),
        np.full((4, 5, 4), 1e6),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    assert str(array.dtype) in refusal(array) or str(array.shape) in refusal(array)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted there")
def test_no_file_is_left_open(tmp_path: Path) -> None:
    good = saved(tmp_path / "a.tif", Image.fromarray(picture()))
    bad = tmp_path / "b.png"
    bad.write_bytes(good.read_bytes()[:40])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        read_image(good)
        probe(good)
        refusal(bad)
    assert len(os.listdir("/proc/self/fd")) == before


def test_endings_are_those_of_the_formats() -> None:
    Image.init()
    formats = {Image.registered_extensions()[suffix] for suffix in ENDINGS}
    assert formats == set(FORMATS)


@pytest.mark.parametrize("extra", [{}, {"compression": "tiff_lzw"}])
@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
def test_pillow_counts_no_pixels_of_a_tiff_when_it_is_decoded(
    mode: str, extra: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would warn from 89 million on, which are fewer than are read here, and a warning is an error here."""
    pixels = (
        picture(30, 40) if mode == "RGB" else picture(30, 40)[..., 0].astype(np.uint16 if ";" in mode else np.uint8)
    )
    path = saved(tmp_path / "a.tif", Image.fromarray(pixels), **extra)
    expected = read_image(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert np.array_equal(read_image(path), expected)
    assert np.array_equal(read_picture(path).pixels, expected)
    assert Image.MAX_IMAGE_PIXELS == 100
