"""The box of a COCO record: of its bbox, or around its outline, its mask or its rotated rectangle. No torch here.

A rotation (CVAT's `attributes.rotation`) is that of `bbox` about its centre, in degrees. A bbox of five numbers is the
centre, the sides and the angle of a rotated rectangle, in degrees as well (Detectron2's `XYWHA_ABS`); one of eight has
four corners.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from ...errors import shown
from ..annotations import Box, Written
from .meaning import number
from .read_only.records import Unclear, around, turned
from .rle import box_around, decompressed

Size = tuple[int, int]
Found = tuple[Box, Written | None, str]


def box_of(record: Mapping[str, Any], rotation: float, size: Size | None, in_degrees: bool) -> Found:
    """A box, its numbers in the file where these say nothing else, and the kind of a note, empty where none is due.

    rotation: in degrees. size: (width, height) of the image as the file states it. in_degrees: whether the angles of
    bboxes of five numbers are. Raises Unclear where there is no box.
    """
    bbox, segmentation = numbers(record.get("bbox")), record.get("segmentation")
    if segmentation and (not any(bbox) or len(bbox) not in (4, 5, 8)):
        return box_of_segmentation(segmentation, size), None, "outlined"
    if len(bbox) == 8:
        return around(points_of(bbox)), None, "outlined"
    if len(bbox) == 5:
        return rotated(bbox, in_degrees), None, "rotated"
    if len(bbox) != 4:
        raise Unclear(f"its bbox is {shown(record.get('bbox'))}, not four numbers, and it has no segmentation")
    x, y, width, height = bbox
    box = x, y, x + width, y + height
    if not rotation % 180:
        return box, Written((x, y, width, height), "xywh"), ""
    if segmentation and isinstance(segmentation, list) and not is_upright(segmentation):
        return box_of_segmentation(segmentation, size), None, "rotated"
    return turned(box, rotation, (x + width / 2, y + height / 2)), None, "rotated"


def rotated(bbox: Sequence[float], in_degrees: bool) -> Box:
    """The box around a rotated rectangle: its centre, width, height and angle. Raises Unclear."""
    x, y, width, height, angle = bbox
    if angle and not in_degrees:
        raise Unclear(f"its bbox has an angle of {angle:.6g}, which may be in degrees or radians: write four numbers")
    return turned((x - width / 2, y - height / 2, x + width / 2, y + height / 2), angle, (x, y))


def box_of_segmentation(segmentation: object, size: Size | None) -> Box:
    """The box around all polygons of an object, or around its mask. Raises Unclear where there is none."""
    if isinstance(segmentation, Mapping):
        return box_of_mask(segmentation, size)
    return around(chain.from_iterable(map(points_of, polygons_of(segmentation))))


def polygons_of(segmentation: object) -> list[list[float]]:
    """The polygons of an object, each x, y, x, y, ..; a single one may stand without brackets around it, and points may
    have brackets of their own. Raises Unclear where it is none."""
    parts = segmentation if isinstance(segmentation, list) else []
    if parts and not any(isinstance(part, list) for part in parts):
        parts = [parts]
    polygons = [numbers(flat(part)) for part in parts if part]
    whole = all(len(polygon) and len(polygon) % 2 == 0 and all(map(math.isfinite, polygon)) for polygon in polygons)
    if not polygons or not whole:
        raise Unclear(f"its segmentation is {shown(segmentation)}, not polygons of x, y, x, y, ..")
    return polygons


def flat(polygon: object) -> object:
    """A polygon whose points have brackets without these."""
    points = polygon if isinstance(polygon, list) else []
    return list(chain.from_iterable(points)) if points and all(isinstance(one, list) for one in points) else polygon


def box_of_mask(mask: Mapping[str, Any], size: Size | None) -> Box:
    """The box around a mask of run lengths. Raises Unclear where it is empty, or none of the size of its image."""
    counts, sides = mask.get("counts"), numbers(mask.get("size"))
    if len(sides) != 2 or not all(side.is_integer() and side > 0 for side in sides):
        raise Unclear(f"the size of its mask is {shown(mask.get('size'))}, not height and width")
    height, width = map(int, sides)
    if size and size != (width, height):
        raise Unclear(f"its mask is of {width}x{height} pixels, its image of {size[0]}x{size[1]}")
    try:
        runs = decompressed(counts) if isinstance(counts, str) else numbers(counts)
        if not runs or not all(run == int(run) for run in runs):
            raise ValueError(f"the run lengths of its mask are {shown(counts)}, not whole numbers")
        return box_around(list(map(int, runs)), height, width)
    except (ValueError, OverflowError) as error:
        raise Unclear(str(error)) from None


def points_of(polygon: Sequence[float]) -> list[tuple[float, float]]:
    """The points of x, y, x, y, .."""
    return list(zip(polygon[::2], polygon[1::2], strict=True))


def is_upright(segmentation: object) -> bool:
    """Whether polygons are one rectangle that is not rotated: then they say no more than the bbox."""
    polygons = polygons_of(segmentation)
    points = points_of(polygons[0])
    x1, y1, x2, y2 = around(points)
    return len(polygons) == 1 and all(x in (x1, x2) and y in (y1, y2) for x, y in points)


def numbers(values: object) -> list[float]:
    """A list of numbers; empty where it is none, or one of its members is no number."""
    made = [number(value) for value in values] if isinstance(values, list) else []
    kept = [value for value in made if value is not None]
    return kept if len(kept) == len(made) else []
