"""How a network sees an image: as one input, downscaled where it must be, or as tiles of its own resolution.

Prediction and evaluation have this in common: what the network finds in the views of an image becomes the detections
in the image. No torch here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..boxes import Boxes
from .letterbox import Scales, letterbox, scale_of, to_image
from .pixels import Pixels
from .tiles import Origin, origins_of, put_together


class Views(NamedTuple):
    """The views of one image.

    size: width and height of the image. scales: pixels of the input for one of the image, to the right and down.
    origins: the first column and row of each view. side: S, of the square input.
    """

    size: tuple[int, int]
    scales: Scales
    origins: tuple[Origin, ...]
    side: int

    @classmethod
    def of(cls, size: tuple[int, int], side: int, overlap: int) -> Views:
        """overlap: of neighbouring tiles, in pixels; 0: the image is one view, and downscaled where it is larger."""
        scales = (1.0, 1.0) if overlap else scale_of(*size, side)
        return cls(size, scales, origins_of(size, side, overlap), side)

    def inputs(self, image: Pixels) -> Iterator[Pixels]:
        """The image uint8 [H,W,3] as inputs uint8 [S,S,3], grey where there is nothing of it."""
        if len(self.origins) == 1:
            yield letterbox(image, self.side)[0]
            return
        for left, top in self.origins:
            yield letterbox(image[top : top + self.side, left : left + self.side], self.side)[0]

    def in_image(self, found: Sequence[Boxes]) -> Boxes:
        """What was found in each view, in pixels of the input, as the detections in the image, in its pixels."""
        placed = [
            to_image(one, self.scales, self.size, origin) for one, origin in zip(found, self.origins, strict=True)
        ]
        return put_together(placed, self.origins, self.side, self.size)


def in_images(answers: Iterable[tuple[Views, Boxes]]) -> Iterator[Boxes]:
    """The detections in one image after the other, from those in all their views, one behind the other."""
    found: list[Boxes] = []
    for views, boxes in answers:
        found.append(boxes)
        if len(found) == len(views.origins):
            yield views.in_image(found)
            found = []
