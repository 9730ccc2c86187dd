"""Nuclei before training and after five minutes (nuclei.png), and average precision on the way (minutes.svg)."""

from __future__ import annotations

import math
from typing import Any

import torch
from drawing import BLUE, GREY, INK, RULE, Drawing
from drawing import RED as DARK_RED
from PIL import Image
from sheet import GREEN, RED, Sheet, Tile
from sheet import GREY as GREY_INK
from sheet import INK as DARK
from shown import hits, verdict
from trained import Numbers, Scene, Trained, detections, rounded, scenes

from pocketrcnn.model.faster_rcnn import FasterRCNN

SIDE, HEADER = 586, 100  # pixels of a tile, and of the lines above it
OBJECTS = range(15, 46)  # nuclei in the image that is shown: neither empty nor too full to see


def draw(trained: Trained) -> tuple[bytes, Numbers, Numbers]:
    """The picture of one image before and after, what it is given and what it shows."""
    chosen = median(trained)
    after = detections(trained.model, chosen, trained.threshold)
    before = detections(untrained(trained), chosen, 0.0, len(after["labels"]))
    given = {
        "image": chosen.name,
        "objects": rounded(torch.tensor(chosen.objects)),
        "labels": chosen.labels,
        "before": before,
        "after": after,
    }
    shown = hits(given)
    sheet = Sheet(2, 1, SIDE, HEADER)
    minutes = f"After {round(trained.made['minutes'])} minutes"
    for place, (name, title) in enumerate((("before", "Before training"), ("after", minutes))):
        outcome, found = shown[f"boxes.iou ({name})"], before if name == "before" else after
        sheet.title(place, [(title, 40, True, DARK), (counts(outcome, len(chosen.labels)), 30, False, GREY_INK)])
        sheet.put(place, compared(chosen, found, outcome))
    return sheet.png(), given, shown


def counts(outcome: Numbers, objects: int) -> str:
    """The verdict in words."""
    right, wrong = sum(outcome["right"]), len(outcome["right"]) - sum(outcome["right"])
    return f"{right} of {objects} nuclei, {wrong} wrong {'box' if wrong == 1 else 'boxes'}"


def untrained(trained: Trained) -> FasterRCNN:
    """The same network with the random weights that training began with."""
    torch.manual_seed(trained.made["seed"])
    return FasterRCNN(trained.run.config.model).eval()


def median(trained: Trained) -> Scene:
    """Of the test images with so many objects, the one of median F1: neither the best nor the worst."""
    rated = []
    for scene in scenes(trained):
        if len(scene.labels) in OBJECTS:
            found = detections(trained.model, scene, trained.threshold)
            outcome = verdict({"objects": scene.objects, "labels": scene.labels}, found)
            right = sum(outcome["right"])
            rated.append((2 * right / max(1, len(outcome["right"]) + len(scene.labels)), scene.name, scene))
    return sorted(rated, key=lambda row: row[:2])[len(rated) // 2][2]


def compared(scene: Scene, found: Numbers, outcome: Numbers) -> Image.Image:
    """Right detections, wrong ones, and the objects that are missed, dashed."""
    tile = Tile(scene.pixels, SIDE)
    for place in outcome["missed"]:
        tile.box(scene.objects[place], (255, 255, 255), 2, dashed=True)
    for box, right in zip(found["boxes"], outcome["right"], strict=True):
        tile.box(box, GREEN if right else RED, 4 if right else 3)
    return tile.image


def curve(trained: Trained) -> tuple[bytes, Numbers, Numbers]:
    """AP50 and AP on validation images against the minutes of the run."""
    points: list[Any] = trained.run.log_entries()
    pace = trained.made["minutes"] / trained.made["iterations"]
    given = {
        "iterations": trained.made["iterations"],
        "minutes": [0.0, *(round(point["iteration"] * pace, 2) for point in points)],
        **{name: [0.0, *(round(point["test"][name], 3) for point in points)] for name in ("AP50", "AP")},
    }
    return plotted(given), given, {}


def plotted(given: Numbers) -> bytes:
    """Two curves with their names at their ends."""
    drawing = Drawing(900, 400)
    left, top, right, bottom = 80.0, 60.0, 700.0, 330.0
    last = math.ceil(max(given["minutes"]))
    for step in range(6):
        y = bottom + (top - bottom) * step / 5
        drawing.line([(left, y), (right, y)], RULE, 1.5)
        drawing.text(left - 12, y + 8, f"{step / 5:.1f}", 24, GREY, text_anchor="end")
    for minute in range(last + 1):
        x = left + (right - left) * minute / last
        drawing.text(x, bottom + 34, str(minute), 24, GREY, text_anchor="middle")
    drawing.text(left, 38, f"average precision on validation images, {given['iterations']} iterations", 24, INK)
    drawing.text((left + right) / 2, bottom + 62, "minutes", 24, INK, text_anchor="middle")
    for name, colour in (("AP50", BLUE), ("AP", DARK_RED)):
        line = [
            (left + (right - left) * x / last, bottom + (top - bottom) * y)
            for x, y in zip(given["minutes"], given[name], strict=True)
        ]
        drawing.line(line, colour, 4)
        for x, y in line[1:]:
            drawing.dot(x, y, 6, colour)
        drawing.text(line[-1][0] + 14, line[-1][1] + 8, f"{name} {given[name][-1]:.2f}", 26, colour, font_weight="600")
    return drawing.svg()
