"""Files that decoders refuse though all of their pixels are there: read from a mended copy in memory. No torch here.

What costs no pixel is mended, and nothing else: a file of which a part is missing stays refused.
"""

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO

from PIL import Image

from .bands import bands
from .notes import Note

PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
SHOWN = (b"tRNS", b"eXIf")  # chunks that say how the pixels are shown, as does XMP that is not compressed
XMP = b"XML:com.adobe.xmp\0\0"
END, NO_PIXELS = b"\xff\xd9", b"\x5a\xa5" * 512  # JPEG's end marker, and bytes that it has no use for


def mended(file: IO[bytes], identify: Callable[[IO[bytes]], Image.Image]) -> tuple[IO[bytes], tuple[Note, ...]] | None:
    """A copy that can be decoded, and what is to be said of it; None where nothing is to be mended.

    identify: reads the head of a file. Raises whatever Pillow raises on damaged ones.
    """
    file.seek(0)
    start = file.read(len(PNG_START))
    if start == PNG_START:
        return pixels_alone(file)
    return ended(start + file.read(), identify) if start.startswith(JPEG_START) else None


def pixels_alone(file: IO[bytes]) -> tuple[IO[bytes], tuple[Note, ...]] | None:
    """A PNG without its text, its colour profile, and chunks of a wrong checksum that say nothing of its pixels.

    Of texts of megabytes Pillow reads none (MAX_TEXT_CHUNK); libpng drops chunks of a wrong checksum, too.
    """
    kept, wrong, dropped = [PNG_START], set(), False
    for kind, content, right in chunks(file):
        needed = kind[:1].isupper()  # PNG specification, section 5.4
        if not right and not needed:
            wrong.add(kind.decode("latin-1"))
        shows = kind in SHOWN or (kind == b"iTXt" and content.startswith(XMP))
        if needed or (right and shows):
            kept.append(chunk(kind, content, right))
        else:
            dropped = True
    if not dropped:
        return None
    names = ", ".join(sorted(wrong))
    notes = (Note("checksum", f"has a wrong checksum in {names}, which is skipped"),) if wrong else ()
    return BytesIO(b"".join(kept)), notes


def chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes, bool]]:
    """The chunks of a PNG: kind, content, and whether the checksum is right. The last one may be cut off."""
    file.seek(len(PNG_START))
    while len(head := file.read(8)) == 8:
        kind, content = head[4:], file.read(int.from_bytes(head[:4], "big"))
        yield kind, content, file.read(4) == checksum(kind, content)


def checksum(kind: bytes, content: bytes) -> bytes:
    """As it stands behind a chunk."""
    return zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big")


def chunk(kind: bytes, content: bytes, right: bool = True) -> bytes:
    """A chunk as it stands in a file, its checksum wrong where `right` is false."""
    end = checksum(kind, content) if right else bytes(4)
    return len(content).to_bytes(4, "big") + kind + content + end


def damaged_pixels(file: IO[bytes]) -> bool:
    """Whether a checksum of a PNG's pixels is wrong, which Pillow does not look at."""
    return not all(right for kind, _, right in chunks(file) if kind == b"IDAT")


def ended(content: bytes, identify: Callable[[IO[bytes]], Image.Image]) -> tuple[IO[bytes], tuple[Note, ...]] | None:
    """A JPEG with the end marker that it lacks; None where pixels are missing, too.

    Whether they are: decoders go on in what follows, so that other bytes before the marker would change them.
    """
    if content.endswith(END):
        return None
    cut = content.rstrip(b"\xff")
    copies = [BytesIO(cut + END), BytesIO(cut + NO_PIXELS + END)]
    images = [bands(identify(copy)) for copy in copies]
    if not all(one.tobytes() == other.tobytes() for one, other in zip(*images, strict=True)):
        return None
    return copies[0], (Note("end-marker", "lacks its end marker; all its pixels are there"),)
