"""The pages of a TIFF file, each read as the first one of a file of its own. No torch here.

A TIFF is a chain of directories, one a page, and its head says where the first one is: with another head the same file
begins with another page. ImageJ lists the first page alone of large stacks, says in its description how many there are,
and writes their pixels behind each other. Descriptions of ImageJ and OME say, too, which pages are channels.
"""

import io
import math
import os
import re
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from .notes import Note
from .tiff import (
    BITS,
    CHANNELS,
    COMPRESSION,
    COUNTS,
    DESCRIPTION,
    HEIGHT,
    NONE,
    OFFSETS,
    WIDTH,
    as_tuple,
    tags_of,
)

MOST_PAGES = 100_000  # that are counted
SUBFILE, REDUCED = 254, 1  # a tag, and its bit for a smaller version of another page
SHORT = 3  # the number of a type
IMAGEJ = {"channels": "C", "slices": "Z", "frames": "T"}
OTHER_PAGES = ", with --pages all, max or mean the others, too"
KEPT = 100  # pages from which on a layout is kept: reading each anew would take longer with every page
LARGE = 1 << 62  # bytes: more than a file has
AXES = re.compile(r"\b(DimensionOrder|Size[CZT])\s*=\s*\"(\w{1,9})\"")  # of OME


@dataclass(frozen=True)
class Form:
    """How a TIFF is laid out: order of bytes, and for files above 4 GB (`big`) other widths of numbers."""

    order: str
    big: bool

    @property
    def head(self) -> tuple[int, str]:
        """Where the head says where the first directory is, and the format of that number."""
        return (8, f"{self.order}Q") if self.big else (4, f"{self.order}I")

    @property
    def entries(self) -> tuple[str, int]:
        """The format of the number of entries in a directory, and the bytes of each."""
        return (f"{self.order}Q", 20) if self.big else (f"{self.order}H", 12)


@dataclass(frozen=True)
class Layout:
    """Where the pages are. directories: where that of each begins. count: pages; more than directories where the pixels
    of the others follow those of the first, which are `block`: start and length in bytes, None where they do not.
    planes: int [N,C], the pages of each of N images, one for each channel."""

    form: Form
    directories: tuple[int, ...]
    count: int
    block: tuple[int, int] | None
    planes: NDArray[np.int64]

    def page(self, file: IO[bytes], index: int, name: str) -> IO[bytes]:
        """The file, as if this page were its first. Raises UserError where it cannot be found."""
        listed = index < len(self.directories)
        if not listed and self.block is None:
            remedy = "save it uncompressed, or as a file a page"
            raise UserError(f"{name} is not listed in its file, and not behind the first page: {remedy}")
        start, length = (0, 0) if listed or self.block is None else self.block
        if start + (index + 1) * length > file.seek(0, os.SEEK_END):
            raise UserError(f"{name} is not in its file, which ends before it: replace it")
        at, number = self.form.head
        file.seek(0)
        head = file.read(at) + struct.pack(number, self.directories[index if listed else 0])
        return PageFile(file, head, start, length, index * length)  # type: ignore[return-value]


_long: dict[tuple[int, ...], Layout] = {}  # of the last long file


class PageFile(io.RawIOBase):
    """A file with another head, and with `length` bytes from `start` on replaced by those that stand `by` behind."""

    def __init__(self, file: IO[bytes], head: bytes, start: int, length: int, by: int) -> None:
        self.file, self.head, self.start, self.stop, self.by = file, head, start, start + length, by
        self.position = 0

    def readable(self) -> bool:
        """It is read from."""
        return True

    def seekable(self) -> bool:
        """It is a file on a disk, or bytes."""
        return True

    def tell(self) -> int:
        """The current position, in bytes."""
        return self.position

    def fileno(self) -> int:
        """Of the file itself: libtiff reads compressed pages, whose pixels are never moved."""
        return self.file.fileno()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To another position, which is returned."""
        base = (0, self.position, self.file.seek(0, os.SEEK_END) if whence == os.SEEK_END else 0)[whence]
        self.position = base + offset
        return self.position

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes from here on; without a size, or below 0, all."""
        parts, left = list[bytes](), sys.maxsize if size is None or size < 0 else size
        while left > 0 and (part := self.piece(left)):
            parts.append(part)
            left -= len(part)
            self.position += len(part)
        return b"".join(parts)

    def piece(self, most: int) -> bytes:
        """Bytes from here on, at most so many, and no further than the next border."""
        at = self.position
        if at < len(self.head):
            return self.head[at : at + most]
        inside = self.start <= at < self.stop
        border = self.stop if inside else self.start if at < self.start else sys.maxsize
        self.file.seek(at + self.by if inside else at)
        length = min(most, border - at)
        return self.file.read(length if length < LARGE else -1)


