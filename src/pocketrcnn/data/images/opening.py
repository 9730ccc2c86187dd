"""Image files opened: a path, bytes or a binary file, with mended copies of what decoders refuse. No torch here."""

import ctypes
import glob
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

from PIL import Image, UnidentifiedImageError, _imaging

from ...errors import UserError, shown
from .foreign import RAW, address, refusal
from .mending import mended
from .notes import Note
from .tiff import BITS, CHANNELS, PLANES, RawTiff, raw_tiff

Result = TypeVar("Result")
Opened = Image.Image | RawTiff
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "AVIF", "JPEG2000", "PPM")
"""Pillow's names of what is decoded; no EPS: Pillow starts a program for it."""
DNG_VERSION = 50706  # a tag
HEAD = 512  # bytes by which a file is known that is no image
_pillows_limit = threading.Lock()


def with_opened(source: Any, use: Callable[[Opened], Result]) -> tuple[Result, tuple[Note, ...]]:
    """The result of a function that is given an opened file, and what had to be mended.

    source: a path, bytes or a binary file. `use` gets an image whose head has been read; where it, or reading the head,
    fails, it gets one of a mended copy, if there is one. Raises UserError for whatever goes wrong.
    """
    name = name_of(source)
    with explained(name), binary(source, name) as file:
        try:
            return use(identified(file, name)), ()
        except UserError:
            raise
        except Exception as error:
            if (found := of_mended(file, name, use)) is not None:
                return found
            if isinstance(error, UnidentifiedImageError):
                file.seek(0)
                raise UserError(f"{name} {refusal(file.read(HEAD), Path(name).suffix)}") from None
            raise


def of_mended(file: IO[bytes], name: str, use: Callable[[Opened], Result]) -> tuple[Result, tuple[Note, ...]] | None:
    """`with_opened` for a mended copy of a file; None where there is none, or it is no better."""
    try:
        found = mended(file, identify)
        return None if found is None else (use(identified(found[0], name)), found[1])
    except UserError:
        raise
    except Exception:  # what is said is what is wrong with the file itself
        return None


def name_of(source: Any) -> str:
    """What messages call a source."""
    if isinstance(source, str | Path):
        return str(source)
    name = getattr(source, "name", None)
    return str(name) if isinstance(name, str | Path) else "the image"


@contextmanager
def binary(source: Any, name: str) -> Iterator[IO[bytes]]:
    """A source as a binary file that can be read from its start; files that are opened here are closed."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source)
    elif hasattr(source, "read"):
        yield in_memory(source, name)
    else:
        path = Path(source)
        if not path.is_file():  # a pipe, say, would never end
            raise UserError(missing(source, path))
        with path.open("rb") as file:
            yield file


def missing(source: Any, path: Path) -> str:
    """Why a path is no file, and what to do about it."""
    if link := address(source):
        return f"{shown(link)} is an address: download it first, and name the file"
    if path.is_dir():
        return f"{path} is a folder: name an image file, or each of the images in it"
    if glob.has_magic(str(path)) and not path.exists():
        return f"{path} is not there: name an image file; for a pattern, those that `glob.glob` finds"
    return f"{path} {'is no ordinary file' if path.exists() else 'is not there'}: name an image file"


def in_memory(file: Any, name: str) -> IO[bytes]:
    """What is in a file that somebody opened, from its start where it has one."""
    if callable(getattr(file, "seek", None)):
        with suppress(OSError, ValueError):  # a stream
            file.seek(0)
    content = file.read()
    if not isinstance(content, bytes):
        kind = type(content).__name__
        raise UserError(f"{name} gives `{kind}` in place of bytes: open the file with mode `rb`")
    return BytesIO(content)


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
        if has_odd_planes(image):
            with suppress(UserError):
                return raw_tiff(file, name) or image
    return image


def is_raw_photograph(image: Any, name: str) -> bool:
    """Whether a TIFF is the raw photograph of a camera."""
    return DNG_VERSION in image.tag_v2 or Path(name).suffix.lower() in RAW.endings


def has_odd_planes(image: Any) -> bool:
    """Whether a TIFF has its channels in planes that Pillow misreads: of 16 bits it takes each byte for a pixel."""
    tags = image.tag_v2
    channels, bits = tags.get(CHANNELS, 1), tags.get(BITS, (8,))[0]
    return bool(tags.get(PLANES, 1) == 2 and channels > 1 and (bits != 8 or channels != len(image.getbands())))


def identify(file: IO[bytes]) -> Image.Image:
    """Read the head of a file. Pillow's limit would warn, or fail without the size: that is checked later."""
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
