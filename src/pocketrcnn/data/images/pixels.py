"""Any image as 8-bit RGB, read right or refused with one clear line. No torch here.

What is decoded: PNG, JPEG, TIFF, BMP, GIF, WebP, JPEG 2000 and PNM; of several frames or pages the first.
Images are rotated by their EXIF or XMP orientation: sizes and boxes are those of the image as it is shown.

Shapes: H rows, W columns.
"""

import ctypes
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, _imaging

from ...errors import UserError
from .bands import bands, bands_of, joined, stretched
from .orientation import ON_ITS_SIDE, rotation_of

Pixels = NDArray[np.uint8]
Source = Path | str | Image.Image | NDArray[Any]

PIXEL_LIMIT = 50_000_000  # pixels of the largest image that is decoded: 150 MB as RGB
BYTE_LIMIT = 700_000_000  # bytes that may be held while an image is decoded
MOST_BYTES = 24  # of a pixel, in any image
ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".jp2", ".ppm", ".pgm", ".pbm")
"""Endings, in small letters, of files that are taken for images; what is inside decides how they are read."""

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")  # no EPS: Pillow starts a program for it
COLOURS = {  # Pillow's modes that are no words; those of deep grey go on with `;16B` and the like
    "1": "grey",
    "L": "grey",
    "I": "grey",
    "F": "grey float",
    "P": "palette",
    "LA": "grey with alpha",
    "PA": "palette with alpha",
    "RGBA": "RGB with alpha",
}
DEPTHS = {"1": 1, "I": 32, "F": 32}  # bits of a channel in these modes
_pillows_limit = threading.Lock()


@dataclass(frozen=True)
class Probe:
    """What the head of an image file says.

    width, height: pixels of the image as it is shown. mode: Pillow's (`RGB`, `L`, `P`, `RGBA`, `I;16`, `F`, ...).
    depth: bits of a channel in the file: 1, 8, 16 or 32 (palettes and greys of 2 and 4 bits count as 8).
    notes: what `check` should say of it, as pairs of a kind (a short fixed word) and a sentence without subject.
    """

    width: int
    height: int
    mode: str
    depth: int
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def colours(self) -> str:
        """The channels in words: `RGB`, `grey`, `RGB with alpha`, ..."""
        return COLOURS.get(self.mode.partition(";")[0], self.mode)


def probe(path: Path | str) -> Probe:
    """Size and kind of an image file, without decoding it; a truncated file is not noticed.

    Raises UserError as `read_image` does, for what can be seen in the head of the file.
    """
    with _opened(Path(path)) as image:
        return _head(image)


def read_both(path: Path) -> tuple[Probe, Pixels]:
    """What `probe` and `read_image` say of a file, which is opened once. Raises UserError as they do."""
    with _opened(path) as image:
        return _head(image), _from_pillow(image)


def read_image(source: Source) -> Pixels:
    """An image as uint8 [H,W,3], RGB, as it is shown: a path, a Pillow image, or an array.

    - Grey, 1-bit, palette, CMYK and YCbCr images become RGB. Partly transparent ones are laid over black.
    - Grey of 16 bits, of 32 bits and floating point: the percentiles 0.1 and 99.9 of its values become 0 and 255;
      an image of one value becomes black, values that are no numbers count as the darkest.
      Colours of 16 bits keep their upper 8 bits.
    - Arrays are [H,W], [H,W,1], [H,W,3] or [H,W,4] (RGBA): uint8; floating point from 0 to 1, which become 0 to 255;
      uint16 and other floating point, scaled by percentiles over all channels. The result may share their memory.

    Raises UserError, with file and reason, for what is missing, no image, damaged, or of more than PIXEL_LIMIT pixels
    or BYTE_LIMIT bytes (before it is decoded), and for arrays of another type or shape.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        with _explained("the image"):
            _check_size(source, "the image")
            return _from_pillow(source)
    try:
        path = Path(source)
    except TypeError:
        kind = type(source).__name__
        raise UserError(f"an object of type `{kind}` is not an image: use a path, a Pillow image or an array") from None
    with _opened(path) as image:
        return _from_pillow(image)


def in_batches(images: Any, count: int) -> Iterator[list[Any]]:
    """One image or anything that holds several, `count` at a time.

    An array or tensor of more than three dimensions holds several; paths, texts and Pillow images are one.
    """
    if hasattr(images, "ndim"):
        several = images.ndim > 3
    else:
        several = isinstance(images, Iterable) and not isinstance(images, str | PathLike | Image.Image)
    source = iter(images if several else [images])
    while batch := list(islice(source, count)):
        yield batch


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """An image whose head has been read and whose file is closed in the end."""
    with _explained(str(path)):
        if not path.is_file():  # a pipe, say, would never end
            problem = "is a folder" if path.is_dir() else "is no ordinary file" if path.exists() else "is not there"
            raise UserError(f"{path} {problem}: name an image file")
        with path.open("rb") as file:
            try:
                image = _identify(file)
                if image.format == "TIFF":
                    _silence_libtiff()
            except UnidentifiedImageError:
                file.seek(0)
                raise UserError(f"{path} {_no_image(file.read(512))}") from None
            _check_size(image, str(path))
            yield image


def _identify(file: BinaryIO) -> Image.Image:
    """Read the head of a file. Pillow's limit would warn, or fail without the size: `_check_size` comes next."""
    with _pillows_limit:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = before


