"""Images in data URIs, and boxes over them as SVG: the stored image stays as it is, lines stay thin at any size."""

import base64
import binascii
import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .blocks import Label
from .charts import FONT

LABELLED = 8  # boxes in an image; with more of them, labels would hide the objects
PIXELS_SEEN = 96  # pixels: smaller images are shown with their pixels as squares
LINES = (2.2, 1.4)  # pixels of the page: width of lines around few and around many objects
LETTER = 0.68  # width of a letter, as a fraction of its height
UNQUOTED = "/:;=,+"  # characters of a data URI that HTML and SVG take as they are
_PNG_URI, _PNG_HEAD = "data:image/png;base64,", b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Mark:
    """A box [4] xyxy on an image, in fractions of its sides, 0..1. `filled`: an error, missed or false."""

    box: Sequence[float]
    colour: str
    filled: bool = False
    dashed: bool = False
    label: str = ""


def png_uri(image: NDArray[np.uint8]) -> str:
    """The image [H,W,3] as a PNG in a data URI; the same image gives the same text."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return _PNG_URI + base64.b64encode(buffer.getvalue()).decode("ascii")


def png_size(uri: str) -> tuple[int, int]:
    """Width and height in pixels. Raises ValueError for anything but a PNG in a data URI."""
    if not uri.startswith(_PNG_URI):
        raise ValueError(f"a picture begins with {_PNG_URI!r}, not with {uri[:30]!r}")
    try:
        content = base64.b64decode(uri.removeprefix(_PNG_URI), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a picture is not a readable PNG ({error})") from error
    if not content.startswith(_PNG_HEAD) or len(content) < 24:
        raise ValueError("a picture is not a readable PNG (its header is missing)")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def marked(uri: str, size: Sequence[int], marks: Sequence[Mark], letters: float, squares: bool | None = None) -> str:
    """An image (a data URI) with boxes over it, as SVG. Boxes have labels only where they are few.

    size: width and height of the image; letters: their height, as a fraction of the image's width. squares: whether its
    pixels are shown as such; None: those of small images are.
    """
    width, height = size
    squares = max(size) <= PIXELS_SEEN if squares is None else squares
    pixels = ' style="image-rendering:pixelated"' if squares else ""
    line = LINES[len(marks) > LABELLED]
    inside = "".join(_outline(mark, width, height, line) for mark in marks)
    if len(marks) <= LABELLED:
        inside += "".join(_label(mark, width, height, letters * width) for mark in marks)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image href="{uri}" width="{width}" height="{height}" preserveAspectRatio="none"{pixels}/>{inside}</svg>'
    )
    return "data:image/svg+xml," + quote(svg, UNQUOTED)  # base64 in base64 would be a third longer


def _outline(mark: Mark, width: int, height: int, line: float) -> str:
    x1, y1, x2, y2 = (part * side for part, side in zip(mark.box, (width, height) * 2, strict=True))
    shape = f'x="{x1:.2f}" y="{y1:.2f}" width="{x2 - x1:.2f}" height="{y2 - y1:.2f}"'
    dashes = ' stroke-dasharray="4 2.5"' if mark.dashed else ""
    fill = f'fill="{mark.colour}" fill-opacity=".28"' if mark.filled else 'fill="none"'
    thin = 'vector-effect="non-scaling-stroke"'  # as wide on the page, however large the image is shown
    shade = f'<rect {shape} fill="none" stroke="#000" stroke-opacity=".25" stroke-width="{line + 1.4}" {thin}/>'
    return f'{shade}<rect {shape} {fill} stroke="{mark.colour}" stroke-width="{line}" {thin}{dashes}/>'


def outlines(boxes: Iterable[Sequence[float]]) -> str:
    """The SVG path around boxes [4] xyxy in pixels; `marks.js` writes the same."""
    texts = ([f"{value:.2f}".rstrip("0").rstrip(".") for value in box] for box in boxes)
    return "".join(f"M{x1} {y1}H{x2}V{y2}H{x1}Z" for x1, y1, x2, y2 in texts)


def label(box: Sequence[float], text: str, width: float, height: float) -> Label:
    """The name of a box above its upper left corner, or below where the image ends; `marks.js` does the same.

    box [4] xyxy, `width` of the image and `height` of the letters: in the same unit.
    """
    x, y = box[0], box[1]
    y = y - 0.25 * height if y > 1.3 * height else y + height
    room = max(0.0, width - LETTER * height * len(text))  # where the text has to begin to end inside the image
    return Label(round(min(x, room), 2), round(y, 2), round(height, 2), text)


def _label(mark: Mark, width: int, height: int, points: float) -> str:
    if not mark.label:
        return ""
    x, y = mark.box[0] * width, mark.box[1] * height
    placed = label((x, y), mark.label, width, points)
    style = f'font-size="{points:.2f}" font-family="{FONT}" font-weight="600"'
    halo = f'stroke="#000" stroke-opacity=".75" stroke-width="{points / 5:.2f}" paint-order="stroke"'
    return f'<text x="{placed.x:.2f}" y="{placed.y:.2f}" fill="#fff" {style} {halo}>{escape(mark.label)}</text>'
