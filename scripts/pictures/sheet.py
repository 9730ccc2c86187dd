"""Sheets of small images side by side, as PNG: an opaque background with a margin, so that any page can hold them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour: TypeAlias = tuple[int, int, int]
Pixels: TypeAlias = NDArray[np.uint8]
Box: TypeAlias = Sequence[float]

# Okabe and Ito, "Color universal design" (2008): told apart with any kind of colour vision.
GREEN: Colour = (0, 158, 115)
ORANGE: Colour = (230, 159, 0)
RED: Colour = (213, 94, 0)
BLUE: Colour = (86, 180, 233)
PAPER: Colour = (250, 250, 250)
INK: Colour = (36, 41, 47)
GREY: Colour = (101, 109, 118)
RULE: Colour = (208, 215, 222)

COLOURS = 200  # of the palette of a PNG: more cannot be seen, and fewer make bands


@cache
def letters(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path(), "fonts", "ttf", name)), size)


class Sheet:
    """A grid of square tiles; a header stands above each."""

    def __init__(self, columns: int, rows: int, tile: int, header: int, gap: int = 18) -> None:
        self.columns, self.tile, self.header, self.gap = columns, tile, header, gap
        size = columns * (tile + gap) + gap, rows * (tile + header + gap) + gap
        self.image = Image.new("RGB", size, PAPER)
        self.pen = ImageDraw.Draw(self.image)
        self.pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=RULE, width=2)

    def corner(self, place: int) -> tuple[int, int]:
        """The upper left pixel of a tile; tiles are counted from 0, row by row."""
        row, column = divmod(place, self.columns)
        across, down = self.tile + self.gap, self.tile + self.header + self.gap
        return self.gap + column * across, self.gap + row * down + self.header

    def title(self, place: int, lines: Iterable[tuple[str, int, bool, Colour]]) -> None:
        """Lines of (text, size, bold, colour) above a tile, the last one just above it."""
        x, y = self.corner(place)
        for text, size, bold, colour in reversed([*lines]):
            y -= round(size * 1.25)
            self.pen.text((x, y), text, fill=colour, font=letters(size, bold))

    def put(self, place: int, tile: Image.Image) -> None:
        """A finished tile."""
        self.image.paste(tile, self.corner(place))

    def png(self) -> bytes:
        """The sheet with a palette, as small as PNG makes it."""
        buffer = io.BytesIO()
        few = self.image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()


class Tile:
    """An image [H,W,3] enlarged to `side` pixels, pixel by pixel, to be drawn on in the pixels of the image."""

    def __init__(self, image: Pixels, side: int) -> None:
        self.scale = side / image.shape[0]
        whole = Image.fromarray(np.ascontiguousarray(image))
        way = Image.Resampling.NEAREST if self.scale >= 3 else Image.Resampling.BICUBIC
        self.image = whole.resize((side, side), way)
        self.pen = ImageDraw.Draw(self.image)

    def box(self, box: Box, colour: Colour, width: int = 3, dashed: bool = False) -> None:
        """The outline of a box xyxy; a dark rim keeps it visible on any image."""
        x1, y1, x2, y2 = (round(value * self.scale) for value in box)
        corners = [(x1, y1), (x2 - 1, y1), (x2 - 1, y2 - 1), (x1, y2 - 1)]
        for start, stop in zip(corners, corners[1:] + corners[:1], strict=True):
            for piece in dashes(start, stop, 3 * width if dashed else 0):
                self.pen.line(piece, fill=colour, width=width)

    def dot(self, x: float, y: float, colour: Colour, radius: float = 4, rim: Colour | None = None) -> None:
        """A filled circle around a point of the image."""
        x, y = x * self.scale, y * self.scale
        self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=rim)

    def label(self, box: Box, text: str, colour: Colour, size: int = 26) -> None:
        """A word on a plate above a box, inside of the tile."""
        font = letters(size, bold=True)
        left, top, right, bottom = self.pen.textbbox((0, 0), text, font=font)
        width, height = round(right - left) + 10, round(bottom - top) + 10
        x = min(max(round(box[0] * self.scale), 0), self.image.width - width)
        y = round(box[1] * self.scale) - height
        y = y if y >= 0 else min(max(round(box[1] * self.scale), 0), self.image.height - height)
        self.pen.rectangle((x, y, x + width, y + height), fill=colour)
        self.pen.text((x + 5 - left, y + 5 - top), text, fill=ink_on(colour), font=font)


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever can be read on a colour."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else (255, 255, 255)


def dashes(start: tuple[int, int], stop: tuple[int, int], length: int) -> Iterable[list[tuple[float, float]]]:
    """A line as a whole (length 0), or every second piece of it."""
    distance = max(abs(stop[0] - start[0]), abs(stop[1] - start[1]), 1)
    if length == 0:
        yield [start, stop]
        return
    for at in range(0, distance, 2 * length):
        ends = at / distance, min(at + length, distance) / distance
        yield [tuple(a + (b - a) * part for a, b in zip(start, stop, strict=True)) for part in ends]  # type: ignore[misc]
