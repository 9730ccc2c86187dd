"""Random changes of training images: whole batches at once, on the device, boxes moved with the pixels.

Everything random is drawn from torch's global generator, which the training loop seeds anew in every iteration, so that
a batch is a function of (seed, iteration) alone. Legend: B images, G object slots.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...config import AugmentConfig
from ...model import boxes
from ...model.structures import PADDING, Batch
from ..annotations import MIN_SIDE
from .colour import bend, invert, mix, noisy, recolour
from .geometry import GREY, VISIBLE, flip_vertical, pick, rotate, translate, zoom
from .mixing import mosaic, paste


def augment(batch: Batch, config: AugmentConfig, epoch: int, seed: int) -> Batch:
    """The batch, changed as configured. `epoch` and `seed` decide the alternating flip of each image.

    The boxes of padding are zeros afterwards. Pasting and mosaics change the number of slots G.
    """
    batch = move(mixed(batch, config), config, epoch, seed)
    images = coloured(batch.images, config)
    if config.cutout:
        images = cutout(images, config.cutout)
    return Batch(images, batch.boxes * batch.valid[..., None], batch.labels, batch.ids)


def mixed(batch: Batch, config: AugmentConfig) -> Batch:
    """The batch with what its images borrow from each other."""
    if config.paste:
        batch = paste(batch, config.paste)
    if config.mosaic:
        batch = mosaic(batch, config.mosaic)
    return batch


def move(batch: Batch, config: AugmentConfig, epoch: int, seed: int) -> Batch:
    """The batch with pixels and boxes at other places; objects hardly left in the frame become padding."""
    images, objects, labels = batch.images, batch.boxes, batch.labels
    if config.flip != "none":
        images, objects = flip(images, objects, flipped(batch.ids, config.flip, epoch, seed))
    if config.shift:
        whole = objects
        images, objects = shift(images, objects, config.shift)
        labels = labels.where(boxes.visible(whole, objects, VISIBLE, MIN_SIDE), PADDING)
    batch = Batch(images, objects, labels, batch.ids)
    if config.flip_vertical:
        batch = flip_vertical(batch)
    if config.rotate:
        batch = rotate(batch)
    if config.zoom != (1.0, 1.0) or config.aspect:
        batch = zoom(batch, config.zoom, config.aspect, config.translate)
    elif config.translate:
        batch = translate(batch, config.translate)
    return batch


def coloured(images: Tensor, config: AugmentConfig) -> Tensor:
    """The images uint8 [B,3,H,W] in other colours."""
    if config.brightness or config.contrast:
        images = recolour(images, config.brightness, config.contrast)
    if config.gamma:
        images = bend(images, config.gamma)
    if config.saturation or config.hue or config.grey:
        images = mix(images, config.saturation, config.hue, config.grey)
    if config.invert:
        images = invert(images, config.invert)
    if config.noise:
        images = noisy(images, config.noise)
    return images


def flipped(ids: Tensor, kind: str, epoch: int, seed: int) -> Tensor:
    """Which images to mirror, bool [B]: a fresh coin each, or in turn by epoch from a coin that the id decides."""
    if kind == "random":
        return torch.rand(len(ids), device=ids.device) < 0.5
    mixed = (ids + 7919 * seed) * 2654435761 % 2**32  # Knuth's multiplicative hash: a fair coin from the high bit
    return (mixed >> 31) % 2 == epoch % 2


def flip(images: Tensor, objects: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror the chosen images left to right: [B,3,H,W], [B,G,4], bool [B]."""
    images = torch.where(which[:, None, None, None], images.flip(-1), images)
    return images, torch.where(which[:, None, None], boxes.flip(objects, images.shape[-1]), objects)


def shift(images: Tensor, objects: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Move each image by up to `most` pixels each way; the border shows the image's own reflection."""
    count, _, height, width = images.shape
    dy, dx = torch.randint(-most, most + 1, (2, count), device=images.device)
    rows = reflect(torch.arange(height, device=images.device) - dy[:, None], height)  # [B,H]
    columns = reflect(torch.arange(width, device=images.device) - dx[:, None], width)  # [B,W]
    return pick(images, rows, columns), boxes.clip(
        boxes.shift(objects, dx[:, None].float(), dy[:, None].float()), height, width
    )


def reflect(index: Tensor, size: int) -> Tensor:
    """Indices outside 0..size-1 mirrored back inside, without repeating the border."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index)


def cutout(images: Tensor, side: int) -> Tensor:
    """A grey square of `side` pixels in each image, its place uniform, cut at the border (DeVries & Taylor 2017)."""
    count, _, height, width = images.shape
    y, x = (torch.randint(size, (count, 1), device=images.device) for size in (height, width))
    rows = near(y, height, side)  # [B,H]
    columns = near(x, width, side)  # [B,W]
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], GREY)


def near(centre: Tensor, size: int, side: int) -> Tensor:
    """Which of `size` places lie in an interval of `side` around `centre`: [B,1] -> bool [B,size]."""
    place = torch.arange(size, device=centre.device)
    return (place >= centre - side // 2) & (place < centre - side // 2 + side)