@cache
def _silence_libtiff() -> None:
    """It writes to standard error what Pillow raises, too. Where it cannot be reached, as on Windows, it goes on."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Whatever goes wrong inside, as one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # on damaged files Pillow raises nearly anything: OSError, SyntaxError, struct.error...
        if isinstance(error, OSError) and error.strerror:
            raise UserError(f"{name} cannot be read ({error.strerror}): check its permissions and its disk") from error
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UserError(f"{name} is damaged ({reason}): replace or remove it") from error


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > PIXEL_LIMIT:
        limit = f"more than the limit of {PIXEL_LIMIT:,}: downscale it or cut it into tiles"
        raise UserError(f"{name} has {width:,} x {height:,} pixels, {limit}")
    if width * height * MOST_BYTES > BYTE_LIMIT < (held := width * height * _bytes_of_a_pixel(image)):
        limit = f"which take {held / 1e6:,.0f} MB to decode, more than the limit of {BYTE_LIMIT / 1e6:.0f}"
        raise UserError(f"{name} has {width:,} x {height:,} pixels, {limit}: downscale it, or save it as PNG")


def _bytes_of_a_pixel(image: Image.Image) -> int:
    """What is held of each pixel while an image is decoded: by Pillow, by the library of its format, and the result.

    libwebp keeps three canvases of RGBA, OpenJPEG 32 bits a channel, libjpeg 16 where the image is progressive, and
    libtiff a strip, which may be the whole image.
    """
    mode, channels = image.mode, len(image.getbands())
    stored = 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4
    libraries = {"WEBP": 12, "JPEG2000": 4 * channels, "TIFF": channels * max(_head(image).depth // 8, 1)}
    libraries["JPEG"] = 2 * channels if image.info.get("progressive") else 0
    return stored * (2 if rotation_of(image) else 1) + libraries.get(str(image.format), 0) + 3


def _no_image(head: bytes) -> str:
    """What a file is that is no image, by its first bytes, and what to do about it."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        return "is empty: replace or remove it"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is an HTML page, not an image: download the image itself again"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not an image: fetch the image with `git lfs pull`"
    return "is not an image that can be read: convert it to PNG or JPEG, or remove it"


def _head(image: Image.Image) -> Probe:
    size = image.size[::-1] if rotation_of(image) in ON_ITS_SIDE else image.size
    deep = ";16" in f"{image.mode} {getattr(image, 'tile', '')}"  # "RGB;16B": how the file is packed
    return Probe(*size, image.mode, DEPTHS.get(image.mode, 16 if deep else 8))


def _from_pillow(image: Image.Image) -> Pixels:
    rotation = rotation_of(image)
    if rotation is not None:
        image = image.transpose(rotation)
    if image.mode.startswith(("I", "F")):
        return _three_channels(stretched(lambda: map(np.asarray, bands(image)), (image.height, image.width)))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    converted = (np.asarray(band.convert(mode)) for band in bands(image))
    return joined(map(_three_channels, converted), (image.height, image.width, 3))


def _from_array(array: NDArray[Any]) -> Pixels:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise UserError(f"an array of shape {array.shape} is not an image: use [H,W], [H,W,1], [H,W,3] or [H,W,4]")
    if array.dtype == np.uint8:
        return _three_channels(array)
    if array.dtype.kind == "f" and array.min() >= 0 and array.max() <= 1:
        return _three_channels((array * 255).round().astype(np.uint8))
    if array.dtype.kind != "f" and array.dtype != np.uint16:
        raise UserError(f"an array of {array.dtype} is not an image: use uint8, uint16 or floating point")
    if channels == 4:
        raise UserError(f"an RGBA array of {array.dtype} has no range for alpha: use uint8 or values from 0 to 1")
    return _three_channels(stretched(lambda: bands_of(array), array.shape))


def _three_channels(pixels: Pixels) -> Pixels:
    """[H,W], [H,W,1], [H,W,3] or [H,W,4] to [H,W,3]: grey is repeated, transparency is laid over black."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    rgb, alpha = pixels[..., :3], pixels[..., 3:]
    if (alpha < 255).any():
        rgb = ((rgb.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(rgb)