def layout_of(file: IO[bytes]) -> Layout | None:
    """The pages of a TIFF file; None for another file, and for a head that is damaged.

    That of a long file on a disk is kept: its pages are read one by one.
    """
    try:
        status = os.fstat(file.fileno())
    except (OSError, AttributeError):  # of bytes
        return found_layout(file)
    key = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    if (layout := _long.get(key)) is None:
        layout = found_layout(file)
        if layout is not None and layout.count >= KEPT:
            _long.clear()
            _long[key] = layout
    return layout


def found_layout(file: IO[bytes]) -> Layout | None:
    """The pages of a TIFF file, from its directories and its first description."""
    with suppress(Exception):  # whatever a damaged file leads to
        tags = tags_of(file)
        if tags is None:
            return None
        file.seek(0)
        head = file.read(4)
        form = Form("<" if head[:2] == b"II" else ">", b"+" in head)
        directories = tuple(directories_of(file, form))
        text = str(tags.get(DESCRIPTION, ""))
        count = len(directories)
        if count == 1:
            count = min(int(said(text, "images") or 1), MOST_PAGES)
        block = block_of(tags)
        if block and block[0] <= directories[0] < block[0] + count * block[1]:
            block = None  # what follows the first page is its directory
        return Layout(form, directories, count, block, planes_of(text, count, tags.get(CHANNELS, 1)))
    return None


def directories_of(file: IO[bytes], form: Form) -> Iterator[int]:
    """Where each directory of the chain begins, but for smaller versions of other pages."""
    (count_format, width), (_, offset_format), seen = form.entries, form.head, set[int]()
    file.seek(form.head[0])
    (at,) = struct.unpack(offset_format, file.read(struct.calcsize(offset_format)))
    while at and at not in seen and len(seen) < MOST_PAGES:
        seen.add(at)
        file.seek(at)
        count, first = file.read(struct.calcsize(count_format)), file.read(width)
        if len(first) < width:
            return
        (entries,) = struct.unpack(count_format, count)
        file.seek(at + len(count) + entries * width)
        following = file.read(struct.calcsize(offset_format))
        if len(following) < struct.calcsize(offset_format):
            return
        if len(seen) == 1 or not is_reduced(first, form):
            yield at
        (at,) = struct.unpack(offset_format, following)


def is_reduced(entry: bytes, form: Form) -> bool:
    """Whether the first entry of a directory, which are in order, says that it is of a smaller version."""
    tag, kind = struct.unpack_from(f"{form.order}HH", entry)
    (value,) = struct.unpack_from(f"{form.order}{'H' if kind == SHORT else 'I'}", entry, 12 if form.big else 8)
    return bool(tag == SUBFILE and value & REDUCED)


def block_of(tags: Any) -> tuple[int, int] | None:
    """Where the pixels of a page begin, and how many bytes they are; None where they are not there in one piece."""
    starts, lengths = (as_tuple(tags.get(tag, ())) for tag in (OFFSETS, COUNTS))
    bits = sum(as_tuple(tags.get(BITS, (1,)))) * (
        1 if len(as_tuple(tags.get(BITS, (1,)))) > 1 else tags.get(CHANNELS, 1)
    )
    together = all(starts[i] + lengths[i] == starts[i + 1] for i in range(len(starts) - 1))
    if tags.get(COMPRESSION, NONE) != NONE or not starts or not together or not bits or bits % 8:
        return None
    return int(starts[0]), tags[WIDTH] * tags[HEIGHT] * bits // 8


def said(text: str, name: str) -> str:
    """The whole number that a description of ImageJ gives a name; empty without."""
    found = re.search(rf"^{name}=(\d{{1,9}})\s*$", text, re.MULTILINE)
    return found[1] if found else ""


def planes_of(text: str, count: int, samples: int) -> NDArray[np.int64]:
    """The pages of each image, int [N,C]: those that are channels of one image together, as the description says.

    Without one, with one that speaks of another number of pages, and where a page has several channels itself, each
    page is an image.
    """
    order, sizes = "CZT", {axis: int(said(text, name) or 1) for name, axis in IMAGEJ.items()}
    if "<OME" in text:
        found = dict(AXES.findall(text)[:4])  # of the first image
        order = found.get("DimensionOrder", "XYCZT")[2:]
        sizes = {axis: int(found.get(f"Size{axis}", 1)) for axis in "CZT"}
    if samples != 1 or sorted(order) != ["C", "T", "Z"] or math.prod(sizes.values()) != count:
        return np.arange(count)[:, None]
    pages = np.arange(count).reshape([sizes[axis] for axis in reversed(order)])
    return np.moveaxis(pages, 2 - order.index("C"), -1).reshape(-1, sizes["C"])


def pages_note(file: IO[bytes]) -> list[Note]:
    """A note where a TIFF file holds more than one page, or says so."""
    layout = layout_of(file)
    if layout is None or layout.count == 1:
        return []
    images, channels = layout.planes.shape
    meaning = f" ({images:,} of {channels} channels)" if channels > 1 else ""
    return [Note("pages", f"holds {layout.count:,} pages{meaning}: the first is read{OTHER_PAGES}")]
