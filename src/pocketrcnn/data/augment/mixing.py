"""Images that take parts of others of their batch: objects pasted in, and mosaics. Whole batches at once.

Legend: B images, G object slots, P side of the patches that hold the pasted objects, in pixels.
"""

import math

import torch
from torch import Tensor

from ...model import boxes
from ...model.structures import PADDING, Batch
from ..annotations import MIN_SIDE
from .geometry import resample, seen, to_pixels

SCALES = (0.7, 1.4)  # of a pasted object
POSITIONS = 4  # tried for each pasted object; the one where it hides least is taken
HIDDEN = 0.7  # an object of which a larger part lies below a pasted one is gone
REACH = 1.1  # the pasted ellipse over the one that touches the sides of the box: some of the object's surroundings
SOFT = 3.0  # pixels over which the ellipse fades


def paste(batch: Batch, max_objects: int) -> Batch:
    """Copy 0 to `max_objects` objects of other images into each image (Ghiasi et al. 2021), as soft ellipses.

    Objects change their size by SCALES and lie wholly inside the image. The result has up to `max_objects` slots more.
    """
    if not batch.valid.any():
        return batch
    source, device = batch, batch.images.device
    counts = torch.randint(0, max_objects + 1, (len(batch),), device=device)  # [B]
    for number in range(max_objects):
        origin, objects, labels = picked(source)
        target = placed(objects, batch)  # [B,4]
        labels = labels.where((number < counts) & boxes.visible(target, target, 1, MIN_SIDE), PADDING)
        images = composited(batch.images, source.images[origin], objects, target, labels != PADDING)
        batch = joined(batch, images, target, labels)
    return compact(batch)


