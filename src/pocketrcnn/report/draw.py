"""Boxes with labels drawn on small images, enlarged pixel by pixel so that nothing is smoothed away.

Images are uint8 arrays [H,W,3]; boxes are xyxy in pixels of the image before it is enlarged. Never imports torch.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Okabe and Ito, "Color universal design" (2008): told apart with any kind of colour vision.
TRUTH: Colour = (0, 158, 115)
PREDICTION: Colour = (230, 159, 0)
PALETTE: tuple[Colour, ...] = (PREDICTION, (86, 180, 233), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178))

DASH = 5  # length of a dash and of a gap, in line widths
_PNG_URI = "data:image/png;base64,"


@dataclass(frozen=True)
class Mark:
    """One box [4] to draw, with its label (may be empty) and score 0..1 (or none)."""

    box: Sequence[float]
    label: str = ""
    score: float | None = None
    colour: Colour = PREDICTION
    dashed: bool = False

    def __post_init__(self) -> None:
        if len(self.box) != 4:
            raise ValueError(f"a box has the four numbers x1, y1, x2, y2, not {len(self.box)}")

    @property
    def text(self) -> str:
        """The label with the score behind it: `cat 0.93`."""
        return " ".join(part for part in (self.label, "" if self.score is None else f"{self.score:.2f}") if part)


def enlarge(image: Picture, scale: int) -> Picture:
    """Every pixel becomes a square of scale x scale: [H,W,3] -> [H*scale,W*scale,3]."""
    if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an image is uint8 [H,W,3], not {image.dtype} {list(image.shape)}")
    return image.repeat(scale, 0).repeat(scale, 1)


def draw_boxes(
    image: Picture, marks: Iterable[Mark], scale: int = 4, width: int = 2, points: int | None = None
) -> Picture:
    """The enlarged image [H*scale,W*scale,3] with its marks: lines in their order, the last on top, then the labels.

    Lines lie inside of the box, and boxes that reach over the border are cut there. Labels stand above their box,
    or in its upper part where there is no room above. `width` is that of the lines, in pixels of the enlarged image,
    `points` the size of the letters, which follows from the scale if left out.
    """
    canvas = Image.fromarray(enlarge(image, scale))
    pen = ImageDraw.Draw(canvas)
    placed = [(mark, _corners(mark.box, scale, canvas.size)) for mark in marks]
    for mark, corners in placed:
        _outline(pen, corners, mark, width)
    for mark, corners in placed:
        if mark.text:
            _label(pen, corners, mark, canvas.size, points or max(9, 3 * scale))
    return np.asarray(canvas)


def _corners(box: Sequence[float], scale: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and last row and column of the enlarged box; a box of no area keeps one pixel."""
    left, top = (min(max(round(v * scale), 0), side - 1) for v, side in zip(box[:2], size, strict=True))
    right, bottom = (min(max(round(v * scale) - 1, 0), side - 1) for v, side in zip(box[2:], size, strict=True))
    return left, top, max(left, right), max(top, bottom)


def _outline(pen: ImageDraw.ImageDraw, corners: tuple[int, int, int, int], mark: Mark, width: int) -> None:
    left, top, right, bottom = corners
    for x1, x2 in _pieces(left, right, mark.dashed, width):
        pen.rectangle((x1, top, x2, min(top + width - 1, bottom)), fill=mark.colour)
        pen.rectangle((x1, max(bottom - width + 1, top), x2, bottom), fill=mark.colour)
    for y1, y2 in _pieces(top, bottom, mark.dashed, width):
        pen.rectangle((left, y1, min(left + width - 1, right), y2), fill=mark.colour)
        pen.rectangle((max(right - width + 1, left), y1, right, y2), fill=mark.colour)


def _pieces(start: int, stop: int, dashed: bool, width: int) -> list[tuple[int, int]]:
    """The parts of a side that are drawn: all of it, or every second stretch of it."""
    if not dashed:
        return [(start, stop)]
    dash = DASH * width
    return [(x, min(x + dash - 1, stop)) for x in range(start, stop + 1, 2 * dash)]


def _label(
    pen: ImageDraw.ImageDraw, corners: tuple[int, int, int, int], mark: Mark, size: tuple[int, int], points: int
) -> None:
    font = _font(mark.text, points)
    x1, y1, x2, y2 = pen.textbbox((0, 0), mark.text, font=font)
    width, height = int(x2 - x1) + 6, int(y2 - y1) + 6
    left = max(min(corners[0], size[0] - width), 0)
    top = corners[1] - height if corners[1] >= height else corners[1]
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=mark.colour)
    pen.text((left + 3 - x1, top + 3 - y1), mark.text, fill=_ink(mark.colour), font=font)


def _font(text: str, points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own letters, which are those of English; for others, the letters that come with matplotlib."""
    more = None if text.isascii() else _more_letters()
    return ImageFont.truetype(str(more), points) if more else ImageFont.load_default(points)


@cache
def _more_letters() -> Path | None:
    """The font DejaVu Sans, where matplotlib is installed; it is not imported."""
    found = find_spec("matplotlib")
    path = Path(found.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf" if found and found.origin else None
    return path if path and path.is_file() else None


def _ink(paper: Colour) -> Colour:
    """Black on light colours, white on dark ones (luma of ITU-R BT.601)."""
    red, green, blue = paper
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else (255, 255, 255)


def png_uri(image: Picture) -> str:
    """The image [H,W,3] as a PNG in a data URI, for the `src` of an HTML image; the same image gives the same text."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return _PNG_URI + base64.b64encode(buffer.getvalue()).decode("ascii")


def read_uri(uri: str) -> Picture:
    """The inverse of `png_uri`: uint8 [H,W,3]. Raises ValueError for anything but a PNG in a data URI."""
    if not uri.startswith(_PNG_URI):
        raise ValueError(f"a picture begins with {_PNG_URI!r}, not with {uri[:30]!r}")
    try:
        with Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(_PNG_URI), validate=True))) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises SyntaxError for a damaged PNG
        raise ValueError(f"a picture is not a readable PNG ({error})") from error
