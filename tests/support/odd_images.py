"""Image files that Pillow does not write: PNG of 16 bits a colour, TIFF of any kind, chunks and pages by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PNG_START = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of a PNG, by channels


def chunk(kind: bytes, content: bytes, right: bool = True) -> bytes:
    """A chunk of a PNG, its checksum wrong where `right` is false."""
    checksum = zlib.crc32(kind + content) ^ (0 if right else 0xFFFF)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(values: NDArray[Any], *before: bytes, after: bytes = b"", pixels_right: bool = True) -> bytes:
    """Values [H,W,C] of 8 or 16 bits as a PNG, with more chunks before and after its pixels."""
    height, width, channels = np.atleast_3d(values).shape
    bits = 8 * values.dtype.itemsize
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, bits, COLOUR_TYPES[channels], 0, 0, 0))
    rows = b"".join(b"\0" + row.astype(values.dtype.newbyteorder(">")).tobytes() for row in values)
    pixels = chunk(b"IDAT", zlib.compress(rows), pixels_right)
    return PNG_START + head + b"".join(before) + pixels + after + chunk(b"IEND", b"")


def tiff(values: NDArray[Any], photometric: int, extra: Sequence[int] = (), **more: Any) -> bytes:
    """Values [H,W,C] as a TIFF, see `page`."""
    return stack([values], photometric, extra=extra, **more)


def stack(
    pages: Sequence[NDArray[Any]] | NDArray[Any],
    photometric: int,
    *,
    order: str = "<",
    description: str = "",
    reduced: Sequence[int] = (),
    **more: Any,
) -> bytes:
    """Pages, each [H,W,C], as a TIFF. description: of the first one. reduced: those that are said to be smaller copies
    of others."""
    content, place = bytearray({"<": b"II*\0", ">": b"MM\0*"}[order] + bytes(4)), 4
    for i, values in enumerate(pages):
        text = description if i == 0 else ""
        data, tags = page(values, photometric, len(content), order, text, **more)
        tags = [(254, 4, [1])] * (i in reduced) + tags
        content += data
        content[place : place + 4] = struct.pack(order + "I", len(content))
        place = len(content) + 2 + 12 * len(tags)  # of the next one
        content += directory(tags, order, len(content))
    return bytes(content)


def large_stack(pages: NDArray[Any], photometric: int, description: str, order: str = "<") -> bytes:
    """Pages [N,H,W] or [N,H,W,C] as ImageJ writes more than 4 GB: the first is listed alone, the others follow it."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    length = 0
    for _ in range(2):  # where the pixels begin follows from the length of the directory
        _, tags = page(pages[0], photometric, 8 + length, order, description)
        length = len(directory(tags, order, 8))
    stored = pages.astype(pages.dtype.newbyteorder(order))
    return head + directory(tags, order, 8) + stored.tobytes()


def page(
    values: NDArray[Any],
    photometric: int,
    start: int,
    order: str,
    description: str,
    *,
    extra: Sequence[int] = (),
    compression: int = 1,
    planes: bool = False,
    kind: int | None = None,
    predictor: int = 1,
    strips: int = 1,
) -> tuple[bytes, list[tuple[int, int, Any]]]:
    """The pixels of values [H,W,C], which begin at a byte of the file, and the tags of their directory.

    extra: ExtraSamples. kind: SampleFormat, where it is not that of the values."""
    values = np.atleast_3d(values)
    height, width, channels = values.shape
    bits, format_ = 8 * values.dtype.itemsize, kind or {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    written = np.diff(values, axis=1, prepend=values.dtype.type(0)) if predictor == 2 else values
    stored = written.astype(values.dtype.newbyteorder(order))
    parts = [stored[..., i] for i in range(channels)] if planes else np.split(stored, strips)
    data = [part.tobytes() for part in parts]
    data = [zlib.compress(part) for part in data] if compression == 8 else data
    offsets = np.cumsum([start, *map(len, data)]).tolist()
    text = description.encode() + b"\0" if description else b""
    tags: list[tuple[int, int, Any]] = [
        *((256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * channels), (259, 3, [compression])),
        *((262, 3, [photometric]), (270, 2, text), (273, 4, offsets[:-1]), (277, 3, [channels])),
        *((278, 4, [height // strips]), (279, 4, [len(part) for part in data]), (284, 3, [2 if planes else 1])),
        *((317, 3, [predictor]), (338, 3, list(extra)), (339, 3, [format_] * channels)),
    ]
    return b"".join(data), [tag for tag in tags if len(tag[2])]


def directory(tags: list[tuple[int, int, Any]], order: str, start: int) -> bytes:
    """The tags of a TIFF, which begin at a byte of its file: 2 is text, 3 two bytes, 4 four."""
    body, tail = b"", b""
    for tag, kind, values in tags:
        packed = values if kind == 2 else struct.pack(order + {3: "H", 4: "I"}[kind] * len(values), *values)
        if len(packed) > 4:
            where = start + 2 + 12 * len(tags) + 4 + len(tail)
            tail, packed = tail + packed, struct.pack(order + "I", where)
        body += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return struct.pack(order + "H", len(tags)) + body + bytes(4) + tail
