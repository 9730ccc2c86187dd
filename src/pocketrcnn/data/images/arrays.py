"""Arrays of values as 8-bit RGB: what Python programs hold, and what files hold that have no mode. No torch here.

Shapes: H rows, W columns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from .bands import BAND, bands_of, joined, stretched
from .deep import reduced

FORMS = "[H,W], [H,W,1], [H,W,3] or [H,W,4]"
OVERSHOOT = 0.25  # by which values of 0 to 1 may leave that range: interpolation does
BRIGHT = 16  # from which largest value on colours of floating point are taken for those of 0 to 255


def from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """An array of a Python program as uint8 [H,W,3]: see `pixels.read_image`."""
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise UserError(f"an array of shape {array.shape} is not an image: use {FORMS}{hint(array)}")
    if array.dtype.kind != "f" and array.dtype not in (np.uint8, np.uint16):
        raise UserError(f"an array of {array.dtype} is not an image: use uint8, uint16 or floating point")
    values = array.reshape(*array.shape[:2], channels)
    ranged = None if array.dtype == np.uint16 else with_range(values, colours=channels > 1)
    if ranged is None and channels == 4 and array.dtype != np.uint16:
        raise UserError(f"an RGBA array of {array.dtype} has no range for alpha: use uint8 or values from 0 to 1")
    return from_channels(values if ranged is None else ranged, colours=channels > 1, alpha=channels == 4)


def hint(array: NDArray[Any]) -> str:
    """How to make an image of an array of another shape, where that is clear."""
    if array.ndim != 3 or array.size == 0:
        return ""
    if array.shape[0] in (1, 3, 4):
        return ", here `array.transpose(1, 2, 0)`"
    return ", here three of its channels, as in `array[..., :3]`" if array.shape[2] > 4 else ""


def from_channels(values: NDArray[Any], *, colours: bool, alpha: bool) -> NDArray[np.uint8]:
    """Values [H,W,C] of any type as uint8 [H,W,3]: of one channel or two the first is grey, of more the first three
    are red, green and blue.

    colours: whether they are, and not measured each for itself, so that each is stretched by itself. alpha: whether
    the last one is.
    """
    shown = 3 if values.shape[2] > 2 else 1
    if values.dtype == np.uint8 and values.shape[2] == shown + alpha and shown == 3:
        return three_channels(values)
    groups = [slice(0, shown)] if colours else [slice(i, i + 1) for i in range(shown)]
    parts = [in_eight_bits(values[..., group], colours) for group in groups]
    parts *= 3 if shown == 1 else 1
    if alpha:
        parts.append(in_eight_bits(values[..., -1:], colours=True))
    return three_channels(np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0])


def in_eight_bits(values: NDArray[Any], colours: bool) -> NDArray[np.uint8]:
    """Channels [H,W,C] that have a range in common as uint8. colours: those of a photograph, not of a measurement."""
    if values.dtype == np.uint8:
        return values
    if colours and values.dtype == np.uint16:
        return reduced(lambda: bands_of(values), values.shape)
    found = with_range(values, colours) if colours else None
    return stretched(lambda: bands_of(values), values.shape) if found is None else found


def with_range(array: NDArray[Any], colours: bool) -> NDArray[np.uint8] | None:
    """An array whose values say what range they have, as uint8; None for others, which are to be stretched.

    Floating point has the range of 0 to 1, or 0 to 255 where all values are whole, as those of an image of 8 bits, or
    where these are colours that leave that range by no more than interpolation does.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind != "f":
        return None
    low, high = float(array.min()), float(array.max())
    if low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
        return scaled(array, 255)
    near = colours and BRIGHT <= high <= 255 * (1 + OVERSHOOT) and low >= -OVERSHOOT * high
    return scaled(array, 1) if near or (low >= 0 and high <= 255 and is_whole(array)) else None


def is_whole(array: NDArray[Any]) -> bool:
    """Whether all values are whole numbers."""
    return all(bool((band % 1 == 0).all()) for band in bands_of(array))


def scaled(array: NDArray[Any], factor: int) -> NDArray[np.uint8]:
    """Values times a factor, rounded, and cut at 0 and 255."""
    return joined(((band * factor).round().clip(0, 255).astype(np.uint8) for band in bands_of(array)), array.shape)


def three_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[H,W], [H,W,1], [H,W,3] or [H,W,4] to [H,W,3]: grey is repeated, transparency is laid over black."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    rgb, alpha = pixels[..., :3], pixels[..., 3:]
    if (alpha < 255).any():
        product = np.multiply(rgb, alpha, dtype=np.uint16)
        product += 128  # the next two lines divide by 255, rounded: a division takes three times as long
        product += product >> 8
        rgb = (product >> 8).astype(np.uint8)
    return np.ascontiguousarray(rgb)


def side_by_side(*channels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Channels, each [H,W] or [H,W,C], as one image: what `three_channels` makes of it, a band of rows at a time."""
    parts = [channel.reshape(*channel.shape[:2], -1) for channel in channels]
    height, width = parts[0].shape[:2]
    rows = max(1, BAND // width)
    whole = (np.concatenate([part[top : top + rows] for part in parts], axis=2) for top in range(0, height, rows))
    return joined(map(three_channels, whole), (height, width, 3))
