"""Drawings of what follows from the data: anchors that fit boxes (fit.svg), the first filters (filters.png)."""

from __future__ import annotations

import math

import torch
from drawing import BLUE, GREY, INK, RED, RULE, Drawing
from sheet import Sheet, Tile
from shown import COMPUTED, Numbers

from pocketrcnn.config import BackboneConfig, DataConfig
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.model.backbones import Backbone

# Widths and heights in pixels: of round nuclei, and of long rods that lie or stand.
ROUND = [[9, 10], [10, 9], [11, 12], [12, 11], [13, 13], [14, 12], [12, 14], [15, 16], [16, 15], [17, 18], [19, 17]]
LYING = [[34, 11], [38, 12], [41, 14], [36, 13], [45, 13], [40, 11], [48, 16]]
STANDING = [[11, 33], [12, 38], [14, 42], [12, 35], [13, 46], [15, 40]]
FIT: Numbers = {"boxes": ROUND + LYING + STANDING, "count": 3}
LEAST, MOST = 7.0, 60.0  # pixels: what the axes show
FIRST = 200  # images whose patches give the filters


def fit() -> bytes:
    """The sizes of boxes on logarithmic axes, and the anchors that k-means finds."""
    drawing, shown = Drawing(900, 420), COMPUTED["fit.svg"](FIT)
    left, top, size = 90, 30, 320

    def at(value: float) -> float:
        return size * math.log(value / LEAST) / math.log(MOST / LEAST)

    drawing.rect((left, top, left + size, top + size), "#ffffff", RULE, 2)
    for tick in (10, 20, 40):
        drawing.text(left + at(tick), top + size + 28, str(tick), 22, GREY, text_anchor="middle")
        drawing.text(left - 12, top + size - at(tick) + 8, str(tick), 22, GREY, text_anchor="end")
    for width, height in FIT["boxes"]:
        drawing.dot(left + at(width), top + size - at(height), 6, BLUE)
    for width, height in shown["anchors.fit_anchors"]:
        x, y = left + at(width), top + size - at(height)
        drawing.rect((x - 11, y - 11, x + 11, y + 11), "none", RED, 4)
    drawing.text(left + size / 2, top + size + 58, "width in pixels", 22, INK, text_anchor="middle")
    middle = top + size / 2
    drawing.text(32, middle, "height", 22, INK, text_anchor="middle", transform=f"rotate(-90 32 {middle:g})")
    drawing.text(480, 90, f"{len(FIT['boxes'])} boxes (dots), {FIT['count']} anchors:", 24)
    for line, (width, height) in enumerate(shown["anchors.fit_anchors"]):
        drawing.rect((482, 122 + 44 * line, 504, 144 + 44 * line), "none", RED, 4)
        drawing.text(520, 142 + 44 * line, f"{width:g} × {height:g}", 24)
    drawing.text(480, 306, "mean IoU of a box with", 24)
    drawing.text(480, 338, f"its best anchor: {shown['anchors.fit_anchors (fit)'][0]:.2f}", 24)
    return drawing.svg()


def filters() -> bytes:
    """The 32 first filters, from patches of the sample's training images: each with both signs."""
    backbone = Backbone(BackboneConfig("conv", table=1, whiten=True))
    images = open_dataset(DataConfig("sample", kind="images"), "train").batch(torch.arange(FIRST)).images.float()
    backbone.whiten((images - images.mean()) / images.std())
    kernels = backbone.first_filters().detach()
    order = torch.arange(len(kernels)).view(2, -1).flatten()  # first the components, below them their negatives
    sheet = Sheet(len(kernels) // 2, 2, 60, 0, 14)
    for place, kernel in enumerate(kernels[order]):
        values = 0.5 + 0.5 * kernel / kernel.abs().max()
        sheet.put(place, Tile((255 * values).round().byte().permute(1, 2, 0).numpy(), 60).image)
    return sheet.png()


PICTURES = {"fit.svg": fit, "filters.png": filters}
GIVEN: dict[str, Numbers] = {"fit.svg": FIT, "filters.png": {"data": "sample", "images": FIRST}}
