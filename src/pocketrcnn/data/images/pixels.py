"""Any image as 8-bit RGB, read right or refused with one clear line. No torch here.

What is decoded: PNG, JPEG, TIFF, BMP, GIF, WebP, AVIF, JPEG 2000 and PNM; of several frames or pages
the first, one of them, or a projection of all (`stacks`).
Images are rotated by their EXIF or XMP orientation: sizes and boxes are those of the image as it is shown.

Shapes: H rows, W columns.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ...config import Pages
from ...errors import UserError
from .arrays import from_array, from_channels, side_by_side, three_channels
from .bands import Bands, bands, joined, stretched
from .deep import MOST, dark_colours, grey_and_alpha, largest_of, reduced, used_bits
from .heads import Probe, check_size, head_of
from .identifying import allowed, explained
from .mending import damaged_pixels
from .notes import Note
from .opening import name_of, page_of, with_opened
from .orientation import rotation_of
from .raw import Opened, Raw
from .stacks import Combined, frames_of
from .tiff import CHANNELS, RawTiff, channels_note
from .tiff_pages import OTHER_PAGES, pages_note

Pixels = NDArray[np.uint8]
Source = Path | str | bytes | bytearray | memoryview | IO[bytes] | Image.Image | NDArray[Any]
PNM = (".ppm", ".pgm", ".pbm")
ENDINGS = tuple(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".jfif",
        ".tif",
        ".tiff",
        ".bmp",
        ".gif",
        ".webp",
        ".avif",
        ".jp2",
        ".ppm",
        ".pgm",
        ".pbm",
    ]
)
"""Endings, in small letters, of files that are taken for images; what is inside decides how they are read."""

DARK = 8  # an image is dark whose largest value is under such a part of its range


class Picture(NamedTuple):
    """An image that was read: what its head says, uint8 [H,W,3], and what its owner should know."""

    probe: Probe
    pixels: Pixels
    notes: tuple[Note, ...]


def probe(path: Path | str) -> Probe:
    """Size and kind of an image file, without decoding it; a truncated file is not noticed.

    Raises UserError as `read_image` does, for what can be seen in the head of the file.
    """

    def head(image: Opened) -> Probe:
        check_size(image, str(path))
        return head_of(image)

    return with_opened(Path(path), head)[0]


def read_picture(file: Path | IO[bytes], pages: Pages = "first") -> Picture:
    """What `probe` and `read_image` say of a file, which is opened once, with notes. Raises UserError as they do."""

    def picture(image: Opened) -> Picture:
        check_size(image, name_of(file))
        found, head = notes_of_file(image, named=page_of(file)[1] is not None), head_of(image)
        pixels, dark = converted(image)
        return Picture(head, pixels, tuple(found + dark))

    (head, pixels, notes), mended = with_opened(file, picture, pages)
    return Picture(head, pixels, mended + notes)


def read_image(source: Source, pages: Pages = "first") -> Pixels:
    """An image as uint8 [H,W,3], RGB, as it is shown: a path, bytes or a binary file, a Pillow image, or an array.

    pages: of a file with several pages or frames the `first`, or the `max` or `mean` of all; `all`: one, whose path
    names it (`cells.tif[3]`), as it may in any case.

    - Grey, 1-bit, palette, CMYK and YCbCr images become RGB. Partly transparent ones are laid over black.
    - Grey of 16 bits, of 32 bits and floating point: the percentiles 0.1 and 99.9 of its values become 0 and 255;
      an image of one value becomes black, values that are no numbers count as the darkest.
    - Colours of 16 bits: the upper 8 of the bits that are used, of 8, 10, 12, 14 or 16. An image of a 12-bit camera in
      a file of 16 bits is read as if it had 8.
    - Of more than four channels the first three are red, green and blue; each is stretched by itself.
    - Arrays are [H,W], [H,W,1], [H,W,3] or [H,W,4] (RGBA), colours in the order red, green, blue: uint8; uint16, as in
      files; floating point of 0 to 1, which become 0 to 255, also where interpolation overshot; floating point of 0 to
      255, if all values are whole or they are colours; other floating point, scaled by percentiles over all channels.
      The result may share their memory.

    Raises UserError, with file and reason, for what is missing, no image, damaged, or takes too much memory (before it
    is decoded), and for arrays of another type or shape.
    """
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, Image.Image):
        with explained("the image"):
            check_size(source, "the image")
            return converted(source)[0]
    if not isinstance(source, str | bytes | bytearray | memoryview | PathLike) and not hasattr(source, "read"):
        kind = type(source).__name__
        raise UserError(f"an object of type `{kind}` is not an image: use a path, bytes, a Pillow image or an array")

    def pixels(image: Opened) -> Pixels:
        check_size(image, name_of(source))
        return converted(image)[0]

    return with_opened(source, pixels, pages)[0]


def notes_of_file(image: Opened, named: bool) -> list[Note]:
    """What is not read of a file: further pages and channels; pixels that may be damaged. It is not decoded.

    named: whether the image is a page that somebody named."""
    if isinstance(image, Raw):
        notes = channels_note(image.channels, (3 if image.channels > 2 else 1) + image.alpha)
        return notes + ([] if named else pages_note_of(image))
    if not isinstance(image, ImageFile) or image.fp is None:
        return []
    position, notes = image.fp.tell(), list[Note]()
    with suppress(Exception):  # of what is not read
        if isinstance(image, TiffImageFile):
            notes += channels_note(image.tag_v2.get(CHANNELS, 1), len(image.getbands()))
            notes += [] if named else pages_note(image.fp)
        elif not named:
            notes += frames_note(frames_of(image))
        if image.format == "PNG" and damaged_pixels(image.fp):
            notes.append(Note("checksum", "has a wrong checksum of its pixels: they may be damaged"))
    image.fp.seek(position)
    return notes


def pages_note_of(image: Raw) -> list[Note]:
    """A note where a file has more than one page."""
    if isinstance(image, RawTiff):
        return pages_note(image.file)
    assert isinstance(image, Combined)
    return [Note("pages", f"holds {image.stack.planes.size:,} pages: {image.read}")]


def frames_note(count: int) -> list[Note]:
    """A note on a moving image."""
    return [Note("pages", f"holds {count:,} frames: the first is read{OTHER_PAGES}")] if count > 1 else []


def converted(image: Opened) -> tuple[Pixels, list[Note]]:
    """An opened image as uint8 [H,W,3], and a note where it is dark."""
    with allowed(image):
        return decoded(image)


def decoded(image: Opened) -> tuple[Pixels, list[Note]]:
    """The same, within Pillow's limit."""
    if isinstance(image, Raw):
        values = image.values()
        pixels = from_channels(values, colours=image.colours, alpha=image.alpha)
        deep = values[..., : 3 if image.channels > 2 else 1] if values.dtype == np.uint16 else None
        return pixels, dark_note(int(pixels.max())) if deep is None else deep_note(int(deep.max()), image.colours)
    rotation, found = rotation_of(image), deep_pixels(image)
    if found is not None:
        pixels, notes = found
        return (pixels if rotation is None else np.asarray(Image.fromarray(pixels).transpose(rotation))), notes
    shown = image if rotation is None else image.transpose(rotation)
    if shown.mode.startswith(("I", "F")):
        parts = partial(arrays_of, shown)
        largest = largest_of(parts) if shown.mode.startswith("I;16") else None
        return measured(parts, (shown.height, shown.width), largest)
    mode = "RGBA" if shown.has_transparency_data else "RGB"
    converted_bands = (np.asarray(band.convert(mode)) for band in bands(shown))
    pixels = joined(map(three_channels, converted_bands), (shown.height, shown.width, 3))
    return pixels, dark_note(int(pixels.max()))


