"""All arithmetic on boxes: pure functions on [..., 4], for any leading dimensions and on any device.

Boxes are xyxy, float32, in pixels of the model's input: (x1, y1) is the upper left corner, (x2, y2) the lower right
one, and a box over a whole input of 48 pixels is (0, 0, 48, 48).
Legend: B images, N anchors, G objects, A anchors a cell.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .kernels import touching

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1

# exp(4) = 55 times the anchor: no real object is larger, and no overflow follows from a wild prediction.
LARGEST_LOG_SCALE = 4.0
# Below this fraction of the anchor's side the logarithm goes on as its tangent, so that it stands for any prediction.
SMALLEST_SCALE = 0.1
SMALLEST_SIDE = 1e-3  # pixels: a region without area, as clipping may leave one, gets finite deltas
ROWS, CACHED_PAIRS = 16, 1 << 18  # in suppression: boxes in a block, and pairs that a processor's cache holds (1 MB)
ROUNDING = 1e-4  # of a box's width, by which more boxes are compared than have to be
MAX_PAIRS = 1 << 24  # of boxes that are compared at once (64 MB a tensor): 10,000 objects in an image are no trouble


def take(boxes: Tensor, index: Tensor) -> Tensor:
    """The boxes at some indices: [B,N,4] and int64 [B,M] -> [B,M,4]."""
    return boxes.gather(1, index[..., None].expand(-1, -1, 4))


def area(boxes: Tensor) -> Tensor:
    """Area in square pixels, 0 for inverted boxes: [...,4] -> [...]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of every pair of a box of `a` and one of `b`, 0..1: [...,N,4], [...,M,4] -> [...,N,M]."""
    areas = area(a)[..., :, None] + area(b)[..., None, :]  # [...,N,M]
    # Each coordinate contiguous in memory, which is worth a factor of three.
    ax1, ay1, ax2, ay2 = (x.contiguous()[..., :, None] for x in a.unbind(-1))  # [...,N,1]
    bx1, by1, bx2, by2 = (x.contiguous()[..., None, :] for x in b.unbind(-1))  # [...,1,M]
    width = (torch.minimum(ax2, bx2) - torch.maximum(ax1, bx1)).clamp_(min=0)
    height = (torch.minimum(ay2, by2) - torch.maximum(ay1, by1)).clamp_(min=0)
    intersection = width.mul_(height)
    return intersection / areas.sub_(intersection).clamp_(min=1e-9)


def closest(boxes: Tensor, objects: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """The object that each box overlaps most: [B,N,4], [B,G,4], valid bool [B,G] -> IoU [B,N] and its index [B,N].

    Without any object the IoU is -1.
    """
    overlap, index = boxes.new_empty(boxes.shape[:2]), valid.new_empty(boxes.shape[:2], dtype=torch.int64)
    rows = max(1, MAX_PAIRS // valid.numel())
    for start in range(0, boxes.shape[1], rows):  # results in place: kept between them, they would break up the memory
        chunk = slice(start, start + rows)
        overlap[:, chunk], index[:, chunk] = iou(boxes[:, chunk], objects).masked_fill(~valid[:, None], -1).max(-1)
    return overlap, index


def center_size(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centre x, centre y, width, height, in pixels: [...,4] -> four of [...]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def from_center_size(x: Tensor, y: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """The inverse of `center_size`: centre x and y, width and height, [...] each, in pixels -> boxes [...,4]."""
    return torch.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), -1)


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """Boxes cut at the border of an input of height x width pixels: [...,4] -> [...,4]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)), -1)


def flip(boxes: Tensor, width: float) -> Tensor:
    """Boxes of an image `width` pixels wide, mirrored left to right: [...,4] -> [...,4]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((width - x2, y1, width - x1, y2), -1)


def shift(boxes: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Boxes moved by dx, dy pixels, which broadcast against [...]: [...,4] -> [...,4]."""
    return boxes + torch.stack((dx, dy, dx, dy), -1)


