"""Random changes of shape and position of whole batches: boxes move exactly with the pixels.

The rule for objects that a change moves out of sight: a box is cut at the border of the image, and where less than
VISIBLE of its area is left, or less than MIN_SIDE pixels of a side, the object becomes padding. Legend: B images, G
object slots.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ...model import boxes
from ...model.structures import PADDING, Batch
from ..annotations import MIN_SIDE

GREY = 128
VISIBLE = 0.3  # fraction of the area


def seen(images: Tensor, whole: Tensor, batch: Batch) -> Batch:
    """The batch with changed images and its objects at `whole`, [B,G,4] before they are cut at the border."""
    cut = boxes.clip(whole, *images.shape[-2:])
    kept = boxes.visible(whole, cut, VISIBLE, MIN_SIDE)
    return Batch(images, cut, batch.labels.where(kept, PADDING), batch.ids)


def coins(count: int, device: torch.device) -> Tensor:
    """Fair coins, one an image: bool [count]."""
    return torch.rand(count, device=device) < 0.5


def flip(batch: Batch, which: Tensor) -> Batch:
    """Mirror images left to right where `which`, bool [B], says so."""
    return _chosen(which, batch.images.flip(-1), boxes.flip(batch.boxes, batch.images.shape[-1]), batch)


def flip_vertical(batch: Batch) -> Batch:
    """Mirror images upside down, each with a fair coin."""
    images, which = batch.images, coins(len(batch), batch.images.device)
    objects = boxes.flip_vertical(batch.boxes, images.shape[-2])
    return _chosen(which, images.flip(-2), objects, batch)


def rotate(batch: Batch) -> Batch:
    """Rotate square images by 0, 90, 180 or 270 degrees, each with the same probability."""
    images, side = batch.images, batch.images.shape[-1]
    assert images.shape[-2] == side, "a rotation by 90 degrees keeps the shape of square images only"
    quarter, half = coins(len(batch), images.device), coins(len(batch), images.device)
    batch = _chosen(quarter, images.rot90(1, (-2, -1)), boxes.rotate90(batch.boxes, side), batch)
    objects = boxes.flip(boxes.flip_vertical(batch.boxes, side), side)
    return _chosen(half, batch.images.flip(-2, -1), objects, batch)


def _chosen(which: Tensor, images: Tensor, objects: Tensor, batch: Batch) -> Batch:
    """The changed images and boxes where `which`, bool [B], says so. images: changed in place."""
    mask = which.to(torch.uint8).neg()[:, None, None, None]  # all bits or none, six times as fast as torch.where
    images = images.bitwise_xor_(batch.images).bitwise_and_(mask).bitwise_xor_(batch.images)
    return Batch(images, torch.where(which[:, None, None], objects, batch.boxes), batch.labels, batch.ids)


def shift(batch: Batch, max_pixels: int) -> Batch:
    """Move each image by up to `max_pixels` each way; the border shows the image's own reflection."""
    images, (count, _, height, width) = batch.images, batch.images.shape
    dy, dx = torch.randint(-max_pixels, max_pixels + 1, (2, count), device=images.device)
    rows = reflect(torch.arange(height, device=images.device) - dy[:, None], height)  # [B,H]
    columns = reflect(torch.arange(width, device=images.device) - dx[:, None], width)  # [B,W]
    objects = boxes.clip(boxes.shift(batch.boxes, dx[:, None].float(), dy[:, None].float()), height, width)
    labels = batch.labels.where(boxes.visible(batch.boxes, objects, VISIBLE, MIN_SIDE), PADDING)
    return Batch(pick(images, rows, columns), objects, labels, batch.ids)


