"""Images that are small files and say that they are huge, or lead their reader in circles."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from random import Random

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
SIDES = (0, 1, 5_000, 7_000, 7_071, 7_072, 30_000, 65_535, 2**31 - 1, 2**32 - 1)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_right_checksums(content: bytes) -> bytes:
    """A PNG whose chunks were changed, as if they had been written so."""
    if not content.startswith(PNG):
        return content
    made, at = bytearray(PNG), len(PNG)
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if at + 12 + length > len(content):
            break
        made += chunk(kind, content[at + 8 : at + 8 + length])
        at += 12 + length
    return bytes(made + content[at:])


def png(
    width: int, height: int, depth: int, colours: int, rows: int, *, more: bytes = b"", interlaced: int = 0
) -> bytes:
    """A PNG of zeros, of which so many rows are there. colours: as in the format, 0 grey, 2 RGB, 3 palette, 6 RGBA."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    line = 1 + (width * channels * depth + 7) // 8
    packer, packed = zlib.compressobj(1), b""
    for _ in range(rows):
        packed += packer.compress(bytes(line))
    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(3)) if colours == 3 else b""
    pixels = chunk(b"IDAT", packed + packer.flush())
    return PNG + chunk(b"IHDR", head) + more + palette + pixels + chunk(b"IEND", b"")


def large_png(random: Random) -> bytes:
    """Up to the limit of pixels, in every depth, with all its rows."""
    depth, colours = random.choice(((8, 6), (16, 6), (16, 2), (16, 0), (8, 2), (8, 0), (1, 0), (8, 3), (1, 3)))
    side = random.choice((3_000, 5_000, 7_000, 7_071))
    return png(side, side, depth, colours, side)


def false_png(random: Random) -> bytes:
    """Says that it is huge, and has a few rows."""
    width, height = random.choice(SIDES), random.choice(SIDES)
    depth, colours = random.choice(((8, 2), (16, 6), (1, 0), (8, 3), (16, 0)))
    return png(width, height, depth, colours, 1 if width < 10**5 else 0, interlaced=random.choice((0, 1)))


def png_with_text(random: Random) -> bytes:
    """Text, a profile or EXIF data of 100 MB, packed."""
    packed = zlib.compress(bytes(random.choice((10**6, 10**8))), 9)
    kind = random.choice((b"zTXt", b"iCCP", b"iTXt"))
    head = b"a\0\0" if kind != b"iTXt" else b"a\0\1\0\0\0"
    return png(8, 8, 8, 2, 8, more=chunk(kind, head + packed) * random.choice((1, 3, 40)))


def png_with_chunks(random: Random) -> bytes:
    """200,000 chunks, or pixels in as many parts."""
    kind = random.choice((b"tEXt", b"eXIf", b"tRNS", b"gAMA", b"fcTL", b"PLTE", b"aaAa"))
    one = chunk(kind, random.choice((b"", b"a\0b", bytes(26))))
    return png(8, 8, 8, 2, 8, more=one * random.choice((1, 100, 200_000)))


def pnm(random: Random) -> bytes:
    """A head alone, or numbers as text."""
    kind, width, height = random.choice(range(1, 8)), random.choice(SIDES), random.choice(SIDES)
    most = random.choice((1, 255, 65_535, 65_536, 0, -1))
    body = random.choice((b"", bytes(1_000), b"1 " * 100_000, b"9" * 100_000, b"# " + b"a" * 10**6))
    return f"P{kind}\n{width} {height}\n{most}\n".encode() + body


def bmp(random: Random) -> bytes:
    """A head that says anything."""
    width, height = random.choice((*SIDES, -1)), random.choice((*SIDES, -1, -(2**31)))
    bits, packed = random.choice((1, 4, 8, 16, 24, 32, 0, 99)), random.choice((0, 1, 2, 3, 4, 99))
    colours = random.choice((0, 2, 256, 2**31 - 1))
    numbers = (40, width & (2**32 - 1), height & (2**32 - 1), 1, bits, packed, 0, 0, 0, colours, 0)
    head = struct.pack("<IIIHHIIIIII", *numbers)
    return b"BM" + struct.pack("<IHHI", 54 + 100, 0, 0, 54) + head + random.choice((bytes(100), b"\0\4" * 5_000))


def gif(random: Random) -> bytes:
    """A huge canvas, many frames, or blocks without end."""
    width, height = random.choice((1, 7_000, 65_535)), random.choice((1, 7_000, 65_535))
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, random.choice((0, 0x40))) + b"\2\2\x44\1\0"
    comments = b"!\xfe" + b"\xff" * 256 * random.choice((1, 2_000)) + b"\0"
    return head + random.choice((frame, frame * 5_000, comments + frame, comments * 100)) + b";"


def tiff(random: Random) -> bytes:
    """Directories of tags with impossible counts and places, in circles."""
    tags = []
    for number in sorted(
        random.sample((254, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 317, 320, 338, 339), 11)
    ):
        kind, count = random.choice((1, 3, 3, 4, 4, 5, 12, 16, 99)), random.choice((1, 1, 1, 4, 2**16, 2**31))
        value = random.choice((0, 1, 2, 3, 5, 8, 16, 32, 4_000, 7_000, 32_773, 65_535, 2**31, 2**32 - 1))
        tags.append(struct.pack("<HHII", number, kind, count, value))
    first = 8
    after = random.choice((0, first, first, 2**31))  # a circle
    head = b"II" + struct.pack("<HI", random.choice((42, 42, 42, 43)), first)
    return head + struct.pack("<H", len(tags)) + b"".join(tags) + struct.pack("<I", after) + bytes(5_000)


def large(random: Random) -> bytes:
    """An image of one colour and many pixels, in a format that packs it well."""
    side = random.choice((3_000, 5_000, 7_000))
    kind, mode = random.choice(
        (("WEBP", "RGB"), ("JPEG", "L"), ("TIFF", "L"), ("GIF", "L"), ("JPEG", "CMYK"), ("TIFF", "RGBA"), ("BMP", "1"))
    )
    if kind == "WEBP":
        side = 3_000  # which packs slowly
    file, packed = (
        io.BytesIO(),
        {"TIFF": {"compression": "tiff_deflate"}, "JPEG": {"progressive": random.random() < 0.5}},
    )
    Image.new(mode, (side, random.choice((side, 300))), 1).save(file, kind, **packed.get(kind, {}))
    return file.getvalue()


BOMBS: tuple[Callable[[Random], bytes], ...] = (
    *(large_png, false_png, false_png, png_with_text, png_with_chunks, pnm, pnm, bmp, bmp, gif, gif, tiff, tiff, tiff),
    large,
)