def anchors(height: int, width: int, stride: int, shapes: Sequence[tuple[float, float]]) -> Tensor:
    """Anchors on the cell centres of a feature map, not rounded: [height,width,A,4] (Ren et al. 2015, section 3.1.1).

    height, width: of the map in cells. stride: of a cell in pixels. shapes: width and height of a cell's A anchors.
    """
    wh = torch.tensor(shapes, dtype=torch.float32)  # [A,2]
    y, x = (torch.arange(cells, dtype=wh.dtype) for cells in (height, width))
    y, x = torch.meshgrid(y, x, indexing="ij")
    centers = (torch.stack((x, y), -1).reshape(-1, 1, 2) + 0.5) * stride  # [height*width,1,2]
    return torch.cat((centers - wh / 2, centers + wh / 2), -1).view(height, width, -1, 4)


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Deltas (t_x, t_y, t_w, t_h) that lead from anchors to boxes: [...,4], [...,4] -> [...,4].

    Ren et al. 2015, equation 2: t_x = (x - x_a) / w_a, t_w = log(w / w_a). Sides that are not positive, as a network
    may predict them, give finite deltas: see `log_scale`.
    """
    x, y, w, h = center_size(boxes)
    xa, ya, wa, ha = center_size(anchors)
    wa, ha = wa.clamp(min=SMALLEST_SIDE), ha.clamp(min=SMALLEST_SIDE)
    return torch.stack(((x - xa) / wa, (y - ya) / ha, log_scale(w / wa), log_scale(h / ha)), -1)


def log_scale(scale: Tensor) -> Tensor:
    """log(scale), [...] -> [...], continued by its tangent below SMALLEST_SCALE: finite, rising, smooth everywhere."""
    tangent = math.log(SMALLEST_SCALE) + (scale - SMALLEST_SCALE) / SMALLEST_SCALE
    return torch.where(scale < SMALLEST_SCALE, tangent, scale.clamp(min=SMALLEST_SCALE).log())


def decode(deltas: Tensor, anchors: Tensor) -> Tensor:
    """The inverse of `encode`: deltas [...,4], or [...,3] with one scale for both sides (squares) -> boxes [...,4]."""
    xa, ya, wa, ha = center_size(anchors)
    tx, ty, tw, th = (deltas[..., i] for i in (0, 1, 2, deltas.shape[-1] - 1))
    w, h = (torch.exp(t.clamp(max=LARGEST_LOG_SCALE)) for t in (tw, th))
    return from_center_size(xa + tx * wa, ya + ty * ha, w * wa, h * ha)


def match(
    anchors: Tensor, objects: Tensor, valid: Tensor, positive_iou: float, negative_iou: float
) -> tuple[Tensor, Tensor]:
    """Which anchors stand for an object: anchors [h,w,A,4] as `anchors` lays them, objects [B,G,4], valid bool [B,G] ->
    labels and the index of each anchor's object, int64 [B,N] both, N = h * w * A.

    Ren et al. 2015, section 3.1.2: positive (1) above `positive_iou` and at the anchors of the highest IoU with an
    object, ties included; negative (0) where no object reaches `negative_iou`; ignored (-1) otherwise. Images without
    objects: all negative.
    """
    shape, slots = (len(valid), anchors.shape[:-1].numel()), valid.shape[1]
    best = anchors.new_zeros(shape).flatten()  # [B*N]
    index, is_best = torch.zeros_like(best, dtype=torch.int64), torch.zeros_like(best, dtype=torch.bool)
    step = max(1, MAX_PAIRS // len(best))
    for start in range(0, slots, step):
        chunk = slice(start, start + step)
        anchor, obj = touching(anchors, objects[:, chunk], valid[:, chunk])  # [T] pairs: indices in [B*N], in [B*step]
        boxed, whole = anchors.reshape(-1, 4)[anchor % shape[1]], objects[:, chunk].reshape(-1, 4)[obj]
        overlap = iou(boxed[:, None], whole[:, None])[:, 0, 0]  # [T]
        peak = overlap.new_zeros(objects[:, chunk].shape[:2].numel()).scatter_reduce_(0, obj, overlap, "amax")
        is_best[anchor[(overlap == peak[obj]) & (overlap > 0)]] = True
        before = best.clone()
        best.scatter_reduce_(0, anchor, overlap, "amax")
        index[best > before] = slots  # to be taken by the first of the objects that overlap it so much
        wins = overlap == best[anchor]
        index.scatter_reduce_(0, anchor[wins], obj[wins] % valid[:, chunk].shape[1] + start, "amin")
    labels = torch.full_like(index, IGNORED)
    labels[best < negative_iou] = NEGATIVE
    labels[(best > positive_iou) | is_best] = POSITIVE
    return labels.view(shape), index.view(shape)


def sample(labels: Tensor, count: int, positive_fraction: float) -> Tensor:
    """A random choice of what the losses count: labels [B,N] (1, 0, -1) -> the same, -1 where not chosen.

    At most `count` an image, at most `positive_fraction` of them positive, the rest negative (Ren et al. 2015, section
    3.1.3: 256 anchors, half of them positive at most).
    """
    order = torch.rand(labels.shape, device=labels.device)  # [B,N]
    positive, negative = labels == POSITIVE, labels == NEGATIVE
    max_positive = min(round(count * positive_fraction), labels.shape[1])
    chosen = positive & at_least_rank(order.masked_fill(~positive, -1), max_positive)
    order = (order + 2 * chosen).masked_fill(~(chosen | negative), -1)  # positives first
    chosen = at_least_rank(order, min(count, labels.shape[1])) & (chosen | negative)
    return labels.masked_fill(~chosen, IGNORED)


def at_least_rank(values: Tensor, rank: int) -> Tensor:
    """Which values are among the `rank` largest of their row: [B,N] -> bool [B,N], ties included."""
    if rank == 0:
        return torch.zeros_like(values, dtype=torch.bool)
    return values >= values.topk(rank, 1).values[:, -1:]


def nms(boxes: Tensor, valid: Tensor, iou_threshold: float) -> Tensor:
    """Greedy non-maximum suppression of boxes that lie best first: [B,K,4], valid bool [B,K] -> kept bool [B,K].

    A box goes if its IoU with a better one that stays is above `iou_threshold`. One operator to torch,
    `pocketrcnn::nms`, so that a graph of the network holds it as a whole, and an exporter may replace its loop.
    """
    kept: Tensor = torch.ops.pocketrcnn.nms(boxes, valid, iou_threshold)
    return kept


def _nms(boxes: Tensor, valid: Tensor, iou_threshold: float) -> Tensor:
    """Who stays is the one fixed point of the sentence above, and repeating it for all boxes at once reaches it, the
    better boxes first: after n rounds the first n boxes are right, and in practice a few rounds do for all."""
    if valid.numel() <= len(valid):  # at most one box an image
        return valid.clone()
    better, worse = rivals(boxes, iou_threshold)
    kept = valid.flatten()
    while True:
        now = valid.flatten().index_fill(0, worse[kept[better]], False)
        if torch.equal(now, kept):
            return now.view_as(valid)
        kept = now


def rivals(boxes: Tensor, iou_threshold: float) -> tuple[Tensor, Tensor]:
    """Pairs of boxes of an image whose IoU is above iou_threshold: [B,K,4] -> better and worse, int64 [T], in [B*K].

    In such a pair the left side of one is at most (1 - iou_threshold) of the other's width to the right of its: from
    left to right, in blocks of ROWS, a box is compared with those of its block and with as many behind it as it takes.
    """
    batch, count = boxes.shape[:2]
    left, order = boxes[..., 0].sort(dim=1)
    boxes = take(boxes, order)
    reach = left.double() + (1 - iou_threshold + ROUNDING) * (boxes[..., 2] - left)
    last = torch.searchsorted(left.double(), reach, right=True).amax(0)  # [K]
    last = F.pad(last, (0, -count % ROWS)).view(-1, ROWS).amax(1)  # of each block
    widths = (last - torch.arange(0, count, ROWS, device=last.device)).clamp(min=ROWS).tolist()
    rows = F.pad(boxes.permute(2, 0, 1), (0, max(widths) + ROWS))  # [4,B,K'], the last ones without area
    pairs, step = [], max(1, CACHED_PAIRS // (batch * ROWS * max(widths)))
    for first in range(0, len(widths), step):
        few = widths[first : first + step]
        part = rows[..., first * ROWS :].unfold(-1, max(few), ROWS)[:, :, : len(few)].permute(1, 2, 3, 0)
        image, block, one, other = (iou(part[:, :, :ROWS], part) > iou_threshold).triu(1).nonzero().unbind(1)
        pairs.append(torch.stack((one, other)) + image * count + (first + block) * ROWS)  # [2,T]
    ranks = order + torch.arange(batch, device=order.device)[:, None] * count
    one, other = ranks.flatten()[torch.cat(pairs, 1)]
    return torch.minimum(one, other), torch.maximum(one, other)


torch.library.define("pocketrcnn::nms", "(Tensor boxes, Tensor valid, float iou_threshold) -> Tensor")
torch.library.impl("pocketrcnn::nms", "default", _nms)
torch.library.register_fake("pocketrcnn::nms", lambda boxes, valid, iou_threshold: torch.empty_like(valid))


def theta(boxes: Tensor, height: float, width: float) -> Tensor:
    """The spatial transformer's scale and shift for a crop: [...,4] -> [...,4] = (scale x, shift x, scale y, shift y).

    Jaderberg et al. 2015, section 3.2, in coordinates of -1..1 over height x width pixels: for 48, w/48 and (x-24)/24.
    """
    x, y, w, h = center_size(boxes)
    return torch.stack((w / width, 2 * x / width - 1, h / height, 2 * y / height - 1), -1)


def bins(low: Tensor, high: Tensor, count: int, cells: int) -> Tensor:
    """Which cells fall into each bin of an interval, for ROI max pooling: [...] and [...] -> bool [..., count, cells].

    `low` and `high` are in cells. Bins reach from the floor to the ceiling of their borders, so that they are never
    empty (Girshick 2015, section 2.1); intervals are kept inside the map.
    """
    low = low.clamp(0, cells - 1)
    step = (high.clamp(max=cells) - low).clamp(min=1e-3) / count
    edges = low[..., None] + step[..., None] * torch.arange(count + 1, device=low.device)  # [..., count+1]
    start, end = edges[..., :-1].floor(), torch.maximum(edges[..., 1:].ceil(), edges[..., :-1].floor() + 1)
    cell = torch.arange(cells, device=low.device)
    return (cell >= start[..., None]) & (cell < end[..., None])


def flip_vertical(boxes: Tensor, height: float) -> Tensor:
    """Boxes of an image `height` pixels high, turned upside down: [...,4] -> [...,4]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1, height - y2, x2, height - y1), -1)


