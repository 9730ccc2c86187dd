"""Any image as 8-bit RGB, read right or refused with one clear line. No torch here.

What is decoded: PNG, JPEG, TIFF, BMP, GIF, WebP, JPEG 2000 and PNM; of several frames or pages the first.
Images are rotated by their EXIF or XMP orientation: sizes and boxes are those of the image as it is shown.

Shapes: H rows, W columns.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ...errors import UserError
from .orientation import ON_ITS_SIDE, rotation_of

Pixels = NDArray[np.uint8]
Source = Path | str | Image.Image | NDArray[Any]

PIXEL_LIMIT = 50_000_000  # pixels of the largest image that is decoded: 150 MB as RGB
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
PERCENTILES = (0.1, 99.9)
SAMPLES = 1_000_000  # values from which percentiles are taken
_pillows_limit = threading.Lock()


@dataclass(frozen=True)
class Probe:
    """What the head of an image file says.

    width, height: pixels of the image as it is shown. mode: Pillow's (`RGB`, `L`, `P`, `RGBA`, `I;16`, `F`, ...).
    depth: bits of a channel in the file: 1, 8, 16 or 32 (palettes and greys of 2 and 4 bits count as 8).
    """

    width: int
    height: int
    mode: str
    depth: int

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
    (before it is decoded), and for arrays of another type or shape.
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
        return _three_channels(_stretched(np.asarray(image)))
    if image.has_transparency_data:
        return _three_channels(np.array(image.convert("RGBA")))
    return np.array(image.convert("RGB"))  # a copy: Pillow's array is read-only


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
    return _three_channels(_stretched(array))


def _three_channels(pixels: Pixels) -> Pixels:
    """[H,W], [H,W,1], [H,W,3] or [H,W,4] to [H,W,3]: grey is repeated, transparency is laid over black."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    rgb, alpha = pixels[..., :3], pixels[..., 3:]
    if (alpha < 255).any():
        rgb = ((rgb.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(rgb)


def _stretched(values: NDArray[Any]) -> Pixels:
    """Values of any range as 0..255, linearly between their percentiles; between their extremes where those agree."""
    values = values.astype(np.float32)
    sample = values.reshape(-1)[:: 1 + values.size // SAMPLES]
    for some, percentiles in ((sample, PERCENTILES), (values, (0, 100))):
        finite = some[np.isfinite(some)].astype(np.float64)
        low, high = np.percentile(finite, percentiles).tolist() if len(finite) else (0, 0)
        if low < high:
            break
    else:
        return np.zeros(values.shape, np.uint8)
    np.nan_to_num(values, copy=False, nan=low, posinf=high, neginf=low)
    for row in values:  # a row at a time in float64, so that a large image does not take eight times its memory
        row[:] = np.interp(row.astype(np.float64), (low, high), (0, 255)).round()
    return values.astype(np.uint8)
