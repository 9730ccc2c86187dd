"""Around the network of a detector, with torch or without: images in, boxes in their pixels out. No torch here."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

import numpy as np

from ..config import Pages
from ..data.boxes import Boxes, padded
from ..data.images.pixels import Pixels
from ..data.images.views import Views, in_images
from ..errors import UserError
from ..model import interchange
from .detections import Detections
from .inputs import Order, as_it_is, holds_several, pixels_of

FEW = 4  # names of classes in the line about a detector


class Described(Protocol):
    """What is known of a detector, with torch or without."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels."""

    @property
    def side(self) -> int:
        """S, pixels of the square input, to which larger images are downscaled, or of their tiles."""

    @property
    def overlap(self) -> int:
        """Of the tiles in which larger images are looked at, in pixels; 0: these are downscaled."""

    @property
    def pages(self) -> Pages:
        """What is read of a file of several pages."""


class Network(Described, Protocol):
    """A detector and its network."""

    @property
    def threshold(self) -> float:
        """Score in 0..1 from which on detections count by default."""

    def network(self, inputs: Pixels) -> interchange.Detections:
        """Inputs uint8 [B,S,S,3] to detections [B,M] in their pixels."""


def detect(
    detector: Network,
    images: Any,
    *,
    threshold: float | None,
    batch: int,
    order: Order,
    as_array: Callable[[Any], Any] = as_it_is,
) -> Detections:
    """One image or several -> detections [B,M] in pixels of each image, best first, numpy arrays.

    images, order, as_array: see `inputs.pixels_of`. threshold: detections of lower score are dropped; None: that of the
    detector. batch: images or tiles that are computed at once. Raises UserError for an impossible threshold or batch.
    """
    pixels = pixels_of(images, order, as_array, detector.pages)
    image = None if holds_several(images) else next(pixels)
    every = found(detector, pixels if image is None else iter([image]), threshold, batch)
    arrays = padded(list(every))
    return Detections(arrays.boxes, arrays.scores, arrays.labels, detector.classes, image)


def stream(
    detector: Network,
    images: Any,
    *,
    threshold: float | None,
    batch: int,
    order: Order,
    as_array: Callable[[Any], Any] = as_it_is,
) -> Iterator[Detections]:
    """The same, one image after the other, each [M]: no more than a batch of images is in memory."""
    return (
        Detections(one.boxes.astype(np.float32), one.scores.astype(np.float32), one.labels, detector.classes)
        for one in found(detector, pixels_of(images, order, as_array, detector.pages), threshold, batch)
    )


def found(detector: Network, images: Iterator[Pixels], threshold: float | None, batch: int) -> Iterator[Boxes]:
    """The detections in each image, in its pixels."""
    shown_from = detector.threshold if threshold is None else threshold
    if not 0 <= shown_from <= 1:
        raise UserError(f"a threshold of {shown_from:g} is no score: use one from 0 to 1")
    if batch < 1:
        raise UserError(f"a batch of {batch} images: use 1 or more")
    return (one[one.scores >= shown_from] for one in answers(detector, images, batch))


def answers(detector: Network, images: Iterator[Pixels], batch: int) -> Iterator[Boxes]:
    """All that the network says of each image, in its pixels; what it says of the tiles of one is put together."""
    inputs = (view for image in images for view in seen(image, detector.side, detector.overlap))
    return in_images(looked_at(detector, inputs, batch))


def seen(image: Pixels, side: int, overlap: int) -> Iterator[tuple[Views, Pixels]]:
    """The views of an image, each with the input [S,S,3] that it is."""
    views = Views.of((image.shape[1], image.shape[0]), side, overlap)
    return ((views, one) for one in views.inputs(image))


def looked_at(detector: Network, inputs: Iterator[tuple[Views, Pixels]], batch: int) -> Iterator[tuple[Views, Boxes]]:
    """What the network says of each input, in its pixels, so many of them at once."""
    while part := list(islice(inputs, batch)):
        detections = detector.network(np.stack([pixels for _, pixels in part]))
        for row, (views, _) in enumerate(part):
            one = detections[row]
            yield views, Boxes(one.boxes, one.labels, one.scores)


def in_one_line(detector: Network, where: str) -> str:
    """What a detector is, for `repr`: its classes, input, threshold and file."""
    names, more = ", ".join(detector.classes[:FEW]), len(detector.classes) - FEW
    classes = f"{names} and {more:,} more" if more > 0 else names
    pixels, overlap = detector.side, detector.overlap
    side = f"{'tiles of' if overlap else 'input'} {pixels}x{pixels} px"
    return f"<Detector of {classes}: {side}, threshold {detector.threshold:.3g}, {where}>"
