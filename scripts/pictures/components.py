"""Drawings of docs/components.md: what the functions of boxes.py and roi.py give for a few numbers."""

from __future__ import annotations

import numpy as np
import torch
from drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, RULE, Drawing, Plot
from PIL import Image, ImageDraw
from sheet import GREY as GREY_INK
from sheet import INK as DARK
from sheet import ORANGE as ORANGE_INK
from sheet import Pixels, Sheet, Tile, letters
from shown import COMPUTED, Numbers

from pocketrcnn.config import DataConfig
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.model.roi import transformer_pool

SIDE, STRIDE, CELLS, ANCHOR = 48, 8, 6, 32  # pixels: the course's frame, cells and anchors
EXAMPLE = 41  # which test scene of the sample is cropped: a red car in the box below
NAMES = "ABCD"
GRID: Numbers = {"cells": CELLS, "stride": STRIDE, "shapes": [[ANCHOR, ANCHOR]]}
GIVEN: dict[str, Numbers] = {
    "anchors.svg": GRID | {"drawn": [[0, 0], [2, 3], [5, 5]]},
    "iou.svg": {"a": [[4, 4, 28, 28]] * 3, "b": [[24, 24, 44, 44], [12, 10, 36, 34], [6, 5, 30, 29]]},
    "matching.svg": GRID | {"objects": [[8, 8, 40, 32]], "positive_iou": 0.7, "negative_iou": 0.1},
    "nms.svg": {"boxes": [[8, 6, 36, 34], [11, 11, 39, 39], [18, 11, 46, 39], [24, 36, 40, 47]], "iou": 0.5},
    "deltas.svg": {"anchor": [8, 8, 40, 40], "box": [10, 6, 34, 30]},
    "max_pool.svg": {
        "box": [10, 6, 38, 32],
        "side": SIDE,
        "stride": STRIDE,
        "cells": CELLS,
        "size": 2,
        "features": [
            [1, 0, 2, 1, 0, 3],
            [0, 4, 1, 2, 5, 1],
            [2, 1, 7, 0, 3, 2],
            [1, 3, 2, 6, 1, 0],
            [0, 2, 8, 1, 4, 1],
            [3, 0, 1, 2, 0, 1],
        ],
    },
    "theta.png": {"box": [10, 7, 38, 35], "side": SIDE, "size": 14},
}


def anchors() -> bytes:
    """Cell centres, and the anchors of three of them."""
    drawing, given = Drawing(900, 420), GIVEN["anchors.svg"]
    plot = Plot(drawing, 130, 100, 220, SIDE)
    plot.cells(STRIDE)
    for row in range(CELLS):
        for column in range(CELLS):
            plot.dot((column + 0.5) * STRIDE, (row + 0.5) * STRIDE, 4, GREY)
    colours = (ORANGE, BLUE, GREEN)
    boxes = COMPUTED["anchors.svg"](given)["boxes.anchors"]
    for box, colour, (row, column) in zip(boxes, colours, given["drawn"], strict=True):
        plot.box(box, colour, 4)
        plot.dot((column + 0.5) * STRIDE, (row + 0.5) * STRIDE, 7, colour)
    words = [f"{CELLS} × {CELLS} cells of {STRIDE} pixels,", f"one {ANCHOR} × {ANCHOR} anchor a cell:"]
    for line, text in enumerate(words):
        drawing.text(480, 110 + 34 * line, text, 24)
    for line, (box, colour) in enumerate(zip(boxes, colours, strict=True)):
        y = 200 + 44 * line
        drawing.rect((482, y - 20, 504, y + 2), "none", colour, 4)
        drawing.text(520, y, "(" + ", ".join(f"{value:g}".replace("-", "−") for value in box) + ")", 24)
    drawing.text(480, 340, "Anchors reach over the border.", 24, GREY)
    return drawing.svg()


