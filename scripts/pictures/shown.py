"""What each picture shows, in numbers: computed from what it is given, by the code of today.

`make pictures` draws these numbers and keeps them in docs/pictures/sources.json; a test computes them again. Where
the two differ, a picture shows what the code no longer does. Each function takes what a picture is `given` (plain
numbers, of a run or chosen by hand) and returns the numbers by the function that they come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pocketrcnn.custom.anchors import fit_anchors
from pocketrcnn.model import boxes
from pocketrcnn.model.roi import max_pool, transformer_pool

Numbers = dict[str, Any]
RIGHT = 0.5  # IoU from which on a detection is right


def plain(values: Tensor) -> Any:
    """Numbers as JSON keeps them."""
    return [plain(value) for value in values] if values.ndim else round(values.item(), 4)


def everywhere(values: Any) -> Tensor:
    """Which of the boxes [B,N,4] count: all."""
    return torch.ones(values.shape[:2], dtype=torch.bool)


def grid_of(given: Numbers) -> Tensor:
    """The anchors of a picture, [h,w,A,4]."""
    return boxes.anchors(given["cells"], given["cells"], given["stride"], given["shapes"])


def anchors(given: Numbers) -> Numbers:
    """The anchor of each cell that is drawn, row by row."""
    grid = grid_of(given)
    return {"boxes.anchors": [plain(grid[row, column, 0]) for row, column in given["drawn"]]}


def iou(given: Numbers) -> Numbers:
    """The IoU of each pair."""
    a, b = (torch.tensor(given[name], dtype=torch.float32) for name in ("a", "b"))
    return {"boxes.iou": plain(boxes.iou(a[:, None], b[:, None])[:, 0, 0])}


def matching(given: Numbers) -> Numbers:
    """The label of each anchor: 1 positive, 0 negative, -1 ignored; and its IoU with the nearest object."""
    grid, objects = grid_of(given), torch.tensor([given["objects"]], dtype=torch.float32)
    labels, _ = boxes.match(grid, objects, everywhere(objects), given["positive_iou"], given["negative_iou"])
    best, _ = boxes.closest(grid.reshape(1, -1, 4), objects, everywhere(objects))
    return {"boxes.match": plain(labels[0]), "boxes.closest": plain(best[0])}


def suppression(given: Numbers) -> Numbers:
    """Which boxes stay, of boxes that lie best first."""
    best_first = torch.tensor([given["boxes"]], dtype=torch.float32)
    return {"boxes.nms": boxes.nms(best_first, everywhere(best_first), given["iou"])[0].tolist()}


def deltas(given: Numbers) -> Numbers:
    """How to get from the anchor to the box."""
    box, anchor = torch.tensor(given["box"]).float(), torch.tensor(given["anchor"]).float()
    return {"boxes.encode": plain(boxes.encode(box, anchor))}


def max_pooling(given: Numbers) -> Numbers:
    """The first and the last cell of each bin of an axis, and the maxima."""
    low, high = torch.tensor(given["box"]).float().div(given["stride"]).view(2, 2)
    bins = [boxes.bins(low[axis], high[axis], given["size"], given["cells"]) for axis in (0, 1)]
    features = torch.tensor(given["features"]).float()[None, None]
    pooled = max_pool(features, torch.tensor([[given["box"]]]).float(), given["side"], given["size"])[0, 0]
    spans = [[[int(cell) for cell in row.nonzero()[[0, -1], 0]] for row in axis] for axis in bins]
    return {"boxes.bins": spans, "roi.max_pool": plain(pooled)}


def fitted(given: Numbers) -> Numbers:
    """Anchors by k-means on the sizes of boxes, and the mean IoU of a box with its best anchor."""
    anchors, fit = fit_anchors(np.array(given["boxes"], np.float64), given["count"])
    return {"anchors.fit_anchors": [[*anchor] for anchor in anchors], "anchors.fit_anchors (fit)": [round(fit, 3)]}


def transformer(given: Numbers) -> Numbers:
    """Theta of the box, and the crop of a ramp along x, which says where the transformer samples."""
    box, side = torch.tensor([[given["box"]]], dtype=torch.float32), given["side"]
    ramp = (torch.arange(side) + 0.5).expand(1, 1, side, side)
    crop = transformer_pool(ramp, box, side, given["size"])[0, 0]
    return {"boxes.theta": plain(boxes.theta(box[0, 0], side, side)), "roi.transformer_pool": plain(crop[0])}


def stages(given: Numbers) -> Numbers:
    """Which anchors match, which proposals stay, and where the spatial transformer crops."""
    return {
        "boxes.match": matching(given)["boxes.match"],
        "boxes.nms": suppression({"boxes": given["candidates"], "iou": given["nms_iou"]})["boxes.nms"],
        "boxes.theta": plain(boxes.theta(torch.tensor(given["region"]), given["side"], given["side"])),
    }


def hits(given: Numbers) -> Numbers:
    """For each set of detections, best first: which are right, and how many objects they leave out.

    A detection is right if its IoU with an object that no better one has taken is 0.5 or more, and its class is that
    of the object.
    """
    return {f"boxes.iou ({name})": verdict(given, given[name]) for name in ("before", "after") if name in given}


def scenes_right(given: Numbers) -> Numbers:
    """Whether the detection of each scene is right."""
    return {"boxes.iou": [verdict(scene, scene["after"])["right"][0] for scene in given["scenes"]]}


def verdict(given: Numbers, detections: Numbers) -> Numbers:
    """Of one set of detections: right or wrong each, and the objects that none of them stands for."""
    objects, labels = torch.tensor(given["objects"]), given["labels"]
    overlap = boxes.iou(torch.tensor(detections["boxes"]).view(-1, 4), objects)  # [M,G]
    right, taken = [], set[int]()
    for row, label in zip(overlap.tolist(), detections["labels"], strict=True):
        free = {place: value for place, value in enumerate(row) if place not in taken and labels[place] == label}
        best = max(free, key=lambda place: free[place], default=-1)
        right.append(best >= 0 and free[best] >= RIGHT)
        taken |= {best} if right[-1] else set()
    return {"right": right, "missed": [place for place in range(len(labels)) if place not in taken]}


COMPUTED: dict[str, Callable[[Numbers], Numbers]] = {
    "anchors.svg": anchors,
    "fit.svg": fitted,
    "iou.svg": iou,
    "deltas.svg": deltas,
    "matching.svg": matching,
    "max_pool.svg": max_pooling,
    "nms.svg": suppression,
    "theta.png": transformer,
    "stages.png": stages,
    "nuclei.png": hits,
    "course.png": scenes_right,
}