def rotate90(boxes: Tensor, width: float) -> Tensor:
    """Boxes of an image `width` pixels wide after a quarter turn to the left (torch.rot90): [...,4] -> [...,4]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((y1, width - x2, y2, width - x1), -1)


def scale(boxes: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Boxes enlarged about the upper left corner by x and y, which broadcast against [...]: [...,4] -> [...,4]."""
    return boxes * torch.stack((x, y, x, y), -1)


def visible(whole: Tensor, cut: Tensor, min_fraction: float, min_side: float) -> Tensor:
    """Whether a cut leaves `min_fraction` of the area and `min_side` pixels each way: [...,4] twice -> bool [...].

    >>> bool(visible(torch.tensor([0.0, 0, 9, 9]), torch.tensor([0.0, 0, 9, 2]), 0.3, 2))
    False
    """
    _, _, width, height = center_size(cut)
    return (area(cut) >= min_fraction * area(whole)) & (width >= min_side) & (height >= min_side)


def covered(boxes: Tensor, others: Tensor) -> Tensor:
    """Fraction of each box's area that lies in each other box, 0..1: [...,N,4] and [...,M,4] -> [...,N,M]."""
    a, b = boxes[..., :, None, :], others[..., None, :, :]
    width, height = torch.minimum(a[..., 2:], b[..., 2:]).sub(torch.maximum(a[..., :2], b[..., :2])).unbind(-1)
    return width.clamp(min=0) * height.clamp(min=0) / area(a).clamp(min=1e-9)


def inside(boxes: Tensor, height: float, width: float, margin: float) -> Tensor:
    """Whether boxes keep `margin` pixels from the border of an image of height x width: [...,4] -> bool [...]."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x1 >= margin) & (y1 >= margin) & (x2 <= width - margin) & (y2 <= height - margin)
