"""Images decoded once, padded to a square or as large as they are: one file of the cache, read a batch at a time.

The name of a file is a hash of what its content follows from: what is in the images' files, not when they were
written. A checksum in its end is verified when it is opened: one that is truncated or damaged is made again. The folder
`folders/` of the cache holds nothing else, and may be deleted whenever no run is using it. Files are read, not mapped:
mapped pages count as memory of the process.

Shapes: N images, B in a batch, S the input size in pixels.
"""

import errno
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL
from numpy.typing import NDArray

from ...config import Pages
from ...errors import UserError
from ..annotations import Example, content_hash
from ..files import LOCK, locked, open_atomically
from .cache import OTHER_CACHE, cache_root
from .letterbox import FILL, letterbox
from .page_names import file_of
from .pixels import Pixels, read_image

OWN = 0  # in place of a side: images keep their own resolution and are not padded
LAYOUT = 3  # raised when the same images give other pixels, or another file
WORKERS = 2  # threads that decode
CHUNK, CHUNK_BYTES = 16, 50_000_000  # images, and bytes of them, that are decoded before they are written
CHECKSUM = 8  # bytes in the end of a file: CRC-32 of all before them, in hexadecimal
BLOCK = 1 << 20  # bytes that are read at a time to verify it


@dataclass(frozen=True)
class CachedImages:
    """A file of images. broken: the indices of those that could not be read, with the reason.

    sizes: int64 [N,2], width and height of each in the file. starts: int64 [N+1], its first byte there, and the end.
    """

    path: Path
    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]
    broken: dict[int, str]

    def read(self, indices: NDArray[np.int64], origins: NDArray[np.int64], side: int) -> Pixels:
        """The square of S x S pixels of each of these images that begins at a column and row, [B,2], grey where the
        image ends: uint8 [B,S,S,3]. Raises UserError when the file is gone or damaged."""
        inputs = np.empty((len(indices), side, side, 3), np.uint8)
        try:
            with self.path.open("rb", buffering=0) as file:  # 20 microseconds a batch, and no file is left open
                for index, (left, top), pixels in zip(indices.tolist(), origins.tolist(), inputs, strict=True):
                    width, height = self.sizes[index].tolist()
                    there = pixels[: height - top, : width - left]
                    if there.size < pixels.size:
                        pixels[:] = FILL
                    read_part(file, int(self.starts[index]) + 3 * (top * width + left), 3 * width, there)
        except FileNotFoundError as error:
            raise UserError(
                f"{self.path} has gone, the cache was emptied during the run: start again, or use `pocketrcnn resume`"
            ) from error
        except OSError as error:
            raise UserError(f"{self.path} cannot be read ({error.strerror}): delete it and start again") from error
        return inputs


def read_part(file: IO[bytes], start: int, row_bytes: int, part: Pixels) -> None:
    """Some rows and columns [h,w,3] of an image in a file, from byte `start` on, whose rows have so many bytes there.

    Raises OSError where the file is too short.
    """
    whole = part.flags.c_contiguous and part[0].nbytes == row_bytes
    for number, piece in enumerate([part] if whole else part):
        row = piece if piece.flags.c_contiguous else np.empty_like(piece)
        file.seek(start + number * row_bytes)
        if file.readinto(row.data) != row.nbytes:  # type: ignore[attr-defined]
            raise OSError(errno.EIO, "it is too short")
        piece[...] = row


def open_cached_images(
    examples: Sequence[Example], side: int, cache: Path | None = None, pages: Pages = "first"
) -> CachedImages:
    """These images padded to a square, or as large as they are where `side` is OWN, in their order: made the first
    time, when an image's file has changed, and when the file in the cache is damaged.

    pages: what is read of files of several. `cache`: a folder in place of `folders/` in the cache. Several processes
    may call this at once: one writes, the others wait for it. Raises UserError when the cache cannot be written, or has
    no room, and when an image is no longer what `check` has seen.
    """
    path = (cache or cache_root() / "folders") / f"{_key(examples, side, pages)}.frames"
    sizes = np.array([example.size for example in examples], np.int64)
    if side != OWN:
        sizes = np.broadcast_to(np.int64(side), sizes.shape)
    starts = np.concatenate(([0], 3 * sizes.prod(1).cumsum()))  # [N+1], in bytes
    needed = int(starts[-1])
    broken = _stored(path, needed)
    if broken is None:
        with locked(path.parent / LOCK, wait=-1, another=OTHER_CACHE, keep=True):
            broken = _stored(path, needed)
            if broken is None:  # no other process has written it while this one waited
                with open_atomically(path, "wb", OTHER_CACHE) as file:
                    if shutil.disk_usage(path.parent).free < needed:
                        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}, {needed / 1e6:,.0f} MB are needed")
                    broken = _write_images(file, starts, partial(_decoded, side=side, pages=pages), examples)
    return CachedImages(path, sizes, starts, broken)


