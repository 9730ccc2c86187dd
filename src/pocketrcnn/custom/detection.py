"""Around the network of a detector, with torch or without: images in, boxes in their pixels out. No torch here."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.boxes import Boxes, padded
from ..data.images.letterbox import letterbox, to_images
from ..data.images.pixels import Pixels, in_batches
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
) -> Detections:
    """One image or several -> detections [B,M] in pixels of each image, best first, numpy arrays.

    network: inputs uint8 [B,S,S,3] to detections [B,M] in their pixels. side: S, pixels of the square input.
    read: makes an image uint8 [H,W,3]. threshold: detections of lower score are dropped. batch: images that are
    computed at once. classes: names of the labels. Raises UserError for an impossible threshold or batch.
    """
    if not 0 <= threshold <= 1:
        raise UserError(f"a threshold of {threshold:g} is no score: use one from 0 to 1")
    if batch < 1:
        raise UserError(f"a batch of {batch} images: use 1 or more")
    detections: list[Boxes] = []
    for part in in_batches(images, batch):
        pixels = [read(image) for image in part]
        inputs, scales = zip(*(letterbox(image, side) for image in pixels), strict=True)
        boxes = to_images(network(np.stack(inputs)), scales, [(image.shape[1], image.shape[0]) for image in pixels])
        detections += [one[one.scores >= threshold] for one in boxes]
    return replace(padded(detections), classes=classes)