def picked(source: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """For each image a random object of another: which image [B], its box [B,4], its label [B] (PADDING: none).

    Objects at the border of the image are skipped, as they are seldom whole.
    """
    count, device = len(source), source.images.device
    origin = (torch.arange(count, device=device) + torch.randint(1, max(count, 2), (count,), device=device)) % count
    height, width = source.images.shape[-2:]
    whole = boxes.inside(source.boxes, height, width, margin=1)
    labels = source.labels.where(whole, PADDING)[origin]  # [B,G]
    slot = torch.rand(labels.shape, device=device).masked_fill(labels == PADDING, -1).argmax(1, keepdim=True)  # [B,1]
    return origin, boxes.take(source.boxes[origin], slot)[:, 0], labels.gather(1, slot)[:, 0]


def placed(objects: Tensor, batch: Batch) -> Tensor:
    """Where objects of the boxes `objects`, [B,4], go: another size, and the best of some random positions: [B,4]."""
    height, width = batch.images.shape[-2:]
    _, _, w, h = boxes.center_size(objects)
    factor = SCALES[0] * (SCALES[1] / SCALES[0]) ** torch.rand(len(objects), device=objects.device)  # [B]
    factor = factor.minimum(width / w.clamp(min=1)).minimum(height / h.clamp(min=1))  # it fits into the image
    w, h = factor * w, factor * h
    position = torch.rand(2, POSITIONS, len(objects), device=objects.device)
    left, top = position[0] * (width - w), position[1] * (height - h)  # [POSITIONS,B]
    tried = torch.stack((left, top, left + w, top + h), -1).transpose(0, 1)  # [B,POSITIONS,4]
    hidden = boxes.covered(batch.boxes, tried) * batch.valid[..., None]  # [B,G,POSITIONS]
    best = hidden.sum(1).argmin(-1)  # [B]
    return tried[torch.arange(len(tried), device=tried.device), best]


def composited(images: Tensor, others: Tensor, objects: Tensor, target: Tensor, shown: Tensor) -> Tensor:
    """Images [B,3,H,W] with the boxes `objects` of `others` over `target`, both [B,4], where `shown`, bool [B]."""
    height, width = images.shape[-2:]
    x, y, w, h = boxes.center_size(target)
    side = min(height, width, math.ceil(float(torch.cat((w, h))[shown.repeat(2)].amax())) + 4) if shown.any() else 1
    rows = _patch(y, side, height)  # [B,P], pixels of the image
    columns = _patch(x, side, width)
    fx, fy, fw, _ = boxes.center_size(objects)
    down, across = rows + 0.5 - y[:, None], columns + 0.5 - x[:, None]  # [B,P] from the centre
    ratio = (fw / w.clamp(min=1e-3))[:, None]
    patch = resample(others, fy[:, None] + down * ratio, fx[:, None] + across * ratio)  # [B,3,P,P]
    mask = _ellipse(down, across, w, h) * shown[:, None, None]  # [B,P,P]
    each = torch.arange(len(images), device=images.device)[:, None, None]
    at = (each, slice(None), rows[:, :, None], columns[:, None, :])
    below = images[at].float()  # [B,P,P,3]
    images = images.clone()
    images[at] = to_pixels(below + mask[..., None] * (patch.permute(0, 2, 3, 1) - below))
    return images


def _patch(centre: Tensor, side: int, size: int) -> Tensor:
    """`side` whole pixels around each centre, inside an image of `size`: [B] -> int64 [B,side]."""
    start = (centre - side / 2).round().long().clamp(0, size - side)
    return start[:, None] + torch.arange(side, device=centre.device)


def _ellipse(down: Tensor, across: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """1 inside the ellipse, 0 outside, falling over SOFT pixels: distances [B,P] twice, sides [B] twice -> [B,P,P]."""
    a, b = (REACH * side[:, None].clamp(min=1e-3) / 2 for side in (width, height))  # [B,1]
    radius = torch.hypot((down / b)[:, :, None], (across / a)[:, None, :])  # 1 at the border
    inner = torch.minimum(a, b)[..., None]  # pixels from the centre to the nearest border
    return ((1 - radius) * inner / SOFT + 0.5).clamp(0, 1)


def joined(batch: Batch, images: Tensor, target: Tensor, labels: Tensor) -> Batch:
    """The batch with changed images and one object more in each, [B,4] and [B]; hidden ones become padding."""
    shown = labels != PADDING
    hidden = (boxes.covered(batch.boxes, target[:, None])[..., 0] > HIDDEN) & shown[:, None]  # [B,G]
    kept = batch.labels.masked_fill(hidden, PADDING)
    objects = torch.cat((batch.boxes, target[:, None]), 1)
    return Batch(images, objects, torch.cat((kept, labels[:, None]), 1), batch.ids)


def mosaic(batch: Batch, probability: float) -> Batch:
    """Some images become four quarters that meet at a random point: corners of itself and of three others.

    As if a window of the image's size lay over four images side by side (Bochkovskiy et al. 2020, without their
    shrinking): objects keep their size, which is what small ones need, and big ones are cut, so that images of one
    object that fills them gain nothing. The point is at 1/4 to 3/4 of each side. The result has up to 4 G slots.
    """
    images, (count, _, height, width) = batch.images, batch.images.shape
    device = images.device
    chosen = torch.rand(count, device=device) < probability
    origin = torch.randint(0, count, (count, 4), device=device)  # images: upper left, upper right, lower left, right
    origin[:, 0] = torch.arange(count, device=device)
    point = (0.25 + 0.5 * torch.rand(2, count, device=device)) * chosen  # 0: all of the upper left image
    top, left = (point[0] * height).long(), (point[1] * width).long()  # [B], of the window
    rows = torch.arange(height, device=device) + top[:, None]  # [B,H] in 0..2H
    columns = torch.arange(width, device=device) + left[:, None]
    quarter = 2 * (rows >= height)[:, :, None] + (columns >= width)[:, None, :]  # [B,H,W], 0..3
    which = origin.gather(1, quarter.flatten(1)).view_as(quarter)
    mixed = images.permute(0, 2, 3, 1)[which, (rows % height)[:, :, None], (columns % width)[:, None, :]]
    dx = torch.tensor([0, width, 0, width], device=device) - left[:, None]  # [B,4]
    dy = torch.tensor([0, 0, height, height], device=device) - top[:, None]
    moved = boxes.shift(batch.boxes[origin], dx[..., None].float(), dy[..., None].float())  # [B,4,G,4]
    four = Batch(batch.images, moved.flatten(1, 2), batch.labels[origin].flatten(1), batch.ids)
    return compact(seen(mixed.permute(0, 3, 1, 2), four.boxes, four))


def compact(batch: Batch) -> Batch:
    """Objects first, padding (zeros) behind, and no more slots than the fullest image needs, but one at least."""
    valid, order = batch.valid.sort(dim=1, descending=True, stable=True)
    slots = max(1, int(valid.sum(1).amax())) if valid.numel() else 0
    order = order[:, :slots]
    return Batch(batch.images, boxes.take(batch.boxes, order), batch.labels.gather(1, order), batch.ids)
