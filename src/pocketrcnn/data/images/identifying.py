"""The head of an image file read: which decoder it is for, and why there is none. No torch here."""

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from PIL import Image, UnidentifiedImageError, _imaging

from ...errors import UserError
from .foreign import RAW
from .raw import Opened
from .tiff import BITS, CHANNELS, COMPRESSION, NONE, PLANES, raw_tiff

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "AVIF", "JPEG2000", "PPM")
"""Pillow's names of what is decoded; no EPS: Pillow starts a program for it."""
DNG_VERSION = 50706  # a tag
_pillows_limit = threading.RLock()


def identified(file: IO[bytes], name: str) -> Opened:
    """An image whose head has been read. Raises UserError for a TIFF that is not read, else whatever Pillow raises."""
    try:
        image = identify(file)
    except UnidentifiedImageError:
        if (raw := raw_tiff(file, name)) is None:
            raise
        return raw
    if image.format == "TIFF":
        _silence_libtiff()
        if is_raw_photograph(image, name):  # its first image is a small preview
            raise UserError(f"{name} {RAW.what}, which is not read: {RAW.remedy}")
        if has_swapped_floats(image):
            return raw_tiff(file, name) or image
        if has_odd_planes(image):
            with suppress(UserError):
                return raw_tiff(file, name) or image
    return image


def is_raw_photograph(image: Any, name: str) -> bool:
    """Whether a TIFF is the raw photograph of a camera."""
    return DNG_VERSION in image.tag_v2 or Path(name).suffix.lower() in RAW.endings


def has_swapped_floats(image: Any) -> bool:
    """Whether a TIFF holds floating point that Pillow misreads: libtiff has put its bytes in order already."""
    swapped = "<" if sys.byteorder == "big" else ">"
    order = "<" if image.tag_v2.prefix == b"II" else ">"
    return bool(image.mode == "F" and order == swapped and image.tag_v2.get(COMPRESSION, NONE) != NONE)


def has_odd_planes(image: Any) -> bool:
    """Whether a TIFF has its channels in planes that Pillow misreads: of 16 bits it takes each byte for a pixel."""
    tags = image.tag_v2
    channels, bits = tags.get(CHANNELS, 1), tags.get(BITS, (8,))[0]
    return bool(tags.get(PLANES, 1) == 2 and channels > 1 and (bits != 8 or channels != len(image.getbands())))


def identify(file: IO[bytes]) -> Image.Image:
    """Read the head of a file. Pillow's limit would warn, or fail without the size: that is checked later."""
    with without_pillows_limit():
        return Image.open(file, formats=FORMATS)


@contextmanager
def without_pillows_limit() -> Iterator[None]:
    """No limit of pixels but ours, for one thread at a time."""
    with _pillows_limit:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def allowed(image: Opened) -> AbstractContextManager[None]:
    """In which an image is decoded whose size was checked: Pillow counts the pixels of TIFF files once more then."""
    limit = Image.MAX_IMAGE_PIXELS or image.width * image.height
    return without_pillows_limit() if image.width * image.height > limit else nullcontext()


@cache
def _silence_libtiff() -> None:
    """It writes to standard error what Pillow raises, too. Where it cannot be reached, as on Windows, it goes on."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


@contextmanager
def explained(name: str) -> Iterator[None]:
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
