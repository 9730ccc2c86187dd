"""Label images: each pixel has the number of the object that is there, and 0 where none is. No torch here.

Shapes: H rows, W columns; R regions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from .heads import check_size
from .identifying import allowed
from .opening import with_opened
from .raw import Opened, Raw

SMOOTH = 0.75  # of the pixels of a label image, at least, that are as their left neighbour
SHADES = 16  # values that a mask of black and white has, at least, where its edges are soft
WHITE = 224  # and more is white there
REMEDY = "name a folder of label images, as PNG or TIFF, with 0 as background"


@dataclass(frozen=True)
class Regions:
    """Connected pixels of one value, corners included. values: int64 [R]; boxes: int64 [R,4], x1, y1, x2, y2 in pixels,
    x2 and y2 behind the last ones; areas: int64 [R], pixels. size: width and height of the image."""

    values: NDArray[np.int64]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]
    size: tuple[int, int]


def read_values(path: Path) -> NDArray[np.int64]:
    """The values of a label image, [H,W]; a colour is one value. Masks of one value with soft edges, as of JPEG, are 0
    and 1. Raises UserError for what is no label image, and as `read_image` does."""

    def stored(image: Opened) -> NDArray[Any]:
        check_size(image, str(path))
        with allowed(image):
            return image.values() if isinstance(image, Raw) else np.asarray(image)

    array = with_opened(path, stored)[0]
    if array.dtype.kind == "f" and (not np.isfinite(array).all() or (array % 1 != 0).any()):
        raise UserError(f"{path} has values that are no whole numbers: {REMEDY}")
    values = without_soft_edges(one_channel(array.astype(np.int64)))
    if values.shape[1] > 1 and (values[:, 1:] == values[:, :-1]).mean() < SMOOTH:
        raise UserError(f"{path} is a picture, not a label image: {REMEDY}")
    return values


def one_channel(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """[H,W] or [H,W,C] to [H,W]: a number for each colour, without alpha; that of grey is its value."""
    if values.ndim == 2:
        return values
    colours = values[..., :3] if values.shape[2] > 2 else values[..., :1]
    if (colours == colours[..., :1]).all():
        return colours[..., 0]
    return np.asarray((colours << 16 * np.arange(colours.shape[2])).sum(-1))


def without_soft_edges(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """[H,W]: 0 and 1 for a mask of black and white with greys between them, fewer than white; all else as it is."""
    if values.min() < 0 or values.max() > 255:
        return values
    counts = np.bincount(values.ravel(), minlength=256)
    if np.count_nonzero(counts) > SHADES and counts[1:WHITE].sum() < counts[WHITE:].sum():
        return (values >= 128).astype(np.int64)
    return values


def regions(values: NDArray[np.int64]) -> Regions:
    """The regions of a label image [H,W], background aside, from top to bottom."""
    height, width = values.shape
    starts, ends, rows, of = runs(values)
    labels = joined(*touching(starts, ends, rows, of, width), len(of))
    _, first, labels = np.unique(labels, return_index=True, return_inverse=True)
    boxes = np.empty((len(first), 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = max(width, height), 0
    np.minimum.at(boxes[:, 0], labels, starts)
    np.minimum.at(boxes[:, 1], labels, rows)
    np.maximum.at(boxes[:, 2], labels, ends)
    np.maximum.at(boxes[:, 3], labels, rows + 1)
    areas = np.bincount(labels, ends - starts, len(first)).astype(np.int64)
    return Regions(of[first], boxes, areas, (width, height))


def runs(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Pixels of one value beside each other, background aside: first column, the one behind the last, row, value."""
    _, width = values.shape
    change = np.ones(values.shape, bool)
    change[:, 1:] = values[:, 1:] != values[:, :-1]
    begun = np.flatnonzero(change)
    lengths, of = np.diff(begun, append=values.size), values.ravel()[begun]
    begun, lengths, of = begun[of != 0], lengths[of != 0], of[of != 0]
    rows, starts = np.divmod(begun, width)
    return starts, starts + lengths, rows, of


def touching(
    starts: NDArray[np.int64], ends: NDArray[np.int64], rows: NDArray[np.int64], of: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of runs of one value in neighbouring rows that touch, also at a corner."""
    step = width + 2  # the runs of a row are between two multiples of it
    first = np.searchsorted(rows * step + ends, (rows + 1) * step + starts)
    last = np.searchsorted(rows * step + starts, (rows + 1) * step + ends, side="right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(of)), counts)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    same = of[upper] == of[lower]
    return upper[same], lower[same]


def joined(one: NDArray[np.int64], other: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A number for each of `count` points, the same for all that pairs connect: the smallest index among them."""
    labels = np.arange(count)
    while True:
        least = np.minimum(labels[one], labels[other])
        before = labels.copy()
        np.minimum.at(labels, labels[one], least)
        np.minimum.at(labels, labels[other], least)
        labels = labels[labels]
        if (labels == before).all():
            return labels
