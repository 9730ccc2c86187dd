"""Images of any size as padded square inputs: downscaled where they must be, in the upper left corner, grey around.

A box in pixels of the image, times the scales, is the box in pixels of the input. No torch here.
"""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from ..boxes import Boxes
from .pixels import Pixels

FILL = 128  # the grey around an image that does not fill its input
Scales = tuple[float, float]


def scaled_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height in the input, each at least 1 pixel.

    The longer side becomes `side` where it is longer than that; the other one follows, rounded to whole pixels.
    """
    longest = max(width, height)
    if longest <= side:
        return width, height
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def scale_of(width: int, height: int, side: int) -> Scales:
    """Pixels of the input for a pixel of the image, to the right and down.

    The two differ by the rounding to whole pixels, so that the image's edge is exactly the edge in the input.
    """
    new_width, new_height = scaled_size(width, height, side)
    return new_width / width, new_height / height


def downscaled(image: Pixels, size: tuple[int, int]) -> Pixels:
    """uint8 [H,W,3] of a smaller width and height; of its own, as it is. An antialiased triangle filter averages."""
    if size == image.shape[1::-1]:
        return image
    # A gap of 3: whole pixels are averaged first, where that leaves 3 times the requested size.
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))


def letterbox(image: Pixels, side: int) -> tuple[Pixels, Scales]:
    """uint8 [H,W,3] to a padded input uint8 [side,side,3] and the scales of `scale_of`.

    Larger images are `downscaled`. An image of the input's size keeps every byte.
    """
    height, width = image.shape[:2]
    size = scaled_size(width, height, side)
    padded = np.full((side, side, 3), FILL, np.uint8)
    padded[: size[1], : size[0]] = downscaled(image, size)
    return padded, scale_of(width, height, side)


def to_image(boxes: Boxes, scales: Iterable[float], size: Iterable[int], origin: Iterable[int] = (0, 0)) -> Boxes:
    """Boxes in pixels of the input as boxes in pixels of the image, cut at its borders; empty ones are dropped.

    scales: as from `scale_of`; size: width and height of the image; origin: the column and row where the input begins.
    Computed in double precision and rounded to float32, the precision of every file and of every result of a detector.
    """
    factors, limits = np.tile([*scales], 2), np.tile([*size], 2).astype(np.float32)  # x, y, x, y
    corners = (boxes.boxes / factors + np.tile([*origin], 2)).astype(np.float32).clip(0, limits)
    with_area = (corners[:, 2:] > corners[:, :2]).all(1)
    return Boxes(corners, boxes.labels, boxes.scores, boxes.crowd)[with_area]
