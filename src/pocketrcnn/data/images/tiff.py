"""TIFF files whose values are none that Pillow has a mode for: measurements, and more channels than colours have.

Floating point of 16 and 64 bits, colours of floating point, whole numbers of 8 to 64 bits, any number of channels, side
by side or in planes; in strips, as they are or deflated, which is how numpy's programs and ImageJ write them. Others
are refused with what they are. Numbers of tags and values are those of TIFF 6.0. No torch here.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ...errors import UserError
from .notes import Note
from .raw import Raw

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, CHANNELS = 256, 257, 258, 259, 262, 273, 277
COUNTS, PLANES, PREDICTOR, EXTRA, FORMAT, DESCRIPTION = 279, 284, 317, 338, 339, 270
NONE, DEFLATED = 1, (8, 32946)
DEFLATED_NOISE = 64  # bytes by which deflating lengthens what cannot become shorter, besides a thousandth
COMPRESSIONS = {2: "CCITT", 3: "fax 3", 4: "fax 4", 5: "LZW", 6: "JPEG", 7: "JPEG", 32773: "PackBits", 34925: "LZMA"}
COMPRESSIONS |= {34712: "JPEG 2000", 50000: "Zstandard", 50001: "WebP"}
KINDS = {1: "u", 2: "i", 3: "f"}  # numpy's letters for formats
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, kw_only=True)
class RawTiff(Raw):
    """The first image of a TIFF."""

    file: IO[bytes]
    tags: Any

    def values(self) -> NDArray[Any]:
        """All channels [H,W,C]. Raises ValueError where the file ends too early, or zlib.error."""
        planes, deflated = self.tags.get(PLANES, 1) == 2, self.tags.get(COMPRESSION, NONE) != NONE
        size = self.width * self.height * self.channels * self.kind.itemsize
        data = b"".join(self.strips(size))[:size]
        shape = (self.channels, self.height, self.width) if planes else (self.height, self.width, self.channels)
        values = np.frombuffer(data, self.kind).reshape(shape)
        values = np.moveaxis(values, 0, 2) if planes else values
        if deflated and self.tags.get(PREDICTOR, 1) == 2:  # differences to the pixel on the left
            values = np.cumsum(values, axis=1, dtype=self.kind.newbyteorder("="))
        return values.astype(self.kind.newbyteorder("="), copy=False)

    def strips(self, most: int) -> Iterator[bytes]:
        """The bytes of each strip, together `most` of them."""
        for offset, count in zip(*(as_tuple(self.tags[tag]) for tag in (OFFSETS, COUNTS)), strict=True):
            if most <= 0:
                return
            deflated = self.tags.get(COMPRESSION, NONE) != NONE
            self.file.seek(offset)
            data = self.file.read(min(count, most + most // 1000 + DEFLATED_NOISE if deflated else most))
            if deflated:
                data = zlib.decompressobj().decompress(data, most)
            most -= len(data)
            yield data


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A tag's values, of which there may be one."""
    return value if isinstance(value, tuple) else (value,)


def raw_tiff(file: IO[bytes], name: str) -> RawTiff | None:
    """The head of a TIFF file; None for another file, and for a head that is damaged.

    Raises UserError, with what it is, for TIFF files that are not read.
    """
    try:
        tags = tags_of(file)
        if tags is None:
            return None
        width, height, channels = int(tags.get(WIDTH, 0)), int(tags.get(HEIGHT, 0)), int(tags.get(CHANNELS, 1))
        bits, formats = set(as_tuple(tags.get(BITS, (1,)))), set(as_tuple(tags.get(FORMAT, (1,))))
        extra, photometric = as_tuple(tags.get(EXTRA, ())), tags.get(PHOTOMETRIC, 1)
        if min(width, height, channels) < 1:
            return None
        alpha = channels in (2, 4) and len(extra) == 1 and extra[0] in (1, 2)
        problem = unreadable(tags, bits, formats, photometric)
        kind = np.dtype(np.uint8)
        if not problem:
            letter, size = KINDS[formats.pop()], bits.pop() // 8
            kind = np.dtype(f"{'<' if tags.prefix == b'II' else '>'}{letter}{size}")
    except (KeyError, TypeError, ValueError, SyntaxError, struct.error, OSError, IndexError):
        return None
    if problem:
        raise UserError(f"{name} is a TIFF of {problem}, which is not read: save it uncompressed, as 8-bit RGB or grey")
    colours = photometric == 2 and channels > 2
    size = {"width": width, "height": height, "channels": channels}
    return RawTiff(**size, kind=kind, colours=colours, alpha=alpha, file=file, tags=tags)


def tags_of(file: IO[bytes]) -> Any:
    """The tags of the first image of a TIFF file; None for another file."""
    file.seek(0)
    head = file.read(8)
    if head[:4] not in MAGIC:
        return None
    head += file.read(8) if b"+" in head[:4] else b""  # files above 4 GB
    tags = ImageFileDirectory_v2(head)
    file.seek(tags.next)
    tags.load(file)
    return tags


def unreadable(tags: Any, bits: set[Any], formats: set[Any], photometric: Any) -> str:
    """What keeps a TIFF from being read, in words; empty where nothing does."""
    compression, predictor = tags.get(COMPRESSION, NONE), tags.get(PREDICTOR, 1)
    number = {3: "floating point", 5: "complex numbers", 6: "complex numbers"}.get(max(formats), "whole numbers")
    words = f"{'/'.join(map(str, sorted(bits)))}-bit {number} in {counted(tags.get(CHANNELS, 1))}"
    if photometric not in (0, 1, 2) or not formats <= set(KINDS) or len(formats) > 1 or len(bits) > 1:
        return words
    sizes = (16, 32, 64) if formats == {3} else (8, 16, 32, 64)
    if not bits <= set(sizes):
        return words
    if compression != NONE and compression not in DEFLATED:
        return f"{words} with compression {COMPRESSIONS.get(compression, compression)}"
    if compression != NONE and predictor not in (1, 2):
        return f"{words} with predictor {predictor}"
    return "" if OFFSETS in tags and COUNTS in tags else f"{words} in tiles"


def counted(channels: Any) -> str:
    """`1 channel`, `5 channels`."""
    return f"{channels} channel{'' if channels == 1 else 's'}"


def channels_note(channels: int, read: int) -> list[Note]:
    """A note where a file has more channels than are read of it."""
    which = {1: "the first is read as grey", 2: "the first is read as grey"}.get(
        read, "the first three are read as red, green and blue"
    )
    return [Note("channels", f"has {channels} channels: {which}")] if channels > read else []