def reflect(index: Tensor, size: int) -> Tensor:
    """Indices outside 0..size-1 mirrored back inside, without repeating the border."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index)


def translate(batch: Batch, max_fraction: float) -> Batch:
    """Move each image by whole pixels, up to `max_fraction` of its side each way; what is bare is grey.

    No pixel is resampled: that would make training images softer than those of the evaluation.
    """
    images, (count, _, height, width) = batch.images, batch.images.shape
    move = 2 * torch.rand(2, count, device=images.device) - 1
    down, right = (move[0] * max_fraction * height).round().long(), (move[1] * max_fraction * width).round().long()
    rows = torch.arange(height, device=images.device) - down[:, None]  # [B,H] in the old image
    columns = torch.arange(width, device=images.device) - right[:, None]
    moved = pick(images, rows.clamp(0, height - 1), columns.clamp(0, width - 1))
    bare = ((rows < 0) | (rows >= height))[:, :, None] | ((columns < 0) | (columns >= width))[:, None, :]  # [B,H,W]
    objects = boxes.shift(batch.boxes, right[:, None].float(), down[:, None].float())
    return seen(moved.masked_fill(bare[:, None], GREY), objects, batch)


def pick(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The pixels at int64 rows [B,h] x columns [B,w] of each image: [B,C,H,W] -> [B,C,h,w]."""
    cells = rows[:, :, None] * images.shape[-1] + columns[:, None]  # [B,h,w]
    picked = images.flatten(2).gather(2, cells.flatten(1)[:, None].expand(-1, images.shape[1], -1))
    return picked.view(*images.shape[:2], *cells.shape[1:])


def zoom(
    batch: Batch, factors: tuple[float, float], aspect: float, translate: float, probability: float = 1.0
) -> Batch:
    """Enlarge (crop) or shrink (in a grey border), stretch and move each image, in one bilinear resampling.

    factors: range of the factor, log-uniform. aspect: up to 1 + aspect times wider or higher, log-uniform.
    translate: an image moves as far as the zoom leaves room inside the input, and up to this fraction of the side more.
    probability: of each image to be changed so; the others move by whole pixels, which stay as sharp as they are.
    """
    images, (count, _, height, width) = batch.images, batch.images.shape
    size, shape, chance, *position = torch.rand(5, count, device=images.device).unbind(0)  # [B] each, 0..1
    kept = chance >= probability
    factor = factors[0] * (factors[1] / factors[0]) ** size
    stretch = (math.log1p(aspect) * (shape - 0.5)).exp()  # the square root of the change of the aspect ratio
    x, y = (factor * stretch).masked_fill(kept, 1.0), (factor / stretch).masked_fill(kept, 1.0)
    left, top = _start(x, position[0], translate) * width, _start(y, position[1], translate) * height
    left, top = torch.where(kept, left.round(), left), torch.where(kept, top.round(), top)
    rows = (torch.arange(height, device=images.device) + 0.5 - top[:, None]) / y[:, None]  # [B,H] in the old image
    columns = (torch.arange(width, device=images.device) + 0.5 - left[:, None]) / x[:, None]
    moved = boxes.shift(boxes.scale(batch.boxes, x[:, None], y[:, None]), left[:, None], top[:, None])
    return seen(to_pixels(resample(images, rows, columns)), moved, batch)


def _start(factor: Tensor, position: Tensor, translate: float) -> Tensor:
    """Where the changed image begins, as a fraction of the input: [B] and [B] in 0..1 -> [B]."""
    room = (1 - factor).abs() / 2 + translate
    return (1 - factor) / 2 + room * (2 * position - 1)


def resample(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Bilinear values at the points rows [B,h] x columns [B,w]: uint8 [B,3,H,W] -> float32 [B,3,h,w], grey outside.

    Points are in pixels of the image, the centre of the first pixel at 0.5.
    """
    y, x = 2 * rows / images.shape[-2] - 1, 2 * columns / images.shape[-1] - 1
    shape = (-1, y.shape[1], x.shape[1])
    grid = torch.stack((x[:, None, :].expand(shape), y[:, :, None].expand(shape)), -1)  # [B,h,w,2]
    # Measured at 256 pixels on one thread: 0.9 ms an image; two matrix products in float32 take 2.5.
    return F.grid_sample(images.float().sub_(GREY), grid, align_corners=False).add_(GREY)


def to_pixels(values: Tensor) -> Tensor:
    """Rounded and cut to 0..255: float -> uint8; `values` is lost. By way of int16, which is faster than directly."""
    return values.clamp_(0, 255).round_().to(torch.int16).to(torch.uint8)
