"""Large images as overlapping tiles: where they lie, and how the detections in them become those of the image.

Tiles are squares of S pixels at the image's own resolution. Along each axis they are spread evenly, the first and the
last flush with the image's border, and neighbours overlap by V pixels or more: an object that is no longer than that
is whole in one of them at least. What two tiles show of the same pixels is compared there, in their common part C.

A detection is *cut* where it comes within EDGE pixels of a side of its tile that is inside the image: there may be more
of its object than its tile shows. Detections are taken in this order: whole ones before cut ones, then by score, the
highest first, then by tile (row by row), then as the network gave them. Two detections of different tiles and of one
class are of one object if, both cut to C,
- neither or both of them are cut, and their intersection is at least SAME of their union,
- one of them is cut, and their intersection is at least SAME of that one.
A whole one stays unless it is of one object with an earlier one that stays. A cut one gives way to a whole one. Else it
is a piece: it stays, as the first of a group, or joins the first of the groups with a piece of the same object, unless
that has a piece of its own tile: then it goes. The other groups that it matches join that one, too, but for those with
a piece of the same tile. The box around a group gets the score of its first piece, which is the highest. So an object
that is longer than V is found once, as a whole.

Everything is in pixels of the image, in double precision, on boxes that were rounded to float32. No torch here.
Legend: n detections of a tile, m of another, N of all tiles.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..boxes import Boxes

EDGE = 4.0  # pixels
SAME = 0.5

Floats = NDArray[np.float64]
Origin = tuple[int, int]  # of a tile: its first column and row
Pairs = dict[int, list[int]]


def starts(length: int, side: int, overlap: int) -> list[int]:
    """The first pixel of each tile along an axis of so many pixels; of an image that is no longer than a tile, 0."""
    if length <= side:
        return [0]
    steps = -(-(length - side) // (side - overlap))  # rounded up
    return [step * (length - side) // steps for step in range(steps + 1)]


@lru_cache(maxsize=16)
def origins_of(size: tuple[int, int], side: int, overlap: int) -> tuple[Origin, ...]:
    """The tiles of an image of this width and height, row by row. overlap 0: the image is one, whatever its size."""
    if not overlap:
        return ((0, 0),)
    columns, rows = (starts(length, side, overlap) for length in size)
    return tuple((left, top) for top in rows for left in columns)


def put_together(found: Sequence[Boxes], origins: Sequence[Origin], side: int, size: Sequence[int]) -> Boxes:
    """The detections in an image, best first, from those of its tiles, which are in pixels of the image, too.

    found: one for each tile at `origins`. size: width and height of the image.
    """
    if len(found) == 1:
        return found[0]
    tile = np.repeat(np.arange(len(found)), [len(one) for one in found])  # [N]
    boxes = np.concatenate([one.boxes for one in found])
    labels, scores = (np.concatenate([getattr(one, name) for one in found]) for name in ("labels", "scores"))
    corners = np.array(origins, np.float64)
    regions = np.hstack((corners, np.minimum(corners + side, [*size])))  # [tiles,4]: what a tile shows
    cut = cut_off(boxes, regions[tile], size)
    order = np.lexsort((-scores, cut))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    pairs = matches(boxes[order], labels[order], cut[order], split(rank, tile, len(found)), regions)
    groups = grouped(cut[order].tolist(), tile[order].tolist(), pairs)
    groups.sort(key=lambda group: -scores[order[group[0]]])
    first = order[np.array([group[0] for group in groups], np.int64)]
    around = [(*boxes[order[group], :2].min(0), *boxes[order[group], 2:].max(0)) for group in groups]
    return Boxes(np.array(around).reshape(-1, 4), labels[first], scores[first])


def cut_off(boxes: Floats, regions: Floats, size: Sequence[int]) -> NDArray[np.bool_]:
    """Which detections [N,4] come near a side of their tile [N,4] that is inside an image of this size."""
    inside = np.hstack((regions[:, :2] > 0, regions[:, 2:] < [*size]))
    return np.asarray((inside & (np.abs(boxes - regions) <= EDGE)).any(1))


def split(values: NDArray[np.int64], tile: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Values [N] by their tiles, in rising order."""
    return [np.sort(part) for part in np.split(values, np.searchsorted(tile, np.arange(1, count)))]


def matches(
    boxes: Floats, labels: NDArray[np.int64], cut: NDArray[np.bool_], members: list[NDArray[np.int64]], regions: Floats
) -> Pairs:
    """For each detection those before it, in order, that are of the same object. members: the detections by tile."""
    pairs: Pairs = defaultdict(list)
    for one in range(len(members)):
        low, high = np.maximum(regions[one, :2], regions[one:, :2]), np.minimum(regions[one, 2:], regions[one:, 2:])
        for other in one + np.flatnonzero((low < high).all(1))[1:]:
            common = np.concatenate((low[other - one], high[other - one]))
            some, others = (there(boxes, members[tile], common) for tile in (one, other))
            if not len(some) or not len(others):
                continue
            same = same_object(boxes[some], boxes[others], cut[some], cut[others], common)
            rows, columns = np.nonzero(same & (labels[some, None] == labels[others]))
            for pair in zip(some[rows].tolist(), others[columns].tolist(), strict=True):
                pairs[max(pair)].append(min(pair))
    return pairs


def there(boxes: Floats, members: NDArray[np.int64], common: Floats) -> NDArray[np.int64]:
    """Those of the detections that have an area in the part that two tiles have in common."""
    mine = boxes[members]
    return members[((mine[:, 2:] > common[:2]) & (mine[:, :2] < common[2:])).all(1)]


def same_object(one: Floats, other: Floats, cut: NDArray[Any], other_cut: NDArray[Any], common: Floats) -> NDArray[Any]:
    """Which detections [n,4] of a tile and [m,4] of another are of one object: bool [n,m]."""
    a, b = (np.hstack((x[:, :2].clip(common[:2]), x[:, 2:].clip(None, common[2:]))) for x in (one, other))
    areas, others = (np.prod(x[:, 2:] - x[:, :2], axis=1) for x in (a, b))
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    shared = sides.clip(0).prod(-1)  # [n,m]
    union = areas[:, None] + others - shared
    alone = np.where(cut[:, None], areas[:, None], others)  # the area of the cut one, where one is
    return np.asarray(shared >= SAME * np.where(cut[:, None] == other_cut, union, alone))


def grouped(cut: list[bool], tile: list[int], pairs: Pairs) -> list[list[int]]:
    """The detections that stay, each with those that are joined to it, from all in order.

    cut, tile: of each. pairs: see `matches`.
    """
    group_of: dict[int, list[int]] = {}  # of the detections that stay
    for detection in range(len(cut)):
        hits = {group_of[before][0] for before in pairs.get(detection, ()) if before in group_of}
        if not hits:
            group_of[detection] = [detection]
            continue
        first, *others = (group_of[before] for before in sorted(hits))
        if cut[first[0]] and tile[detection] not in {tile[piece] for piece in first}:
            for group in ([detection], *others):
                if {tile[piece] for piece in first}.isdisjoint(tile[piece] for piece in group):
                    first += group
                    group_of.update(dict.fromkeys(group, first))
    return [group for first, group in group_of.items() if group[0] == first]
