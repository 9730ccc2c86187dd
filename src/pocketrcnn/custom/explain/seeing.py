"""Stages 1 and 2: the input as the network sees it, and the features that its convolutions make of it.

Legend: C channels, h and w the sides of a map in cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...report.blocks import Block, Figure, Panel, Section, Text
from ...report.charts import heat
from ...report.colours import DETECTION, GROUND_TRUTH
from ...report.marks import Mark, marked, png_uri
from ...report.prose import Prose
from ..report.pictures import picture_uri
from .overlays import Shown, overlay
from .trace import Trace

ROOM = 500_000  # characters of the picture of the input, and of that of the file
THUMBNAIL = 640  # pixels: the longer side of the picture of the file
CHANNELS = 12
BRIGHT = 0.99  # the part of the cells of a channel above which all have the brightest colour
prose = Prose(__name__, "seeing.md")


def input_section(traced: Trace) -> Section:
    """The file, where the input is not the same, and the input."""
    looked, side = traced.looked, traced.side
    values: dict[str, Any] = {
        "size": looked.views.size,
        "filled": looked.filled,
        "side": side,
        "scale": looked.views.scales[0],
        "tiles": len(looked.views.origins),
        "number": looked.number + 1,
        "threshold": traced.threshold,
        "objects": None if looked.truth is None else len(looked.truth),
        "cut": traced.shown != (side, side),
    }
    blocks: list[Block] = [file_figure(traced, prose("file", **values))] if values["size"] != (side, side) else []
    words = "What the network sees", prose("input", **values)
    blocks.append(overlay(traced, "input", words, objects(traced), uri=picture_uri(looked.pixels, ROOM), whole=True))
    return Section("input", "1 Input", blocks)


def file_figure(traced: Trace, caption: str) -> Figure:
    """The whole image, small, with the part that is explained."""
    looked = traced.looked
    whole = Image.fromarray(traced.subject.pixels)
    whole.thumbnail((THUMBNAIL, THUMBNAIL))
    (width, height), (left, top) = looked.views.size, looked.views.origins[looked.number]
    ends = min(width, left + looked.views.side), min(height, top + looked.views.side)
    box = left / width, top / height, ends[0] / width, ends[1] / height
    marks = [Mark(box, DETECTION)] if len(looked.views.origins) > 1 else []
    picture = marked(picture_uri(np.asarray(whole), ROOM), whole.size, marks, 0.05)
    panel = Panel(picture, f"The image {traced.subject.name}", traced.subject.name, f"{width} × {height} pixels")
    return Figure("The image", caption, [panel], layout="large")


def objects(traced: Trace) -> Shown:
    """The known objects, to be chosen one by one."""
    corners, named = traced.objects, traced.looked.named
    notes = [
        f"{name}, {x2 - x1:.0f} × {y2 - y1:.0f} pixels"
        for name, (x1, y1, x2, y2) in zip(named, corners.tolist(), strict=True)
    ]
    return Shown("object", corners, torch.ones(len(corners)), ("object",), notes=notes)


def features_section(traced: Trace) -> Section:
    """The way through the convolutions, and the strongest channels of the last map."""
    maps = traced.maps
    values = {
        "maps": [(name, *one.shape) for name, one in maps.items()],
        "stride": traced.stride,
        "channels": len(traced.features),
        "cells": traced.features.shape[-1],
        "shown": min(CHANNELS, len(traced.features)),
        "merged": list(maps)[-1] == "merged",
        "side": traced.side,
    }
    way = [
        map_panel(traced, strongest(traced, one)[0], name, f"{len(one)} maps of {one.shape[-1]} × {one.shape[-2]}")
        for name, one in maps.items()
    ]
    blocks: list[Block] = [Figure("From convolution to convolution", prose("way", **values), way, layout="pictures")]
    if values["cells"] == 1:
        return Section("features", "2 Features", [*blocks, Text(prose.paragraphs("one cell", **values))])
    best = [
        map_panel(traced, one, f"channel {place}", f"up to {float(one.max()):.2g}")
        for place, one in zip(order(traced, traced.features).tolist(), strongest(traced, traced.features), strict=False)
    ][:CHANNELS]
    return Section(
        "features",
        "2 Features",
        [*blocks, Figure("The strongest channels", prose("channels", **values), best, layout="pictures")],
    )


def order(traced: Trace, one: Tensor) -> Tensor:
    """The channels of a map, first those that differ most from cell to cell: [C]."""
    return cells_shown(traced, one).flatten(1).std(1, correction=0).argsort(descending=True, stable=True)


def strongest(traced: Trace, one: Tensor) -> Tensor:
    """The channels of a map [C,h,w] in that order, where there is some of the image."""
    return cells_shown(traced, one)[order(traced, one)]


def cells_shown(traced: Trace, one: Tensor) -> Tensor:
    """The cells of maps [..,h,w] in which there is some of the image."""
    width, height = (round(side * one.shape[-1] / traced.side) for side in traced.shown)
    return one[..., : max(1, height), : max(1, width)]


def map_panel(traced: Trace, values: Tensor, heading: str, caption: str) -> Panel:
    """A channel [h,w], its highest values bright."""
    brightest = values.flatten().quantile(BRIGHT).clamp(min=1e-9)
    uri = heat_uri(traced, (values / brightest).numpy(), truth=False)
    return Panel(uri, f"{heading} as a picture, bright where it is strong", heading, caption)


def heat_uri(traced: Trace, values: NDArray[Any], truth: bool = True) -> str:
    """Values 0..1 [h,w] as colours, one square a cell, with the known objects over them."""
    corners = (traced.objects.numpy() / np.tile(traced.shown, 2)).tolist() if truth else []
    marks = [Mark(box, GROUND_TRUTH, dashed=True) for box in corners]
    return marked(png_uri(heat(values)), traced.shown, marks, 0.05, squares=True)