def arrays_of(image: Image.Image) -> Iterator[NDArray[Any]]:
    """An image of one channel as arrays, a band of rows at a time."""
    return map(np.asarray, bands(image))


def deep_pixels(image: Image.Image) -> tuple[Pixels, list[Note]] | None:
    """A file of which Pillow gives the upper half of its 16 bits as uint8 [H,W,3], and a note where it is dark; None
    for all other images."""
    shape = image.height, image.width
    if (found := grey_and_alpha(image)) is not None:
        grey, alpha = found
        return measured(grey, shape, largest_of(grey), reduced(alpha, shape))
    if (deep := dark_colours(image)) is None:
        return None
    colours, opacity = deep
    eight = [reduced(colours, (*shape, 3)), *([] if opacity is None else [reduced(opacity, (*shape, 1))])]
    pixels = side_by_side(*eight) if opacity else eight[0]
    return pixels, deep_note(largest_of(colours), colours=True)


def measured(
    values: Bands, shape: tuple[int, int], largest: int | None, alpha: Pixels | None = None
) -> tuple[Pixels, list[Note]]:
    """Grey values, in bands, stretched to uint8 [H,W,3], and a note where they are dark. largest: of 16 bits."""
    grey = stretched(values, shape)
    pixels = three_channels(grey) if alpha is None else side_by_side(grey, grey, grey, alpha)
    if not grey.any():
        return pixels, [Note("blank", "has one value everywhere: it is read as black")]
    return pixels, [] if largest is None else deep_note(largest, colours=False)


def deep_note(largest: int, colours: bool) -> list[Note]:
    """`dark_note` for values of 16 bits."""
    bits = f"it is read as an image of {used_bits(largest)} bits"
    return dark_note(largest, MOST, bits if colours else "it is stretched to the full range")


def dark_note(largest: int, most: int = 255, how: str = "it is nearly black") -> list[Note]:
    """A note where the largest value of an image is far below the `most` that it could be, but not 0."""
    return [Note("dark", f"has values up to {largest:,} of {most:,}: {how}")] if 0 < largest * DARK < most else []
