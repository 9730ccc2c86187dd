"""What four numbers may be: their shape and units, and whether boxes fit their images in a meaning. No torch here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .annotations import Annotations, Box, Example, Object, Shape, Units, Written

Floats = NDArray[np.float64]
Sizes = Mapping[Path, tuple[int, int]]
SLACK, OF_BOX = 0.02, 0.1  # of a side of the image, and of the box, that it may leave its image by, plus a pixel
WORDS: dict[Shape, str] = {
    "xyxy": "x1, y1, x2, y2",
    "xywh": "x, y, width, height",
    "cxcywh": "centre x, centre y, width, height",
    "yxyx": "y1, x1, y2, x2",
    "yxhw": "y, x, height, width",
}
UNITS: dict[Units, str] = {"pixels": "pixels", "fractions": "fractions of the image's sides"}
AROUND: Shape = "around"  # an outline: these corners are no numbers of the file, and `--bbox` is not about them


class Meaning(NamedTuple):
    """What four numbers stand for."""

    shape: Shape
    units: Units


def shapes_of(meaning: Meaning) -> Sequence[Shape]:
    """The shapes that numbers of a declared meaning may have."""
    return [AROUND] if meaning.shape == AROUND else list(WORDS)


def in_words(meaning: Meaning) -> str:
    """`x, y, width, height`, with the units where they are no pixels."""
    return WORDS[meaning.shape] + (f" in {UNITS[meaning.units]}" if meaning.units != "pixels" else "")


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one declared meaning.

    numbers: float64 [N,4]. real, stated: float64 [N,2], width and height of the images; stated is NaN where nothing is.
    owners: the annotations and the object of each."""

    numbers: Floats
    real: Floats
    stated: Floats
    owners: Sequence[tuple[Example, Object]]

    def inside(self, meaning: Meaning, sizes: Floats) -> NDArray[np.bool_]:
        """Which boxes do not leave images of these sizes, whatever the order of their corners."""
        boxes = corners(self.numbers, meaning.shape).reshape(2, 2, -1)  # of two corners: x and y
        boxes = boxes if meaning.units == "pixels" else boxes * sizes.T
        low, high = boxes.min(0), boxes.max(0)
        slack = 1 + np.minimum(SLACK * sizes.T, OF_BOX * (high - low))
        return np.asarray(((low >= -slack) & (high <= sizes.T + slack)).all(axis=0))

    def fitting(self, meaning: Meaning, sizes: Floats) -> NDArray[np.bool_]:
        """Which boxes have an area, and do not leave images of these sizes."""
        x1, y1, x2, y2 = corners(self.numbers, meaning.shape)
        return np.asarray((x2 > x1) & (y2 > y1) & self.inside(meaning, sizes))

    def fractional(self) -> bool:
        """Whether these can be no pixels: none of the numbers is beyond 1, and not all are whole."""
        small = bool((self.numbers >= -SLACK).all() and (self.numbers <= 1 + SLACK).all())
        return small and bool((self.numbers % 1 != 0).any()) and float(self.real.max()) > 1

    def example(self, bad: NDArray[np.bool_]) -> str:
        """One of the bad boxes, or else the first, with its numbers as the file has them."""
        one, obj = self.owners[int(np.argmax(bad))]
        return f"{one.path.name}, {obj.where}: {listed(obj)}" if obj.where else f"{one.path.name}: {listed(obj)}"


def written(obj: Object) -> Written:
    """What the file has of a box."""
    return obj.written or Written(obj.box, AROUND)


def declared_of(obj: Object) -> Meaning:
    """What the numbers of a box mean in its format."""
    return Meaning(written(obj).shape, written(obj).units)


def listed(obj: Object) -> str:
    """The numbers of a box as the file has them."""
    return ", ".join(f"{value:.6g}" for value in written(obj).numbers)


def corners(numbers: Floats, shape: Shape) -> Floats:
    """Numbers [N,4] of a shape as x1, y1, x2, y2, float64 [4,N], in their units."""
    a, b, c, d = numbers.T
    if shape in ("yxyx", "yxhw"):
        a, b, c, d = b, a, d, c
    if shape in ("xyxy", "yxyx", AROUND):
        return np.stack((a, b, c, d))
    if shape == "cxcywh":
        a, b = a - c / 2, b - d / 2
    return np.stack((a, b, a + c, b + d))


def collected(annotations: Annotations, real: Sizes) -> dict[Meaning, Boxes]:
    """The boxes of all images that can be read, by the meaning that their format declares; none that is not finite."""
    owners: defaultdict[Meaning, list[tuple[Example, Object]]] = defaultdict(list)
    for one in annotations.examples:
        if one.path in real:
            for obj in one.objects:
                owners[declared_of(obj)].append((one, obj))
    groups = {}
    for meaning, pairs in owners.items():
        numbers = np.array([written(obj).numbers for _, obj in pairs], np.float64)
        sizes = np.array([real[one.path] for one, _ in pairs], np.float64)
        stated = np.array([one.size or (np.nan, np.nan) for one, _ in pairs], np.float64)
        finite = np.asarray(np.isfinite(numbers).all(axis=1))
        if finite.any():
            kept = [pair for pair, use in zip(pairs, finite, strict=True) if use]
            groups[meaning] = Boxes(numbers[finite], sizes[finite], stated[finite], kept)
    return groups


def pixels(numbers: Box, meaning: Meaning, size: tuple[int, int]) -> Box:
    """Numbers as x1, y1, x2, y2 in pixels."""
    x1, y1, x2, y2 = corners(np.array([numbers], np.float64), meaning.shape)[:, 0].tolist()
    width, height = size if meaning.units == "fractions" else (1, 1)
    return x1 * width, y1 * height, x2 * width, y2 * height
