"""Around the network of a detector, with torch or without: images in, boxes in their pixels out. No torch here."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from ..data.boxes import Boxes, padded
from ..data.images.pixels import Pixels, in_batches
from ..data.images.views import Views, in_images
from ..errors import UserError
from ..model.interchange import Detections


def detect(
    network: Callable[[Pixels], Detections],
    side: int,
    images: Any,
    read: Callable[[Any], Pixels],
    *,
    threshold: float,
    batch: int,
    classes: tuple[str, ...] = (),
    overlap: int = 0,
) -> Detections:
    """One image or several -> detections [B,M] in pixels of each image, best first, numpy arrays.

    network: inputs uint8 [B,S,S,3] to detections [B,M] in their pixels. side: S, pixels of the square input. overlap:
    of the tiles of larger images, in pixels; 0: these are downscaled. read: makes an image uint8 [H,W,3].
    threshold: detections of lower score are dropped, when those of all tiles are put together. batch: inputs that are
    computed at once. classes: names of the labels. Raises UserError for an impossible threshold or batch.
    """
    if not 0 <= threshold <= 1:
        raise UserError(f"a threshold of {threshold:g} is no score: use one from 0 to 1")
    if batch < 1:
        raise UserError(f"a batch of {batch} images: use 1 or more")
    inputs = (view for (image,) in in_batches(images, 1) for view in seen(read(image), side, overlap))
    detections = in_images(answers(network, inputs, batch))
    return replace(padded([one[one.scores >= threshold] for one in detections]), classes=classes)


def seen(image: Pixels, side: int, overlap: int) -> Iterator[tuple[Views, Pixels]]:
    """The views of an image, each with the input [S,S,3] that it is."""
    views = Views.of((image.shape[1], image.shape[0]), side, overlap)
    return ((views, one) for one in views.inputs(image))


def answers(
    network: Callable[[Pixels], Detections], inputs: Iterator[tuple[Views, Pixels]], batch: int
) -> Iterator[tuple[Views, Boxes]]:
    """What the network finds in each input, in its pixels, so many of them at once."""
    while part := list(islice(inputs, batch)):
        detections = network(np.stack([pixels for _, pixels in part]))
        for row, (views, _) in enumerate(part):
            one = detections[row]
            yield views, Boxes(one.boxes, one.labels, one.scores)
