"""Colours of more than 8 bits a channel, as 8 bits: those that the camera used, of files and of arrays alike.

Cameras of 10, 12 and 14 bits write files of 16 bits, in which their images are nearly black; often they are the same
images as 8-bit ones, times 4, 16 or 64. So the upper 8 of the bits that an image uses are kept, which gives the 8-bit
image again. Grey of 16 bits is a measurement more often than a photograph: it is stretched (`bands.stretched`).
No torch here.
"""

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from .bands import Bands, bands, joined

CAMERAS = (8, 10, 12, 14, 16)  # bits a channel
UPPER = 64  # an upper byte from which on all 16 bits are used
MOST = 65_535  # the largest value of 16 bits
OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}


def used_bits(largest: int) -> int:
    """The bits of the camera whose values go up to `largest`, at most MOST."""
    return next(bits for bits in CAMERAS if largest < 1 << bits)


def largest_of(parts: Bands) -> int:
    """The largest of values in bands."""
    return max(int(band.max()) for band in parts())


def reduced(parts: Bands, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Values of 16 bits, in bands, as the upper 8 of the bits that are used: an array of this shape."""
    shift = used_bits(largest_of(parts)) - 8
    return joined(((band >> shift).astype(np.uint8) for band in parts()), shape)


def raw_mode(image: Image.Image) -> str:
    """How the values of a file are packed, as `RGB;16B`; empty for an image that is of no file, decoded, or a later
    frame."""
    if not (isinstance(image, ImageFile.ImageFile) and image.tile) or image.tell():
        return ""
    tile = image.tile[0]
    if tile.codec_name == "ppm" and tile.args == ("RGB", MOST):
        return "RGB;16B"
    return str(tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args)


def grey_and_alpha(image: Image.Image) -> tuple[Bands, Bands] | None:
    """The values of a PNG of grey and alpha of 16 bits, each [h,W] in bands; None for all other images.

    Pillow gives the upper 8 bits. Unpacked as RGBA of 8 bits, the four bytes of a pixel are those of the file.
    """
    if not isinstance(image, ImageFile.ImageFile) or raw_mode(image) != "LA;16B":
        return None
    image.tile = [repacked(tile, "RGBA") for tile in image.tile]
    image.load()

    def values(first: int) -> Iterator[NDArray[Any]]:
        for band in map(np.asarray, bands(image)):
            high, low = (band[..., channel].astype(np.uint16) for channel in (first, first + 1))
            yield high << 8 | low

    return lambda: values(0), lambda: values(2)


def is_deep(image: Image.Image) -> bool:
    """Whether an image is of colours of 16 bits, of which Pillow gives the first byte of two."""
    raw = raw_mode(image)
    return isinstance(image, ImageFile.ImageFile) and raw.startswith("RGB") and ";16" in raw and "a" not in raw


def dark_colours(image: Image.Image) -> tuple[Bands, Bands | None] | None:
    """`deep_colours` of a file that does not use all of its bits; None for all other images."""
    return deep_colours(image, dark=True) if is_deep(image) else None


def deep_colours(image: Image.Image, *, dark: bool = False) -> tuple[Bands, Bands | None] | None:
    """The colours [h,W,3] of an image that `is_deep`, and its alpha [h,W,1] where it has one, in bands; None where
    `dark` is asked for and all bits are used.

    Unpacked as if the bytes had the other order, the same file gives the second byte of each value.
    """
    assert isinstance(image, ImageFile.ImageFile)
    raw, file, kind = raw_mode(image), image.fp, str(image.format)
    image.load()
    source = image.filename if file is None or file.closed else file  # Pillow closes what it has opened itself
    upper = unpacked(source, kind, raw) if kind == "PPM" else image  # of these Pillow rounds the values
    if dark and max(largest for _, largest in upper.getextrema()[:3]) >= UPPER:  # type: ignore[misc]
        return None
    lower = unpacked(source, kind, raw[:-1] + OTHER_ORDER[raw[-1]])

    def values(channels: slice) -> Iterator[NDArray[Any]]:
        for first, second in zip(bands(upper), bands(lower), strict=True):
            high, low = (np.asarray(half)[..., channels].astype(np.uint16) for half in (first, second))
            yield high << 8 | low

    alpha = partial(values, slice(3, None)) if image.mode == "RGBA" else None
    return partial(values, slice(3)), alpha


def unpacked(source: Any, kind: str, raw: str) -> Image.Image:
    """A file once more, its values unpacked in another way. kind: its format."""
    again = Image.open(source, formats=[kind])
    assert isinstance(again, ImageFile.ImageFile)
    again.tile = [repacked(tile, raw) for tile in again.tile]
    again.load()
    return again


def repacked(tile: ImageFile._Tile, raw: str) -> ImageFile._Tile:
    """A part of a file with another way in which its values are packed."""
    if tile.codec_name == "ppm":
        return tile._replace(codec_name="raw", args=raw)
    return tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)
