"""Images of any size in a square frame: made smaller where they must be, in the upper left corner, grey around.

A box in pixels of the image, times the scales, is the box in pixels of the frame. No torch here.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .pixels import Pixels

FILL = 128
"""The grey around an image that does not fill its frame."""

Scales = tuple[float, float]


def scaled_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height in the frame, each at least 1 pixel.

    The longer side becomes `side` where it is longer than that; the other one follows, rounded to whole pixels.
    """
    longest = max(width, height)
    if longest <= side:
        return width, height
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def scale_of(width: int, height: int, side: int) -> Scales:
    """Pixels of the frame for a pixel of the image, to the right and down.

    The two differ by the rounding to whole pixels, so that the image's edge is exactly the edge in the frame.
    """
    new_width, new_height = scaled_size(width, height, side)
    return new_width / width, new_height / height


def letterbox(image: Pixels, side: int) -> tuple[Pixels, Scales]:
    """uint8 [H,W,3] to a frame uint8 [side,side,3] and the scales of `scale_of`.

    Smaller images are averaged (an antialiased triangle filter). One of the frame's size is unchanged to the byte.
    """
    height, width = image.shape[:2]
    size = scaled_size(width, height, side)
    if size != (width, height):
        # A gap of 3: whole pixels are averaged first, where that leaves 3 times the size that is asked for.
        resized = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        image = np.asarray(resized)
    frame = np.full((side, side, 3), FILL, np.uint8)
    frame[: size[1], : size[0]] = image
    return frame, scale_of(width, height, side)
