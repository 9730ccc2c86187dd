"""What the head of an image file says: size, channels, depth, and whether it may be decoded at all. No torch here."""

from dataclasses import dataclass

from PIL import Image

from ...errors import UserError
from .deep import raw_mode
from .orientation import ON_ITS_SIDE, rotation_of
from .raw import Opened, Raw

PIXEL_LIMIT = 100_000_000  # pixels of the largest image that is decoded: 300 MB as RGB
BYTE_LIMIT = 750_000_000  # bytes that may be held while an image is decoded
STRIP_ROWS, TILE_COLUMNS, TILE_ROWS = 278, 322, 323  # tags of TIFF
MOST_BYTES = 24  # of a pixel, in any image that Pillow decodes

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


@dataclass(frozen=True)
class Probe:
    """What the head of an image file says.

    width, height: pixels of the image as it is shown. mode: Pillow's (`RGB`, `L`, `P`, `RGBA`, `I;16`, `F`, ...), or
    the channels in words. depth: bits of a channel in the file: 1, 8, 16, 32 or 64 (palettes and greys of 2 and 4 bits
    count as 8).
    """

    width: int
    height: int
    mode: str
    depth: int

    @property
    def colours(self) -> str:
        """The channels in words: `RGB`, `grey`, `RGB with alpha`, ..."""
        return COLOURS.get(self.mode.partition(";")[0], self.mode)


def head_of(image: Opened) -> Probe:
    """What the head of an opened file says."""
    if isinstance(image, Raw):
        return Probe(image.width, image.height, image.words, 8 * image.kind.itemsize)
    size = image.size[::-1] if rotation_of(image) in ON_ITS_SIDE else image.size
    deep = ";16" in f"{image.mode} {raw_mode(image)}"
    return Probe(*size, image.mode, DEPTHS.get(image.mode, 16 if deep else 8))


def check_size(image: Opened, name: str) -> None:
    """Raises UserError for an image that would take too much memory."""
    width, height = (image.width, image.height) if isinstance(image, Raw) else image.size
    if width * height > PIXEL_LIMIT:
        limit = f"more than the limit of {PIXEL_LIMIT:,}: downscale it or cut it into tiles"
        raise UserError(f"{name} has {width:,} x {height:,} pixels, {limit}")
    most = image.bytes_of_a_pixel if isinstance(image, Raw) else MOST_BYTES
    if width * height * most > BYTE_LIMIT < (held := width * height * bytes_of_a_pixel(image)):
        limit = f"which take {held / 1e6:,.0f} MB to decode, more than the limit of {BYTE_LIMIT / 1e6:.0f}"
        raise UserError(f"{name} has {width:,} x {height:,} pixels, {limit}: downscale it, or save it as PNG")


def bytes_of_a_pixel(image: Opened) -> float:
    """What is held of each pixel while an image is decoded: by Pillow, by the library of its format, and the result.

    libwebp keeps three canvases of RGBA, libavif two and its planes, OpenJPEG 32 bits a channel, libjpeg 16 where the
    image is progressive, and libtiff a strip, which may be the whole image. Deep colours are decoded twice.
    """
    if isinstance(image, Raw):
        return image.bytes_of_a_pixel
    mode, channels, deep = image.mode, len(image.getbands()), ";16" in raw_mode(image)
    stored = 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4
    strip = channels * max(head_of(image).depth // 8, 1) * part_in_a_strip(image)
    libraries = {"WEBP": 12, "AVIF": 12, "JPEG2000": 4 * channels, "TIFF": strip}
    libraries["JPEG"] = 2 * channels if image.info.get("progressive") else 0
    result = stored if deep and stored > 2 else 3
    return stored * (2 if rotation_of(image) else 1) + libraries.get(str(image.format), 0) + result


def part_in_a_strip(image: Image.Image) -> float:
    """The part of a TIFF that libtiff decodes at a time; nothing of one that is not compressed."""
    if image.info.get("compression") == "raw":
        return 0.0
    tags = getattr(image, "tag_v2", {})
    rows, columns = tags.get(TILE_ROWS) or tags.get(STRIP_ROWS), tags.get(TILE_COLUMNS, image.width)
    known = isinstance(rows, int) and isinstance(columns, int)
    return min(1.0, rows * columns / (image.width * image.height)) if known else 1.0
