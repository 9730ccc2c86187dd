"""Boxes with labels drawn on small images, enlarged pixel by pixel so that nothing is smoothed away.

Images are uint8 arrays [H,W,3]; boxes are xyxy in pixels of the image before it is enlarged. Never imports torch.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from ..data.images.bands import BAND
from ..report.colours import BOXES, DETECTION

Picture = NDArray[np.uint8]
Row = tuple[Sequence[float], float, int]
"""A detection: box [4], score, label."""

PICTURE_SIDE = 512  # pixels: smaller images are enlarged to about that
LARGEST_PICTURE = 4096  # pixels of the longer side: pictures of larger images take no more memory and room
LINES = 12  # of their width would fill an object: they hide less of it in large images of small objects
FEW = 12  # up to so many detections in a picture, all get their label; more labels would hide the objects
ROOM = 90  # pixels of a picture: boxes of that width get their label in any case


@dataclass(frozen=True)
class LabelledBox:
    """One box [4] to draw, with its label (may be empty) and score 0..1 (or none)."""

    box: Sequence[float]
    label: str = ""
    score: float | None = None
    colour: str = DETECTION

    def __post_init__(self) -> None:
        if len(self.box) != 4:
            raise ValueError(f"a box has the four numbers x1, y1, x2, y2, not {len(self.box)}")

    @property
    def text(self) -> str:
        """The label with the score behind it: `cat 0.93`."""
        return " ".join(part for part in (self.label, "" if self.score is None else f"{self.score:.2f}") if part)


def picture(image: Picture, rows: Sequence[Row], classes: Sequence[str]) -> Picture:
    """An image with its detections, the best first; small ones are enlarged, and those of more than LARGEST_PICTURE
    pixels made smaller by a whole factor.

    Labels stand where they hide nothing: in pictures of few objects, and at large ones.
    """
    if (factor := math.ceil(max(image.shape[:2]) / LARGEST_PICTURE)) > 1:
        image = reduced(image, factor)
        rows = [([value / factor for value in box], score, label) for box, score, label in rows]
    longest = max(image.shape[:2])
    scale = max(1, round(PICTURE_SIDE / longest))
    shown = []
    for box, score, label in reversed(rows):  # the best on top
        labelled = len(rows) <= FEW or (box[2] - box[0]) * scale >= ROOM
        text, number = (classes[label], score) if labelled else ("", None)
        shown.append(LabelledBox(box, text, number, BOXES[label % len(BOXES)]))
    width = max(1, min(longest * scale // 400, int(middle_side(rows) * scale / LINES)))
    return draw_boxes(image, shown, scale, width, max(11, longest * scale // 50))


def middle_side(rows: Sequence[Row]) -> float:
    """The median of the shorter sides of detections, in pixels; 0 without any."""
    return statistics.median([min(x2 - x1, y2 - y1) for (x1, y1, x2, y2), _, _ in rows] or [0.0])


def enlarge(image: Picture, scale: int) -> Picture:
    """Every pixel becomes a square of scale x scale: [H,W,3] -> [H*scale,W*scale,3]."""
    if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an image is uint8 [H,W,3], not {image.dtype} {list(image.shape)}")
    return image.repeat(scale, 0).repeat(scale, 1)


def reduced(image: Picture, factor: int) -> Picture:
    """Every square of factor x factor pixels becomes their mean: [H,W,3] -> [H/factor,W/factor,3], rounded up.

    A band of rows at a time: Pillow holds four bytes of a pixel.
    """
    rows = factor * math.ceil(BAND / (factor * image.shape[1]))
    bands = (image[top : top + rows] for top in range(0, len(image), rows))
    return np.concatenate([np.asarray(Image.fromarray(band).reduce(factor)) for band in bands])


def draw_boxes(
    image: Picture, boxes: Iterable[LabelledBox], scale: int = 4, width: int = 2, points: int | None = None
) -> Picture:
    """The enlarged image [H*scale,W*scale,3] with its boxes: lines in their order, the last on top, then the labels.

    Lines lie inside the box. Boxes are cut at the border of the image. Labels stand above their box,
    or in its upper part where there is no room above. `width` is that of the lines, in pixels of the enlarged image,
    `points` the size of the letters, by default a multiple of the scale.
    """
    canvas = Image.fromarray(enlarge(image, scale))
    pen = ImageDraw.Draw(canvas)
    placed = [(one, _corners(one.box, scale, canvas.size)) for one in boxes]
    for one, corners in placed:
        left, top, right, bottom = corners
        pen.rectangle(corners, outline=one.colour, width=min(width, right - left + 1, bottom - top + 1))
    for one, corners in placed:
        if one.text:
            _label(pen, corners, one, canvas.size, points or max(9, 3 * scale))
    return np.asarray(canvas)


def _corners(box: Sequence[float], scale: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and last row and column of the enlarged box; a box of no area keeps one pixel."""
    left, top = (min(max(round(v * scale), 0), side - 1) for v, side in zip(box[:2], size, strict=True))
    right, bottom = (min(max(round(v * scale) - 1, 0), side - 1) for v, side in zip(box[2:], size, strict=True))
    return left, top, max(left, right), max(top, bottom)


def _label(
    pen: ImageDraw.ImageDraw, corners: tuple[int, int, int, int], one: LabelledBox, size: tuple[int, int], points: int
) -> None:
    font = _font(one.text.isascii(), points)
    x1, y1, x2, y2 = pen.textbbox((0, 0), one.text, font=font)
    width, height = int(x2 - x1) + 6, int(y2 - y1) + 6
    left = max(min(corners[0], size[0] - width), 0)
    top = corners[1] - height if corners[1] >= height else corners[1]
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=one.colour)
    red, green, blue = ImageColor.getrgb(one.colour)[:3]
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else "white"  # luma of ITU-R BT.601
    pen.text((left + 3 - x1, top + 3 - y1), one.text, fill=ink, font=font)


@cache
def _font(english: bool, points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's default font, which has the letters of English; for others DejaVu Sans, where matplotlib is installed.

    Matplotlib is not imported.
    """
    library = None if english else find_spec("matplotlib")
    path = Path(library.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf" if library and library.origin else None
    return ImageFont.truetype(str(path), points) if path and path.is_file() else ImageFont.load_default(points)
