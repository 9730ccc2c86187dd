"""Random changes of training images: whole batches at once, on the device, boxes moved with the pixels.

Everything random is drawn from torch's global generator, which the training loop seeds anew in every iteration, so that
a batch is a function of (seed, iteration) alone. Legend: B images, G object slots.
"""

import torch
from torch import Tensor

from ...config import AugmentConfig
from ...model.structures import Batch
from .colour import brightness_contrast, every_level, gamma, gaussian_noise, invert, look_up, saturation_hue
from .geometry import GREY, coins, flip, flip_vertical, rotate, shift, translate, zoom
from .mixing import mosaic, paste


def augment(batch: Batch, config: AugmentConfig, epoch: int, seed: int) -> Batch:
    """The batch, changed as configured. `epoch` and `seed` decide the alternating flip of each image.

    The boxes of padding are zeros afterwards. Pasting and mosaics change the number of slots G.
    """
    if config.paste:
        batch = paste(batch, config.paste)
    if config.mosaic:
        batch = mosaic(batch, config.mosaic)
    batch = move(batch, config, epoch, seed)
    images = coloured(batch.images, config)
    return Batch(images, batch.boxes * batch.valid[..., None], batch.labels, batch.ids)


def move(batch: Batch, config: AugmentConfig, epoch: int, seed: int) -> Batch:
    """The batch with moved pixels and boxes; objects hardly left in the image become padding. epoch, seed: `flipped`
    has them.
    """
    if config.flip != "none":
        batch = flip(batch, flipped(batch.ids, config.flip, epoch, seed))
    if config.shift:
        batch = shift(batch, config.shift)
    if config.flip_vertical:
        batch = flip_vertical(batch)
    if config.rotate:
        batch = rotate(batch)
    if config.zoomed and (config.zoom != (1.0, 1.0) or config.aspect):
        batch = zoom(batch, config.zoom, config.aspect, config.translate, config.zoomed)
    elif config.translate:
        batch = translate(batch, config.translate)
    return batch


def coloured(images: Tensor, config: AugmentConfig) -> Tensor:
    """The images uint8 [B,3,H,W] in other colours, and with a part hidden."""
    levels = changed = every_level(images)
    if config.brightness or config.contrast:
        changed = brightness_contrast(changed, config.brightness, config.contrast)
    if config.gamma:
        changed = gamma(changed, config.gamma)
    if changed is not levels:
        images = look_up(images, changed)
    if config.saturation or config.hue or config.grey:
        images = saturation_hue(images, config.saturation, config.hue, config.grey)
    if config.invert:
        images = invert(images, config.invert)
    if config.noise:
        images = gaussian_noise(images, config.noise)
    if config.cutout:
        images = cutout(images, config.cutout)
    return images


def flipped(ids: Tensor, kind: str, epoch: int, seed: int) -> Tensor:
    """Which images to mirror, ids [B] -> bool [B]: by `kind` a fresh coin each, or in turn by epoch from a coin that id
    and seed decide.
    """
    if kind == "random":
        return coins(len(ids), ids.device)
    hashed = (ids + 7919 * seed) * 2654435761 % 2**32  # Knuth's multiplicative hash: a fair coin from the high bit
    return (hashed >> 31) % 2 == epoch % 2


def cutout(images: Tensor, side: int) -> Tensor:
    """Images [B,3,H,W] with a grey square of `side` pixels anywhere, cut at the border (DeVries & Taylor 2017)."""
    count, _, height, width = images.shape
    y, x = (torch.randint(size, (count, 1), device=images.device) for size in (height, width))
    rows, columns = near(y, height, side), near(x, width, side)  # [B,H], [B,W]
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], GREY)


def near(centre: Tensor, size: int, side: int) -> Tensor:
    """Which of `size` pixels lie in an interval of `side` around `centre`: [B,1] -> bool [B,size]."""
    pixel = torch.arange(size, device=centre.device)
    return (pixel >= centre - side // 2) & (pixel < centre - side // 2 + side)
