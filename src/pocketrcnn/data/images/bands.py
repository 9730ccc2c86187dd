"""Large images converted a band of rows at a time: what lies in between is no second large image. No torch here."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND = 1_000_000  # pixels that are converted at a time
PERCENTILES = (0.1, 99.9)
SAMPLES = 1_000_000  # values from which percentiles are taken

Bands = Callable[[], Iterator[NDArray[Any]]]


def bands(image: Image.Image) -> Iterator[Image.Image]:
    """An image as bands of whole rows, of about BAND pixels each."""
    rows = max(1, BAND // image.width)
    if image.height <= rows:
        yield image
        return
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def bands_of(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The same of an array."""
    rows = max(1, BAND * len(array) // array.size)
    yield from (array[top : top + rows] for top in range(0, len(array), rows))


def joined(parts: Iterable[NDArray[np.uint8]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bands of rows as one array of this shape."""
    whole, top = np.empty(shape, np.uint8), 0
    for band in parts:
        whole[top : top + len(band)] = band
        top += len(band)
    return whole


def stretched(parts: Bands, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Values of any range as 0..255, linearly between their limits: an array of this shape, which is given in bands."""
    low, high = limits(parts, math.prod(shape))
    return joined(map(partial(between, low, high), parts()), shape)


def between(low: float, high: float, values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values as 0..255 between `low` and `high`; all 0 where these agree."""
    if low >= high:
        return np.zeros(values.shape, np.uint8)
    real = np.nan_to_num(values.astype(np.float32), copy=False, nan=low, posinf=high, neginf=low)
    return np.interp(real.astype(np.float64), (low, high), (0, 255)).round().astype(np.uint8)


def limits(parts: Bands, count: int) -> tuple[float, float]:
    """The percentiles of values, of every n-th of many; where those agree, the extremes. count: of all values."""
    step, done, some = 1 + count // SAMPLES, 0, []
    for band in parts():
        flat = band.reshape(-1)
        some.append(flat[-done % step :: step].astype(np.float32))
        done += flat.size
    if len(real := finite(np.concatenate(some))):
        low, high = np.percentile(real, PERCENTILES).tolist()
        if low < high:
            return low, high
    extremes = [(part.min(), part.max()) for band in parts() if len(part := finite(band.astype(np.float32)))]
    lows, highs = zip(*extremes, strict=True) if extremes else ((0.0,), (0.0,))
    return float(min(lows)), float(max(highs))


def finite(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The values that are finite, in one dimension."""
    return values[np.isfinite(values)].astype(np.float64)