def _key(examples: Sequence[Example], side: int, pages: Pages) -> str:
    """The name of the file for these images: a hash of all that its content follows from."""
    content: list[Any] = [LAYOUT, PIL.__version__, side, *([pages] if pages in ("max", "mean") else [])]
    for example in examples:
        try:
            digest = (file_of(example.path).is_file() and example.digest) or content_hash(example.path)
        except OSError:
            digest = ""  # not there: reported when it is decoded
        content.append((digest, example.size))
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _stored(path: Path, start: int) -> dict[int, str] | None:
    """The reasons for images that could not be read, which stand from byte `start` on in a file; None when there is no
    file, or it is not what was written."""
    try:
        with path.open("rb") as file:
            left, checksum = os.fstat(file.fileno()).st_size - CHECKSUM, 0
            while left > 0 and (block := file.read(min(BLOCK, left))):
                checksum, left = zlib.crc32(block, checksum), left - len(block)
            if left or file.read() != _checksum(checksum):
                return None
            file.seek(start)
            return {int(index): reason for index, reason in json.loads(file.read()[:-CHECKSUM]).items()}
    except (OSError, ValueError):
        return None


def _checksum(value: int) -> bytes:
    """As it stands in a file."""
    return f"{value:0{CHECKSUM}x}".encode()


def _chunks(starts: NDArray[np.int64]) -> Iterator[range]:
    """The indices of images, in parts of at most CHUNK of them, fewer where they are large."""
    first, count = 0, len(starts) - 1
    while first < count:
        room = int(np.searchsorted(starts, starts[first] + CHUNK_BYTES, "right")) - 1
        yield (chunk := range(first, min(max(room, first + 1), first + CHUNK, count)))
        first = chunk.stop


def _write_images(
    file: IO[bytes], starts: NDArray[np.int64], decode: Callable[[Example], Pixels | str], examples: Sequence[Example]
) -> dict[int, str]:
    """All images; behind them a checksum and, as JSON, the reasons for those that are only grey, which are returned."""
    checksum = 0
    broken: dict[int, str] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for chunk in _chunks(starts):
            decoded = pool.map(decode, examples[chunk.start : chunk.stop])
            for index, image in zip(chunk, decoded, strict=True):
                size = int(starts[index + 1] - starts[index])
                pixels = bytes([FILL]) * size if isinstance(image, str) else image.data
                file.write(pixels)
                checksum = zlib.crc32(pixels, checksum)
                if isinstance(image, str):
                    broken[index] = image
    reasons = json.dumps(broken).encode()
    file.write(reasons + _checksum(zlib.crc32(reasons, checksum)))
    return broken


def _decoded(example: Example, side: int, pages: Pages) -> Pixels | str:
    """An image as it stands in the file, or why there is none. Raises UserError where it has another content by now."""
    try:
        image = read_image(example.path, pages)
        digest = content_hash(example.path) if example.digest else ""
    except (UserError, OSError) as error:
        return str(error).removeprefix(f"{example.path} ")
    if digest != example.digest:  # the cache would have other pixels under the name of those that were checked
        raise UserError(f"{example.path} was changed after it was checked: start again")
    height, width = image.shape[:2]
    assert example.size, "`check` hands on real sizes"
    if (width, height) != example.size:
        before = " x ".join(map(str, example.size))
        return f"has {width} x {height} pixels, {before} before: annotate it again, or remove it"
    return np.ascontiguousarray(image) if side == OWN else letterbox(image, side)[0]
