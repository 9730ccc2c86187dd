"""Stages 3 to 5: anchors, the objectness of each, and the proposals that they become.

Legend: h and w cells of the features, A anchors a cell, N = h*w*A, K candidates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...model import boxes
from ...report.blocks import Block, Figure, Key, Panel, Section, Text
from ...report.charts import heat
from ...report.colours import DETECTION, GREY
from ...report.overlays import Slider
from ...report.prose import Prose
from .overlays import BEST, SIDES, Filtered, Shown, overlay, top
from .seeing import cells_shown, heat_uri
from .trace import Candidates, Trace

LEVELS = ((0.0, "#0072b2"), (0.4, "#56b4e9"), (0.55, "#f0e442"), (0.7, "#e69f00"), (0.85, "#d55e00"))
"""IoU from which on a matching anchor has each colour: cold to warm."""
SHAPES = 8  # whose objectness has a picture of its own
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the legend of a map
LISTED = 1000  # matching anchors that can be drawn
prose = Prose(__name__, "proposing.md")


def anchors_section(traced: Trace) -> Section:
    """The anchors of a cell, and those that match an object."""
    rpn = traced.rpn
    grid = rpn.anchors.view(rpn.cells, rpn.cells, -1, 4)
    row, column = cell_of(traced, rpn.cells)
    shapes = rpn.config.anchors
    values = {
        "cells": rpn.cells,
        "stride": traced.stride,
        "shapes": shapes,
        "count": len(rpn.anchors),
        "row": row + 1,
        "column": column + 1,
        "dotted": rpn.cells <= SIDES,
    }
    notes = [f"{width:.4g} × {height:.4g} pixels" for width, height in shapes]
    one = Shown("anchor", grid[row, column], torch.ones(len(shapes)), ("anchor",), notes=notes, chosen=len(notes) - 1)
    dots = {"centre": centres(grid)} if values["dotted"] else {}
    blocks: list[Block] = [
        overlay(traced, "anchors", ("The anchors of one cell", prose("anchors", **values)), one, fixed=dots)
    ]
    return Section("anchors", "3 Anchors", [*blocks, *matching(traced, grid)])


def cell_of(traced: Trace, cells: int) -> tuple[int, int]:
    """Row and column of the cell in the middle of the largest object, else of the best detection, else of the image."""
    known, found = traced.objects, traced.detections.boxes
    shown = known[boxes.area(known).argmax()][None] if len(known) else torch.from_numpy(found[:1])
    width, height = traced.looked.filled
    whole = torch.tensor([[0.0, 0.0, width, height]])
    x, y, *_ = boxes.center_size((shown if len(shown) else whole)[0])
    return (min(cells - 1, int(y) // traced.stride), min(cells - 1, int(x) // traced.stride))


def centres(grid: Tensor) -> str:
    """A path of dots at the centres of all cells."""
    x, y, *_ = boxes.center_size(grid[:, :, 0])
    return "".join(f"M{a:g} {b:g}h0" for a, b in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))


def matching(traced: Trace, grid: Tensor) -> list[Block]:
    """The anchors that match an object, where objects are known."""
    objects, rpn = traced.objects[None], traced.rpn
    if not len(traced.objects):
        return [Text(prose.paragraphs("no truth", known=traced.looked.truth is not None), "note")]
    valid = torch.ones(objects.shape[:2], dtype=torch.bool)
    labels, nearest = boxes.match(grid, objects, valid, rpn.config.positive_iou, rpn.config.negative_iou)
    overlap, _ = boxes.closest(grid.reshape(1, -1, 4), objects, valid)
    order, leading = best_of_each_first((labels[0] == boxes.POSITIVE).nonzero()[:, 0], overlap[0], nearest[0])
    positive, order = len(order), order[:LISTED]
    best = overlap[0, order]
    found = Shown(
        "anchor",
        grid.reshape(-1, 4)[order],
        best,
        [f"iou-{level}" for level in range(len(LEVELS))],
        kind=[max(n for n, (low, _) in enumerate(LEVELS) if value >= low) for value in best.tolist()],
        notes=[described(traced, int(place), int(nearest[0, place]), float(overlap[0, place])) for place in order],
        values={"top": leading},
    )
    values = {
        "positive": positive,
        "listed": len(order),
        "ignored": int((labels == boxes.IGNORED).sum()),
        "negative": int((labels == boxes.NEGATIVE).sum()),
        "objects": len(traced.objects),
        "leading": leading,
        "best": float(best[:leading].max()),
        "worst": float(best[:leading].min()),
        "limits": (rpn.config.positive_iou, rpn.config.negative_iou),
    }
    keys = [Key(f"IoU from {low:g}", colour) for low, colour in LEVELS]
    slider = top(
        len(order), leading, "anchors: the best of each object, then the others", f"of each object: {leading:,}"
    )
    words, sliders = ("Anchors that match an object", prose("matching", **values)), [slider] if len(order) > 1 else []
    return [overlay(traced, "matching", words, found, BEST, sliders=sliders, keys=keys)]


def best_of_each_first(positive: Tensor, overlap: Tensor, nearest: Tensor) -> tuple[Tensor, int]:
    """The matching anchors, the best one of each object first, then the others, each by falling IoU; how many lead.

    positive: indices. overlap, nearest: of all anchors [N], the IoU with the object that each overlaps most, and which
    that is.
    """
    order = positive[overlap[positive].argsort(descending=True, stable=True)]
    objects = nearest[order].tolist()
    leads = torch.tensor([objects.index(obj) == place for place, obj in enumerate(objects)], dtype=torch.bool)
    return torch.cat((order[leads], order[~leads])), int(leads.sum())


def described(traced: Trace, place: int, obj: int, overlap: float) -> str:
    """An anchor by its index among all, in words."""
    rpn = traced.rpn
    per_cell = len(rpn.config.anchors)
    row, column = divmod(place // per_cell, rpn.cells)
    width, height = rpn.config.anchors[place % per_cell]
    named = f"object {obj + 1} ({traced.looked.named[obj]})"
    return f"IoU {overlap:.3f} with {named}, {width:.4g} × {height:.4g} pixels at row {row + 1}, column {column + 1}"


def objectness_section(traced: Trace) -> Section:
    """What the network thinks of each anchor, as maps."""
    rpn, logits = traced.rpn, traced.prediction.objectness
    assert logits is not None, "objectness belongs to proposals"
    scores = cells_shown(traced, logits[0].sigmoid().view(rpn.cells, rpn.cells, -1).permute(2, 0, 1))  # [A,h,w]
    best = scores.amax(0)
    panels = [panel(traced, best, "all shapes" if len(scores) > 1 else "objectness")]
    if len(scores) > 1:
        shown = scores.flatten(1).amax(1).argsort(descending=True, stable=True)[:SHAPES].sort().values.tolist()
        panels += [panel(traced, scores[n], "{:.4g} × {:.4g} px".format(*rpn.config.anchors[n])) for n in shown]
    values = {
        "highest": float(best.max()),
        "half": int((best >= 0.5).sum()),
        "cells": best.numel(),
        "shapes": len(scores),
        "shown": len(panels) - 1,
        "truth": len(traced.objects) > 0,
    }
    colours = heat(np.array([STEPS]))[0]
    keys = [
        Key(f"{value:g}", "#{:02x}{:02x}{:02x}".format(*colour), "square")
        for value, colour in zip(STEPS, colours, strict=True)
    ]
    layout = "large" if len(panels) < 3 else "pictures" if len(panels) in (5, 6) else "pairs"
    figure = Figure("How much each cell looks like an object", prose("objectness", **values), panels, keys, layout)
    return Section("objectness", "4 Objectness", [figure])


def panel(traced: Trace, scores: Tensor, heading: str) -> Panel:
    """Scores [h,w] as a picture."""
    return Panel(
        heat_uri(traced, scores.numpy()), f"Objectness of {heading}", heading, f"highest {float(scores.max()):.3f}"
    )


def proposals_section(traced: Trace) -> Section:
    """What enters suppression and what stays, with sliders for both."""
    found, rpn = traced.candidates, traced.rpn
    assert found is not None, "proposals come from the network for them"
    limit = rpn.config.nms_iou
    shown = Shown(
        "candidate",
        found.boxes,
        found.logits.sigmoid(),
        ("candidate",),
        measure="objectness",
        values={"top": found.used, "iou": limit},
        suppressed=~found.stays,
        keep=min(rpn.config.proposals, len(found.boxes)),
    )
    sliders = [
        top(len(found.boxes), found.used, "candidates, best first", f"as the network: {found.used:,}"),
        Slider("iou", "IoU from which on the worse box goes", 0.0, 1.0, 0.01, limit, f"as the network: {limit:g}"),
    ]
    before = Filtered("Before suppression", "candidates: {n}", ("top",))
    after = Filtered("After suppression", "left: {n}", ("top", "iou"))
    keys = [Key("candidate", DETECTION), *([Key("left, but not kept", GREY, "dotted")] if beyond(shown) else [])]
    words = "Non-maximum suppression", prose("proposals", **counts(traced, found))
    block = overlay(traced, "proposals", words, shown, [before, after], sliders=sliders, keys=keys)
    return Section("proposals", "5 Proposals", [block])


def beyond(shown: Shown) -> bool:
    """Whether a slider can let more boxes stay than the network keeps."""
    return shown.keep < len(shown.boxes)


def counts(traced: Trace, found: Candidates) -> dict[str, Any]:
    """The numbers of the caption."""
    rpn = traced.rpn
    return {
        "anchors": len(rpn.anchors),
        "used": found.used,
        "stay": len(found.left),
        "keep": rpn.config.proposals,
        "iou": rpn.config.nms_iou,
        "moved": traced.prediction.deltas is not None,
        "more": len(found.boxes) > found.used,
        "listed": len(found.boxes),
        "first": float(found.logits[0].sigmoid()),
        "last": float(found.logits[found.used - 1].sigmoid()),
    }