def iou() -> bytes:
    """Three pairs of boxes with their IoU."""
    drawing, given = Drawing(900, 380), GIVEN["iou.svg"]
    values = COMPUTED["iou.svg"](given)["boxes.iou"]
    for place, (a, b, value) in enumerate(zip(given["a"], given["b"], values, strict=True)):
        plot = Plot(drawing, 40 + 290 * place, 30, 250, SIDE)
        common = [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
        plot.box([0, 0, SIDE, SIDE], RULE, 2, "#ffffff")
        plot.box(common, "none", 0, "#f4d58a")
        plot.box(a, BLUE, 4)
        plot.box(b, RED, 4)
        drawing.text(165 + 290 * place, 318, f"IoU {value:.2f}", 30, INK, text_anchor="middle", font_weight="600")
    drawing.text(
        450, 358, "the common area (yellow) over the area of both boxes together", 24, GREY, text_anchor="middle"
    )
    return drawing.svg()


def matching() -> bytes:
    """The cells of the grid, coloured by the label of their anchor."""
    drawing, given = Drawing(900, 440), GIVEN["matching.svg"]
    shown = COMPUTED["matching.svg"](given)
    fills = {1: "#8fd6bf", 0: "#ffffff", -1: "#e6e6e6"}
    plot = Plot(drawing, 50, 40, 360, SIDE)
    plot.cells(STRIDE)
    for place, (label, overlap) in enumerate(zip(shown["boxes.match"], shown["boxes.closest"], strict=True)):
        row, column = divmod(place, CELLS)
        x, y = column * STRIDE, row * STRIDE
        plot.box((x, y, x + STRIDE, y + STRIDE), RULE, 1.5, fills[label])
        drawing.text(50 + (x + 4) * 7.5, 48 + (y + 4) * 7.5, f"{overlap:.2f}", 22, INK, text_anchor="middle")
    plot.box(given["objects"][0], RED, 4)
    x1, y1, x2, y2 = given["objects"][0]
    drawing.text(450, 66, "IoU of the anchor of each cell", 24)
    drawing.text(450, 98, f"with an object of {x2 - x1} × {y2 - y1} px (red)", 24)
    keys = (
        (1, f"positive: above {given['positive_iou']}"),
        (-1, "ignored: in no loss"),
        (0, f"negative: below {given['negative_iou']}"),
    )
    for line, (label, words) in enumerate(keys):
        y = 160 + 52 * line
        drawing.rect((450, y - 24, 482, y + 8), fills[label], GREY, 1.5)
        count = shown["boxes.match"].count(label)
        drawing.text(498, y, f"{words} ({count})", 24)
    drawing.text(450, 326, "The best anchors of an object are", 24, GREY)
    drawing.text(450, 358, "positive in any case (here: two).", 24, GREY)
    return drawing.svg()


def deltas() -> bytes:
    """An anchor, a box, and the four numbers that lead from one to the other."""
    drawing, given = Drawing(900, 380), GIVEN["deltas.svg"]
    anchor, box = given["anchor"], given["box"]
    plot = Plot(drawing, 50, 30, 320, SIDE)
    plot.box([0, 0, SIDE, SIDE], RULE, 2, "#ffffff")
    for one, colour in ((anchor, GREY), (box, GREEN)):
        plot.box(one, colour, 4)
        plot.dot((one[0] + one[2]) / 2, (one[1] + one[3]) / 2, 7, colour)
    rows = zip(("x", "y", "w", "h"), COMPUTED["deltas.svg"](given)["boxes.encode"], strict=True)
    drawing.text(430, 62, "from the anchor (grey)", 24, GREY)
    drawing.text(430, 94, "to the box (green):", 24, GREEN)
    for line, (name, value) in enumerate(rows):
        formula = f"({name} − {name}a) / {'w' if name == 'x' else 'h'}a" if name in "xy" else f"log({name} / {name}a)"
        drawing.text(430, 150 + 44 * line, f"t{name} = {formula}", 24)
        drawing.text(840, 150 + 44 * line, f"{value:.2f}".replace("-", "−"), 24, INK, text_anchor="end")
    drawing.text(430, 340, "a: of the anchor; x, y: of the centre", 24, GREY)
    return drawing.svg()


def max_pooling() -> bytes:
    """The bins of a box, rounded outwards to whole cells, and the maximum of each."""
    drawing, given = Drawing(900, 420), GIVEN["max_pool.svg"]
    shown = COMPUTED["max_pool.svg"](given)
    plot, colours = Plot(drawing, 40, 40, 340, SIDE), (BLUE, ORANGE, GREEN, PURPLE)
    columns, rows = shown["boxes.bins"]
    plot.cells(STRIDE)
    for place, colour in enumerate(colours):
        (x1, x2), (y1, y2) = columns[place % 2], rows[place // 2]
        edges = (x1 * STRIDE, y1 * STRIDE, (x2 + 1) * STRIDE, (y2 + 1) * STRIDE)
        plot.box(edges, colour, 4, colour, fill_opacity="0.18")
    for row, values in enumerate(given["features"]):
        for column, value in enumerate(values):
            x, y = 40 + (column + 0.5) * 340 / CELLS, 48 + (row + 0.5) * 340 / CELLS
            drawing.text(x, y, str(value), 24, INK, text_anchor="middle")
    plot.box(given["box"], RED, 4, stroke_dasharray="10 7")
    drawing.text(440, 66, "a box (red), cut into 2 × 2 bins,", 24)
    drawing.text(440, 98, "each rounded outwards to cells", 24)
    drawing.text(440, 160, "the maximum of each bin:", 24)
    for place, colour in enumerate(colours):
        x, y = 500 + 90 * (place % 2), 190 + 90 * (place // 2)
        drawing.rect((x, y, x + 84, y + 84), "#ffffff", colour, 5)
        value = shown["roi.max_pool"][place // 2][place % 2]
        drawing.text(x + 42, y + 53, f"{value:g}", 32, INK, text_anchor="middle", font_weight="600")
    return drawing.svg()


def suppression() -> bytes:
    """Greedy suppression: four boxes, then one better box after the other."""
    drawing, given = Drawing(900, 420), GIVEN["nms.svg"]
    kept = COMPUTED["nms.svg"](given)["boxes.nms"]
    gone: set[int] = set()
    first_panel(drawing, given)
    for column, best in enumerate([place for place, stays in enumerate(kept) if stays][:2], 1):
        gone |= step(drawing, column, best, gone)
    return drawing.svg()


def panel(drawing: Drawing, column: int, title: str, note: str) -> Plot:
    """One of three frames with its words."""
    x = 30 + 290 * column
    plot = Plot(drawing, x, 70, 260, SIDE)
    plot.box([0, 0, SIDE, SIDE], RULE, 2, "#ffffff")
    drawing.text(x, 50, title, 26, INK, font_weight="600")
    drawing.text(x, 366, note, 24, GREY)
    return plot


def first_panel(drawing: Drawing, given: Numbers) -> None:
    """All boxes."""
    plot = panel(drawing, 0, "A is the best box", f"limit: IoU {given['iou']}")
    for place in reversed(range(len(given["boxes"]))):
        named(plot, place, BLUE)


def step(drawing: Drawing, column: int, best: int, gone: set[int]) -> set[int]:
    """A box that stays, and those that it removes."""
    given = GIVEN["nms.svg"]
    overlaps = {other: pair(best, other) for other in range(best + 1, len(given["boxes"])) if other not in gone}
    now = {other for other, value in overlaps.items() if value > given["iou"]}
    note = ", ".join(f"{NAMES[other]} {value:.2f}" for other, value in overlaps.items() if value)
    plot = panel(drawing, column, f"{NAMES[best]} stays", f"IoU {note}" if note else "IoU 0 with all others")
    for place in reversed(range(len(given["boxes"]))):
        if place not in gone:
            named(plot, place, RED if place in now else GREEN if place == best else BLUE, place in now)
    words = f"{' and '.join(NAMES[other] for other in sorted(now))} removed" if now else "nothing is removed"
    drawing.text(30 + 290 * column, 398, words, 24, RED if now else GREY)
    return now


def named(plot: Plot, place: int, colour: str, removed: bool = False) -> None:
    """A box with its letter in a corner: each in another one, so that none lies on another."""
    box = GIVEN["nms.svg"]["boxes"][place]
    plot.box(box, colour, 4, **({"stroke_dasharray": "8 6"} if removed else {}))
    x1, y1, x2, y2 = plot.at(box)
    x, y = ((x1 + 6, y1 + 24), (x1 + 6, y2 - 7), (x2 - 23, y2 - 7), (x1 + 6, y2 - 7))[place]
    plot.drawing.text(x, y, NAMES[place], 24, colour, font_weight="600")


def pair(first: int, other: int) -> float:
    """The IoU of two of the boxes."""
    boxes = GIVEN["nms.svg"]["boxes"]
    value: float = COMPUTED["iou.svg"]({"a": [boxes[first]], "b": [boxes[other]]})["boxes.iou"][0]
    return value


def transformer() -> bytes:
    """A box on an image with the points that are sampled, theta, and the crop."""
    given, image = GIVEN["theta.png"], example()
    theta = COMPUTED["theta.png"](given)["boxes.theta"]
    sheet = Sheet(3, 1, 384, 60)
    frame = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    crop = transformer_pool(frame, torch.tensor([[given["box"]]]).float(), SIDE, given["size"])[0]
    small = crop.permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    for place, title in enumerate(("a box on the image", "theta", f"the crop, {given['size']} × {given['size']}")):
        sheet.title(place, [(title, 34, True, DARK)])
    sheet.put(0, sampled(image, given))
    sheet.put(1, formula(theta))
    sheet.put(2, Tile(small, 384).image)
    return sheet.png()


def sampled(image: Pixels, given: Numbers) -> Image.Image:
    """The box and the centres of its parts."""
    tile = Tile(image, 384)
    tile.box(given["box"], ORANGE_INK, 5)
    x1, y1, x2, y2 = given["box"]
    parts = (np.arange(given["size"]) + 0.5) / given["size"]
    for y in y1 + (y2 - y1) * parts:
        for x in x1 + (x2 - x1) * parts:
            tile.dot(x, y, (255, 255, 255), 2)
    return tile.image


def formula(theta: list[float]) -> Image.Image:
    """The matrix that maps the crop, -1 to 1 both ways, to the frame, -1 to 1 both ways."""
    tile = Image.new("RGB", (384, 384), (255, 255, 255))
    pen = ImageDraw.Draw(tile)
    scale_x, shift_x, scale_y, shift_y = (f"{value:.2f}".replace("-", "−") for value in theta)
    for row, cells in enumerate(((scale_x, "0", shift_x), ("0", scale_y, shift_y))):
        for column, text in enumerate(cells):
            pen.text((75 + 112 * column, 150 + 84 * row), text, fill=DARK, font=letters(34), anchor="mm")
    for x, inward in ((18, 14), (365, -14)):
        pen.line([(x + inward, 105), (x, 105), (x, 280), (x + inward, 280)], fill=DARK, width=4)
    pen.text((192, 58), "scale, 0, shift: x and y", fill=GREY_INK, font=letters(28), anchor="mm")
    pen.text((192, 330), "frame and crop: −1 to 1", fill=GREY_INK, font=letters(28), anchor="mm")
    return tile


def example() -> Pixels:
    """The first test scene of the sample that comes with the package, uint8 [48,48,3]."""
    batch = open_dataset(DataConfig("sample", kind="scenes"), "test").batch(torch.tensor([EXAMPLE]))
    return np.ascontiguousarray(batch.images[0].permute(1, 2, 0).numpy())


PICTURES = {
    "anchors.svg": anchors,
    "iou.svg": iou,
    "deltas.svg": deltas,
    "matching.svg": matching,
    "max_pool.svg": max_pooling,
    "nms.svg": suppression,
    "theta.png": transformer,
}
